"""Components that use component-model async and WASI 0.3, from the Rust tool chain."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import airssys_wasm as aw

PREBUILT = Path(__file__).parents[1] / "components" / "prebuilt"
API = "acme:courier/api"
HOST = "acme:courier/host"
NAP_MILLISECONDS = 100
#: Everything that it imports, with nothing in what is empty so far.
GRANT = aw.Grant(environment=[], filesystem_read=[], network=[])


class Post:
    """An honest implementation of ``acme:courier/host``; tests override parts."""

    async def fetch(self, key: str) -> str:
        await asyncio.sleep(0)
        return key.upper()

    def look_up(self, key: str) -> int:
        return len(key)


Send = Callable[..., aw.Instance]


@pytest.fixture(scope="module")
def courier(engine: aw.Engine) -> aw.Component:
    return engine.load(PREBUILT / "courier.wasm")


@pytest.fixture
def send(courier: aw.Component, limits: aw.Limits, request: pytest.FixtureRequest) -> Send:
    """Instantiate the courier with an object for its host; closed after the test."""

    def send_one(host: object | None = None, **options: Any) -> aw.Instance:
        options.setdefault("limits", limits)
        options.setdefault("grant", GRANT)
        instance = courier.instantiate(imports={HOST: host or Post()}, **options)
        request.addfinalizer(instance.close)
        return instance

    return send_one


@pytest.fixture
def instance(send: Send) -> aw.Instance:
    return send()


@pytest.fixture(params=["call", "call_async"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Call a function of the courier, blocking or awaited."""

    def call(instance: aw.Instance, function: str, *args: object) -> Any:
        return instance.call(f"{API}#{function}", *args)

    def call_async(instance: aw.Instance, function: str, *args: object) -> Any:
        async def awaited() -> Any:
            return await instance.call_async(f"{API}#{function}", *args)

        return asyncio.run(awaited())

    return call if request.param == "call" else call_async


class TestConfiguration:
    def test_only_components_with_async_go_to_the_async_engine(self, engine: aw.Engine) -> None:
        found = {path.stem: engine.load(path).is_async for path in PREBUILT.glob("*.wasm")}

        assert found.pop("courier") is True
        assert found
        assert not any(found.values())

    def test_each_configuration_has_cache_entries_of_its_own(self, tmp_path: Path) -> None:
        def settings(name: str) -> str:
            (entry,) = (
                path
                for path in tmp_path.glob("*.cwasm")
                if path.name.startswith(aw.Engine.load(engine, PREBUILT / name).digest)
            )
            return entry.name.partition("-")[2]

        engine = aw.Engine(cache_dir=tmp_path, pool_instances=10)
        for name in ("courier.wasm", "echo.wasm"):
            engine.load(PREBUILT / name)
        assert settings("courier.wasm") != settings("echo.wasm")

        again = aw.Engine(cache_dir=tmp_path, pool_instances=10)
        assert again.load(PREBUILT / "courier.wasm").is_async
        assert again.cache_statistics["hits"] == 1

    @pytest.mark.parametrize("options", [{}, {"dense_memory_bytes": 2 * aw.MIB}])
    @pytest.mark.parametrize("fuel_max", [None, 10_000_000])
    def test_it_runs_in_every_kind_of_engine(
        self, options: dict[str, Any], fuel_max: int | None
    ) -> None:
        engine = aw.Engine(cache_dir=None, pool_instances=4, **options)
        limits = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=20.0, fuel_max=fuel_max)
        component = engine.load(PREBUILT / "courier.wasm")
        instances = [
            component.instantiate(limits=limits, imports={HOST: Post()}, grant=GRANT)
            for _ in range(6)
        ]
        for one in instances:
            assert one.call(f"{API}#shout", "quiet") == "QUIET"
            assert (one.receipt.fuel is None) == (fuel_max is None)
            one.close()
        assert (engine.live_instances, engine.pool_slots_used) == (0, 0)

    def test_a_component_too_large_for_this_process_is_compiled_for_it_too(
        self, tmp_path: Path
    ) -> None:
        """The courier is more than what is compiled here, so its code is a worker's."""
        engine = aw.Engine(cache_dir=None, pool_instances=4, compiler=tmp_path / "none")

        with pytest.raises(aw.CompileRefused):
            engine.load(PREBUILT / "courier.wasm")


class TestCalls:
    def test_ordinary_values_cross(self, instance: aw.Instance, ask: Callable[..., Any]) -> None:
        assert ask(instance, "shout", "grüße") == "GRÜSSE"
        assert ask(instance, "length", "grüße") == 5
        assert ask(instance, "stream-to-self", bytes(range(10))) == 45

    def test_a_guest_waits_for_the_host(
        self, instance: aw.Instance, ask: Callable[..., Any]
    ) -> None:
        assert ask(instance, "nap", NAP_MILLISECONDS) >= NAP_MILLISECONDS * 1_000_000
        assert instance.receipt.seconds >= NAP_MILLISECONDS / 1000

    def test_what_it_waits_for_it_waits_for_at_once(
        self, instance: aw.Instance, ask: Callable[..., Any]
    ) -> None:
        nanoseconds = ask(instance, "nap-together", NAP_MILLISECONDS, 50)

        assert NAP_MILLISECONDS <= nanoseconds / 1_000_000 < 10 * NAP_MILLISECONDS

    def test_output_is_captured(self, instance: aw.Instance, ask: Callable[..., Any]) -> None:
        ask(instance, "print", ["one", "two \x1b[2J"])

        assert instance.stdout == "one\ntwo \\x1b[2J\n"

    def test_wrong_arguments_are_refused_before_it_runs(self, instance: aw.Instance) -> None:
        with pytest.raises(aw.ValueMismatch, match="text"):
            instance.call(f"{API}#shout", 1)

        assert instance.call(f"{API}#shout", "a") == "A"

    def test_one_call_at_a_time(self, instance: aw.Instance) -> None:
        async def both() -> float:
            began = time.monotonic()
            await asyncio.gather(
                *(instance.call_async(f"{API}#nap", NAP_MILLISECONDS) for _ in range(3))
            )
            return time.monotonic() - began

        assert asyncio.run(both()) >= 3 * NAP_MILLISECONDS / 1000


class TestImports:
    def test_functions_that_wait_are_in_flight_together(
        self, send: Send, ask: Callable[..., Any]
    ) -> None:
        class Slow(Post):
            now = most = 0

            async def fetch(self, key: str) -> str:
                self.now += 1
                self.most = max(self.most, self.now)
                await asyncio.sleep(NAP_MILLISECONDS / 1000)
                self.now -= 1
                return key[::-1]

        host = Slow()
        instance = send(host)

        assert ask(instance, "fetch-all", ["ab", "cd", "ef"]) == ["ba", "dc", "fe"]
        assert (host.now, host.most) == (0, 3)
        assert instance.receipt.host_calls == 3

    def test_functions_that_do_not_wait_serve_async_imports_too(
        self, send: Send, ask: Callable[..., Any]
    ) -> None:
        class AtOnce(Post):
            def fetch(self, key: str) -> str:  # type: ignore[override]
                return key * 2

        assert ask(send(AtOnce()), "fetch-all", ["ab", "c"]) == ["abab", "cc"]

    def test_functions_that_wait_serve_sync_imports_too(
        self, send: Send, ask: Callable[..., Any]
    ) -> None:
        class Waiting(Post):
            async def look_up(self, key: str) -> int:  # type: ignore[override]
                await asyncio.sleep(0.01)
                return len(key)

        assert ask(send(Waiting()), "look-up", "four") == 4
        assert ask(send(), "look-up", "four") == 4

    @pytest.mark.parametrize("waits", [True, False])
    def test_an_error_for_the_guest_is_its_err(self, send: Send, *, waits: bool) -> None:
        class Refusing(Post):
            async def fetch(self, key: str) -> str:
                raise aw.ComponentError(f"no {key}")

        class RefusingAtOnce(Post):
            def fetch(self, key: str) -> str:  # type: ignore[override]
                raise aw.ComponentError(f"no {key}")

        with pytest.raises(aw.ComponentError) as caught:
            send(Refusing() if waits else RefusingAtOnce()).call(f"{API}#fetch-all", ["letter"])

        assert caught.value.value == "no letter"

    def test_what_fails_ends_the_instance_and_is_chained(self, send: Send) -> None:
        class Broken(Post):
            async def fetch(self, key: str) -> str:
                raise LookupError(key)

        instance = send(Broken())
        with pytest.raises(aw.Trapped) as caught:
            instance.call(f"{API}#fetch-all", ["letter"])

        assert caught.value.kind == "host-error"
        assert isinstance(caught.value.__cause__, LookupError)
        assert instance.closed

    @pytest.mark.parametrize("waits", [True, False])
    def test_one_may_call_another_instance(self, send: Send, *, waits: bool) -> None:
        other = send()

        class Asking(Post):
            async def fetch(self, key: str) -> str:
                answer: str = await other.call_async(f"{API}#shout", key)
                return answer

        class AskingAtOnce(Post):
            def fetch(self, key: str) -> str:  # type: ignore[override]
                assert other.call(f"{API}#nap", 1) > 0
                answer: str = other.call(f"{API}#shout", key)
                return answer

        outer = send(Asking() if waits else AskingAtOnce())

        assert outer.call(f"{API}#fetch-all", ["a", "b"]) == ["A", "B"]

    @pytest.mark.parametrize("waits", [True, False])
    def test_one_may_make_another_instance(
        self, send: Send, echo: aw.Component, limits: aw.Limits, *, waits: bool
    ) -> None:
        def ask_others(key: str) -> str:
            inner = send()
            with echo.instantiate(limits=limits) as plain:
                assert plain.call("acme:echo/types#echo-u8", 7) == 7
            answer: str = inner.call(f"{API}#shout", key)
            return answer

        class Making(Post):
            async def fetch(self, key: str) -> str:
                return await asyncio.to_thread(ask_others, key)

        class MakingAtOnce(Post):
            def fetch(self, key: str) -> str:  # type: ignore[override]
                return ask_others(key)

        outer = send(Making() if waits else MakingAtOnce())

        assert outer.call(f"{API}#fetch-all", ["a"]) == ["A"]


class TestTasksLeftBehind:
    """A task that goes on after its export returned stands still between calls."""

    def test_it_stands_still_until_the_next_call(self, instance: aw.Instance) -> None:
        instance.call(f"{API}#leave-behind", 1)
        time.sleep(0.2)
        before = instance.call(f"{API}#counted")
        instance.call(f"{API}#nap", NAP_MILLISECONDS)
        after = instance.call(f"{API}#counted")

        # Its first nap was over long ago, but nobody was there to count it.
        assert before <= 1
        assert after > before + 2

    def test_it_works_on_the_time_and_fuel_of_the_call_that_runs(self, send: Send) -> None:
        limits = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=20.0, fuel_max=10_000_000)
        alone, accompanied = send(limits=limits), send(limits=limits)
        accompanied.call(f"{API}#leave-behind", 1)
        for one in (alone, accompanied):
            one.call(f"{API}#nap", NAP_MILLISECONDS)

        assert alone.receipt.fuel is not None
        assert accompanied.receipt.fuel is not None
        assert accompanied.receipt.fuel > 2 * alone.receipt.fuel

    def test_it_goes_with_its_instance(self, engine: aw.Engine, send: Send) -> None:
        slots = engine.pool_slots_used
        instance = send()
        instance.call(f"{API}#leave-behind", 1)
        assert engine.pool_slots_used == slots + 1
        instance.close()

        assert engine.pool_slots_used == slots
        with pytest.raises(aw.InstanceClosed):
            instance.call(f"{API}#counted")


@pytest.fixture
def streamer(engine: aw.Engine) -> aw.Component:
    return engine.load(
        """
        (component
          (import "drain" (func (param "name" string) (param "data" (option (stream u8))))))
        """,
        name="streamer",
    )


class TestStreamsAndFutures:
    """They stay inside a component; Python has nothing to give or take for them."""

    @pytest.mark.parametrize(
        ("function", "argument", "kind"), [("total", [b"abc"], "stream"), ("later", [], "future")]
    )
    def test_a_function_with_one_is_refused_by_name_before_it_runs(
        self, instance: aw.Instance, function: str, argument: list[object], kind: str
    ) -> None:
        with pytest.raises(aw.ValueMismatch, match=rf"api@1.0.0#{function}.* holds a {kind}"):
            instance.call(f"{API}#{function}", *argument)
        with pytest.raises(aw.ValueMismatch, match="hint: a list"):
            asyncio.run(_awaited(instance, function, *argument))

        assert instance.call(f"{API}#shout", "alive") == "ALIVE"

    def test_a_function_with_one_cannot_be_supplied(
        self, streamer: aw.Component, limits: aw.Limits
    ) -> None:
        with pytest.raises(aw.ImportMissing, match=r'"drain".* parameter "data" holds a stream'):
            streamer.instantiate(limits=limits, imports={"drain": print})

    def test_they_are_shown_all_the_same(self, courier: aw.Component, tmp_path: Path) -> None:
        functions = courier.exports[f"{API}@1.0.0"]

        assert str(functions["total"]) == "async total(data: stream<u8>) -> u64"
        assert str(functions["later"]) == "async later() -> future<string>"
        assert str(functions["length"]) == "length(text: string) -> u32"
        assert "total: async func(data: stream<u8>) -> u64;" in courier.wit
        stubs = courier.stubs(tmp_path / "courier.pyi").read_text()
        compile(stubs, "courier.pyi", "exec")
        assert "fetch" in stubs


async def _awaited(instance: aw.Instance, function: str, *args: object) -> Any:
    return await instance.call_async(f"{API}#{function}", *args)


class TestWasi:
    """WASI 0.3 by the same grants as 0.2, and the same bounds."""

    @pytest.mark.parametrize(
        ("withheld", "missing", "hint"),
        [
            ({"clocks": False}, ["clocks/monotonic-clock", "clocks/system-clock"], "clocks=True"),
            (
                {"random": False},
                ["random/random", "random/insecure", "random/insecure-seed"],
                "random=True",
            ),
            (
                {"output": False},
                ["cli/exit", "cli/stdin", "cli/stdout", "cli/stderr"],
                "output=True",
            ),
            ({"environment": None}, ["cli/environment"], "environment=["),
            (
                {"filesystem_read": None},
                ["filesystem/types", "filesystem/preopens"],
                "filesystem_read=[",
            ),
            ({"network": None}, ["sockets/types", "sockets/ip-name-lookup"], "network=["),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_what_is_withheld_is_missing_and_named(
        self, send: Send, withheld: dict[str, Any], missing: list[str], hint: str
    ) -> None:
        with pytest.raises(aw.ImportMissing) as caught:
            send(grant=dataclasses.replace(GRANT, **withheld))

        assert {name for name, _ in caught.value.missing} == {
            f"wasi:{name}@0.3.0" for name in missing
        }
        assert all(given.startswith(f"Grant({hint}") for _, given in caught.value.missing)

    def test_there_is_nothing_in_it_that_was_not_granted(
        self, send: Send, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRSSYS_SECRET", "hidden")
        grant = dataclasses.replace(GRANT, environment={"TZ": "UTC"})
        found = dict(send(grant=grant).call(f"{API}#survey"))

        assert abs(time.time() - int(found.pop("seconds"))) <= 2
        assert found == {
            "arguments": "[]",
            "environment": '[("TZ", "UTC")]',
            "input": "[]",
            "directories": "0",
            "random": "16",
            "random, too many": str(64 * aw.KIB),
            "tcp": "Some(ErrorCode::AccessDenied)",
            "udp": "Some(ErrorCode::AccessDenied)",
            "name": "Err(ErrorCode::PermanentResolverFailure)",
        }

    def test_leaving_ends_the_instance(self, instance: aw.Instance) -> None:
        with pytest.raises(aw.Trapped, match="status 3") as caught:
            instance.call(f"{API}#leave", "last words", 3)

        assert caught.value.kind == "exit"
        assert (instance.stdout, instance.stderr) == ("", "last words")

    def test_a_draft_of_it_is_refused(self, engine: aw.Engine, limits: aw.Limits) -> None:
        draft = "wasi:clocks/monotonic-clock@0.3.0-rc-2026-01-06"
        component = engine.load(
            f"""(component (import "{draft}" (instance (export "now" (func (result u64)))))
            (type (stream u8)))""",
            name="draft",
        )

        with pytest.raises(aw.ImportMissing, match=f"{draft}\n    hint: this version"):
            component.instantiate(limits=limits)
