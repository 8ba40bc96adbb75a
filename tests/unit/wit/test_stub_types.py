"""Generated stubs say what is right, and type checkers take them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airssys_wasm import wit

if TYPE_CHECKING:
    from .conftest import Check

WORLDS = Path(__file__).parent / "worlds"
NAMES = sorted(path.stem for path in WORLDS.glob("*.wit"))


def written(name: str, folder: Path, suffix: str) -> Path:
    return wit.write_stubs(wit.describe(WORLDS / f"{name}.wit"), folder / f"{name}{suffix}")


@pytest.mark.parametrize("suffix", [".py", ".pyi"])
def test_mypy_takes_every_stub(suffix: str, tmp_path: Path, mypy_strict: Check) -> None:
    files = [written(name, tmp_path, suffix) for name in NAMES]

    assert mypy_strict(*files) == []


def test_without_mypy_nothing_is_checked_and_that_is_said(
    tmp_path: Path, mypy_strict: Check
) -> None:
    # Without `site`, an interpreter finds nothing that was installed.
    with pytest.raises(AssertionError, match="No module named mypy"):
        mypy_strict(written("empty", tmp_path, ".pyi"), python=(sys.executable, "-S"))


@pytest.mark.parametrize("suffix", [".py", ".pyi"])
def test_ruff_takes_every_stub(suffix: str, tmp_path: Path) -> None:
    for name in NAMES:
        written(name, tmp_path, suffix)

    finished = subprocess.run(  # noqa: S603 - our own words and paths, no shell
        [sys.executable, "-m", "ruff", "check", "--isolated", "--extend-select", "I", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout


def test_a_typed_call_is_checked(tmp_path: Path, mypy_strict: Check) -> None:
    written("greet", tmp_path, ".pyi")
    user = tmp_path / "user.py"
    user.write_text("""
from __future__ import annotations
from typing import TYPE_CHECKING
import airssys_wasm as aw
if TYPE_CHECKING:
    import greet

async def use(instance: aw.Instance) -> None:
    greeter: greet.Instance = instance
    reveal_type(greeter.call("acme:greet/api#greet", {"name": "Ada", "age": 36}))
    reveal_type(greeter.call("acme:greet/api@1.0.0#greet", greet.Person("Ada", 36)))
    reveal_type(await greeter.call_async("add", 1, 2))
    greeter.call("acme:greet/api#greet", {"name": "Ada"})
    greeter.call("add", 1, "2")
    greeter.call("subtract", 1, 2)
""")

    said = mypy_strict(user)

    assert [line for line in said if "Revealed" in line] == [
        'note: Revealed type is "str"',
        'note: Revealed type is "str"',
        'note: Revealed type is "int"',
    ]
    refused = [line for line in said if line.startswith("error")]
    assert len(refused) == 3
    assert all("[call-overload]" in line or "[typeddict-item]" in line for line in refused)


def test_an_embedders_object_is_checked(tmp_path: Path, mypy_strict: Check) -> None:
    written("supplied", tmp_path, ".pyi")
    user = tmp_path / "user.py"
    user.write_text("""
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import supplied

class Sync:
    def find(self, id: int, /) -> str | None:
        return None

class Async:
    async def find(self, id: int, /) -> str:
        return ""

class Wrong:
    def find(self, id: int, /) -> int:
        return id

one: supplied.Lookup = Sync()
two: supplied.Lookup = Async()
three: supplied.Lookup = Wrong()
""")

    errors = [line for line in mypy_strict(user) if line.startswith("error")]

    assert len(errors) == 1
    assert '"Wrong"' in errors[0]


def test_what_a_call_returns_may_be_handed_back(tmp_path: Path, mypy_strict: Check) -> None:
    written("everything", tmp_path, ".pyi")
    user = tmp_path / "user.py"
    user.write_text("""
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import everything

def use(instance: everything.Instance, deep: everything.Deep) -> int:
    again = instance.call("nasty:types/nested#walk", deep)
    instance.call("nasty:types/nested#walk", again)
    for shape in [cell[1] for row in again["grid"] for cell in row if cell is not None]:
        if shape.case == "circle":
            return int(shape.value)
    with instance.call("nasty:types/counters#[constructor]counter", 1) as counter:
        return counter.call("increment", 2)
""")

    assert mypy_strict(user) == []


def test_variants_are_given_by_case_and_value(tmp_path: Path, mypy_strict: Check) -> None:
    wit.write_stubs(
        wit.describe(
            "package a:b; interface i { variant shape { circle(f64), text(string), none }"
            " draw: func(shape: shape, outcome: result<u8, string>); } world w { export i; }"
        ),
        tmp_path / "shapes.pyi",
    )
    user = tmp_path / "user.py"
    user.write_text("""
from __future__ import annotations
from typing import TYPE_CHECKING
from airssys_wasm import Variant
if TYPE_CHECKING:
    import shapes

def use(instance: shapes.Instance) -> None:
    instance.call("a:b/i#draw", Variant("circle", 1.0), Variant("ok", 1))
    instance.call("a:b/i#draw", Variant("none"), Variant("err", "no"))
    instance.call("a:b/i#draw", "none", Variant("ok", 2))
    instance.call("a:b/i#draw", Variant("square", 1.0), Variant("ok", 1))
    instance.call("a:b/i#draw", "circle", Variant("ok", 1))
""")

    errors = [line for line in mypy_strict(user) if line.startswith("error")]

    assert len(errors) == 2
    assert "square" in errors[0]
    assert "circle" in errors[1]


def test_an_embedders_resource_is_a_class_of_its_interface(
    tmp_path: Path, mypy_strict: Check
) -> None:
    written("everything", tmp_path, ".pyi")
    user = tmp_path / "user.py"
    user.write_text("""
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import everything

class MySession:
    def __init__(self, key: str, /) -> None: ...
    def find(self, id: int, /) -> everything.UserDict:
        return {"id": id, "nick-name": ""}
    async def close(self, /) -> None: ...

class MyCursor:
    def close(self, /) -> bool:
        return True

class MyLookup:
    Session = MySession
    Cursor = MyCursor
    def find_user(self, id: int, from_: list[everything.UserDict], /) -> everything.UserDict:
        return from_[0]
    def open(self, /) -> MySession:
        return MySession("")

good: everything.Lookup = MyLookup()
session: everything.SessionObject = MyCursor()
""")

    errors = [line for line in mypy_strict(user) if line.startswith("error")]

    assert len(errors) == 1
    assert '"MyCursor"' in errors[0]
