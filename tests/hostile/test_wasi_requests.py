"""WASI: requests of absurd sizes, and things that are only ever waited for."""

from __future__ import annotations

import pytest
from tests.hostile.attack import Host, Under
from tests.hostile.wasi_guests import (
    CLOCK,
    POLL,
    RANDOM,
    STDIN,
    STDOUT,
    STREAMS,
    wasi_guest,
)

import airssys_wasm as aw

RANDOM_BYTES = {"random": ('$random "get-random-bytes"', "(param i64 i32)")}
TIMERS = {
    "after": ('$clock "subscribe-duration"', "(param i64) (result i32)"),
    "at": ('$clock "subscribe-instant"', "(param i64) (result i32)"),
    "block": ('$poll "[method]pollable.block"', "(param i32)"),
    "poll": ('$poll "poll"', "(param i32 i32 i32)"),
}
NANOSECONDS_MAX = "0xffff_ffff_ffff_ffff"


@pytest.mark.parametrize("wanted", [2**63, 2**64 - 1, 2**32, 64 * 1024 + 1])
def test_w09_random_bytes_without_measure_are_refused(host: Host, wanted: int) -> None:
    source = wasi_guest(
        RANDOM,
        RANDOM_BYTES,
        f'(func (export "run") (call $random (i64.const {wanted}) (i32.const 16)))',
    )

    outcome = host.attack(source, expect=aw.Trapped)

    assert outcome.seconds < 0.1


def test_w09_random_bytes_in_measure_are_given(engine: aw.Engine) -> None:
    source = wasi_guest(
        RANDOM,
        RANDOM_BYTES,
        """(func (export "run") (result i32)
             (call $random (i64.const 65536) (i32.const 16)) (i32.load offset=4 (i32.const 16)))""",
        result="u32",
    )
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    with engine.load(source).instantiate(limits=limits) as instance:
        assert instance.call("run") == 65_536


@pytest.mark.parametrize("subscribe", ["after", "at"])
def test_w09_a_wait_for_ever_ends_at_the_deadline(host: Host, subscribe: str) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        TIMERS,
        f'(func (export "run") (call $block (call ${subscribe} (i64.const {NANOSECONDS_MAX}))))',
    )

    host.outlast(source)


def test_w09_a_sleep_in_a_start_function_ends_at_the_deadline(host: Host) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        TIMERS,
        f"""(func $start (call $block (call $after (i64.const {NANOSECONDS_MAX}))))
            (start $start) (func (export "run"))""",
    )

    host.outlast(source)


def test_w09_a_million_timers_are_a_typed_trap(host: Host) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        TIMERS,
        """(func (export "run") (local $n i32)
             (loop $again
               (drop (call $after (i64.const 1_000_000_000_000)))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $n) (i32.const 1_000_000)))))""",
    )

    host.attack(
        source,
        expect=aw.Trapped,
        under=Under(aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5)),
    )


@pytest.mark.parametrize("times", [5_000, 60_000])
def test_w09_polling_one_timer_thousands_of_times_is_bounded(host: Host, times: int) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        TIMERS,
        f"""(func (export "run") (local $n i32) (local $timer i32)
             (local.set $timer (call $after (i64.const {NANOSECONDS_MAX})))
             (loop $again
               (i32.store (i32.mul (local.get $n) (i32.const 4)) (local.get $timer))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $n) (i32.const {times}))))
             (call $poll (i32.const 0) (i32.const {times}) (i32.const 260000)))""",
        memory_pages=16,
    )

    outcome = host.attack(source, expect=aw.ComponentFailed)

    assert outcome.seconds <= 0.3 or isinstance(outcome.error, aw.Trapped)


def test_w09_polling_nothing_is_a_typed_trap(host: Host) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        TIMERS,
        '(func (export "run") (call $poll (i32.const 0) (i32.const 0) (i32.const 64)))',
    )

    host.attack(source, expect=aw.Trapped)


def test_w09_a_loop_of_short_waits_ends_at_the_deadline(host: Host) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        TIMERS,
        """(func (export "run")
             (loop $again (call $block (call $after (i64.const 1_000_000))) (br $again)))""",
    )

    host.outlast(source)


def test_w09_reading_without_measure_from_standard_input_holds_nothing(engine: aw.Engine) -> None:
    source = wasi_guest(
        STREAMS + STDIN,
        {
            "stdin": ('$stdin "get-stdin"', "(result i32)"),
            "read": (
                '$streams "[method]input-stream.blocking-read"',
                "(param i32 i64 i32)",
            ),
        },
        f"""(func (export "run") (result i32)
              (call $read (call $stdin) (i64.const {NANOSECONDS_MAX}) (i32.const 16))
              (i32.load8_u (i32.const 16)))""",
        result="u32",
    )
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    with engine.load(source).instantiate(limits=limits) as instance:
        assert instance.call("run") == 1, "the guest gets the error that the stream is closed"


def test_w09_zeroes_without_measure_on_standard_output_hold_nothing(host: Host) -> None:
    source = wasi_guest(
        STREAMS + STDOUT,
        {
            "stdout": ('$stdout "get-stdout"', "(result i32)"),
            "zeroes": (
                '$streams "[method]output-stream.write-zeroes"',
                "(param i32 i64 i32)",
            ),
        },
        f"""(func (export "run")
              (call $zeroes (call $stdout) (i64.const {NANOSECONDS_MAX}) (i32.const 16)))""",
    )

    assert host.attack(source, expect=aw.Trapped).seconds < 1.0


def test_w31_random_streams_of_two_instances_differ(engine: aw.Engine) -> None:
    source = wasi_guest(
        RANDOM,
        {"random": ('$random "get-random-u64"', "(result i64)")},
        '(func (export "run") (result i64) (call $random))',
        result="u64",
    )
    component = engine.load(source)
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    seen = set()
    for _ in range(10):
        with component.instantiate(limits=limits) as instance:
            seen |= {instance.call("run") for _ in range(100)}

    assert len(seen) == 1000
    assert {number >> 63 for number in seen} == {0, 1}


def test_w31_clocks_can_be_taken_away(engine: aw.Engine) -> None:
    # A clock is what a timing side channel is measured with: without the grant
    # there is none, finer or coarser.
    source = wasi_guest(
        POLL + CLOCK,
        {"now": ('$clock "now"', "(result i64)")},
        '(func (export "run") (result i64) (call $now))',
        result="u64",
    )
    component = engine.load(source)
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    with pytest.raises(aw.ImportMissing) as caught:
        component.instantiate(limits=limits, grant=aw.Grant(clocks=False))

    assert [name for name, _ in caught.value.missing] == ["wasi:clocks/monotonic-clock@0.2.0"]


def test_w31_the_monotonic_clock_never_goes_back(engine: aw.Engine) -> None:
    source = wasi_guest(
        POLL + CLOCK,
        {"now": ('$clock "now"', "(result i64)")},
        """(func (export "run") (result i32) (local $n i32) (local $last i64) (local $now i64)
             (loop $again
               (local.set $now (call $now))
               (if (i64.lt_u (local.get $now) (local.get $last)) (then (return (i32.const 1))))
               (local.set $last (local.get $now))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))
             (i32.const 0))""",
        result="u32",
    )
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5.0)
    with engine.load(source).instantiate(limits=limits) as instance:
        assert instance.call("run") == 0
