"""The components that play, loaded from the wheel."""

from __future__ import annotations

from importlib.resources import as_file, files

import airssys_wasm as aw

__all__ = ["load"]


def load(engine: aw.Engine, file_name: str) -> aw.Component:
    """Load one of the components that ship prebuilt or as text.

    By path, so that errors call the component by its name.
    """
    with as_file(files("airssys_wasm.components").joinpath(file_name)) as path:
        return engine.load(path)
