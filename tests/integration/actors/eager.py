"""Tasks that begin before whoever made them goes on: ``asyncio.eager_task_factory``, everywhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

if sys.version_info >= (3, 12):
    eager_task_factory = asyncio.eager_task_factory
else:
    from asyncio import tasks

    # asyncio's own task in Python, whose first step can be taken when it is made.
    _PyTask: type[asyncio.Task[Any]] = tasks._PyTask  # type: ignore[attr-defined]

    class _EagerTask(_PyTask):  # type: ignore[valid-type,misc]
        """As Python 3.12 does it in ``Task.__eager_start``."""

        def __init__(self, made_of: Coroutine[Any, Any, Any], loop: Any, context: Any) -> None:
            self._is_begun = False
            super().__init__(made_of, loop=loop, context=context)
            if not loop.is_running():
                return
            self._is_begun = True
            outer = asyncio.current_task(loop)
            if outer is not None:
                tasks._leave_task(loop, outer)
            try:
                self._context.run(super()._Task__step)
            finally:
                if outer is not None:
                    tasks._enter_task(loop, outer)

        def _Task__step(self, exc: BaseException | None = None) -> None:  # noqa: N802 - asyncio's
            if self._is_begun:
                # That is the one which was called for when it was made.
                self._is_begun = False
                return
            super()._Task__step(exc)

    def eager_task_factory(
        loop: asyncio.AbstractEventLoop, made_of: Any, *, context: Any = None
    ) -> Any:
        """Make a task that has begun."""
        if not asyncio.iscoroutine(made_of):
            return asyncio.Task(made_of, loop=loop, context=context)
        return _EagerTask(made_of, loop, context)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` on a loop all of whose tasks are eager."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_task_factory(eager_task_factory)
        runner.run(main)
