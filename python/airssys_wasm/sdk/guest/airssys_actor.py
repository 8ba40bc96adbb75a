"""Actors in Python: subclass ``Actor``, and name the subclass ``Lifecycle``.

The build lays this beside the guest's own modules. Messages come in CBOR or JSON, and
the reply goes in the codec of its message.
"""
# ruff: noqa: INP001 - a module of the guest's, which lies in no package there

import json
from collections.abc import Callable
from typing import Any, ClassVar, Self

import airssys_cbor
from componentize_py_types import Err
from wit_world.exports import lifecycle
from wit_world.imports import errors, types

__all__ = ["Actor", "Refused", "Start"]

_CBOR, _JSON = 0x51, 0x0200
_CODECS: dict[int, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    _CBOR: (airssys_cbor.loads, airssys_cbor.dumps),
    _JSON: (json.loads, lambda value: json.dumps(value).encode()),
}


class Refused(Exception):
    """The actor's own rules: sending the message again will not help."""


class Start:
    """What an incarnation knows when it starts.

    Args:
        address: the actor's address, ``namespace/name/instance``.
        incarnation: which one this is, from 1.
        restarted: how the one before ended, if that is why this one starts.
        settings: what the embedder gave, decoded; bytes as they are.
    """

    def __init__(self, config: lifecycle.ComponentConfig) -> None:
        self.address = f"{config.id.namespace}/{config.id.name}/{config.id.instance}"
        self.incarnation = config.incarnation
        reason = config.reason
        restarted = isinstance(reason, lifecycle.StartReason_Restarted)
        self.restarted = reason.value if restarted else None
        self.settings = _decoded(config.settings) if config.settings else None


class Actor:
    """One message at a time, and a state between them.

    An exception that ``handle`` does not catch, other than ``Refused``, ends the
    incarnation; the supervisor starts the next one. Make the state in ``start``: an
    ``__init__`` would run with each call.
    """

    name = "actor"
    version = "0.0.0"
    description = ""
    _only: ClassVar[Any] = None

    def __new__(cls) -> Self:
        """Return the one there is: componentize-py asks for an object with each call."""
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def start(self, start: Start) -> None:
        """Make the state of a new incarnation."""

    def handle(self, message: Any) -> Any:  # noqa: ANN401 - what the sender sent
        """Serve one message, and return the reply."""
        raise NotImplementedError

    def stop(self) -> None:
        """Finish."""

    def initialize(self, config: lifecycle.ComponentConfig) -> None:
        """Serve ``airssys:core/lifecycle``; so do all below."""
        try:
            self.start(Start(config))
        except Refused as error:
            raise Err(errors.ComponentError_ConfigurationInvalid(str(error))) from error

    def handle_message(self, sender: int, codec: int, payload: bytes) -> bytes:
        """Decode, ``handle``, encode."""
        del sender
        if codec not in _CODECS:
            raise Err(errors.MessageError_CodecUnsupported(list(_CODECS)))
        loads, dumps = _CODECS[codec]
        try:
            message = loads(payload)
        except (ValueError, RecursionError) as error:
            raise Err(errors.MessageError_Malformed(str(error))) from error
        try:
            return dumps(self.handle(message))
        except Refused as error:
            raise Err(errors.MessageError_Refused(str(error))) from error

    def handle_callback(self, request: int, outcome: Any) -> None:  # noqa: ANN401 - of a request
        """Nobody makes requests here."""

    def execute(self, operation: str, codec: int, payload: bytes) -> bytes:
        """Refuse: an actor has no operations."""
        del codec, payload
        raise Err(errors.ExecutionError_UnknownOperation(operation))

    def metadata(self) -> lifecycle.ComponentMetadata:
        """Describe the component."""
        about = self.name, self.version, self.description
        return lifecycle.ComponentMetadata(*about, [], "", [], list(_CODECS), False, None)  # noqa: FBT003 - as the interface has it

    def health(self) -> types.HealthStatus:
        """Say that it serves."""
        return types.HealthStatus.HEALTHY

    def shutdown(self, reason: lifecycle.ShutdownReason) -> None:
        """Call ``stop``."""
        del reason
        self.stop()


def _decoded(settings: types.Encoded) -> Any:  # noqa: ANN401 - what the embedder gave
    if settings.codec not in _CODECS:
        return settings.payload
    return _CODECS[settings.codec][0](settings.payload)
