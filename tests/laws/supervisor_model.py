"""A supervisor as simple as it can be: a list of what comes next, and a scan for each step.

It shares no code with the real one. Times are kept as they come, windows are counted from the
whole history, waits are multiplied out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

#: How long a stop is waited for after the child has ended.
GRACE_SECONDS = 1.0

State = Literal["down", "starting", "up", "stopping"]
Verb = Literal["add", "terminate", "restart", "delete"]


@dataclass(frozen=True)
class Script:
    """What one incarnation of a child does; times in seconds."""

    start_seconds: float
    starts: bool
    lives_seconds: float | None
    fails: bool
    stop_seconds: float


@dataclass(frozen=True)
class ChildScript:
    """A child and its incarnations; the last one goes for all further ones."""

    name: str
    restart: Literal["permanent", "transient", "temporary"]
    #: 0 kills at once.
    stop_seconds_max: float
    start_seconds_max: float
    scripts: tuple[Script, ...]


@dataclass(frozen=True)
class Command:
    """What a user asks for at some time, of a child."""

    time: float
    verb: Verb
    name: str


@dataclass(frozen=True)
class Trace:
    """A supervisor and all that happens to it."""

    strategy: Literal["one-for-one", "one-for-all", "rest-for-one"]
    intensity: int
    within: float
    first_wait: float
    longest_wait: float
    factor: float
    quiet: float
    children: tuple[ChildScript, ...]
    #: Those that are added while it runs.
    extras: tuple[ChildScript, ...]
    commands: tuple[Command, ...]
    stops_at: float


@dataclass
class Actor:
    """What the model knows of a child."""

    script: ChildScript
    state: State = "down"
    incarnation: int = 0
    alive: bool = False
    up_since: float = 0.0
    streak: int = 0
    requested: bool = False
    #: Added, and not up yet.
    new: bool = False

    def current(self) -> Script:
        scripts = self.script.scripts
        return scripts[min(self.incarnation, len(scripts)) - 1]


@dataclass(eq=False)
class Plan:
    """Children to stop, and then to start."""

    cause: str | None
    members: list[str]
    due: float
    to_stop: list[str] = field(default_factory=list)
    to_start: list[str] = field(default_factory=list)
    begun: bool = False


@dataclass(eq=False)
class Coming:
    """Something that happens at a time."""

    time: float
    what: Callable[[], None]


class Model:
    """Plays a trace and notes what the host of a supervisor would see."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.now = 0.0
        self.actors = {child.name: Actor(child) for child in trace.children}
        self.names = list(self.actors)
        self.plans: list[Plan] = []
        self.coming: list[Coming] = []
        self.failures: list[float] = []
        self.closing = False
        self.gave_up = False
        self.ended_at: float | None = None
        self.deeds: list[tuple[float, str, str]] = []

    def play(self) -> None:
        names = list(self.names)
        self.plans.append(Plan(None, names, 0.0, [], list(names), begun=True))
        for command in self.trace.commands:
            self.at(command.time, functools.partial(self.obey, command))
        self.at(self.trace.stops_at, self.close)
        self.act()
        while self.ended_at is None:
            first = min(self.coming, key=lambda coming: coming.time)
            self.coming.remove(first)
            self.now = first.time
            first.what()
            self.act()

    def at(self, time: float, what: Callable[[], None]) -> None:
        self.coming.append(Coming(time, what))

    def did(self, verb: str, name: str) -> None:
        self.deeds.append((self.now, verb, name))

    # What is to be done now

    def act(self) -> None:
        while self.step():
            pass

    def step(self) -> bool:
        if self.ended_at is not None:
            return False
        if self.closing:
            for name in reversed(self.names):
                if self.actors[name].state != "down":
                    return self.bring_down(name)
            self.ended_at = self.now
            return False
        return any(self.step_of(plan) for plan in list(self.plans))

    def step_of(self, plan: Plan) -> bool:
        if plan.to_stop:
            name = plan.to_stop[-1]
            if name in self.names and self.actors[name].state != "down":
                return self.bring_down(name)
            plan.to_stop.pop()
            return True
        if not plan.begun:
            if self.now < plan.due:
                return False
            plan.begun = True
        if not plan.to_start:
            self.plans.remove(plan)
            return True
        name = plan.to_start[0]
        if name not in self.names or self.actors[name].state == "up":
            plan.to_start.pop(0)
            return True
        if self.actors[name].state == "down":
            self.start(name)
            return True
        return False

    def start(self, name: str) -> None:
        actor = self.actors[name]
        actor.incarnation += 1
        actor.state = "starting"
        self.did("start", name)
        script, bound = actor.current(), actor.script.start_seconds_max
        if script.starts and script.start_seconds < bound:
            then: Callable[[str], None] = self.is_up
        else:
            then = self.start_failed
        seconds = min(script.start_seconds, bound)
        self.later(name, seconds, then, "starting")

    def bring_down(self, name: str) -> bool:
        """Begin to stop it; return whether something was done."""
        actor = self.actors[name]
        if actor.state == "stopping":
            return False
        if actor.state == "starting":
            self.is_down(name)
        elif actor.script.stop_seconds_max == 0:
            self.did("kill", name)
            self.is_down(name)
        else:
            self.did("stop", name)
            actor.state = "stopping"
            bound, needs = actor.script.stop_seconds_max, actor.current().stop_seconds
            then = self.has_stopped if needs < bound else self.is_killed
            self.later(name, min(bound, needs), then, "stopping")
        return True

    def later(self, name: str, seconds: float, then: Callable[[str], None], state: State) -> None:
        actor = self.actors[name]
        incarnation = actor.incarnation

        def what() -> None:
            if actor.incarnation == incarnation and actor.state == state:
                then(name)

        self.at(self.now + seconds, what)

    # What happens

    def is_up(self, name: str) -> None:
        actor = self.actors[name]
        actor.state, actor.alive, actor.up_since = "up", True, self.now
        actor.requested = actor.new = False
        self.did("up", name)
        lives = actor.current().lives_seconds
        if lives is not None:
            incarnation = actor.incarnation
            self.at(self.now + lives, lambda: self.may_exit(name, actor, incarnation))

    def may_exit(self, name: str, actor: Actor, incarnation: int) -> None:
        if actor.incarnation != incarnation or not actor.alive:
            return
        actor.alive = False
        self.did("exit", name)
        if actor.state == "up":
            self.has_exited(name)
        elif actor.state == "stopping":
            self.later(name, GRACE_SECONDS, self.is_down, "stopping")

    def has_exited(self, name: str) -> None:
        actor = self.actors[name]
        if self.closing or self.is_about_to_stop(name):
            self.is_down(name)
            return
        actor.state = "down"
        restart, failed = actor.script.restart, actor.current().fails
        if restart == "permanent" or (restart == "transient" and failed):
            self.fail(name, self.now - actor.up_since)
        else:
            self.leave_plan(name)
            self.is_down(name)

    def is_about_to_stop(self, name: str) -> bool:
        return any(name in plan.members and not plan.begun for plan in self.plans)

    def start_failed(self, name: str) -> None:
        actor = self.actors[name]
        actor.state = "down"
        if actor.requested:
            actor.requested = False
            self.leave_plan(name)
            self.is_down(name)
        elif self.closing or self.is_about_to_stop(name):
            self.is_down(name)
        elif any(plan.cause is None and name in plan.members for plan in self.plans):
            self.close()
        else:
            self.fail(name, 0.0)

    def has_stopped(self, name: str) -> None:
        if self.actors[name].alive:
            self.did("stopped", name)
        self.is_down(name)

    def is_killed(self, name: str) -> None:
        if self.actors[name].alive:
            self.did("kill", name)
        self.is_down(name)

    def is_down(self, name: str) -> None:
        actor = self.actors[name]
        actor.state, actor.alive = "down", False
        if not any(name in plan.members for plan in self.plans):
            actor.requested = False
        gone = actor.script.restart == "temporary" or (actor.new and not actor.requested)
        if gone and name in self.names:
            self.forget(name)

    def forget(self, name: str) -> None:
        """One of the same name that is added later is another one."""
        self.names.remove(name)
        for plan in self.plans:
            for names in (plan.members, plan.to_stop, plan.to_start):
                if name in names:
                    names.remove(name)

    def fail(self, name: str, ran: float) -> None:
        actor, trace = self.actors[name], self.trace
        self.failures.append(self.now)
        if len([time for time in self.failures if time >= self.now - trace.within]) > (
            trace.intensity
        ):
            self.gave_up = True
            self.close()
            return
        actor.streak = 1 if ran >= trace.quiet else actor.streak + 1
        wait = trace.first_wait
        for _ in range(actor.streak - 1):
            wait = min(wait * trace.factor, trace.longest_wait)
        self.plan_restart(name, self.now + wait)

    def plan_restart(self, name: str, due: float) -> None:
        position = self.names.index(name)
        affected = {
            "one-for-one": {name},
            "one-for-all": set(self.names),
            "rest-for-one": set(self.names[position:]),
        }[self.trace.strategy]
        if self.trace.strategy == "one-for-one":
            for plan in list(self.plans):
                if plan.cause == name:
                    self.plans.remove(plan)
                elif name in plan.members:
                    plan.members.remove(name)
        else:
            for plan in self.plans:
                affected |= set(plan.to_start)
                due = max(due, plan.due)
            self.plans.clear()
        members = [each for each in self.names if each in affected]
        self.plans.append(Plan(name, members, due, list(members), list(members)))
        self.at(due, lambda: None)

    def leave_plan(self, name: str) -> None:
        for plan in list(self.plans):
            if name not in plan.members:
                continue
            if plan.cause == name and name in plan.to_start:
                self.plans.remove(plan)
                for other in [each for each in plan.to_start if each != name]:
                    if other in self.names and self.actors[other].state == "down":
                        self.is_down(other)
                continue
            for names in (plan.members, plan.to_stop, plan.to_start):
                if name in names:
                    names.remove(name)

    def close(self) -> None:
        self.closing = True
        self.plans.clear()

    def obey(self, command: Command) -> None:
        name = command.name
        if self.closing:
            return
        if command.verb == "add":
            self.add(name)
            return
        if name not in self.names:
            return
        actor = self.actors[name]
        is_stopped = actor.state == "down" and not any(name in p.members for p in self.plans)
        if command.verb == "terminate":
            self.leave_plan(name)
            actor.requested = False
            if actor.state == "down":
                self.is_down(name)
            else:
                self.bring_down(name)
        elif is_stopped and command.verb == "restart":
            actor.streak, actor.requested = 0, True
            self.start(name)
        elif is_stopped:
            self.forget(name)

    def add(self, name: str) -> None:
        if name in self.names:
            return
        script = next(child for child in self.trace.extras if child.name == name)
        # The scripts go on where an earlier child of the name left off.
        began = self.actors[name].incarnation if name in self.actors else 0
        self.actors[name] = Actor(script, incarnation=began, requested=True, new=True)
        self.names.append(name)
        self.start(name)
