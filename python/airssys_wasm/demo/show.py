"""The whole demonstration, from the first scene to the verdict."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import airssys_wasm as aw
from airssys_wasm.demo.attackers import ATTACKS
from airssys_wasm.demo.cast import Cast
from airssys_wasm.demo.pipeline import recover
from airssys_wasm.demo.scenes import Attacked, Recovered, Refused, Reported, as_data
from airssys_wasm.demo.stage import attack, refuse
from airssys_wasm.demo.texts import Text
from airssys_wasm.demo.work import Reader, report

__all__ = ["Show", "play"]

#: What the bystander is asked about: short, so that a long text is read only once.
_SAMPLE = b"Is all well over there? All is well."


@dataclass(frozen=True, slots=True)
class Show:
    """Everything that the demonstration showed.

    Attributes:
        reported: the useful work.
        recovered: the same as actors, of which one crashed.
        attacked: the attacks, in the order in which they ran.
        refused: the component that wanted too much.
        seconds: how long it all took, compiling included.
    """

    reported: Reported
    recovered: Recovered
    attacked: tuple[Attacked, ...]
    refused: Refused
    seconds: float

    @property
    def held(self) -> bool:
        """Tell whether the crash cost nothing, and every attack ended as promised."""
        return (
            self.recovered.held and self.refused.held and all(scene.held for scene in self.attacked)
        )

    def as_data(self) -> dict[str, Any]:
        """Return the show as JSON can say it; docs/spec/demo-output.md has the schema."""
        return {
            "schema": 1,
            "held": self.held,
            "seconds": self.seconds,
            "reported": as_data(self.reported),
            "recovered": as_data(self.recovered),
            "attacked": [as_data(scene) for scene in self.attacked],
            "refused": as_data(self.refused),
        }


def play(texts: Sequence[Text]) -> Show:
    """Play every scene on one engine.

    Args:
        texts: what the useful guests read.

    Raises:
        AirssysError: the engine could not serve, or the useful work failed.
    """
    started = time.perf_counter()
    engine = aw.Engine()
    # An interpreter takes seconds to compile, the first time: its scene comes last.
    cast = Cast(engine)
    recovered = recover(cast, texts)
    # One reader stays alive through all the attacks, as a customer would.
    with Reader.open(cast) as bystander:
        before = bystander.figures(_SAMPLE)

        def unharmed() -> bool:
            return bystander.figures(_SAMPLE) == before

        attacked = tuple(attack(engine, plan, unharmed=unharmed) for plan in ATTACKS)
    refused = refuse(engine)
    reported = report(cast, texts)
    return Show(reported, recovered, attacked, refused, time.perf_counter() - started)
