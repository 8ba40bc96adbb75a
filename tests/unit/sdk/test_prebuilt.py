"""Every component that is kept in the tree is what its digests say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airssys_wasm import components
from airssys_wasm._native import wit
from airssys_wasm.components import DIGESTS, Prebuilt, catalog, load
from airssys_wasm.errors import ComponentInvalid
from airssys_wasm.sdk.sources import digest, sources_root

SHIPPED = Path(components.__file__).parent
CHECKOUT = Path(__file__).parents[3]
TESTED = CHECKOUT / "tests" / "components" / "prebuilt"

#: What a component for tests may weigh in the repository, in bytes.
TESTED_BYTES_MAX = 400_000


EVERY = [*catalog(SHIPPED).values(), *catalog(TESTED).values()]
OURS = [known for known in EVERY if known.reproducible]


@pytest.mark.parametrize("known", EVERY, ids=lambda known: known.name)
def test_the_component_and_its_sources_have_their_digests(known: Prebuilt) -> None:
    assert known.read().startswith(b"\0asm\x0d\0\x01\0")
    # What ships has its sources beside it; what is for tests alone stays in the checkout.
    root = sources_root() if known.path.parent == SHIPPED else CHECKOUT
    assert digest(root / known.source) == known.source_sha256, "make components"


@pytest.mark.parametrize("folder", [SHIPPED, TESTED], ids=["shipped", "tested"])
def test_every_component_is_listed(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.wasm")} == set(catalog(folder))


def test_components_for_tests_are_small() -> None:
    sizes = {known.name: len(known.read()) for known in catalog(TESTED).values()}

    assert {name: size for name, size in sizes.items() if size > TESTED_BYTES_MAX} == {}


# Of the others only the interpreter is compiled, and that by its authors.
@pytest.mark.parametrize("known", OURS, ids=lambda known: known.name)
def test_no_path_of_the_machine_that_built_it_is_inside(known: Prebuilt) -> None:
    content = known.read()

    for path in (Path.home(), sources_root(), Path("/usr")):
        assert f"{path}/".encode() not in content


@pytest.mark.parametrize("name", ["text-stats", "markdown-report"])
def test_what_ships_imports_nothing(name: str) -> None:
    assert "import" not in wit.world_text(load(name))


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ComponentInvalid, match="markdown-report, pipeline-analyser, "):
        load("text-stat")


def test_a_damaged_component_is_refused(tmp_path: Path) -> None:
    known = catalog(TESTED)["words"]
    content = bytearray(known.read())
    content[-1] ^= 1
    (tmp_path / "words.wasm").write_bytes(content)
    listed = json.loads((TESTED / DIGESTS).read_text())
    (tmp_path / DIGESTS).write_text(json.dumps({"words": listed["words"]}))

    with pytest.raises(ComponentInvalid, match="digest differs"):
        catalog(tmp_path)["words"].read()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"words": {"source": "x"}}', '{"words": 1}'])
def test_a_damaged_list_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / DIGESTS).write_text(text)

    with pytest.raises(ComponentInvalid, match=DIGESTS):
        catalog(tmp_path)
