"""The command, as a user types it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest

Run = Callable[..., CompletedProcess[str]]

ADDER = """
(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "spin") (loop $for-ever (br $for-ever)))
    (func (export "trap") unreachable))
  (core instance $i (instantiate $m))
  (func (export "add") (param "left" s32) (param "right" s32) (result s32)
    (canon lift (core func $i "add")))
  (func (export "spin") (canon lift (core func $i "spin")))
  (func (export "trap") (canon lift (core func $i "trap"))))
"""


THUMBNAILER = """
package acme:thumbnailer@1.0.0;

world thumbnailer {
    include airssys:core/component@1.0.0;
    import airssys:filesystem/files@1.0.0;
}
"""


@pytest.fixture
def adder(tmp_path: Path) -> str:
    path = tmp_path / "adder.wat"
    path.write_text(ADDER)
    return str(path)


@pytest.fixture
def thief() -> str:
    return str(files("airssys_wasm.components").joinpath("file-thief.wat"))


def test_the_package_runs_as_the_command(tmp_path: Path) -> None:
    ran = run(
        [sys.executable, "-m", "airssys_wasm", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("airssys-wasm ")


def test_the_version_is_the_installed_one(airssys_wasm: Run) -> None:
    from importlib.metadata import version  # noqa: PLC0415 - only this test asks

    ran = airssys_wasm("--version")

    assert (ran.returncode, ran.stdout) == (0, f"airssys-wasm {version('airssys-wasm')}\n")


def test_help_lists_every_command(airssys_wasm: Run) -> None:
    ran = airssys_wasm("--help")

    assert ran.returncode == 0
    commands = ("demo", "run", "inspect", "stubs", "build", "interfaces")
    assert all(name in ran.stdout for name in commands)


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("run",),
        ("run", "no-such-file.wasm", "add"),
        ("demo", "no-such-file.txt"),
        ("demo", "--no-such-flag"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(airssys_wasm: Run, arguments: tuple[str]) -> None:
    ran = airssys_wasm(*arguments)

    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith("error: ")
    named = f"{arguments[0]} " if arguments[0] in {"run", "demo"} else ""
    assert f"hint: `airssys-wasm {named}--help` shows the usage" in ran.stderr


def test_run_prints_the_result_as_json(airssys_wasm: Run, adder: str) -> None:
    for arguments in (("1", "-3"), ("1", "--", "-3")):
        ran = airssys_wasm("run", adder, "add", *arguments)

        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "-2\n", "")


def test_the_receipt_goes_beside_the_data(airssys_wasm: Run, adder: str) -> None:
    ran = airssys_wasm("run", adder, "add", "1", "2", "--receipt")

    assert ran.stdout == "3\n"
    assert ran.stderr.startswith("receipt: ")
    assert "8 bytes in, 4 bytes out" in ran.stderr


@pytest.fixture
def printer(tmp_path: Path) -> str:
    """The guest that uses all of WASI, less the environment, which ``run`` does not grant."""
    text = (Path(__file__).parents[1] / "integration" / "guests" / "wasi.wat").read_text("utf-8")
    text = re.sub(r'\(import "wasi:cli/environment@.*?\n.*?\n', "", text)
    text = re.sub(r"\(core func \$get-environment .*?\n.*?\n", "", text)
    path = tmp_path / "printer.wat"
    path.write_text(text.replace("(func $get-environment)", "(func $exit-with)"), "utf-8")
    return str(path)


def test_what_a_guest_prints_goes_beside_the_data(airssys_wasm: Run, printer: str) -> None:
    printed = airssys_wasm("run", printer, "print", '"one [red]line\\nand two"')
    warned = airssys_wasm("run", printer, "warn", '"look out"')

    assert (printed.returncode, printed.stdout) == (0, "null\n")
    assert printed.stderr == "guest: one [red]line\nguest: and two\n"
    assert (warned.stdout, warned.stderr) == ("null\n", "guest: look out\n")


def test_who_types_the_flags_sets_the_policy(airssys_wasm: Run, adder: str) -> None:
    ran = airssys_wasm("run", adder, "add", "1", "2", "--memory", "1GiB", "--fuel", "1000000000")

    assert (ran.returncode, ran.stdout) == (0, "3\n"), ran.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("add", "1", "2147483648"), 7, "s32"),
        (("add", "1", '"two"'), 7, "right"),
        (("add", "1"), 7, "add"),
        (("subtract", "1", "2"), 7, "subtract"),
        (("add", "1", "two"), 2, """quote texts twice: '"Ada"'"""),
        (("add", "1", "{'name': 'Ada'}"), 2, """in double quotes: '{"name": "Ada"}'"""),
        (("trap",), 1, "unreachable"),
        (("spin", "--seconds", "0.1"), 1, "0.1"),
        (("spin", "--fuel", "10000"), 1, "fuel"),
        (("add", "1", "2", "--memory", "lots"), 2, "512KiB"),
        (("add", "1", "2", "--memory", "0"), 3, "--memory: 0 is below 65536"),
        (("add", "1", "2", "--memory", "64"), 3, "a number alone is bytes: write 64MiB"),
        (("add", "1", "2", "--memory", "9999999999999GiB"), 3, "--memory: "),
        (("add", "1", "2", "--seconds", "-1"), 3, "--seconds: -1"),
        (("add", "1", "2", "--seconds", "301"), 3, "--seconds: 301.0 is outside 0.001 to 300"),
        (("add", "1", "2", "--fuel", "0"), 3, "--fuel: 0 is below 1"),
        (("add", "1", "2", "--memory", "1024GiB"), 3, "4294967296"),
        (("add", "1", "[" * 5000), 2, "nests too deep"),
        (("add", "1", "[" * 5000 + "]" * 5000), 2, "nests too deep"),
        (("add", "1", "[" * 200 + "]" * 200), 7, "right"),
        (("add", "1", "1" * 5000), 2, "too many digits"),
        (("adds", "1", "2"), 7, 'hint: did you mean "add"?'),
        (("acme:adder/api#add", "1", "2"), 7, 'hint: did you mean "add"?'),
        (("add", "1", "2", "--memroy", "1MiB"), 2, "did you mean --memory?"),
        (("add", "1", "-x"), 2, "no such option: -x"),
    ],
)
def test_each_failure_has_its_status_and_its_words(
    airssys_wasm: Run, adder: str, arguments: tuple[str, ...], status: int, words: str
) -> None:
    ran = airssys_wasm("run", adder, *arguments)

    assert ran.returncode == status, ran.stderr
    assert ran.stdout == ""
    assert ran.stderr.startswith("error: ")
    assert words in ran.stderr
    assert "hint: " in ran.stderr
    assert "Traceback" not in ran.stderr
    for of_python in ("defect", "Limits(", "Policy(", "Engine(", "Grant(", "aw."):
        assert of_python not in ran.stderr


ECHO = Path(__file__).parents[1] / "components" / "prebuilt" / "echo.wasm"
PERSON = {"name": "Ada", "age": 36, "height-metres": 1.7, "nickname": None}


@pytest.mark.parametrize(
    ("function", "given", "back"),
    [
        ("u8", 255, 255),
        ("s64", -(2**63), -(2**63)),
        ("bool", True, True),
        ("string", "Ada", "Ada"),
        ("char", "ü", "ü"),
        ("f64", 1.5, 1.5),
        ("f64", "NaN", "NaN"),
        ("f32", "-Infinity", "-Infinity"),
        ("list-f64", [1, "Infinity"], [1.0, "Infinity"]),
        ("list-u8", [0, 255], [0, 255]),
        ("list-u8", "Ada", [65, 100, 97]),
        ("tuple", [1, "a", 2], [1, "a", 2.0]),
        ("record", PERSON, PERSON),
        ("enum", "deep-blue", "deep-blue"),
        ("flags", ["write", "read"], ["read", "write"]),
        ("variant", {"case": "circle", "value": 1.5}, {"case": "circle", "value": 1.5}),
        ("variant", {"case": "empty"}, {"case": "empty", "value": None}),
        ("variant", "empty", {"case": "empty", "value": None}),
        ("option", None, None),
        ("option", 3, 3),
        ("option-option", None, None),
        ("option-option", "x", {"case": "some", "value": "x"}),
        ("option-option", {"case": "some", "value": "x"}, {"case": "some", "value": "x"}),
        ("option-option", {"case": "some", "value": None}, {"case": "some", "value": None}),
        ("result-value", [{"case": "ok", "value": 1}], [{"case": "ok", "value": 1}]),
        ("result-value", [{"case": "err", "value": "no"}], [{"case": "err", "value": "no"}]),
    ],
)
def test_every_kind_of_value_has_a_form_in_json(
    airssys_wasm: Run, function: str, given: object, back: object
) -> None:
    ran = airssys_wasm("run", str(ECHO), f"acme:echo/types#echo-{function}", json.dumps(given))

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == back


def test_the_help_of_run_says_how_values_are_written(airssys_wasm: Run) -> None:
    shown = airssys_wasm("run", "--help").stdout

    assert '{"case": "circle", "value": 1.5}' in shown
    for kind in ("variant", "enum", "flags", "option", "result", "record", "list<u8>", "NaN"):
        assert kind in shown


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        ("echo-u8", 'did you mean "acme:echo/types@1.0.0#echo-u8"?'),
        ("acme:echo/typs#echo-u8", 'did you mean "acme:echo/types@1.0.0#echo-u8"?'),
        ("value", 'did you mean "acme:echo/resources@1.0.0#[method]counter.value"?'),
        ("acme:echo/failures", 'it is an interface with "acme:echo/failures@1.0.0#divide", '),
        ("zebra", "it has "),
    ],
)
def test_a_function_that_is_not_there_is_answered_with_the_nearest(
    airssys_wasm: Run, function: str, hint: str
) -> None:
    ran = airssys_wasm("run", str(ECHO), function)

    assert ran.returncode == 7
    assert f"no export {json.dumps(function)}" in ran.stderr
    assert f"hint: {hint}" in ran.stderr


def test_errors_of_run_name_the_file_as_it_was_typed(
    airssys_wasm: Run, adder: str, tmp_path: Path
) -> None:
    (tmp_path / "plugins").mkdir()
    shutil.copy(adder, tmp_path / "plugins")
    (tmp_path / "plugins" / "text.wasm").write_text("hello")

    for arguments in (("adder.wat", "trap"), ("adder.wat", "no-such"), ("text.wasm", "add")):
        ran = airssys_wasm("run", f"plugins/{arguments[0]}", arguments[1])
        assert f"plugins/{arguments[0]}" in ran.stderr.splitlines()[0]
    shown = airssys_wasm("inspect", "plugins/text.wasm")
    assert (shown.returncode, "no WebAssembly binary" in shown.stderr) == (7, True)


# One page at first; `fill` asks for 64 more, and goes on to something else if refused.
HUNGRY = """
(component
  (core module $m
    (memory 1)
    (func (export "fill") (drop (memory.grow (i32.const 64))) (drop (i32.load (i32.const -4)))))
  (core instance $i (instantiate $m))
  (func (export "fill") (canon lift (core func $i "fill"))))
"""


def test_a_trap_after_memory_was_refused_says_so(airssys_wasm: Run, tmp_path: Path) -> None:
    (tmp_path / "hungry.wat").write_text(HUNGRY)
    short = airssys_wasm("run", "hungry.wat", "fill", "--memory", "1MiB")
    roomy = airssys_wasm("run", "hungry.wat", "fill", "--memory", "8MiB")

    assert short.returncode == roomy.returncode == 1
    assert "memory-out-of-bounds" in short.stderr
    assert "hint: the guest was refused memory before it failed" in short.stderr
    assert "warning: component 'hungry.wat' wants" in short.stderr
    assert "hint: a larger --memory allows more" in short.stderr
    assert "memory-out-of-bounds" in roomy.stderr
    assert "--memory" not in roomy.stderr


def test_a_component_that_wants_too_much_is_not_authorised(airssys_wasm: Run, thief: str) -> None:
    ran = airssys_wasm("run", thief, "look-around")

    assert ran.returncode == 6
    assert "wasi:filesystem/preopens" in ran.stderr
    assert "Grant(" not in ran.stderr
    assert "hint: the command gives clocks, random numbers and output" in ran.stderr


def test_what_has_no_interface_in_wit_runs_all_the_same(airssys_wasm: Run, tmp_path: Path) -> None:
    (tmp_path / "bare.wat").write_text("""
    (component
      (core module $m (func (export "run") (param i32) (result i32) (local.get 0)))
      (core instance $i (instantiate $m))
      (type $person (record (field "age" u32)))
      (export $t "t" (type $person))
      (func (export "run") (param "who" $t) (result $t) (canon lift (core func $i "run"))))
    """)

    ran = airssys_wasm("run", "bare.wat", "run", '{"age": 3}')

    assert json.loads(ran.stdout) == {"age": 3}
    assert airssys_wasm("inspect", "bare.wat").returncode == 7


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_names_that_are_no_text_are_spelled_out(
    airssys_wasm: Run, adder: str, tmp_path: Path
) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/odd-\xff.wat")
    shutil.copy(adder, odd)
    broken = os.fsdecode(os.fsencode(tmp_path) + b"/broken-\xff.wat")
    Path(broken).write_text("(component (cor")

    assert airssys_wasm("run", odd, "add", "1", "2").stdout == "3\n"
    assert "add(left: s32, right: s32)" in airssys_wasm("inspect", odd).stdout
    unknown = airssys_wasm("run", odd, os.fsdecode(b"add\xff"))
    assert (unknown.returncode, "no export" in unknown.stderr) == (7, True)
    for command in ("run", "inspect"):
        ran = airssys_wasm(command, broken, *(["add"] if command == "run" else []))
        assert ran.returncode == 7
        assert "dcff" in ran.stderr, "the name is spelled out"
        assert "defect" not in ran.stderr


def test_bytes_that_are_no_component_fail_validation(airssys_wasm: Run, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.wasm"
    garbage.write_bytes(b"\x00asm\x01\x00\x00\x00")

    assert airssys_wasm("run", str(garbage), "add").returncode == 7
    assert airssys_wasm("inspect", str(garbage)).returncode == 7


def test_a_traceback_comes_only_when_asked_for(airssys_wasm: Run, adder: str) -> None:
    quiet = airssys_wasm("run", adder, "trap")
    before = airssys_wasm("--verbose", "run", adder, "trap")
    behind = airssys_wasm("run", adder, "trap", "--verbose")

    assert "Traceback" not in quiet.stderr
    for verbose in (before, behind):
        assert "Traceback" in verbose.stderr
        assert "guest: " in verbose.stderr
        assert quiet.returncode == verbose.returncode == 1


@pytest.mark.parametrize("command", ["inspect", "stubs"])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.wasm", b"", "the file is empty"),
        ("core.wasm", b"\0asm\x01\0\0\0", "core module"),
        ("broken.wasm", b"\0asm\x0d\0\x01\0\xff", "cannot be read"),
        ("broken.wat", b"(component (cor", "broken.wat:1:13"),
        ("text.txt", b"hello", "text.txt:1:1"),
    ],
)
def test_what_holds_no_interfaces_is_refused_by_its_name(
    airssys_wasm: Run, tmp_path: Path, command: str, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    ran = airssys_wasm(command, name, *(("-o", "x.pyi") if command == "stubs" else ()))

    assert ran.returncode == 7
    assert ran.stderr.startswith(f"error: {name}:")
    assert words in ran.stderr


def test_stubs_that_cannot_be_written_are_named_as_they_were_asked_for(
    airssys_wasm: Run, adder: str
) -> None:
    ran = airssys_wasm("stubs", adder, "-o", "nowhere/adder.pyi")

    assert ran.returncode == 1
    assert ran.stderr.startswith("error: nowhere/adder.pyi: ")


def test_inspect_lists_functions_with_their_types(airssys_wasm: Run, adder: str) -> None:
    ran = airssys_wasm("inspect", adder)

    assert ran.returncode == 0
    assert "add(left: s32, right: s32) -> s32" in ran.stdout


def test_inspect_says_the_same_in_json(airssys_wasm: Run, adder: str) -> None:
    seen = json.loads(airssys_wasm("inspect", adder, "--json").stdout)

    assert seen["imports"] == {}
    assert seen["exports"][""]["add"] == "add(left: s32, right: s32) -> s32"
    assert seen["wit"] == airssys_wasm("inspect", adder, "--wit").stdout
    both = airssys_wasm("inspect", adder, "--json", "--wit")
    assert (both.returncode, both.stdout) == (2, "")
    assert "--wit and --json exclude each other" in both.stderr


def test_inspect_shows_no_leftovers_of_a_tool(airssys_wasm: Run) -> None:
    report = str(files("airssys_wasm.components").joinpath("markdown-report.wasm"))
    seen = json.loads(airssys_wasm("inspect", report, "--json").stdout)

    assert [*seen["exports"]] == ["airssys:markdown-report/reporter@1.0.0"]
    assert airssys_wasm("run", report, "exports#init").returncode == 7


def test_stubs_are_python(airssys_wasm: Run, adder: str, tmp_path: Path) -> None:
    ran = airssys_wasm("stubs", adder, "-o", "adder.pyi")

    assert (ran.returncode, ran.stdout) == (0, "adder.pyi\n")
    written = (tmp_path / "adder.pyi").read_text()
    compile(written, "adder.pyi", "exec")
    assert 'function: Literal["add"], left: int, right: int' in written


def test_a_guest_finds_the_interfaces_where_the_command_says(
    airssys_wasm: Run, tmp_path: Path
) -> None:
    folder = Path(airssys_wasm("interfaces").stdout.removesuffix("\n"))

    assert {each.name for each in folder.iterdir()} == {"core", "filesystem", "network", "process"}
    shutil.copytree(folder, tmp_path / "wit" / "deps")
    (tmp_path / "wit" / "world.wit").write_text(THUMBNAILER)
    seen = airssys_wasm("inspect", "wit", "--json")
    assert seen.returncode == 0, seen.stderr
    assert "airssys:core/lifecycle@1.0.0" in json.loads(seen.stdout)["exports"]
    assert "airssys:filesystem/files@1.0.0" in json.loads(seen.stdout)["imports"]


def test_a_folder_without_a_crate_cannot_be_built(airssys_wasm: Run, tmp_path: Path) -> None:
    ran = airssys_wasm("build", str(tmp_path))

    assert ran.returncode == 8
    assert "Cargo.toml" in ran.stderr


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}])
def test_a_pipe_gets_no_colours(airssys_wasm: Run, adder: str, environment: dict[str, str]) -> None:
    for arguments in (("inspect", adder), ("run", adder, "trap"), ("no-such-command",)):
        ran = airssys_wasm(*arguments, **environment)
        assert "\x1b" not in ran.stdout + ran.stderr


# CSI and OSC in their C1 forms, DEL, and a mark that turns the line.
SINGER = r"""
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 64) "\c2\9b31mRED \7f \c2\9d0;owned\c2\9c \e2\80\aeevil")
    (func (export "sing") (result i32)
      (i32.store (i32.const 0) (i32.const 64))
      (i32.store (i32.const 4) (i32.const 30))
      (i32.const 0))
    (func (export "refuse") (result i32)
      (i32.store8 (i32.const 16) (i32.const 1))
      (i32.store (i32.const 20) (i32.const 64))
      (i32.store (i32.const 24) (i32.const 30))
      (i32.const 16)))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (func (export "sing") (result string)
    (canon lift (core func $i "sing") (memory $memory)))
  (func (export "refuse") (result (result (error string)))
    (canon lift (core func $i "refuse") (memory $memory))))
"""


def test_a_guests_words_cannot_drive_the_terminal(airssys_wasm: Run, tmp_path: Path) -> None:
    (tmp_path / "singer.wat").write_text(SINGER)

    sung = airssys_wasm("run", "singer.wat", "sing")
    refused = airssys_wasm("run", "singer.wat", "refuse")

    words = "\x9b31mRED \x7f \x9d0;owned\x9c \u202eevil"
    assert json.loads(sung.stdout) == words
    assert sung.stdout.rstrip("\n").isprintable()
    assert refused.returncode == 1
    assert r"\u{9b}31mRED \u{7f}" in refused.stderr
    assert not set("\x9b\x7f\x9d\x9c\u202e") & set(refused.stderr)
