"""Python values to bytes that say how to read them, and back.

A message is a codec number, written as an unsigned varint of at most nine bytes in its
shortest form, and behind it the body. The numbers are those of the multicodec table;
borsh, which has none there, has one of the range for private use.

::

    message = codec.encode(codec.CBOR, {"id": 7})
    codec.decode(message)  # (codec.CBOR, {"id": 7})
    codec.transcode(message, to=codec.JSON)

What Python has and a codec lacks is a ``CodecError``, never something close to it: see
docs/codecs.md for the tables.
"""

from __future__ import annotations

from airssys_wasm._native.codec import (
    BORSH,
    CBOR,
    DAG_CBOR,
    DEPTH_MAX,
    JSON,
    MESSAGEPACK,
    PROTOBUF,
    RAW,
    Borsh,
    check,
    decode,
    decode_body,
    encode,
    encode_body,
    join,
    name_of,
    split,
    transcode,
)

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
