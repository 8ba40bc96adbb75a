"""JSON in, JSON out."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import airssys_wasm as aw
from airssys_wasm import wit
from airssys_wasm.cli.values import FORMS, from_json, to_json

WORLD = wit.describe("""
package acme:values@1.0.0;
interface types {
    record person { name: string, age: u8, tags: list<tuple<string, u32>> }
    variant shape { empty, circle(f64), outline(list<person>) }
    enum colour { red, green }
    flags rights { read, write }
    type alias = shape;
    f: func(
        bytes: list<u8>, numbers: list<u16>, pair: tuple<u8, string>, person: person,
        shape: shape, alias: alias, colour: colour, rights: rights, maybe: option<list<u8>>,
        ratio: f64, perhaps: option<option<u8>>, outcome: result<list<u8>, colour>,
        done: result,
    );
}
world values { export types; }
""")
TYPES = {
    param.name: param.type
    for interface in WORLD.exports.values()
    for function in interface.values()
    for param in function.params
}
ADA = {"name": "Ada", "age": 36, "tags": [["x", 1]]}
ADA_PYTHON = {"name": "Ada", "age": 36, "tags": [("x", 1)]}


@pytest.mark.parametrize(
    ("type_name", "text", "expected"),
    [
        ("bytes", "[0, 255]", b"\x00\xff"),
        ("bytes", "[]", b""),
        ("bytes", '"Grüße"', "Grüße".encode()),
        ("numbers", "[1, 2]", [1, 2]),
        ("pair", '[1, "a"]', (1, "a")),
        ("person", json.dumps(ADA), ADA_PYTHON),
        ("shape", '"empty"', aw.Variant("empty")),
        ("shape", '{"case": "circle", "value": 1.5}', aw.Variant("circle", 1.5)),
        (
            "alias",
            json.dumps({"case": "outline", "value": [ADA]}),
            aw.Variant("outline", [ADA_PYTHON]),
        ),
        ("colour", '"red"', "red"),
        ("rights", '["read"]', frozenset({"read"})),
        ("maybe", "null", None),
        ("maybe", "[7]", b"\x07"),
        ("shape", '{"case": "empty"}', aw.Variant("empty")),
        ("perhaps", "null", None),
        ("perhaps", "7", 7),
        ("perhaps", '{"case": "some"}', aw.Variant("some")),
        ("perhaps", '{"case": "some", "value": null}', aw.Variant("some")),
        ("perhaps", '{"case": "some", "value": 7}', aw.Variant("some", 7)),
        ("outcome", '{"case": "ok", "value": [7]}', aw.Variant("ok", b"\x07")),
        ("outcome", '{"case": "err", "value": "red"}', aw.Variant("err", "red")),
        ("done", '"ok"', aw.Variant("ok")),
        ("done", '{"case": "err"}', aw.Variant("err")),
        ("ratio", "1.5", 1.5),
        ("ratio", '"-Infinity"', -math.inf),
    ],
)
def test_json_becomes_what_the_type_takes(type_name: str, text: str, expected: object) -> None:
    found = from_json(json.loads(text), TYPES[type_name], WORLD)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("bytes", [256]),
        ("bytes", [True]),
        ("bytes", {"a": 1}),
        ("pair", [1]),
        ("person", ["Ada"]),
        ("person", {"name": "Ada", "unknown": 1}),
        ("shape", "no-such-case"),
        ("shape", {"case": "circle", "extra": 1}),
        ("shape", {"value": 1}),
        ("rights", [1]),
        ("colour", 7),
        ("perhaps", {"case": "none"}),
        ("outcome", {"case": "ok", "value": 1, "extra": 1}),
        ("done", True),
        ("ratio", "a lot"),
    ],
)
def test_what_does_not_fit_is_left_for_the_call_to_refuse(type_name: str, value: object) -> None:
    assert from_json(value, TYPES[type_name], WORLD) == value


@pytest.mark.parametrize(
    ("type_name", "value"),
    [("shape", "circle"), ("alias", {"case": "outline"}), ("outcome", {"case": "ok"})],
)
def test_a_case_without_its_value_is_told_how_to_carry_it(type_name: str, value: object) -> None:
    with pytest.raises(aw.ValueMismatch, match=r'carries a value; hint: write {"case": "\w+", "va'):
        from_json(value, TYPES[type_name], WORLD)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (b"\x00\xff", "[0, 255]"),
        ((1, [True, 1.5]), "[1, [true, 1.5]]"),
        (frozenset({"write", "read"}), '["read", "write"]'),
        (aw.Variant("circle", b"\x01"), '{"case": "circle", "value": [1]}'),
        (aw.Variant("empty"), '{"case": "empty", "value": null}'),
        ([math.nan, math.inf, -math.inf], '["NaN", "Infinity", "-Infinity"]'),
        ({"a": {"b": ()}}, '{"a": {"b": []}}'),
    ],
)
def test_a_result_becomes_json(value: object, expected: str) -> None:
    assert json.dumps(to_json(value)) == expected


def test_the_guide_lists_every_form() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guests.md").read_text(encoding="utf-8")
    rows = [line.replace("`", "") for line in guide.splitlines() if line.startswith("| ")]

    for kind, forms in FORMS:
        row = next(row for row in rows if row.startswith(f"| {kind}"))
        for form in re.findall(r'{.*?}|\[.*?\]|"[^"]*"|[\d.]+|null', forms):
            assert form in row


def test_a_handle_is_refused_instead_of_printed() -> None:
    class Handle:
        pass

    with pytest.raises(TypeError, match="Handle has no form in JSON"):
        to_json([Handle()])


@pytest.mark.parametrize(("type_name", "value"), [("bytes", [1, 2]), ("pair", [1, "a"])])
def test_a_value_survives_the_way_there_and_back(type_name: str, value: Any) -> None:
    assert to_json(from_json(value, TYPES[type_name], WORLD)) == value


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\udfff"'])
def test_half_a_character_has_no_bytes(text: str) -> None:
    with pytest.raises(aw.ValueMismatch, match="lone surrogate"):
        from_json(json.loads(text), TYPES["bytes"], WORLD)
