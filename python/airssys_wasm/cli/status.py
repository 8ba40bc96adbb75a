"""Exit statuses, and which error ends in which.

The numbers are part of the command's interface: scripts branch on them.
"""

from __future__ import annotations

from enum import IntEnum

from airssys_wasm import errors

__all__ = ["Status", "hint_of", "status_of"]


class Status(IntEnum):
    """What the exit status of ``airssys-wasm`` says."""

    OK = 0
    GENERAL = 1
    USAGE = 2
    CONFIGURATION = 3
    NETWORK = 4
    AUTHENTICATION = 5
    AUTHORISATION = 6
    VALIDATION = 7
    BUILD = 8
    SIGNATURE = 9
    INTERRUPTED = 130  #: ended by Ctrl-C, as shells count it


# A row holds for the class and all below it; the first row that fits decides.
_ROWS: tuple[tuple[type[BaseException], Status, str], ...] = (
    (
        errors.ImportMissing,
        Status.AUTHORISATION,
        "give the component what it imports, or run one that asks for less",
    ),
    (
        errors.CapabilityDenied,
        Status.AUTHORISATION,
        "grant the capability that the message names, if you trust the component with it",
    ),
    (
        errors.ComponentInvalid,
        Status.VALIDATION,
        "`airssys-wasm build` turns a Rust crate into a component",
    ),
    (
        errors.ExportMissing,
        Status.VALIDATION,
        "`airssys-wasm inspect COMPONENT` lists what it exports",
    ),
    (
        errors.ValueMismatch,
        Status.VALIDATION,
        "`airssys-wasm inspect COMPONENT` shows the types of the parameters",
    ),
    (errors.WitInvalid, Status.VALIDATION, "correct the interface text at the place named"),
    (errors.BuildError, Status.BUILD, "the compiler's own words stand above"),
    (errors.LimitInvalid, Status.CONFIGURATION, "choose a limit inside the range named"),
    (errors.EngineError, Status.CONFIGURATION, "give the engine more room, or ask less of it"),
    (errors.CallTimeout, Status.GENERAL, "a larger --seconds allows a longer call"),
    (errors.FuelExhausted, Status.GENERAL, "a larger --fuel allows more work"),
    (errors.OutOfMemory, Status.GENERAL, "a larger --memory allows more"),
    (errors.Trapped, Status.GENERAL, "the guest itself failed; --verbose shows where"),
    (errors.ComponentError, Status.GENERAL, "this is the component's own answer"),
    (OSError, Status.GENERAL, "check the path and its permissions"),
)


def _row(error: BaseException) -> tuple[Status, str]:
    for kind, status, hint in _ROWS:
        if isinstance(error, kind):
            return status, hint
    return Status.GENERAL, ""


def status_of(error: BaseException) -> Status:
    """Return the exit status that ``error`` ends in."""
    return _row(error)[0]


def hint_of(error: BaseException) -> str:
    """Return what to do about ``error``, or an empty text where it says so itself."""
    return "" if "hint:" in str(error) else _row(error)[1]
