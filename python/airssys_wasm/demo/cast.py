"""The components that play: those that work come from the wheel, and load while others play."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from importlib.resources import files
from typing import Final

import airssys_wasm as aw
from airssys_wasm import components

__all__ = ["USEFUL", "Cast", "hostile"]

#: The one that takes seconds to compile goes first.
USEFUL: Final = (
    "markdown-report",
    "text-stats",
    "pipeline-splitter",
    "pipeline-analyser",
    "pipeline-reporter",
)


class Cast:
    """The prebuilt components, loaded side by side from the moment this is made.

    Args:
        engine: compiles and runs them.
        names: those that are needed.
    """

    def __init__(self, engine: aw.Engine, names: Sequence[str] = USEFUL) -> None:
        self.engine = engine
        self._loading: dict[str, Future[aw.Component]] = {name: Future() for name in names}
        for name in names:
            # Daemons: Ctrl-C must not wait for a compiler.
            threading.Thread(target=self._load, args=(name,), name=name, daemon=True).start()

    def useful(self, name: str) -> aw.Component:
        """Return one of them when it is ready, checked against its digest.

        Raises:
            ComponentInvalid: the file in the wheel is not the one that was built.
            CompileRefused: compiling it took too long, or too much memory.
        """
        return self._loading[name].result()

    def _load(self, name: str) -> None:
        loading = self._loading[name]
        try:
            loading.set_result(self.engine.load(components.load(name), name=name))
        except BaseException as error:  # noqa: BLE001 - raised again for whoever waits
            loading.set_exception(error)


def hostile(engine: aw.Engine, name: str) -> aw.Component:
    """Load one of the attackers, which ship as text for everyone to read."""
    source = files(components).joinpath(f"{name}.wat").read_text(encoding="utf-8")
    return engine.load(source, name=name)
