"""What the embedder supplies, and what is wrong with some of it."""

from __future__ import annotations

import contextvars
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import airssys_wasm as aw

Open = Callable[..., aw.Instance]
API = "acme:importer/api"


def test_a_mapping_of_functions_is_as_good_as_an_object(
    importer: aw.Component, limits: aw.Limits, supplied: type[Any]
) -> None:
    host = supplied()
    functions = {
        "add": host.add,
        "echo-bytes": host.echo_bytes,
        "describe": host.describe,
        "look_up": host.look_up,
        "wait": host.wait,
        "Session": host.Session,
    }
    imports = {"acme:importer/host@1.0.0": functions, "plain": lambda value: value}
    with importer.instantiate(limits=limits, imports=imports) as instance:
        assert instance.call(f"{API}#call-many", 10) == sum(range(10)) + 10


def test_a_missing_method_is_missing_and_named(
    importer: aw.Component, limits: aw.Limits, supplied: type[Any]
) -> None:
    host = supplied()
    functions = {"add": host.add, "session": host.Session}
    with pytest.raises(aw.ImportMissing) as caught:
        importer.instantiate(limits=limits, imports={"acme:importer/host": functions, "plain": abs})

    missing = dict(caught.value.missing)
    assert missing["acme:importer/host@1.0.0#look-up"].startswith('a method "look_up"')
    assert "acme:importer/host@1.0.0#add" not in missing


def test_what_cannot_be_called_is_refused_before_anything_runs(
    importer: aw.Component, limits: aw.Limits, supplied: type[Any]
) -> None:
    with pytest.raises(aw.ValueMismatch, match="arg 'plain': expected a function, got int 7"):
        importer.instantiate(limits=limits, imports={"acme:importer/host": supplied(), "plain": 7})


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ("seven", r"the returned value.*expected u32, got str"),
        (None, r"the returned value.*expected u32, got NoneType"),
        (2**32, r"4294967296 does not fit u32"),
        (-1, r"-1 does not fit u32"),
        (True, r"expected u32, got bool"),
    ],
)
def test_an_answer_of_a_wrong_type_traps_and_says_which(
    open_importer: Open, supplied: type[Any], returned: object, why: str
) -> None:
    instance = open_importer(supplied(), plain=lambda _: returned)
    with pytest.raises(aw.Trapped, match=why) as caught:
        instance.call(f"{API}#call-plain", 1)

    assert isinstance(caught.value.__cause__, aw.ValueMismatch)
    assert instance.closed


def test_an_err_value_of_a_wrong_type_traps_and_names_the_field(
    open_importer: Open, supplied: type[Any]
) -> None:
    class Wrong(supplied):  # type: ignore[misc]
        def look_up(self, key: str) -> str:
            raise aw.ComponentError({"key": key, "code": -1})

    instance = open_importer(Wrong())
    with pytest.raises(aw.Trapped, match=r"err\.code.*-1 does not fit u32"):
        instance.call(f"{API}#look-up", "key")


def test_a_component_error_where_wit_has_no_err_is_an_exception_like_any_other(
    open_importer: Open, supplied: type[Any]
) -> None:
    def plain(_: int) -> int:
        raise aw.ComponentError("unexpected")

    instance = open_importer(supplied(), plain=plain)
    with pytest.raises(aw.Trapped) as caught:
        instance.call(f"{API}#call-plain", 1)

    assert isinstance(caught.value.__cause__, aw.ComponentError)


def test_what_an_exception_says_is_cut_and_the_exception_is_not(
    open_importer: Open, supplied: type[Any]
) -> None:
    # Of three bytes each, so that the cut falls inside one.
    said = "\N{EURO SIGN}" * 10_000

    def plain(_: int) -> int:
        raise ValueError(said)

    with pytest.raises(aw.Trapped, match=f"ValueError: {said[:300]}") as caught:
        open_importer(supplied(), plain=plain).call(f"{API}#call-plain", 1)

    assert "\N{EURO SIGN}…" in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert str(caught.value.__cause__) == said


def test_a_failure_inside_failures_does_not_say_them_all_again(
    open_importer: Open, supplied: type[Any]
) -> None:
    depth = 30

    def plain(level: int) -> int:
        if level == depth:
            raise ValueError("at the bottom")
        answer: int = open_importer(supplied(), plain=plain).call(f"{API}#call-plain", level + 1)
        return answer

    with pytest.raises(aw.Trapped) as caught:
        plain(0)

    error: BaseException | None = caught.value
    for _ in range(depth):
        assert isinstance(error, aw.Trapped)
        assert len(str(error)) < 2000
        error = error.__cause__
    assert str(error) == "at the bottom"


def test_a_result_of_nothing_but_ok_may_come_from_the_value_alone(
    open_importer: Open, supplied: type[Any]
) -> None:
    instance = open_importer(supplied())

    assert instance.call(f"{API}#look-up", "key") == "KEY"


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_ctrl_c_and_exit_in_a_host_function_mean_the_program(
    open_importer: Open, supplied: type[Any], ending: type[BaseException]
) -> None:
    def plain(_: int) -> int:
        raise ending

    instance = open_importer(supplied(), plain=plain)
    with pytest.raises(ending):
        instance.call(f"{API}#call-plain", 1)

    assert instance.closed


class TestResources:
    def test_a_class_of_the_embedder_is_a_resource(
        self, open_importer: Open, supplied: type[Any]
    ) -> None:
        instance = open_importer(supplied())

        assert instance.call(f"{API}#talk", "desk", ["a", "b", "c"]) == ("desk", 6)

    def test_the_object_goes_when_the_guest_drops_its_handle(
        self, open_importer: Open, supplied: type[Any]
    ) -> None:
        seen: list[weakref.ref[Any]] = []

        class Watched(supplied.Session):  # type: ignore[misc, name-defined]
            def __init__(self, name: str) -> None:
                super().__init__(name)
                seen.append(weakref.ref(self))

        class Host(supplied):  # type: ignore[misc]
            Session = Watched

        instance = open_importer(Host())
        instance.call(f"{API}#talk", "desk", [])
        gc.collect()

        assert [ref() for ref in seen] == [None]

    def test_a_guest_that_fails_half_way_leaves_no_object_behind(
        self, open_importer: Open, supplied: type[Any]
    ) -> None:
        seen: list[weakref.ref[Any]] = []

        class Failing(supplied.Session):  # type: ignore[misc, name-defined]
            def __init__(self, name: str) -> None:
                super().__init__(name)
                seen.append(weakref.ref(self))

            def send(self, line: str) -> int:
                raise RuntimeError(line)

        class Host(supplied):  # type: ignore[misc]
            Session = Failing

        instance = open_importer(Host())
        with pytest.raises(aw.Trapped):
            instance.call(f"{API}#talk", "desk", ["a"])
        gc.collect()

        assert [ref() for ref in seen] == [None]


class TestContext:
    COLOUR: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")

    @pytest.mark.parametrize("kind", ["supplied", "waiting"])
    def test_a_host_function_sees_the_callers_context(
        self, open_importer: Open, request: pytest.FixtureRequest, kind: str
    ) -> None:
        host = request.getfixturevalue(kind)()
        host.describe = lambda _name, _age: self.COLOUR.get()
        instance = open_importer(host)

        def ask() -> object:
            self.COLOUR.set("green")
            return instance.call(f"{API}#describe", "", 0)

        assert contextvars.copy_context().run(ask) == "green"


def test_what_was_supplied_goes_with_the_instance(
    importer: aw.Component, limits: aw.Limits, supplied: type[Any]
) -> None:
    host = supplied()
    alive = weakref.ref(host)
    instance = importer.instantiate(
        limits=limits, imports={"acme:importer/host": host, "plain": abs}
    )
    instance.call(f"{API}#call-many", 3)
    del host
    instance.close()
    gc.collect()

    assert alive() is None


class Plain:
    """A function that says when it goes, in Python."""

    gone = 0

    def __call__(self) -> None:
        raise AssertionError("the guest never calls it")

    def __del__(self) -> None:
        Plain.gone += 1


LOOPS = """
(component
  (import "plain" (func $plain))
  (core func $f (canon lower (func $plain)))
  (core module $m (import "" "f" (func)) (func (export "loop") (loop $l br $l)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func (export "loop") (canon lift (core func $i "loop"))))
"""


def test_what_was_supplied_goes_safely_when_a_long_call_fails(engine: aw.Engine) -> None:
    # The GIL is given up while the guest runs long, and the failed call drops
    # what the instance holds: Python's own code runs then.
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.02)
    component = engine.load(LOOPS)
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            [object() for _ in range(50)]

    churning = threading.Thread(target=churn)
    churning.start()
    before = Plain.gone
    try:
        for _ in range(20):
            instance = component.instantiate(limits=limits, imports={"plain": Plain()})
            with pytest.raises(aw.CallTimeout):
                instance.call("loop")
    finally:
        stop.set()
        churning.join()

    assert Plain.gone - before == 20
