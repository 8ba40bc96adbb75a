"""The guests of the benches."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ECHO = ROOT / "tests" / "components" / "prebuilt" / "echo.wasm"
IMPORTER = ROOT / "tests" / "components" / "prebuilt" / "importer.wasm"
SMALL = ROOT / "benches" / "guests" / "small.wat"
ACTOR = ROOT / "benches" / "guests" / "actor.wat"
EXTISM = ROOT / "benches" / "guests" / "extism.wat"
ECHO_API = "acme:echo/api@1.0.0"
IMPORTER_API = "acme:importer/api@1.0.0"
IMPORTER_HOST = "acme:importer/host@1.0.0"
#: What the importing guest imports besides ``add``, and never calls here.
IMPORTER_UNUSED = (
    "echo-bytes",
    "describe",
    "look-up",
    "wait",
    "[constructor]session",
    "[method]session.send",
    "[method]session.name",
)

#: Functions of the heavy guest; with them its compiled code is about 1 MB.
HEAVY_FUNCTIONS = 2_000


ACTOR_WORLD = """
package bench:actor;

world actor {
    export airssys:core/lifecycle@1.0.0;
}
"""


def actor(directory: Path) -> Path:
    """Write a component that takes messages into a directory."""
    from wasmtime import wat2wasm

    from airssys_wasm._native import componentize

    wit = directory / "wit"
    shutil.copytree(ROOT / "wit" / "core", wit / "deps" / "core")
    (wit / "world.wit").write_text(ACTOR_WORLD)
    module = componentize.embed(bytes(wat2wasm(ACTOR.read_text())), wit)
    written = directory / "actor.wasm"
    written.write_bytes(componentize.encode(module))
    return written


def heavy() -> bytes:
    """A component of many functions, no two alike: something to compile."""
    from wasmtime import wat2wasm

    functions = "\n".join(_function(index) for index in range(HEAVY_FUNCTIONS))
    text = f"""
(component
  (core module $heavy
    (memory (export "memory") 2)
{functions}
    (func (export "run") (param i32) (result i32) (call $f{HEAVY_FUNCTIONS - 1} (local.get 0))))
  (core instance $core (instantiate $heavy))
  (func (export "run") (param "x" s32) (result s32) (canon lift (core func $core "run"))))
"""
    return bytes(wat2wasm(text))


def _function(index: int) -> str:
    # Each calls its forerunner, seldom, so that none can be dropped.
    before = f"(call $f{index - 1} (local.get $x))" if index else "(local.get $x)"
    return f"""    (func $f{index} (param $x i32) (result i32) (local $y i32)
      (local.set $y (i32.mul (local.get $x) (i32.const {index * 2 + 1})))
      (loop $again
        (local.set $y (i32.xor (local.get $y) (i32.rotl (local.get $y) (i32.const {index % 31}))))
        (i32.store offset={index * 4} (i32.const 0) (local.get $y))
        (br_if $again
          (i32.gt_u (local.tee $x (i32.shr_u (local.get $x) (i32.const 1))) (i32.const 1))))
      (if (result i32) (i32.eq (local.get $y) (i32.const {index}))
        (then {before})
        (else (i32.add (local.get $y) (i32.load offset={index * 4} (i32.const 0))))))"""
