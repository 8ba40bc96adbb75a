"""An instance near its memory limit is warned of: in its receipt, and once in the log."""

from __future__ import annotations

import logging

import pytest

import airssys_wasm as aw

PAGE = 64 * aw.KIB
LOGGER = "airssys_wasm.runtime"
GROWS = """
(component
  (core module $m
    (memory {pages})
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "grow") (param "by" u32) (result s32) (canon lift (core func $i "grow"))))
"""
#: The same with an import that may wait, so that it runs on a stack of its own.
WAITS = GROWS.replace("(component", '(component (import "idle" (func $idle))', 1)


def limits(pages: int = 20) -> aw.Limits:
    return aw.Limits(memory_bytes_max=pages * PAGE, call_seconds_max=5.0)


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.name == LOGGER]


def grows(engine: aw.Engine, pages: int = 1) -> aw.Component:
    return engine.load(GROWS.replace("{pages}", str(pages)), name="hungry")


def warned(instance: aw.Instance) -> bool:
    return instance.receipt.memory_warning


def test_nine_tenths_are_warned_of_and_less_is_not(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with grows(engine).instantiate(limits=limits()) as instance:
        instance.call("grow", 16)
        assert not warned(instance)
        assert warnings(caplog) == []

        instance.call("grow", 1)
        assert warned(instance)
        assert instance.receipt.memory_denied == 0

    (words,) = warnings(caplog)
    assert "'hungry' wants 1179648 bytes of memory, 90 % of its limit of 1310720" in words
    assert "hint: raise Limits(memory_bytes_max=...)" in words
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_growth_that_is_denied_is_warned_of(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with grows(engine).instantiate(limits=limits()) as instance:
        assert instance.call("grow", 100) == -1
        assert instance.receipt.memory_warning

    assert "505 %" in warnings(caplog)[0]


def test_a_thousand_instances_alike_are_one_warning(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    component = grows(engine, pages=19)
    for _ in range(1000):
        with component.instantiate(limits=limits()) as instance:
            instance.call("grow", 0)
            assert instance.receipt.memory_warning
    assert len(warnings(caplog)) == 1

    component.instantiate(limits=limits(21)).close()
    assert len(warnings(caplog)) == 2, "under another limit it is news again"


def test_a_guest_with_a_stack_of_its_own_is_warned_of_too(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def idle() -> None:
        raise AssertionError("never called")

    component = engine.load(WAITS.replace("{pages}", "1"), name="waiting")
    with component.instantiate(limits=limits(), imports={"idle": idle}) as instance:
        instance.call("grow", 18)

    assert len(warnings(caplog)) == 1


class Handler(logging.Handler):
    """Does something of its own with what is logged."""

    def __init__(self, engine: aw.Engine, raises: BaseException | None = None) -> None:
        super().__init__()
        self._other = grows(engine).instantiate(limits=limits(100))
        self._raises = raises
        self.seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        del record
        self.seen += 1
        assert self._other.call("grow", 1) == self.seen
        if self._raises is not None:
            raise self._raises


def test_a_handler_may_call_other_guests(engine: aw.Engine) -> None:
    handler = Handler(engine)
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        with grows(engine).instantiate(limits=limits()) as instance:
            assert instance.call("grow", 18) == 1
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)

    assert handler.seen == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_handler_that_fails_does_the_guest_no_harm(engine: aw.Engine) -> None:
    handler = Handler(engine, RuntimeError("the disk is full"))
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        with grows(engine).instantiate(limits=limits()) as instance:
            assert instance.call("grow", 18) == 1
            assert instance.call("grow", 0) == 19
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)

    assert handler.seen == 1


def test_ctrl_c_in_a_handler_means_the_program(engine: aw.Engine) -> None:
    handler = Handler(engine, KeyboardInterrupt())
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        instance = grows(engine).instantiate(limits=limits())
        with pytest.raises(KeyboardInterrupt):
            instance.call("grow", 18)
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)

    assert instance.closed
