"""Python values to bytes and back. The face of this module is ``airssys_wasm.codec``."""

from collections.abc import Mapping
from typing import Any, Final, final

from typing_extensions import Buffer

__all__ = [
    "BORSH",
    "CBOR",
    "DAG_CBOR",
    "DEPTH_MAX",
    "JSON",
    "MESSAGEPACK",
    "PROTOBUF",
    "RAW",
    "Borsh",
    "check",
    "decode",
    "decode_body",
    "encode",
    "encode_body",
    "join",
    "name_of",
    "split",
    "transcode",
]

CBOR: Final[int]
JSON: Final[int]
BORSH: Final[int]
RAW: Final[int]
MESSAGEPACK: Final[int]
PROTOBUF: Final[int]
DAG_CBOR: Final[int]
DEPTH_MAX: Final[int]

def encode(codec: int, value: object, *, schema: Borsh | None = None) -> bytes:
    """Write a value as a message: the codec's prefix and its body.

    Dataclasses are written as maps of their fields; an ``IntEnum``, a ``NamedTuple`` and
    other derived types as what they derive from. Exceptions of the value's own code
    pass through.

    Args:
        codec: the number of the codec. CBOR takes None, bool, int of any size, float,
            str, bytes-like objects, lists, tuples and dicts with any key that is one of
            these; JSON the same without bytes, NaN and infinities, and with str keys
            alone; borsh what its schema says; raw, messagepack, protobuf and
            dag-cbor a bytes-like object that is their body already.
        value: what to write.
        schema: for borsh, and for nothing else.

    Returns:
        The message.

    Raises:
        CodecError: something in the value has no form in the codec, the value is nested
            deeper than ``DEPTH_MAX`` or holds itself, it changed meanwhile, it does
            not fit the schema, or the codec is not known here.
    """

def decode(message: Buffer, *, schema: Borsh | None = None) -> tuple[int, Any]:
    """Read a message.

    Args:
        message: a prefix and a body; any bytes-like object.
        schema: for borsh, and for nothing else.

    Returns:
        The codec's number and the value; for raw, messagepack, protobuf and dag-cbor the
        body as bytes.

    Raises:
        CodecError: the prefix is cut off, too long or not minimal; the body is not one
            well-formed value; a key stands twice; something has no form in Python,
            as CBOR's tags other than 2 and 3 and ``undefined``; or the codec is
            not known here.
    """

def encode_body(codec: int, value: object, *, schema: Borsh | None = None) -> bytes:
    """Write a value as :func:`encode` does, without the prefix.

    Raises:
        CodecError: as for :func:`encode`.
    """

def decode_body(codec: int, body: Buffer, *, schema: Borsh | None = None) -> Any:
    """Read a body as :func:`decode` does, whose codec is known from elsewhere.

    Raises:
        CodecError: as for :func:`decode`.
    """

def split(message: Buffer) -> tuple[int, memoryview]:
    """Split a message of any codec into its number and a view of the body; nothing is copied.

    Raises:
        CodecError: the prefix is cut off, longer than nine bytes, or not minimal.
    """

def join(codec: int, body: Buffer) -> bytes:
    """Put the prefix of any codec in front of a body.

    Args:
        codec: a number of at most 63 bits.
        body: any bytes-like object.

    Raises:
        CodecError: the number is too large.
    """

def transcode(message: Buffer, to: int = 0x0200, *, bytes_max: int = 67108864) -> bytes:
    """Turn a CBOR message into a JSON message, or the other way round.

    Args:
        message: a prefix and a body.
        to: the codec to turn it into; a message that is in it already is checked and
            comes back as it is.
        bytes_max: longest body that may come of it, in bytes.

    Raises:
        CodecError: the body is not well formed; something in it has no form in the other
            codec, its place named; a key stands twice; the result would be too
            long; or the codecs are no pair of CBOR and JSON.
    """

def check(message: Buffer) -> None:
    """Check that a message is well formed, without making a value of it.

    Of a CBOR or JSON body it checks the grammar, the nesting, and that text is UTF-8; a key
    that stands twice is left to the readers. Other bodies are not looked into.

    Raises:
        CodecError: it is not.
    """

def name_of(codec: int) -> str:
    """Return what a codec is called, such as ``dag-cbor``; in hex if it has no name here."""

@final
class Borsh:
    """What a Borsh value consists of; immutable.

    A description is one of these: a name (``"u8"`` to ``"u128"``, ``"i8"`` to ``"i128"``,
    ``"f32"``, ``"f64"``, ``"bool"``, ``"string"``, ``"bytes"``, ``"unit"``), a dict of names
    and descriptions for a struct, a tuple of descriptions for a tuple, ``None`` for the
    unit, or another ``Borsh``::

        Order = Borsh({"id": "u64", "tags": Borsh.vec("string"), "paid": "bool"})

    A struct is a dict or a dataclass and comes back as a dict. A schema is at most 64 deep
    and has at most 10 000 types.

    Args:
        description: as above.

    Raises:
        CodecError: this, and each method below: the description describes no type, it
            is too large, or nothing would bound the count of its items.
    """

    def __new__(cls, description: object) -> Borsh: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @staticmethod
    def vec(item: object) -> Borsh:
        """Describe a list of any length; its items take a byte at least."""

    @staticmethod
    def array(item: object, length: int) -> Borsh:
        """Describe a list of one length; its items take a byte at least."""

    @staticmethod
    def byte_array(length: int) -> Borsh:
        """Describe bytes of one length, such as a digest."""

    @staticmethod
    def option(value: object) -> Borsh:
        """Describe a value or ``None``; the value is no option itself."""

    @staticmethod
    def map(key: object, value: object) -> Borsh:
        """Describe a dict, sorted by its keys: integers, bool, string or bytes."""

    @staticmethod
    def set(item: object) -> Borsh:
        """Describe a set of integers, bool, string or bytes, sorted."""

    @staticmethod
    def enum(cases: Mapping[str, object]) -> Borsh:
        """Describe an enum: at most 256 names with the description of their value, or ``None``.

        Its values are ``aw.Variant(case, value)``, and the bare name where no case of the
        enum has a value.
        """
