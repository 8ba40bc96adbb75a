"""Attackers that use component-model async, written out function by function."""

from __future__ import annotations

from collections.abc import Mapping

#: Built-ins by the name that cores import them under: text of the canonical
#: function, and its type in the core module. ``$s`` is ``stream<u8>``.
BUILTINS = {
    "return": ("task.return", ""),
    "set-new": ("waitable-set.new", "(result i32)"),
    "set-drop": ("waitable-set.drop", "(param i32)"),
    "wait": ('waitable-set.wait (memory $libc "memory")', "(param i32 i32) (result i32)"),
    "poll": ('waitable-set.poll (memory $libc "memory")', "(param i32 i32) (result i32)"),
    "join": ("waitable.join", "(param i32 i32)"),
    "yield": ("thread.yield", "(result i32)"),
    "inc": ("backpressure.inc", ""),
    "cancel": ("task.cancel", ""),
    "subtask-drop": ("subtask.drop", "(param i32)"),
    "subtask-cancel": ("subtask.cancel", "(param i32) (result i32)"),
    "stream-new": ("stream.new $s", "(result i64)"),
    "stream-read": (
        'stream.read $s async (memory $libc "memory")',
        "(param i32 i32 i32) (result i32)",
    ),
    "stream-drop-readable": ("stream.drop-readable $s", "(param i32)"),
    "stream-drop-writable": ("stream.drop-writable $s", "(param i32)"),
}

WAIT_FOR = """
  (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
    (export "wait-for" (func async (param "how-long" u64)))))
  (alias export $clock "wait-for" (func $imported))
"""
#: An ``async`` import of bytes, which the embedder supplies.
KEEP = """
  (import "keep" (func $imported async (param "data" (list u8))))
"""

SEEN = '(import "seen" (func $seen (param "n" u32)))'

FOR_EVER = "(i64.const 1_000_000_000_000_000)"
SLEEP_ASYNC = {"sleep": ("(func $imported) async", "(param i64) (result i32)")}

_LIBC = """
  (core module $libc-module (memory (export "memory") {pages})
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))
  (core instance $libc (instantiate $libc-module))
"""


def async_guest(
    core: str,
    *,
    builtins: tuple[str, ...] = ("return",),
    imports: str = "",
    lowered: Mapping[str, tuple[str, str]] | None = None,
    callback: str = "unreachable",
    start: str = "",
    pages: int = 2,
) -> str:
    """Write a guest with one ``async`` export, ``run``.

    Args:
        core: the body of ``run``; it leaves a callback code: 0 ends the task.
        builtins: names of :data:`BUILTINS` that the core imports as functions.
        imports: what the component imports.
        lowered: name in the core -> (``$function`` and options, core type).
        callback: body of the callback, with parameters event, index, payload.
        start: body of a start function.
        pages: pages of memory.
    """
    defined = {name: (f"canon {BUILTINS[name][0]}", BUILTINS[name][1]) for name in builtins}
    for name, (function, core_type) in (lowered or {}).items():
        defined[name] = (f"canon lower {function}", core_type)
    functions = "\n".join(f"(core func ${name} ({canon}))" for name, (canon, _) in defined.items())
    imported = "\n".join(
        f'(import "host" "{name}" (func ${name} {core_type}))'
        for name, (_, core_type) in defined.items()
    )
    given = " ".join(f'(export "{name}" (func ${name}))' for name in defined)
    started = f"(func $start (local $n i32) {start}) (start $start)" if start else ""
    return f"""
    (component
      {imports}
      (type $s (stream u8))
      {_LIBC.format(pages=pages)}
      {functions}
      (core module $m
        (import "libc" "memory" (memory {pages}))
        {imported}
        (global $set (mut i32) (i32.const 0))
        (func (export "run") (result i32) (local $n i32) (local $both i64) {core})
        (func (export "callback") (param $event i32) (param $index i32) (param $payload i32)
          (result i32) (local $n i32) {callback})
        {started})
      (core instance $i (instantiate $m
        (with "libc" (instance $libc))
        (with "host" (instance {given}))))
      (func (export "run") async
        (canon lift (core func $i "run") async (callback (func $i "callback")))))
    """


def crowd(members: int, body: str, *, imports: str = WAIT_FOR) -> str:
    """Write a guest that calls an ``async`` function of each of many inner ones.

    Each inner component runs ``body`` (it may ``(call $sleep)`` for ever, on the
    stack that it stands on); the outer one starts them all and waits for none.
    """
    inner = f"""
    (component $inner
      (import "sleep" (func $sleep async (param "how-long" u64)))
      (core func $return (canon task.return))
      (core func $sleep (canon lower (func $sleep)))
      (core module $m
        (import "host" "return" (func $return))
        (import "host" "sleep" (func $forever (param i64)))
        (func $sleep (call $forever (i64.const 1_000_000_000_000_000)))
        (func $deep (param $depth i32)
          (local i64 i64 i64 i64 i64 i64 i64 i64)
          (if (local.get $depth)
            (then (call $deep (i32.sub (local.get $depth) (i32.const 1))))
            (else (call $sleep))))
        (func (export "run") (result i32) {body} (i32.const 0))
        (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
      (core instance $i (instantiate $m (with "host" (instance
        (export "return" (func $return)) (export "sleep" (func $sleep))))))
      (func (export "run") async
        (canon lift (core func $i "run") async (callback (func $i "callback")))))
    """
    made = "\n".join(
        f'(instance $one{n} (instantiate $inner (with "sleep" (func $imported))))'
        f'(alias export $one{n} "run" (func $run{n}))'
        for n in range(members)
    )
    given = " ".join(f'(with "m{n}" (func $run{n}))' for n in range(members))
    # A component cannot call those inside it, so the caller stands beside them.
    taken = "\n".join(
        f'(import "m{n}" (func $run{n} async))'
        f"(core func $start{n} (canon lower (func $run{n}) async))"
        for n in range(members)
    )
    imported = "\n".join(
        f'(import "host" "{n}" (func $start{n} (result i32)))' for n in range(members)
    )
    exports = " ".join(f'(export "{n}" (func $start{n}))' for n in range(members))
    started = " ".join(f"(drop (call $start{n}))" for n in range(members))
    return f"""
    (component
      {imports}
      {inner}
      {made}
      (component $outer
        {taken}
        (core func $return (canon task.return))
        (core module $m
          (import "host" "return" (func $return))
          {imported}
          (func (export "run") (result i32) {started} (call $return) (i32.const 0))
          (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m (with "host" (instance
          (export "return" (func $return)) {exports}))))
        (func (export "run") async
          (canon lift (core func $i "run") async (callback (func $i "callback")))))
      (instance $caller (instantiate $outer {given}))
      (export "run" (func $caller "run")))
    """


def pair(outer: str, inner: str) -> str:
    """Write two components that stand side by side; one calls the other, ``async``.

    Args:
        outer: body of the exported ``run``; ``(call $other)`` starts the inner one
            and gives the state of the call.
        inner: body of the inner function.
    """
    builtins = """
      (core func $return (canon task.return))
      (core func $inc (canon backpressure.inc))
    """
    imported = """
      (import "host" "return" (func $return))
      (import "host" "inc" (func $inc))
    """
    given = '(export "return" (func $return)) (export "inc" (func $inc))'
    callback = '(func (export "callback") (param i32 i32 i32) (result i32) unreachable)'
    lifted = """
      (func (export "run") async
        (canon lift (core func $i "run") async (callback (func $i "callback"))))
    """
    return f"""
    (component
      (component $inner
        {builtins}
        (core module $m {imported}
          (func (export "run") (result i32) {inner})
          {callback})
        (core instance $i (instantiate $m (with "host" (instance {given}))))
        {lifted})
      (component $outer
        (import "other" (func $other async))
        {builtins}
        (core func $other (canon lower (func $other) async))
        (core module $m {imported}
          (import "host" "other" (func $other (result i32)))
          (func (export "run") (result i32) {outer})
          {callback})
        (core instance $i (instantiate $m (with "host" (instance
          {given} (export "other" (func $other))))))
        {lifted})
      (instance $called (instantiate $inner))
      (alias export $called "run" (func $called-run))
      (instance $caller (instantiate $outer (with "other" (func $called-run))))
      (export "run" (func $caller "run")))
    """


COUNT = "(local.set $n (i32.add (local.get $n) (i32.const 1))) (call $seen (local.get $n))"
PILES = {
    "waitable sets": (("set-new",), "", {}, "(drop (call $set-new))"),
    "streams": (("stream-new",), "", {}, "(drop (call $stream-new))"),
    "streams with one end": (
        ("stream-new", "stream-drop-writable"), "", {},
        "(call $stream-drop-writable (i32.wrap_i64 (i64.shr_u (call $stream-new) (i64.const 32))))",
    ),
    "timers": ((), WAIT_FOR, SLEEP_ASYNC, f"(drop (call $sleep {FOR_EVER}))"),
}  # fmt: skip


def pile(kind: str) -> str:
    """Write a guest that makes one thing after another and counts them."""
    builtins, imports, lowered, once = PILES[kind]
    return async_guest(
        f"(loop $again {once} {COUNT} (br $again)) unreachable",
        builtins=("return", *builtins),
        imports=f"{imports} {SEEN}",
        lowered={**lowered, "seen": ("(func $seen)", "(param i32)")},
    )


#: An ``async`` import of one parameter, by its type: the core's arguments and their
#: types, a thousand bytes each time. Bytes and text cross as a whole, the others not.
ARGUMENTS = {
    "(list u8)": ("(i32.const 0) (i32.const 1000)", "i32 i32"),
    "string": ("(i32.const 0) (i32.const 1000)", "i32 i32"),
    "(list u32)": ("(i32.const 0) (i32.const 250)", "i32 i32"),
    '(record (field "key" string) (field "count" u32))': (
        "(i32.const 0) (i32.const 1000) (i32.const 7)", "i32 i32 i32",
    ),
}  # fmt: skip


def keeper(kind: str) -> str:
    """Write a guest that calls ``keep`` with one of :data:`ARGUMENTS` without end."""
    arguments, core_types = ARGUMENTS[kind]
    named = f"(type $t' {kind}) (import \"t\" (type $t (eq $t')))"
    is_named = kind.startswith("(record")
    return async_guest(
        f"(loop $again (drop (call $keep {arguments})) (br $again)) unreachable",
        imports=f"""{named if is_named else ""}
          (import "keep" (func $imported async (param "data" {"$t" if is_named else kind})))""",
        lowered={
            "keep": (
                '(func $imported) async (memory $libc "memory")',
                f"(param {core_types}) (result i32)",
            )
        },
    )


def echoer(size: int, times: int) -> str:
    """Write a guest that sends ``echo`` so many bytes, so many times, and gets them back."""
    return async_guest(
        f"""(loop $again
          (call $echo (i32.const 131072) (i32.const {size}) (i32.const 8))
          (if (i32.ne (i32.load offset=4 (i32.const 8)) (i32.const {size})) (then unreachable))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const {times}))))
        (call $return) (i32.const 0)""",
        imports="""(import "echo"
          (func $imported async (param "data" (list u8)) (result (list u8))))""",
        lowered={
            "echo": (
                '(func $imported) (memory $libc "memory") (realloc (core func $libc "realloc"))',
                "(param i32 i32 i32)",
            )
        },
        pages=3 + size // 65_536,
    )


#: What is started and ended again and again, in one call.
CHURNERS = {
    "cancelled": f"""
        (local.set $n (i32.shr_u (call $sleep {FOR_EVER}) (i32.const 4)))
        (drop (call $subtask-cancel (local.get $n)))
        (call $subtask-drop (local.get $n))""",
    "answered": "(drop (call $sleep (i64.const 0)))",
    "streams": """
        (local.set $both (call $stream-new))
        (call $stream-drop-readable (i32.wrap_i64 (local.get $both)))
        (call $stream-drop-writable (i32.wrap_i64 (i64.shr_u (local.get $both) (i64.const 32))))""",
}


def churner(kind: str, rounds: int) -> str:
    """Write a guest that starts and ends one of :data:`CHURNERS` so many times."""
    return async_guest(
        f"""(loop $again
          {CHURNERS[kind]}
          (global.set $set (i32.add (global.get $set) (i32.const 1)))
          (br_if $again (i32.lt_u (global.get $set) (i32.const {rounds}))))
        (global.set $set (i32.const 0))
        (call $return) (i32.const 0)""",
        builtins=(
            "return", "subtask-cancel", "subtask-drop", "stream-new", "stream-drop-readable",
            "stream-drop-writable",
        ),
        imports=WAIT_FOR,
        lowered=SLEEP_ASYNC,
    )  # fmt: skip


def caller(rounds: int) -> str:
    """Write a component that calls another so many times; each call is over at once."""
    return pair(
        f"""(local $n i32)
        (loop $again
          (drop (call $other))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const {rounds}))))
        (call $return) (i32.const 0)""",
        "(call $return) (i32.const 0)",
    )


def beside_a_task_held_up(loop: str) -> str:
    """Let a task ask for the time, while another waits in the host."""
    return f"""
    (component
      (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
        (export "now" (func (result u64)))
        (export "wait-for" (func async (param "how-long" u64)))))
      (alias export $clock "wait-for" (func $wait))
      (alias export $clock "now" (func $now))
      (component $sleeper
        (import "sleep" (func $sleep async (param "how-long" u64)))
        (core func $return (canon task.return))
        (core func $sleep (canon lower (func $sleep)))
        (core module $m
          (import "host" "return" (func $return))
          (import "host" "sleep" (func $sleep (param i64)))
          (func (export "run") (result i32)
            (call $sleep (i64.const 100000000)) (call $return) (i32.const 0))
          (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m (with "host" (instance
          (export "return" (func $return)) (export "sleep" (func $sleep))))))
        (func (export "run") async
          (canon lift (core func $i "run") async (callback (func $i "callback")))))
      (component $asker
        (import "other" (func $other async))
        (import "now" (func $now (result u64)))
        (core func $return (canon task.return))
        (core func $other (canon lower (func $other) async))
        (core func $now (canon lower (func $now)))
        (core module $m
          (import "host" "return" (func $return))
          (import "host" "other" (func $other (result i32)))
          (import "host" "now" (func $now (result i64)))
          (func (export "run") (result i32) (local $asked i32)
            (drop (call $other))
            (loop $more
              (drop (call $now))
              (local.set $asked (i32.add (local.get $asked) (i32.const 1)))
              {loop})
            (call $return)
            (i32.const 0))
          (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m (with "host" (instance (export "return" (func $return))
          (export "other" (func $other)) (export "now" (func $now))))))
        (func (export "run") async
          (canon lift (core func $i "run") async (callback (func $i "callback")))))
      (instance $sleeping (instantiate $sleeper (with "sleep" (func $wait))))
      (alias export $sleeping "run" (func $sleeping-run))
      (instance $asking (instantiate $asker
        (with "other" (func $sleeping-run)) (with "now" (func $now))))
      (export "run" (func $asking "run")))
    """


#: Each call of ``run`` leaves a task behind in the inner component, which counts as
#: fast as it is let; the call itself makes way for others fifty times.
LEAVING = """
    (component
      (import "seen" (func $seen (param "n" u32)))
      (component $inner
        (import "seen" (func $seen (param "n" u32)))
        (core func $return (canon task.return))
        (core func $seen (canon lower (func $seen)))
        (core module $m
          (import "host" "return" (func $return))
          (import "host" "seen" (func $seen (param i32)))
          (func (export "run") (result i32) (call $return) (i32.const 1))
          (func (export "callback") (param i32 i32 i32) (result i32)
            (call $seen (i32.const 1)) (i32.const 1)))
        (core instance $i (instantiate $m (with "host" (instance
          (export "return" (func $return)) (export "seen" (func $seen))))))
        (func (export "run") async
          (canon lift (core func $i "run") async (callback (func $i "callback")))))
      (component $outer
        (import "leave" (func $leave async))
        (core func $return (canon task.return))
        (core func $yield (canon thread.yield))
        (core func $leave (canon lower (func $leave) async))
        (core module $m
          (import "host" "return" (func $return))
          (import "host" "yield" (func $yield (result i32)))
          (import "host" "leave" (func $leave (result i32)))
          (func (export "run") (result i32) (local $left i32)
            (drop (call $leave))
            (local.set $left (i32.const 50))
            (loop $more
              (drop (call $yield))
              (local.set $left (i32.sub (local.get $left) (i32.const 1)))
              (br_if $more (local.get $left)))
            (call $return)
            (i32.const 0))
          (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m (with "host" (instance (export "return" (func $return))
          (export "yield" (func $yield)) (export "leave" (func $leave))))))
        (func (export "run") async
          (canon lift (core func $i "run") async (callback (func $i "callback")))))
      (instance $leaver (instantiate $inner (with "seen" (func $seen))))
      (alias export $leaver "run" (func $leave))
      (instance $caller (instantiate $outer (with "leave" (func $leave))))
      (export "run" (func $caller "run")))
"""
