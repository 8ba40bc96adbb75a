"""Runs an attack, says what it cost, and looks whether the host took harm."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

import airssys_wasm as aw

#: What a call may take beyond its deadline.
LATE_SECONDS_MAX = 0.1
#: Memory of the host that an attacker may cost beyond its own limit.
OVERSHOOT_BYTES_MAX = 64 * aw.MIB
#: Tries before lateness counts: a busy machine is late once, a broken deadline always.
TRIES = 4

LIMITS = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=0.2)

NEIGHBOUR = """
(component
  (core module $m
    (global $n (mut i32) (i32.const 0))
    (func (export "count") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (global.get $n)))
  (core instance $i (instantiate $m))
  (func (export "count") (result u32) (canon lift (core func $i "count"))))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attack ended."""

    error: aw.AirssysError
    seconds: float
    receipt: aw.Receipt | None

    @property
    def kind(self) -> str:
        assert isinstance(self.error, aw.ComponentFailed)
        return self.error.kind


@dataclass(frozen=True, slots=True)
class Under:
    """What an attacker runs under; the usual limits if nothing is said."""

    limits: aw.Limits = LIMITS
    imports: Mapping[str, object] | None = None
    grant: aw.Grant | None = None


USUAL = Under()


class Host:
    """An engine with a neighbour that must not notice any attack."""

    def __init__(self, engine: aw.Engine) -> None:
        self.engine = engine
        self._neighbour = engine.load(NEIGHBOUR, name="neighbour").instantiate(limits=LIMITS)
        self._asked = 0
        self._live = engine.live_instances
        self._slots = engine.pool_slots_used

    def close(self) -> None:
        self._neighbour.close()

    def attack(
        self,
        source: str | bytes,
        *args: object,
        expect: type[aw.AirssysError],
        function: str = "run",
        under: Under = USUAL,
    ) -> Outcome:
        """Load, instantiate and call ``source``; it must end with ``expect``."""
        instance: aw.Instance | None = None
        began = time.perf_counter()
        with pytest.raises(expect) as caught:  # noqa: PT012 - each step may be the one refused
            component = self.engine.load(source, name="attacker")
            began = time.perf_counter()
            instance = component.instantiate(
                limits=under.limits, imports=under.imports, grant=under.grant
            )
            began = time.perf_counter()
            instance.call(function, *args)
        seconds = time.perf_counter() - began
        receipt = instance.receipt if instance is not None else None
        if instance is not None:
            assert instance.closed == isinstance(caught.value, aw.ComponentFailed)
            instance.close()
        self.assert_unharmed()
        return Outcome(caught.value, seconds, receipt)

    def outlast(
        self, source: str | bytes, *args: object, function: str = "run", under: Under = USUAL
    ) -> Outcome:
        """Attack with something that never ends: it must end at the deadline."""
        late = float("inf")
        for _ in range(TRIES):
            outcome = self.attack(
                source, *args, expect=aw.CallTimeout, function=function, under=under
            )
            assert outcome.seconds >= under.limits.call_seconds_max * 0.99
            late = min(late, outcome.seconds - under.limits.call_seconds_max)
            if late <= LATE_SECONDS_MAX:
                return outcome
        pytest.fail(f"ended {late:.3f} s after the deadline at best of {TRIES} tries")

    def assert_unharmed(self) -> None:
        """Look whether others still answer, and whether all that was taken came back."""
        self._asked += 1
        assert self._neighbour.call("count") == self._asked
        assert self.engine.live_instances == self._live
        assert self.engine.pool_slots_used == self._slots
