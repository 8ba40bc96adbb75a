"""Attackers that use WASI, written out type by type."""

from __future__ import annotations

from collections.abc import Mapping

RANDOM = """
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
"""

POLL = """
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
"""

CLOCK = """
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $held (eq $outer)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $held))))
    (export "subscribe-instant" (func (param "when" u64) (result (own $held))))))
"""

STREAMS = """
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $io-error (type $outer))
    (export "error" (type $e (eq $outer)))
    (type $failure' (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $failure (eq $failure')))
    (export "output-stream" (type $out (sub resource)))
    (export "input-stream" (type $in (sub resource)))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $in)) (param "len" u64)
        (result (result (list u8) (error $failure)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8))
        (result (result (error $failure)))))
    (export "[method]output-stream.write-zeroes"
      (func (param "self" (borrow $out)) (param "len" u64)
        (result (result (error $failure)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (alias export $streams "input-stream" (type $input-stream))
"""

STDOUT = """
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $outer))
    (export "output-stream" (type $o (eq $outer)))
    (export "get-stdout" (func (result (own $o))))))
"""

STDIN = """
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input-stream (type $outer))
    (export "input-stream" (type $i (eq $outer)))
    (export "get-stdin" (func (result (own $i))))))
"""


def wasi_guest(
    imports: str,
    functions: Mapping[str, tuple[str, str]],
    core: str,
    *,
    result: str = "",
    memory_pages: int = 4,
) -> str:
    """Write a guest whose core module may call WASI.

    Args:
        imports: the interfaces, in order.
        functions: name in the core module -> (``$instance "function"``, core type).
        core: the rest of the core module; it exports ``run``.
        result: WIT type that ``run`` returns.
        memory_pages: pages of memory it starts with.
    """
    lowered = "\n".join(
        f'(core func ${name} (canon lower (func {function}) (memory $libc "memory")'
        ' (realloc (func $libc "realloc"))))'
        for name, (function, _) in functions.items()
    )
    wanted = "\n".join(
        f'(import "host" "{name}" (func ${name} {kind}))' for name, (_, kind) in functions.items()
    )
    given = " ".join(f'(export "{name}" (func ${name}))' for name in functions)
    lift = f"(result {result})" if result else ""
    return f"""
    (component
      {imports}
      (core module $libc
        (memory (export "memory") {memory_pages})
        (global $next (mut i32) (i32.const 65536))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
          (global.get $next)
          (global.set $next (i32.add (global.get $next) (local.get 3)))))
      (core instance $libc (instantiate $libc))
      {lowered}
      (core module $m
        (import "libc" "memory" (memory {memory_pages}))
        {wanted}
        {core})
      (core instance $i (instantiate $m
        (with "libc" (instance $libc)) (with "host" (instance {given}))))
      (func (export "run") {lift} (canon lift (core func $i "run"))))
    """
