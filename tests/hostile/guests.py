"""Attackers that more than one test file sends."""

from __future__ import annotations

from tests.hostile.wasi_guests import STDOUT, STREAMS, wasi_guest


def one_module(core: str, lift: str = "", *, decorations: str = "", name: str = "run") -> str:
    """Write a component of one core module, of which one function is exported."""
    return f"""
    (component
      {decorations}
      (core module $m {core})
      (core instance $i (instantiate $m))
      (func (export "{name}") {lift or f'(canon lift (core func $i "{name}"))'}))
    """


RUN_TO_U32 = '(result u32) (canon lift (core func $i "run"))'

#: Takes page after page, writes to each, and says how many it got.
_HOG = """
  (memory (export "memory") 1)
  (func (export "run") (result i32)
    (local $page i32)
    (block $refused
      (loop $again
        (local.set $page (memory.grow (i32.const 1)))
        (br_if $refused (i32.eq (local.get $page) (i32.const -1)))
        (memory.fill (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1) (i32.const 65536))
        (br $again)))
    {end})
"""
HOG = one_module(_HOG.replace("{end}", "(memory.size)"), RUN_TO_U32)
#: The same, giving up as an allocator does.
HOG_THAT_TRAPS = one_module(_HOG.replace("{end}", "unreachable"), RUN_TO_U32)

#: Takes table elements, a thousand at a time, and says how many it got.
TABLE_HOG = one_module(
    """
    (table $t 0 funcref)
    (func (export "run") (result i32)
      (block $refused
        (loop $again
          (br_if $refused (i32.eq (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))
          (br $again)))
      (table.size $t))
    """,
    RUN_TO_U32,
)

SPIN = one_module('(func (export "run") (loop $again (br $again)))')


def many_instances(definition: str, count: int) -> str:
    """Write a component that instantiates one core module many times."""
    instances = "(core instance (instantiate $many))" * count
    return f"""
    (component
      (core module $many {definition})
      {instances}
      (core module $m (func (export "run")))
      (core instance $i (instantiate $m))
      (func (export "run") (canon lift (core func $i "run"))))
    """


def _described(kind: str) -> tuple[str, str]:
    # Named types must be exported before a function may use them.
    if kind.split(maxsplit=1)[0] in {"record", "variant", "enum", "flags"}:
        return f"(type $t' ({kind})) (export $t \"t\" (type $t'))", "(list $t)"
    return "", kind


def _repeat(pointer: int, length: int, repeated: tuple[int, int] | None) -> str:
    if repeated is None:
        return ""
    return f"""
      (local $n i32)
      (loop $again
        (i32.store (i32.add (i32.const {pointer}) (i32.mul (local.get $n) (i32.const 8)))
          (i32.const {repeated[0]}))
        (i32.store (i32.add (i32.const {pointer + 4}) (i32.mul (local.get $n) (i32.const 8)))
          (i32.const {repeated[1]}))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $n) (i32.const {length}))))
    """


def forger(
    kind: str,
    pointer: int,
    length: int,
    *,
    memory_pages: int = 1,
    repeated: tuple[int, int] | None = None,
) -> str:
    """Write a guest that answers with a pointer and a length of its choice.

    With ``repeated`` each element of what it points at is that pointer and length.
    """
    types, kind = _described(kind)
    return f"""
    (component
      {types}
      (core module $m
        (memory (export "memory") {memory_pages})
        (func (export "run") (result i32)
          {_repeat(pointer, length, repeated)}
          (i32.store (i32.const 32) (i32.const {pointer}))
          (i32.store (i32.const 36) (i32.const {length}))
          (i32.const 32)))
      (core instance $i (instantiate $m))
      (func (export "run") (result {kind})
        (canon lift (core func $i "run") (memory $i "memory"))))
    """


def teller(
    kind: str,
    pointer: int,
    length: int,
    *,
    memory_pages: int = 1,
    repeated: tuple[int, int] | None = None,
) -> str:
    """Write a guest that calls ``tell`` with a pointer and a length of its choice."""
    return f"""
    (component
      (import "tell" (func $tell (param "value" {kind})))
      (core module $libc (memory (export "memory") {memory_pages}))
      (core instance $libc (instantiate $libc))
      (core func $tell (canon lower (func $tell) (memory $libc "memory")))
      (core module $m
        (import "libc" "memory" (memory {memory_pages}))
        (import "host" "tell" (func $tell (param i32 i32)))
        (func (export "run")
          {_repeat(pointer, length, repeated)}
          (call $tell (i32.const {pointer}) (i32.const {length}))))
      (core instance $i (instantiate $m
        (with "libc" (instance $libc))
        (with "host" (instance (export "tell" (func $tell))))))
      (func (export "run") (canon lift (core func $i "run"))))
    """


def answerer(kind: str, memory_pages: int, *, wide: bool = False) -> str:
    """Write a guest that answers with as many elements as it is asked for.

    With ``wide`` it is text that ends in a character of four bytes.
    """
    types, kind = _described(kind)
    fill = 255 if "(flags" in types else ord("a") if wide else 0
    last = "(i32.store (i32.add (i32.const 60) (local.get $n)) (i32.const 0x80989ff0))"
    return f"""
    (component
      {types}
      (core module $m
        (memory (export "memory") {memory_pages})
        (func (export "run") (param $n i32) (param $bytes i32) (result i32)
          (memory.fill (i32.const 64) (i32.const {fill}) (local.get $bytes))
          {last if wide else ""}
          (i32.store (i32.const 32) (i32.const 64))
          (i32.store (i32.const 36) (local.get $n))
          (i32.const 32)))
      (core instance $i (instantiate $m))
      (func (export "run") (param "n" u32) (param "bytes" u32) (result {kind})
        (canon lift (core func $i "run") (memory $i "memory"))))
    """


def writer(chunk: bytes) -> str:
    """Write a guest that sends ``chunk`` to its standard output as often as it is told."""
    source = wasi_guest(
        STREAMS + STDOUT,
        {
            "stdout": ('$stdout "get-stdout"', "(result i32)"),
            "write": (
                '$streams "[method]output-stream.blocking-write-and-flush"',
                "(param i32 i32 i32 i32)",
            ),
        },
        f"""(data (i32.const 1024) "{"".join(f"{chr(92)}{byte:02x}" for byte in chunk)}")
            (func (export "run") (param $times i32) (local $stream i32)
              (local.set $stream (call $stdout))
              (loop $again
                (call $write
                  (local.get $stream) (i32.const 1024) (i32.const {len(chunk)}) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then unreachable))
                (local.set $times (i32.sub (local.get $times) (i32.const 1)))
                (br_if $again (i32.ne (local.get $times) (i32.const 0)))))""",
    )
    lift = '(func (export "run")  (canon lift'
    assert lift in source
    return source.replace(lift, '(func (export "run") (param "times" u32) (canon lift')
