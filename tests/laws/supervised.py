"""What the model of the supervisor says of a group whose children fail now and then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tests.laws.supervisor_model import ChildScript, Command, Model, Script, Trace

#: Seconds from one thing that happens to the next; nothing takes as long.
STEP = 100.0
EVER = 1e9


class Supervised:
    """Plays all that happened so far, each time anew."""

    def __init__(
        self,
        strategy: Literal["one-for-one", "one-for-all", "rest-for-one"],
        intensity: int,
        children: Mapping[str, Literal["permanent", "transient", "temporary"]],
    ) -> None:
        self.strategy = strategy
        self.intensity = intensity
        self.children = children
        self.now = 0.0
        #: For each child, the lives that ended in a failure, by incarnation.
        self.lives: dict[str, dict[int, float]] = {name: {} for name in children}
        self.commands: list[Command] = []

    def failed(self, name: str) -> dict[str, int]:
        """Return which incarnation each child has after this failure; 0 for none."""
        began = self.played()[name]
        self.now += STEP
        up_since, incarnation = began
        self.lives[name][incarnation] = self.now - up_since
        return {one: number for one, (_, number) in self.played().items()}

    def forget(self, name: str) -> None:
        """A child was stopped for good."""
        if name in self.children:
            self.now += STEP
            self.commands.append(Command(self.now, "terminate", name))
            self.commands.append(Command(self.now + STEP / 4, "delete", name))

    def played(self) -> dict[str, tuple[float, int]]:
        """Return since when each child is up, and the how-manieth it is; 0 if it is not up."""
        end = self.now + STEP / 2
        model = Model(self.trace(end))
        model.play()
        found: dict[str, tuple[float, int]] = {}
        for name in self.children:
            deeds = [(time, verb) for time, verb, one in model.deeds if one == name and time < end]
            ups = [time for time, verb in deeds if verb == "up"]
            is_up = deeds and deeds[-1][1] == "up"
            found[name] = (ups[-1], len(ups)) if is_up else (0.0, 0)
        return found

    def trace(self, stops_at: float) -> Trace:
        return Trace(
            strategy=self.strategy,
            intensity=self.intensity,
            within=EVER,
            first_wait=0.0,
            longest_wait=0.0,
            factor=1.0,
            quiet=EVER,
            children=tuple(self.script(name) for name in self.children),
            extras=(),
            commands=tuple(self.commands),
            stops_at=stops_at,
        )

    def script(self, name: str) -> ChildScript:
        lives = self.lives[name]
        incarnations = range(1, max(lives, default=0) + 2)
        scripts = tuple(
            Script(
                start_seconds=0.0,
                starts=True,
                lives_seconds=lives.get(number),
                fails=True,
                stop_seconds=0.0,
            )
            for number in incarnations
        )
        return ChildScript(
            name,
            self.children[name],
            stop_seconds_max=0.0,
            start_seconds_max=1.0,
            scripts=scripts,
        )
