"""The sides of the comparison, each in its best shape.

A contestant offers some of these operations, each bound to all it needs before the clock starts:

add             call a function of two s32
echo            send bytes through a guest and get them back
spawn           make an instance of compiled code and drop it
import_many     let the guest call a Python function, a thousand times in one call
load            make a large component ready whose compiled code is on disk
compile         compile the same component
encode, decode  write or read a message in a codec (messages.py)
calls           how many calls the guest answered so far: the proof that it ran
"""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import guests
from messages import OurCodecs
from operation import Operation

#: Host calls in one call of ``import_many``.
IMPORT_TIMES = 1_000


def payload(size: int) -> bytes:
    return random.Random(3).randbytes(size)  # noqa: S311 - filling, not a secret


class Supplied:
    """What the importing guest imports, as a Python object."""

    def add(self, left: int, right: int) -> int:
        return left + right

    def echo_bytes(self, data: bytes) -> bytes:
        return data

    def describe(self, name: str, age: int) -> str:
        return f"{name}, {age}"

    def look_up(self, key: str) -> str:
        return key

    def wait(self, milliseconds: int) -> int:
        return milliseconds

    class Session:
        def __init__(self, name: str) -> None:
            self._name = name

        def send(self, line: str) -> int:
            return len(line)

        def name(self) -> str:
            return self._name


#: What ``call-many`` gives: the sum of 1 to IMPORT_TIMES.
IMPORT_SUM = IMPORT_TIMES * (IMPORT_TIMES + 1) // 2


class Ours(OurCodecs):
    """This package, through its public interface."""

    def __init__(self) -> None:
        import airssys_wasm as aw

        self._aw = aw
        self._limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=10.0)
        self._engine = aw.Engine(cache_dir=None)
        self._component = self._engine.load(guests.ECHO)
        self._instance = self._component.instantiate(limits=self._limits)

    def add(self) -> Operation:
        name = f"{guests.ECHO_API}#add"
        return Operation("call(name, 1, 2)", {"call": self._instance.call, "name": name}, 3)

    def add_async(self) -> Operation:
        name = f"{guests.ECHO_API}#add"
        names = {"call": self._instance.call_async, "name": name}
        return Operation("await call(name, 1, 2)", names, 3)

    def echo(self, size: int) -> Operation:
        data = payload(size)
        names = {"call": self._instance.call, "name": f"{guests.ECHO_API}#echo-bytes", "data": data}
        return Operation("call(name, data)", names, data)

    def spawn(self) -> Operation:
        # The slot goes back to the pool when the last reference does.
        names = {"instantiate": self._component.instantiate, "limits": self._limits}
        return Operation("instantiate(limits=limits)", names)

    def import_many(self) -> Operation:
        importer = self._engine.load(guests.IMPORTER)
        imports = {guests.IMPORTER_HOST: Supplied(), "plain": lambda value: value}
        instance = importer.instantiate(limits=self._limits, imports=imports)
        names = {"call": instance.call, "name": f"{guests.IMPORTER_API}#call-many"}
        return Operation(
            f"call(name, {IMPORT_TIMES})", names, expected=IMPORT_SUM, cost=IMPORT_TIMES
        )

    def load(self, path: str) -> Operation:
        # A new engine each time: what one process has loaded it has at hand, and
        # that is not what is measured.
        cache = f"{path}.cache"
        binary = Path(path).read_bytes()
        self._aw.Engine(cache_dir=cache).load(binary)
        names = {"Engine": self._aw.Engine, "cache": cache, "binary": binary}
        setup = "engine = Engine(cache_dir=cache, pool_instances=100)"
        return Operation("engine.load(binary)", names, setup=setup, fresh=True)

    def calls(self) -> int:
        return int(self._instance.call(f"{guests.ECHO_API}#calls"))


class WasmtimePy:
    """wasmtime-py: one store, one instance, each function looked up once."""

    def __init__(self) -> None:
        import wasmtime
        from wasmtime import component

        self._wasmtime, self._model = wasmtime, component
        self._engine = wasmtime.Engine()
        self._store = wasmtime.Store(self._engine)
        self._component = component.Component(self._engine, guests.ECHO.read_bytes())
        self._linker = component.Linker(self._engine)
        self._instance = self._linker.instantiate(self._store, self._component)

    def _function(self, instance: Any, interface: str, name: str) -> Any:
        parent = instance.get_export_index(self._store, interface)
        index = instance.get_export_index(self._store, name, parent)
        function = instance.get_func(self._store, index)
        assert function is not None, name
        return function

    def _echo_function(self, name: str) -> dict[str, Any]:
        function = self._function(self._instance, guests.ECHO_API, name)
        return {"function": function, "store": self._store}

    def add(self) -> Operation:
        return Operation("function(store, 1, 2)", self._echo_function("add"), 3)

    def echo(self, size: int) -> Operation:
        data = payload(size)
        names = {**self._echo_function("echo-bytes"), "data": data}
        return Operation("function(store, data)", names, data)

    def spawn(self) -> Operation:
        names = {
            "Store": self._wasmtime.Store,
            "engine": self._engine,
            "component": self._component,
            "instantiate": self._linker.instantiate,
        }
        return Operation("instantiate(Store(engine), component)", names)

    def import_many(self) -> Operation:
        importer = self._model.Component(self._engine, guests.IMPORTER.read_bytes())
        linker = self._model.Linker(self._engine)
        session = self._model.ResourceType.host(1)
        with linker.root() as root:
            root.add_func("plain", lambda _store, value: value)
            with root.add_instance(guests.IMPORTER_HOST) as host:
                host.add_resource("session", session, lambda _store, _handle: None)
                host.add_func("add", lambda _store, left, right: left + right)
                for unused in guests.IMPORTER_UNUSED:
                    host.add_func(unused, lambda *_arguments: None)
        instance = linker.instantiate(self._store, importer)
        function = self._function(instance, guests.IMPORTER_API, "call-many")
        names = {"function": function, "store": self._store}
        return Operation(
            f"function(store, {IMPORT_TIMES})", names, expected=IMPORT_SUM, cost=IMPORT_TIMES
        )

    def compile(self, path: str) -> Operation:
        binary = Path(path).read_bytes()
        # Code that can be interrupted, as ours can.
        config = self._wasmtime.Config()
        config.epoch_interruption = True
        engine = self._wasmtime.Engine(config)
        names = {"Component": self._model.Component, "engine": engine, "binary": binary}
        return Operation("Component(engine, binary)", names, fresh=True)

    def calls(self) -> int:
        return int(self._function(self._instance, guests.ECHO_API, "calls")(self._store))


class Extism:
    """Extism: a core module, its input and output in the kernel's memory."""

    def __init__(self) -> None:
        import extism
        from wasmtime import wat2wasm

        self._extism = extism
        self._manifest = {"wasm": [{"data": bytes(wat2wasm(guests.EXTISM.read_text()))}]}
        self._plugin = extism.Plugin(self._manifest)

    def add(self) -> Operation:
        names = {"call": self._plugin.call, "data": struct.pack("<ii", 1, 2)}
        return Operation('call("add", data)', names, struct.pack("<q", 3))

    def echo(self, size: int) -> Operation:
        data = payload(size)
        names = {"call": self._plugin.call, "data": data}
        return Operation('call("echo", data)', names, data)

    def spawn(self) -> Operation:
        from extism.extism import CompiledPlugin

        compiled = CompiledPlugin(self._manifest)
        return Operation("Plugin(compiled)", {"Plugin": self._extism.Plugin, "compiled": compiled})

    def calls(self) -> int:
        return int.from_bytes(self._plugin.call("calls", b""), "little")


class Floor:
    """Cython: a Python call into compiled code that does no more than the guest does."""

    def __init__(self) -> None:
        import floor

        self._floor = floor

    def add(self) -> Operation:
        return Operation("add(1, 2)", {"add": self._floor.add}, 3)

    def echo(self, size: int) -> Operation:
        data = payload(size)
        return Operation("echo(data)", {"echo": self._floor.echo, "data": data}, data)

    def calls(self) -> int:
        return int(self._floor.calls())


#: The sides of the calls, by the names the table calls them.
BY_NAME = {"airssys-wasm": Ours, "wasmtime-py": WasmtimePy, "Extism": Extism, "Cython": Floor}
