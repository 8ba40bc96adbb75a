"""Every exception this package raises, in one tree.

AirssysError
  ComponentInvalid      the bytes are not a component this host can run
  ImportMissing         the component imports what it was not given
  ExportMissing         the component does not export what was asked for
  ValueMismatch         a Python value does not fit its WIT type
  ComponentError        the component returned the err case of a result
  ComponentFailed       a call ended the instance: it is closed for good
    Trapped             the guest executed a trap, or a host function failed under it
    CallTimeout         the call ran past its wall-clock deadline
    FuelExhausted       the call used up its fuel
    OutOfMemory         the instance needed more memory than its limit
  InstanceBusy          other calls kept the instance for as long as a call may last
  InstanceClosed        the instance was closed, or failed earlier
  ReentrantCall         a call would re-enter the instance that is making it
  LimitInvalid          a limit is zero, negative, or above the engine's policy
  EngineError           the engine could not be set up, or could not serve
    CompileRefused      compiling needs more size, time or memory than allowed
    CapacityExhausted   the engine holds as many live instances as it can
  WitInvalid            WIT text or a WIT package does not parse or resolve
  BuildError            a guest could not be built into a component
  CapabilityDenied      the grant does not cover the request
  SupervisionError      a supervisor could not do what was asked of it
    ChildInvalid        a child, or its group, is not described as it must be
  CodecError            bytes are no value of their codec, or a value has no form in it
  NameTaken             another actor has the name, or there are too many
  MessagingError        a message was not accepted, or a request has no reply
    ActorNotFound       no actor has the name
    CircuitOpen         the actor keeps failing, and is asked no more for a while
    MailboxClosed       the actor takes no more messages
      ActorStopped      it has stopped for good
    MailboxFull         its mailbox is full, and nobody may wait
    MessageTooLarge     the payload is larger than a message may be
    MessageDropped      it expired, made way for newer ones, or was left unanswered
    MessageRefused      the handler refused it
    LetterNotFound      no dead letter has the number, or none any more
    TopicInvalid        a topic, or a pattern, is not written as it must be
    SubscriptionsFull   there are as many subscriptions as there may be
    AskTimeout          no reply came in time
    ActorFailed         the actor failed while it had the request
  HandlerRefusal        raised by a Python handler: it refuses one message, and goes on
"""

from __future__ import annotations

__all__ = [
    "ActorFailed",
    "ActorNotFound",
    "ActorStopped",
    "AirssysError",
    "AskTimeout",
    "BuildError",
    "CallTimeout",
    "CapabilityDenied",
    "CapacityExhausted",
    "ChildInvalid",
    "CircuitOpen",
    "CodecError",
    "CompileRefused",
    "ComponentError",
    "ComponentFailed",
    "ComponentInvalid",
    "EngineError",
    "ExportMissing",
    "FuelExhausted",
    "HandlerRefusal",
    "ImportMissing",
    "InstanceBusy",
    "InstanceClosed",
    "LetterNotFound",
    "LimitInvalid",
    "MailboxClosed",
    "MailboxFull",
    "MessageDropped",
    "MessageRefused",
    "MessageTooLarge",
    "MessagingError",
    "NameTaken",
    "OutOfMemory",
    "ReentrantCall",
    "SubscriptionsFull",
    "SupervisionError",
    "TopicInvalid",
    "Trapped",
    "ValueMismatch",
    "WitInvalid",
]


class AirssysError(Exception):
    """Base of every error of this package."""


class ComponentInvalid(AirssysError):
    """The bytes are not a component this host can run.

    Raised before anything ran: a core module, an empty or truncated file,
    random bytes, a binary that uses a proposal this host switches off.
    """


class ImportMissing(AirssysError):
    """The component imports what it was not given.

    What the embedder gave may be under another name, in another version, or
    without some method that the import needs; the hint says which.

    Attributes:
        missing: one ``(import, hint)`` pair for each missing import; the hint
            names the grant or the ``imports=`` entry that would give it.
    """

    def __init__(self, message: str, missing: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


class ExportMissing(AirssysError):
    """The component does not export what was asked for."""


class ValueMismatch(AirssysError, TypeError, ValueError):
    """A Python value does not fit its WIT type.

    Raised before the guest runs. ``path`` names the place inside the
    arguments, for example ``people[3].age``.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class ComponentError(AirssysError):
    """The component returned the err case of a ``result``.

    Raise it in a host function to hand ``value`` to the guest as its err.
    """

    def __init__(self, value: object = None) -> None:
        super().__init__(value)
        self.value = value


class ComponentFailed(AirssysError):
    """A call ended the instance: it is closed and never entered again.

    Attributes:
        kind: what happened, one word of the published trap taxonomy.
        component: the name the component was loaded under.
        export: the export that was running.
        backtrace: guest frames, innermost first, at most 64.
    """

    def __init__(
        self,
        message: str,
        kind: str = "",
        component: str = "",
        export: str = "",
        backtrace: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.component = component
        self.export = export
        self.backtrace = backtrace


class Trapped(ComponentFailed):
    """The guest executed a trap, or a host function failed under it.

    A guest that gives up because it was refused memory ends with ``OutOfMemory``. One that
    goes on and fails of it in another way traps: ``Instance.receipt.memory_denied`` says
    whether it was refused any.
    """


class CallTimeout(ComponentFailed):
    """The call ran past its wall-clock deadline, ``Limits.call_seconds_max``."""


class FuelExhausted(ComponentFailed):
    """The call used up its fuel, ``Limits.fuel_max``."""


class OutOfMemory(ComponentFailed):
    """The instance needed more memory than ``Limits.memory_bytes_max``.

    ``kind`` is ``out-of-memory`` where the guest asked for more itself or had more
    in flight, and ``host-buffers`` where the values of one call, as they cross, would
    have taken more than that (or more than 64 MiB). The Python objects made of what
    did cross are not counted; they can take several times as much.
    """


class InstanceBusy(AirssysError):
    """Other calls kept the instance for as long as a call may last; nothing ran."""


class InstanceClosed(AirssysError):
    """The instance was closed, or failed earlier; make a new one."""


class ReentrantCall(AirssysError):
    """A call would re-enter the instance that is making it."""


class LimitInvalid(AirssysError, ValueError):
    """A limit is zero, negative, or above the engine's policy."""


class EngineError(AirssysError):
    """The engine could not be set up, or could not serve."""


class CompileRefused(EngineError):
    """Compiling needs more size, time or memory than the engine allows."""


class CapacityExhausted(EngineError):
    """There is no room: for another live instance, a call on this thread's stack, or a thread.

    Nothing ran. A guest may need 768 KiB of stack, host functions included: guests
    called inside host functions of guests add up.
    """


class WitInvalid(AirssysError):
    """WIT text or a WIT package does not parse or resolve.

    Attributes:
        file: the file at fault, as it was named; empty where there is none.
        line: its line, from 1; 0 where the place is not known.
        column: its column in bytes, from 1; 0 where the place is not known.
    """

    def __init__(self, message: str, file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column


class BuildError(AirssysError):
    """A guest could not be built into a component.

    Attributes:
        output: what the compiler said; empty if it never ran.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class CapabilityDenied(AirssysError):
    """The grant does not cover the request.

    Attributes:
        component: who asked.
        wanted: what it asked for.
        grant_hint: the smallest grant that would allow it; empty where no grant of
            this version would.
    """

    def __init__(
        self, message: str, component: str = "", wanted: str = "", grant_hint: str = ""
    ) -> None:
        super().__init__(message)
        self.component = component
        self.wanted = wanted
        self.grant_hint = grant_hint


class SupervisionError(AirssysError):
    """A supervisor could not do what was asked of it; nothing was changed.

    Attributes:
        child: the child it was asked about; empty if it was asked about none.
        reason: one word: ``not-found``, ``already-started``, ``already-present``,
            ``start-failed``, ``stopped`` (the supervisor, or the child while it started), or
            where the child stands instead: ``starting``, ``running``, ``stopping``,
            ``restarting``.
    """

    def __init__(self, message: str, child: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.child = child
        self.reason = reason


class ChildInvalid(SupervisionError, ValueError):
    """A child, or its group, is not described as it must be; nothing was started."""


class CodecError(AirssysError, ValueError):
    """Bytes are no value of their codec, or a value has no form in it.

    Attributes:
        offset: the byte of the input at fault, its codec prefix counted; ``None`` where
            there is no input, or no one byte.
        path: the place in the value, such as ``orders[3].name``; empty at its root, or
            where it is not known.
    """

    def __init__(self, message: str, offset: int | None = None, path: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.path = path


class NameTaken(AirssysError, ValueError):
    """Another actor has the name, or the host holds as many as it may; nothing was started."""


class MessagingError(AirssysError):
    """A message was not accepted, or a request has no reply.

    Attributes:
        actor: the actor it was for, or that failed; empty where there is none to name.
    """

    def __init__(self, message: str, actor: str = "") -> None:
        super().__init__(message)
        self.actor = actor


class ActorNotFound(MessagingError, LookupError):
    """No actor has the name."""


class CircuitOpen(MessagingError):
    """The actor kept failing, and its route lets no request through for now; nothing was sent.

    Attributes:
        actor: whose route.
        retry_after_seconds: when it lets one through again.
    """

    def __init__(self, message: str, actor: str = "", retry_after_seconds: float = 0.0) -> None:
        super().__init__(message, actor)
        self.retry_after_seconds = retry_after_seconds


class MailboxClosed(MessagingError):
    """The actor takes no more messages."""


class ActorStopped(MailboxClosed):
    """The actor has stopped for good, or did before it handled the message."""


class MailboxFull(MessagingError):
    """The mailbox is full, and its policy is to refuse, or the sender would not wait."""


class MessageTooLarge(MessagingError, ValueError):
    """The payload is larger than a message may be; nothing was sent."""


class MessageDropped(MessagingError):
    """The message expired, made way for newer ones, or was left without an answer."""


class MessageRefused(MessagingError):
    """The handler refused the message.

    Attributes:
        actor: whose handler.
        reason: the case of ``message-error``: ``malformed``, ``codec-unsupported``,
            ``unsupported``, ``refused``, ``busy`` or ``failed``.
    """

    def __init__(self, message: str, actor: str = "", reason: str = "") -> None:
        super().__init__(message, actor)
        self.reason = reason


class LetterNotFound(MessagingError, LookupError):
    """No dead letter has the number: replayed, discarded, or dropped for newer ones."""


class TopicInvalid(MessagingError, ValueError):
    """A topic to publish on, or a pattern to subscribe to, is not written as it must be.

    Attributes:
        position: where, in bytes from 0; ``None`` if it is empty, or too long.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class SubscriptionsFull(MessagingError):
    """There are as many subscriptions as there may be, of one subscriber or of all."""


class AskTimeout(MessagingError, TimeoutError):
    """No reply came in time; the actor may still be working on the request."""


class ActorFailed(MessagingError):
    """The actor failed while it had the request.

    Attributes:
        actor: who failed.
        kind: how it failed: ``trapped``, ``timed-out``, ``out-of-fuel``, ``out-of-memory``,
            ``initialization-failed``, or ``exception``: what the handler of a Python actor
            raised is the ``__cause__``.
    """

    def __init__(self, message: str, actor: str = "", kind: str = "") -> None:
        super().__init__(message, actor)
        self.kind = kind


class HandlerRefusal(AirssysError):
    """Raise it in the handler of a Python actor to refuse the message, and nothing else.

    Whoever asked gets ``MessageRefused``; the actor goes on. Any other exception ends the
    instance, and its supervisor decides.

    Attributes:
        reason: ``malformed``, ``codec-unsupported``, ``unsupported``, ``refused`` (sending it
            again will not help), ``busy`` or ``failed`` (it may).
        codecs: with ``codec-unsupported``: the codecs the handler reads, by number.
        retry_after_seconds: with ``busy``: when to try again, 0 or more.
    """

    def __init__(
        self,
        message: str = "",
        reason: str = "refused",
        codecs: tuple[int, ...] = (),
        retry_after_seconds: float = 0.0,
    ) -> None:
        reasons = ("malformed", "codec-unsupported", "unsupported", "refused", "busy", "failed")
        if reason not in reasons:
            raise ValueError(f"reason: {reason!r}; hint: one of {', '.join(reasons)}")
        if not 0 <= retry_after_seconds < 2**22:
            raise ValueError(
                f"retry_after_seconds: {retry_after_seconds!r}; hint: seconds, such as 0.5"
            )
        super().__init__(message)
        self.reason = reason
        self.codecs = codecs
        self.retry_after_seconds = retry_after_seconds
