"""Answers known from outside: each file says whose they are."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path
from typing import Any

import pytest

from airssys_wasm import CodecError, codec
from airssys_wasm.codec import Borsh

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, Any]]:
    told = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    assert told["source"]
    found: list[dict[str, Any]] = told["rows"]
    return found


def literal(text: str) -> Any:
    if text in {"nan", "inf", "-inf"}:
        return float(text)
    return ast.literal_eval(text)


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        bits = (math.isnan(one), math.copysign(1, one))
        return bits == (math.isnan(other), math.copysign(1, other)) and (bits[0] or one == other)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("row", rows("cbor"), ids=lambda row: row["hex"])
def test_every_example_of_the_specification_is_read(row: dict[str, Any]) -> None:
    body = bytes.fromhex(row["hex"])
    codec.check(codec.join(codec.CBOR, body))
    if row["python"] is None:
        with pytest.raises(CodecError, match="has no form in Python"):
            codec.decode_body(codec.CBOR, body)
        return
    value = codec.decode_body(codec.CBOR, body)

    assert same(value, literal(row["python"]))
    assert (codec.encode_body(codec.CBOR, value) == body) == row["written"]


@pytest.mark.parametrize("row", rows("cbor-not-well-formed"), ids=lambda row: row["hex"])
def test_no_counterexample_of_the_specification_is_read(row: dict[str, Any]) -> None:
    message = codec.join(codec.CBOR, bytes.fromhex(row["hex"]))
    for read in (codec.check, codec.decode, codec.transcode):
        with pytest.raises(CodecError) as caught:
            read(message)
        assert caught.value.offset is not None


@pytest.mark.parametrize("row", rows("multicodec"), ids=lambda row: row["name"])
def test_a_codec_has_its_number_of_the_table(row: dict[str, Any]) -> None:
    message = codec.join(row["code"], b"body")

    assert message.hex() == row["prefix"] + b"body".hex()
    code, body = codec.split(message)
    assert (code, bytes(body)) == (row["code"], b"body")
    constant = getattr(codec, row["name"].upper().replace("-", "_"), None)
    if constant is None:
        assert codec.name_of(code) == hex(code)
        for read in (codec.decode, codec.transcode):
            with pytest.raises(CodecError):
                read(message)
    else:
        assert constant == row["code"]
        assert codec.name_of(code) == row["name"]


@pytest.mark.parametrize("row", rows("varint"), ids=lambda row: row["hex"])
def test_a_prefix_has_one_form(row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["hex"])
    if row["number"] is None:
        with pytest.raises(CodecError, match=row["error"]):
            codec.split(data)
        return
    assert codec.split(data + b"x")[0] == row["number"]
    assert codec.join(row["number"], b"") == data


@pytest.mark.parametrize("row", rows("borsh"), ids=lambda row: row["schema"])
def test_every_format_of_borsh_is_read_and_written(row: dict[str, Any]) -> None:
    described = eval(row["schema"], {"Borsh": Borsh})  # noqa: S307 - our own file
    schema, value, body = Borsh(described), literal(row["python"]), bytes.fromhex(row["hex"])

    assert codec.encode_body(codec.BORSH, value, schema=schema) == body
    assert same(codec.decode_body(codec.BORSH, body, schema=schema), value)
