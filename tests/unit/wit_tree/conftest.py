"""The interface tree, read by our own parser, and the data about it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airssys_wasm._native import wit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("core", "filesystem", "network", "process")

Json = dict[str, Any]
Operations = dict[str, dict[str, Json]]


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method; ``name`` is ``read`` or ``file.read``."""

    interface: str
    name: str
    parameters: Mapping[str, Any]
    result: Any
    docs: str

    @property
    def full_name(self) -> str:
        return f"{self.interface}#{self.name}"


@dataclass(frozen=True, slots=True)
class Package:
    """One package, as the resolver sees it."""

    resolve: Json
    index: int

    @property
    def own(self) -> Json:
        found: Json = self.resolve["packages"][self.index]
        return found

    @property
    def name(self) -> str:
        return str(self.own["name"]).partition("@")[0]

    def interfaces(self) -> Iterator[tuple[str, Json]]:
        for name, index in self.own["interfaces"].items():
            yield f"{self.name}/{name}", self.resolve["interfaces"][index]

    def functions(self) -> Iterator[Function]:
        for interface, found in self.interfaces():
            for name, function in found["functions"].items():
                parameters = {each["name"]: each["type"] for each in function["params"]}
                yield Function(
                    interface,
                    name.rpartition("]")[2],  # "[method]file.read"
                    parameters,
                    function.get("result"),
                    self.docs_of(function),
                )

    @staticmethod
    def docs_of(item: Json) -> str:
        return str((item.get("docs") or {}).get("contents") or "").strip()

    def definitions(self) -> Iterator[tuple[str, str, Json]]:
        """Interface, name and definition of each type, names borrowed by ``use`` left out."""
        for interface, found in self.interfaces():
            for name, index in found["types"].items():
                definition = self.resolve["types"][index]
                if not self.is_borrowed(definition):
                    yield interface, name, definition

    def is_borrowed(self, definition: Json) -> bool:
        kind = definition["kind"]
        meant = kind.get("type") if isinstance(kind, dict) else None
        if not isinstance(meant, int):
            return False
        return bool(self.resolve["types"][meant]["owner"] != definition["owner"])

    def meant_by(self, type_: Any) -> Any:
        """Follow names until something that is not a mere alias: a primitive or a kind."""
        while isinstance(type_, int):
            kind = self.resolve["types"][type_]["kind"]
            type_ = kind["type"] if isinstance(kind, dict) and "type" in kind else kind
        return type_

    def world_interfaces(self, direction: str) -> set[str]:
        """Names of the interfaces that some world has as ``imports`` or ``exports``."""
        names = {index: name for name, index in self.own["interfaces"].items()}
        return {
            f"{self.name}/{names[item['interface']['id']]}"
            for index in self.own["worlds"].values()
            for item in self.resolve["worlds"][index][direction].values()
            if "interface" in item
        }


def parse(source: Path | str, world: str) -> Package:
    found = json.loads(wit.resolve_json(source, world=world))
    return Package(found["resolve"], found["package"])


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def packages() -> list[Package]:
    """The four packages, each resolved alone."""
    return [parse(ROOT / "wit" / name, "imports") for name in PACKAGES]


@pytest.fixture(scope="session")
def functions(packages: list[Package]) -> dict[str, Function]:
    return {each.full_name: each for package in packages for each in package.functions()}


@pytest.fixture(scope="session")
def operations() -> Operations:
    """Interface, function, entry: what each function may need."""
    # Of the package that is tested, which need not be this checkout's.
    folder = files("airssys_wasm.wit") / "operations"
    found: Operations = {}
    for name in PACKAGES:
        of_package = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        assert all(interface.startswith(f"airssys:{name}/") for interface in of_package)
        found |= of_package
    return found


@pytest.fixture(scope="session")
def earlier(root: Path) -> dict[str, dict[str, Json]]:
    """List, earlier name, entry: what became of each."""
    text = (root / "docs" / "spec" / "earlier-operations.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@pytest.fixture(scope="session")
def parse_text() -> Callable[[str, str], Package]:
    """Read a package from text and the name of a world, for tests that change one."""
    return parse
