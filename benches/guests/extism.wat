;; The echo guest as an Extism plugin, in the shape that suits Extism best: it
;; gives its input back where it lies in the kernel's memory. A plugin built with
;; a development kit copies it into its own memory and back, and takes longer.
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 17)
  (global $calls (mut i64) (i64.const 0))
  (func $count
    (global.set $calls (i64.add (global.get $calls) (i64.const 1))))
  ;; Two s32 in, one s32 out, in eight bytes each way.
  (func (export "add") (result i32)
    (local $at i64) (local $pair i64)
    (call $count)
    (local.set $pair (call $input_load_u64 (i64.const 0)))
    (local.set $at (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $at)
      (i64.extend_i32_u
        (i32.add
          (i32.wrap_i64 (local.get $pair))
          (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))))))
    (call $output_set (local.get $at) (i64.const 8))
    (i32.const 0))
  (func (export "echo") (result i32)
    (call $count)
    (call $output_set (call $input_offset) (call $input_length))
    (i32.const 0))
  ;; How many calls it answered: the proof that it ran.
  (func (export "calls") (result i32)
    (local $at i64)
    (local.set $at (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $at) (global.get $calls))
    (call $output_set (local.get $at) (i64.const 8))
    (i32.const 0))
)
