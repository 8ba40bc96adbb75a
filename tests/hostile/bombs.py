"""Components that are small to send and large to compile."""

from __future__ import annotations

from tests.hostile import binary

_NO_TYPE = binary.function_type()


def _one_function(code: bytes, *, locals_: int = 0, types: tuple[bytes, ...] = ()) -> bytes:
    function = binary.body(code, locals_=[(locals_, binary.I32)] if locals_ else [])
    return binary.component(binary.core_module([_NO_TYPE, *types], [(0, function)]))


def loops_over_locals(loops: int, locals_: int) -> bytes:
    """Nest loops over locals that change: each loop joins each local."""
    reads = b"".join(binary.local_get(n) + binary.DROP for n in range(locals_))
    writes = b"".join(binary.i32_const(1) + binary.local_set(n) for n in range(locals_))
    back = binary.i32_const(0) + binary.BR_IF + binary.leb(loops - 1)
    opening = (binary.LOOP + binary.NOTHING) * loops
    return _one_function(opening + reads + writes + back + binary.END * loops, locals_=locals_)


def wide_blocks(arity: int, blocks: int) -> bytes:
    """Pass as many values through one block after another."""
    wide = binary.function_type(binary.I32 * arity, binary.I32 * arity)
    block = binary.BLOCK + binary.leb(1) + binary.i32_const(1) + binary.BR_IF + b"\0" + binary.END
    code = binary.i32_const(0) * arity + block * blocks + binary.DROP * arity
    return _one_function(code, types=(wide,))


def wide_calls(arity: int, calls: int) -> bytes:
    """Call a function of many parameters and results, again and again."""
    wide = binary.function_type(binary.I32 * arity, binary.I32 * arity)
    caller = binary.body(
        binary.i32_const(0) * arity + (binary.CALL + b"\x01") * calls + binary.DROP * arity
    )
    callee = binary.body(b"".join(binary.local_get(n) for n in range(arity)))
    return binary.component(binary.core_module([_NO_TYPE, wide], [(0, caller), (1, callee)]))


def branch_table(targets: int) -> bytes:
    """Branch to one place by a table of as many entries."""
    table = binary.BR_TABLE + binary.leb(targets) + b"\0" * (targets + 1)
    return _one_function(binary.BLOCK + binary.NOTHING + binary.i32_const(0) + table + binary.END)


def functions_with_locals(functions: int, locals_: int) -> bytes:
    """Declare locals, as many as the standard allows, in each of many functions."""
    function = (0, binary.body(b"", locals_=[(locals_, binary.I64)]))
    return binary.component(binary.core_module([_NO_TYPE], [function] * functions))


def deep_blocks(depth: int) -> bytes:
    """Nest empty blocks."""
    return _one_function((binary.BLOCK + binary.NOTHING) * depth + binary.END * depth)


def long_function(operations: int) -> bytes:
    """Add one to a local, in a straight line: seven bytes each time."""
    add = binary.local_get(0) + binary.i32_const(1) + b"\x6a" + binary.local_set(0)
    return _one_function(add * operations, locals_=1)


def many_types(count: int) -> bytes:
    """Declare function types, no two the same."""
    kinds = (b"\x7f", b"\x7e", b"\x7d", b"\x7c")
    types = [
        binary.function_type(b"".join(kinds[number >> (2 * place) & 3] for place in range(11)))
        for number in range(count)
    ]
    empty = binary.body(b"")
    return binary.component(binary.core_module([*types, _NO_TYPE], [(count, empty)]))


def many_imports(count: int) -> bytes:
    """Import as many functions under names of their own."""
    functype = b"\x40\x00\x01\x00"
    names = (f"f{number}".encode() for number in range(count))
    imports = binary.vector(b"\0" + binary.sized(name) + b"\x01\x00" for name in names)
    return (
        binary.COMPONENT_HEADER
        + binary.section(7, binary.vector([functype]))
        + binary.section(10, imports)
    )


def nested_components(depth: int) -> bytes:
    """Put a component into a component, and so on."""
    # From the inside out, so that each length is known.
    pieces, length = [binary.COMPONENT_HEADER], len(binary.COMPONENT_HEADER)
    for _ in range(depth):
        opening = binary.COMPONENT_HEADER + b"\x04" + binary.leb(length)
        pieces.append(opening)
        length += len(opening)
    return b"".join(reversed(pieces))


def joined_components(functions: int, width: int) -> bytes:
    """Let one component call another: each function takes a tuple of strings."""
    numbers = range(functions)
    tuple_type = f"(type $t (tuple {'string ' * width}))"
    realloc = '(func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)'
    core = "".join(f'(func (export "{n}") (param i32))' for n in numbers)
    lifted = "".join(
        f'(func $f{n} (param "p" $t) (canon lift (core func $i "{n}") (memory $i "m")'
        f' (realloc (func $i "r")))) (export "f{n}" (func $f{n}))'
        for n in numbers
    )
    imported = "".join(f'(export "f{n}" (func (param "p" $t)))' for n in numbers)
    lowered = "".join(
        f'(core func (canon lower (func $a "f{n}") (memory $i "m")))' for n in numbers
    )
    return f"""(component
      (component $A {tuple_type}
        (core module $m (memory (export "m") 1) {realloc} {core})
        (core instance $i (instantiate $m))
        {lifted})
      (component $B {tuple_type}
        (import "a" (instance $a {imported}))
        (core module $m (memory (export "m") 1))
        (core instance $i (instantiate $m))
        {lowered})
      (instance $a (instantiate $A))
      (instance (instantiate $B (with "a" (instance $a)))))""".encode()


def wide_tables(modules: int) -> bytes:
    """Set one element of a table of a million, in each of as many modules."""
    module = "(core module (table 1048576 funcref) (func $f) (elem (i32.const 1048575) $f))"
    return f"(component {module * modules})".encode()


def sparse_memories(modules: int) -> bytes:
    """Set two bytes of a memory, eight megabytes apart, in each of as many modules."""
    data = '(data (i32.const 0) "a") (data (i32.const 8388607) "b")'
    return f"(component {f'(core module (memory 129) {data})' * modules})".encode()


def many_functions(functions: int) -> bytes:
    """Export functions that do nothing."""
    exports = "".join(f'(func (export "f{number}"))' for number in range(functions))
    return f"(component (core module {exports}))".encode()
