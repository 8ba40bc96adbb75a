"""Guests that call the built-ins of component-model async in any order."""

from __future__ import annotations

from random import Random

from tests.hostile.async_guests import BUILTINS, FOR_EVER, SLEEP_ASYNC, WAIT_FOR, async_guest

#: What most walks begin with, so that they have something to break.
_PRELUDE = """
  (global.set $set (call $set-new))
  (local.set $both (call $stream-new))
  (local.set $n (i32.shr_u (call $sleep {sleep}) (i32.const 4)))
"""
_JOINS = (
    "",
    "(call $join (local.get $n) (global.get $set))",
    "(call $join (i32.wrap_i64 (local.get $both)) (global.get $set))",
)
_ENDS = (
    "(i32.const 0)",
    "(i32.const 1)",
    "(i32.or (i32.shl (global.get $set) (i32.const 4)) (i32.const 2))",
)
_SLEEPS = ("(i64.const 0)", "(i64.const 2_000_000)", FOR_EVER)
_HANDLES = (
    "(local.get $n)",
    "(global.get $set)",
    "(i32.wrap_i64 (local.get $both))",
    "(i32.wrap_i64 (i64.shr_u (local.get $both) (i64.const 32)))",
)
_STEPS_MAX = 7


def walk(random: Random) -> str:
    """Write a guest whose ``run`` and callback call built-ins as ``random`` says."""
    prelude = _PRELUDE.format(sleep=random.choice(_SLEEPS)) + random.choice(_JOINS)
    if random.random() < 2 / 3:
        prelude += "(call $return)"
    callback = _steps(random) + random.choice(_ENDS)
    return async_guest(
        prelude + _steps(random) + random.choice(_ENDS),
        builtins=tuple(BUILTINS),
        imports=WAIT_FOR,
        lowered=SLEEP_ASYNC,
        # A callback has no local for the two ends of a stream.
        callback=callback.replace("(local.get $both)", "(i64.const 0x2_0000_0001)").replace(
            "(local.set $both", "(drop"
        ),
    )


def _steps(random: Random) -> str:
    return " ".join(_step(random) for _ in range(random.randrange(_STEPS_MAX)))


def _step(random: Random) -> str:
    types = {name: core for name, (_, core) in BUILTINS.items()} | {
        "sleep": SLEEP_ASYNC["sleep"][1]
    }
    # Ending the task too often ends the walk.
    rare = ("return", "cancel") if random.random() < 0.1 else ()
    name = random.choice([one for one in types if one not in ("return", "cancel") or one in rare])
    _, _, params = types[name].partition("(param ")
    given = [_argument(random, kind) for kind in params.partition(")")[0].split()]
    call = f"(call ${name} {' '.join(given)})"
    if "(result i64)" in types[name]:
        return f"(local.set $both {call})"
    if "(result i32)" in types[name]:
        return f"({random.choice(['local.set $n', 'global.set $set', 'drop'])} {call})"
    return call


def _argument(random: Random, kind: str) -> str:
    if kind == "i64":
        return random.choice(_SLEEPS)
    return random.choice([*_HANDLES, f"(i32.const {random.choice([1, 2, 3, 4, 8, 1000])})"])
