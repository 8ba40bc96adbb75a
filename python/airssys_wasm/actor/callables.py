"""What can be told of a function of the embedder before it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def takes_one(called: Callable[..., Any]) -> bool:
    """Say whether it can be called with one argument; so can what does not tell."""
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        # Some that are written in C have none.
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True
