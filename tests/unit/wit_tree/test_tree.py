"""What holds for every item of the interface tree."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from airssys_wasm._native import wit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.wit_tree.conftest import Function, Json, Package

# Functions that cannot fail in a way their caller could act on.
WITHOUT_ERROR_PATH = {
    "airssys:core/lifecycle#metadata": "the same answer every time; failing is a trap",
    "airssys:core/lifecycle#health": "its answer is about failing; a trap counts as unhealthy",
}
BYTES = {"list": "u8"}
# Earlier forms of these said more in words than the types did.
STRINGLY = {"how", "json", "mode", "kind", "handle"}


def parts_of(definition: Json) -> Iterator[Json]:
    """Cases, fields and flags of a type."""
    kind = definition["kind"]
    for body in kind.values() if isinstance(kind, dict) else ():
        if isinstance(body, dict):
            for parts in ("cases", "fields", "flags"):
                yield from body.get(parts, ())


def undocumented(package: Package) -> list[str]:
    """Name every item of a package without a comment."""
    items = {package.name: package.own}
    for name, index in package.own["worlds"].items():
        items[f"world {name}"] = package.resolve["worlds"][index]
    items |= dict(package.interfaces())
    for interface, name, definition in package.definitions():
        items[f"{interface}.{name}"] = definition
        items |= {f"{interface}.{name}.{part['name']}": part for part in parts_of(definition)}
    silent = [name for name, item in items.items() if not package.docs_of(item)]
    return silent + [each.full_name for each in package.functions() if not each.docs]


def error_of(package: Package, function: Function) -> Any:
    result = package.meant_by(function.result)
    return result["result"]["err"] if isinstance(result, dict) and "result" in result else None


def test_four_packages_stand_alone(packages: list[Package], root: Path) -> None:
    assert [package.own["name"] for package in packages] == [
        f"airssys:{name}@1.0.0" for name in ("core", "filesystem", "network", "process")
    ]
    assert [len(package.resolve["packages"]) for package in packages] == [1, 1, 1, 1]
    assert not [path for path in (root / "wit").rglob("*") if path.name == "deps"]


@pytest.mark.parametrize("name", ["core", "filesystem", "network", "process"])
def test_a_package_can_be_said_in_binary_and_read_back(name: str, root: Path) -> None:
    package, interfaces, worlds, functions = wit.validate(root / "wit" / name)
    printed = wit.world_text(root / "wit" / name)

    assert package == f"airssys:{name}@1.0.0"
    assert functions > 0
    assert wit.validate(printed) == (package, interfaces, worlds, functions)


def test_one_world_can_take_all_four(root: Path, tmp_path: Path) -> None:
    for name in ("core", "filesystem", "network", "process"):
        shutil.copytree(root / "wit" / name, tmp_path / "deps" / name)
    (tmp_path / "world.wit").write_text("""
        package acme:everything;
        world everything {
            include airssys:core/stateful-component@1.0.0;
            include airssys:filesystem/imports@1.0.0;
            include airssys:network/imports@1.0.0;
            include airssys:process/watcher@1.0.0;
        }
    """)

    printed = wit.world_text(tmp_path)

    for used in ("core/storage", "filesystem/paths", "network/http", "process/events"):
        assert f"airssys:{used}@1.0.0" in printed


def test_every_item_has_a_comment(packages: list[Package]) -> None:
    assert [name for package in packages for name in undocumented(package)] == []


@pytest.mark.parametrize(
    ("silenced", "expected"),
    [
        ("the field", "a:b/i.r.f"),
        ("the case", "a:b/i.v.c"),
        ("the flag", "a:b/i.g.x"),
        ("the enum case", "a:b/i.e.y"),
        ("the method", "a:b/i#s.m"),
        ("the function", "a:b/i#f"),
        ("the interface", "a:b/i"),
        ("the world", "world w"),
        ("the alias", "a:b/i.t"),
    ],
)
def test_a_missing_comment_is_found(
    silenced: str, expected: str, parse_text: Callable[[str, str], Package]
) -> None:
    text = """
        /// the package
        package a:b;
        /// the interface
        interface i {
            /// the record
            record r {
                /// the field
                f: u8 }
            /// the variant
            variant v {
                /// the case
                c }
            /// the flags
            flags g {
                /// the flag
                x }
            /// the enum
            enum e {
                /// the enum case
                y }
            /// the alias
            type t = u8;
            /// the resource
            resource s {
                /// the method
                m: func(); }
            /// the function
            f: func();
        }
        /// the world
        world w { import i; }
    """

    assert undocumented(parse_text(text, "w")) == []
    assert undocumented(parse_text(text.replace(f"/// {silenced}\n", "\n"), "w")) == [expected]


def test_every_type_is_defined_once(packages: list[Package]) -> None:
    names = Counter(name for package in packages for _, name, _ in package.definitions())

    assert len(names) > 80
    assert [name for name, times in names.items() if times > 1] == []


def test_every_function_can_fail_with_an_error_of_its_package(packages: list[Package]) -> None:
    without = set()
    for package in packages:
        errors = {
            name
            for _, name, definition in package.definitions()
            if name.endswith("-error") and "variant" in definition["kind"]
        }
        for function in package.functions():
            error = error_of(package, function)
            if error is None or package.resolve["types"][error]["name"] not in errors:
                without.add(function.full_name)

    assert without == set(WITHOUT_ERROR_PATH)


def test_every_interface_with_functions_goes_one_way(packages: list[Package]) -> None:
    for package in packages:
        imported = package.world_interfaces("imports")
        exported = package.world_interfaces("exports")
        with_functions = {each.interface for each in package.functions()}

        assert with_functions <= imported | exported
        assert not with_functions & imported & exported


def test_the_hot_path_takes_numbers_and_one_list_of_bytes(packages: list[Package]) -> None:
    core = packages[0]
    functions = {each.full_name: each for each in core.functions()}
    handle = functions["airssys:core/lifecycle#handle-message"]
    send = functions["airssys:core/messaging#send"]

    def shape(function: Function) -> list[tuple[str, Any]]:
        return [(name, core.meant_by(type_)) for name, type_ in function.parameters.items()]

    assert shape(handle) == [("sender", "u64"), ("codec", "u32"), ("payload", BYTES)]
    assert core.meant_by(core.meant_by(handle.result)["result"]["ok"]) == BYTES
    assert shape(send) == [("target", "u64"), ("codec", "u32"), ("payload", BYTES)]


def test_lifecycle_and_state_export_what_was_promised(packages: list[Package]) -> None:
    core = packages[0]
    exported = core.world_interfaces("exports")
    names = {
        interface: [each.name for each in core.functions() if each.interface == interface]
        for interface in exported
    }

    assert names == {
        "airssys:core/lifecycle": [
            "initialize",
            "execute",
            "handle-message",
            "handle-callback",
            "metadata",
            "health",
            "shutdown",
        ],
        "airssys:core/state": ["snapshot", "restore", "migrate"],
    }


def test_no_argument_is_a_word_that_stands_for_a_type(functions: dict[str, Function]) -> None:
    stringly = {
        each.full_name
        for each in functions.values()
        for name, type_ in each.parameters.items()
        if name in STRINGLY and type_ == "string"
    }

    assert stringly == set()


def test_a_handle_of_the_machine_is_a_resource(packages: list[Package]) -> None:
    resources = {
        name
        for package in packages
        for _, name, definition in package.definitions()
        if definition["kind"] == "resource"
    }

    assert resources == {
        "child",
        "connection",
        "datagram-socket",
        "deferred-reply",
        "file",
        "group",
        "listener",
        "listing",
        "namespace",
        "pipe-reader",
        "pipe-writer",
        "pool",
        "response-body",
        "upload",
    }
