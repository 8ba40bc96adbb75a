"""Exit statuses, and which error ends in which.

The numbers are part of the command's interface: scripts branch on them.
"""

from __future__ import annotations

import json
from enum import IntEnum

from airssys_wasm import errors
from airssys_wasm.cli.values import to_json

__all__ = ["Status", "spoken", "status_of"]


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
        "the command gives clocks, random numbers and output; give more from Python",
    ),
    (
        errors.CapabilityDenied,
        Status.AUTHORISATION,
        "grant the capability that the message names, if you trust the component with it",
    ),
    (
        errors.ComponentInvalid,
        Status.VALIDATION,
        "`airssys-wasm build` turns the sources of a guest into a component",
    ),
    (
        errors.ExportMissing,
        Status.VALIDATION,
        "`airssys-wasm inspect COMPONENT` lists what it exports",
    ),
    (
        errors.ValueMismatch,
        Status.VALIDATION,
        "`airssys-wasm inspect COMPONENT` shows the types, `airssys-wasm run --help` their JSON",
    ),
    (errors.WitInvalid, Status.VALIDATION, "correct the interface text at the place named"),
    (errors.CodecError, Status.VALIDATION, "give a value that the codec named can carry"),
    (errors.TopicInvalid, Status.VALIDATION, "topics are names of a-z 0-9 _ - joined by dots"),
    (errors.MessageTooLarge, Status.VALIDATION, "send less at once"),
    (errors.ChildInvalid, Status.CONFIGURATION, "correct the option of the child named"),
    (errors.NameTaken, Status.CONFIGURATION, "choose another name"),
    (errors.BuildError, Status.BUILD, "the compiler's own words stand above"),
    (errors.LimitInvalid, Status.CONFIGURATION, "choose a limit inside the range named"),
    (
        errors.CompileRefused,
        Status.CONFIGURATION,
        "the command compiles inside the usual bounds; Engine(...) in Python has larger ones",
    ),
    (errors.EngineError, Status.CONFIGURATION, "give the engine more room, or ask less of it"),
    (errors.CallTimeout, Status.GENERAL, "a larger --seconds allows a longer call"),
    (errors.FuelExhausted, Status.GENERAL, "a larger --fuel allows more work"),
    (
        errors.OutOfMemory,
        Status.GENERAL,
        "a larger --memory allows more, say 128MiB",
    ),
    (errors.Trapped, Status.GENERAL, "the guest itself failed; --verbose shows where"),
    (errors.ComponentError, Status.GENERAL, "this is the component's own answer"),
    (OSError, Status.GENERAL, "check the path and its permissions"),
)

# Their own hints name options of Python, which has more of them than the command.
_HINTED_FOR_PYTHON = (errors.ImportMissing, errors.LimitInvalid, errors.EngineError)


def _row(error: BaseException) -> tuple[Status, str]:
    for kind, status, hint in _ROWS:
        if isinstance(error, kind):
            return status, hint
    return Status.GENERAL, ""


def status_of(error: BaseException) -> Status:
    """Return the exit status that ``error`` ends in."""
    return _row(error)[0]


def spoken(error: BaseException) -> tuple[str, str]:
    """Return what to say of ``error``: what happened, and what to do about it.

    A hint that the error brings itself goes before ours, unless it is one for Python.
    """
    message, ours = _message(error).rstrip(), _row(error)[1]
    if isinstance(error, errors.BuildError) and not error.output:
        ours = ""
    for separator in ("; hint: ", "\nhint: "):
        what, found, hint = message.rpartition(separator)
        # More lines than one are no hint, but what a compiler said.
        if found and "\n" not in hint:
            return what, ours if isinstance(error, _HINTED_FOR_PYTHON) else hint
    return message, ours


def _in_json(value: object) -> str:
    """Write a component's answer as results are written; a text stands for itself."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(to_json(value), ensure_ascii=False)
    except TypeError:
        return repr(value)


def _message(error: BaseException) -> str:
    match error:
        case OSError(filename=str(path), strerror=str(reason)):
            return f"{path}: {reason}"
        case errors.ImportMissing(missing=missing) if missing:
            # Beside each import stands how Python gives it.
            return "\n  ".join([str(error).partition("\n")[0], *(name for name, _ in missing)])
        case errors.ComponentError(value=value):
            return f"the component answered with an error: {_in_json(value)}"
        case _:
            return str(error) or type(error).__name__
