"""Make components out of core modules."""

from collections.abc import Sequence
from os import PathLike

__all__ = ["embed", "encode"]

def encode(module: bytes, *, adapters: Sequence[tuple[str, bytes]] | None = None) -> bytes:
    """Wrap a core module into a component and check the result.

    Args:
        module: a core module with ``component-type`` sections, at most 256 MiB.
        adapters: pairs of an import module, for example
            ``wasi_snapshot_preview1``, and the core module that gives it.

    Returns:
        The component.

    Raises:
        BuildError: ``module`` is no core module, says nothing in WIT, imports
            what its world does not give, or leaves out what its world exports.
    """

def embed(
    module: bytes,
    wit: bytes | str | PathLike[str],
    *,
    world: str | None = None,
    name: str = "text.wit",
) -> bytes:
    """Write the interface of a world into a core module.

    Args:
        module: a core module, at most 256 MiB.
        wit: the package with the world: text, a path, or a binary package.
        world: its name; may be left out if the package has only one.
        name: what errors call ``wit`` if it is text.

    Returns:
        The module with its ``component-type`` section, ready for :func:`encode`.

    Raises:
        BuildError: ``module`` is no core module.
        WitInvalid: the WIT is wrong, or has no such world.
    """
