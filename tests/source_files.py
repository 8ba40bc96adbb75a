"""Python files that are no modules of the package, loaded where they lie."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any


class _Loader(SourceFileLoader):
    """Leaves no ``__pycache__``: whatever changes under ``examples/`` is built in again."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        pass


def load_source(path: Path, name: str | None = None) -> ModuleType:
    """Import one file as ``name``, by default the file's own; ``sys.modules`` keeps it."""
    name = name or path.stem
    spec = importlib.util.spec_from_loader(name, _Loader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
