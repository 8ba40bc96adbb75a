"""What the embedder supplies to the ``importer`` component, and small guests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import airssys_wasm as aw

GUESTS = Path(__file__).parent / "guests"
HOST = "acme:importer/host"


class Session:
    """A resource of the embedder."""

    def __init__(self, name: str) -> None:
        self.title = name
        self.lines: list[str] = []

    def send(self, line: str) -> int:
        self.lines.append(line)
        return len(self.lines)

    def name(self) -> str:
        return self.title


class Supplied:
    """An honest implementation of ``acme:importer/host``; tests override parts."""

    Session = Session

    def add(self, left: int, right: int) -> int:
        return left + right

    def echo_bytes(self, data: bytes) -> bytes:
        return data

    def describe(self, name: str, age: int) -> str:
        return f"{name} is {age}"

    def look_up(self, key: str) -> str:
        if key == "unknown":
            raise aw.ComponentError({"key": key, "code": 404})
        return key.upper()

    def wait(self, milliseconds: int) -> int:
        return milliseconds


class Waiting(Supplied):
    """The same with a ``wait`` that waits on an event loop."""

    async def wait(self, milliseconds: int) -> int:  # type: ignore[override]
        await asyncio.sleep(milliseconds / 1000)
        return milliseconds


Open = Callable[..., aw.Instance]


@pytest.fixture
def supplied() -> type[Supplied]:
    return Supplied


@pytest.fixture
def waiting() -> type[Waiting]:
    return Waiting


@pytest.fixture
def open_importer(
    importer: aw.Component, limits: aw.Limits, request: pytest.FixtureRequest
) -> Open:
    """Instantiate ``importer`` with an object for its interface; closed after the test."""

    def open_one(host: object, *, plain: Any = lambda value: value, **options: Any) -> aw.Instance:
        options.setdefault("limits", limits)
        instance = importer.instantiate(imports={HOST: host, "plain": plain}, **options)
        request.addfinalizer(instance.close)
        return instance

    return open_one


@pytest.fixture(scope="session")
def guest(engine: aw.Engine) -> Callable[[str], aw.Component]:
    """Load one of the small guests written as text."""

    def load(name: str) -> aw.Component:
        return engine.load(GUESTS / f"{name}.wat")

    return load
