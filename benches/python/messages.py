"""What the codec benches write and read, and who does it."""

from __future__ import annotations

from typing import Any

from operation import Operation

SMALL = {
    "id": 12345,
    "name": "Ada Lovelace",
    "kind": "order.created",
    "paid": True,
    "price": 12.5,
    "tags": ["new", "gift"],
}
PERSON = {
    "id": 12345,
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "active": True,
    "score": 98.6,
    "tags": ["math", "poetry", "engines"],
    "address": {"street": "12 St James's Square", "city": "London", "zip": "SW1Y 4JH"},
    "note": None,
}


def orders(count: int) -> dict[str, Any]:
    """Nested: a list of small dicts."""
    return {
        "from": "acme/billing",
        "orders": [
            {"id": n, "sku": f"sku-{n:05}", "count": n % 7, "price": n * 1.25, "open": n % 2 == 0}
            for n in range(count)
        ],
    }


#: By size as CBOR.
MESSAGES = {"100 B": SMALL, "164 B": PERSON, "1 KiB": orders(21), "64 KiB": orders(1370)}

#: A value of the borsh row, and its schema in the words of each side.
TRANSFER = {"id": 7, "from": "ada", "to": "grace", "amount": 2**40, "tags": ["a", "b"]}


class OurCodecs:
    """This package's codecs."""

    def encode(self, codec: str, size: str) -> Operation:
        from airssys_wasm import codec as ours

        number, value = getattr(ours, codec), MESSAGES[size]
        names = {"encode": ours.encode, "number": number, "value": value}
        return Operation("encode(number, value)", names, ours.encode(number, value))

    def decode(self, codec: str, size: str) -> Operation:
        from airssys_wasm import codec as ours

        message = ours.encode(getattr(ours, codec), MESSAGES[size])
        names = {"decode": ours.decode, "message": message}
        return Operation("decode(message)[1]", names, MESSAGES[size])

    def _borsh(self) -> dict[str, Any]:
        from airssys_wasm import codec as ours

        text = {"id": "u64", "from": "string", "to": "string", "amount": "u128"}
        schema = ours.Borsh({**text, "tags": ours.Borsh.vec("string")})
        body = ours.encode_body(ours.BORSH, TRANSFER, schema=schema)
        return {
            "encode": ours.encode_body,
            "decode": ours.decode_body,
            "number": ours.BORSH,
            "value": TRANSFER,
            "schema": schema,
            "body": body,
        }

    def borsh_encode(self) -> Operation:
        names = self._borsh()
        return Operation("encode(number, value, schema=schema)", names, names["body"])

    def borsh_decode(self) -> Operation:
        return Operation("decode(number, body, schema=schema)", self._borsh(), TRANSFER)

    def wrap(self, size: int) -> Operation:
        from airssys_wasm import codec as ours

        names = {"join": ours.join, "number": ours.RAW, "body": bytes(size)}
        return Operation("join(number, body)", names, b"\x55" + bytes(size))

    def unwrap(self, size: int) -> Operation:
        from airssys_wasm import codec as ours

        names = {"split": ours.split, "message": b"\x55" + bytes(size)}
        return Operation("split(message)", names, (0x55, bytes(size)))


class Cbor2:
    def encode(self, _codec: str, size: str) -> Operation:
        import cbor2

        return Operation("dumps(value)", {"dumps": cbor2.dumps, "value": MESSAGES[size]})

    def decode(self, _codec: str, size: str) -> Operation:
        import cbor2

        names = {"loads": cbor2.loads, "body": cbor2.dumps(MESSAGES[size])}
        return Operation("loads(body)", names, MESSAGES[size])


class Json:
    """The module of the standard library."""

    def encode(self, _codec: str, size: str) -> Operation:
        import json

        names = {"encode": json.JSONEncoder(separators=(",", ":")).encode, "value": MESSAGES[size]}
        return Operation("encode(value).encode()", names)

    def decode(self, _codec: str, size: str) -> Operation:
        import json

        names = {"loads": json.loads, "body": json.dumps(MESSAGES[size]).encode()}
        return Operation("loads(body)", names, MESSAGES[size])


class Orjson:
    def encode(self, _codec: str, size: str) -> Operation:
        import orjson

        return Operation("dumps(value)", {"dumps": orjson.dumps, "value": MESSAGES[size]})

    def decode(self, _codec: str, size: str) -> Operation:
        import orjson

        names = {"loads": orjson.loads, "body": orjson.dumps(MESSAGES[size])}
        return Operation("loads(body)", names, MESSAGES[size])


class Msgspec:
    """MessagePack, the nearest relative of CBOR."""

    def encode(self, _codec: str, size: str) -> Operation:
        from msgspec import msgpack

        names = {"encode": msgpack.Encoder().encode, "value": MESSAGES[size]}
        return Operation("encode(value)", names)

    def decode(self, _codec: str, size: str) -> Operation:
        from msgspec import msgpack

        names = {"decode": msgpack.Decoder().decode, "body": msgpack.encode(MESSAGES[size])}
        return Operation("decode(body)", names, MESSAGES[size])


class BorshConstruct:
    def _schema(self) -> Any:
        import borsh_construct as peer

        return peer.CStruct(
            "id" / peer.U64,
            "from" / peer.String,
            "to" / peer.String,
            "amount" / peer.U128,
            "tags" / peer.Vec(peer.String),
        )

    def borsh_encode(self) -> Operation:
        return Operation("build(value)", {"build": self._schema().build, "value": TRANSFER})

    def borsh_decode(self) -> Operation:
        schema = self._schema()
        return Operation("parse(body)", {"parse": schema.parse, "body": schema.build(TRANSFER)})


#: The peers, by the names the table calls them.
PEERS = {
    "cbor2": Cbor2,
    "json": Json,
    "orjson": Orjson,
    "msgspec (msgpack)": Msgspec,
    "borsh-construct": BorshConstruct,
}
