;; Exports of the world itself that run long, each in another way.
(component
  (core module $m
    (memory (export "memory") 16)
    (global $calls (mut i32) (i32.const 0))
    (func (export "loop")
      (loop $again (br $again)))
    (func (export "count") (param $rounds i64) (result i64)
      (local $i i64)
      (block $done
        (loop $again
          (br_if $done (i64.ge_u (local.get $i) (local.get $rounds)))
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (br $again)))
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (local.get $i))
    (func (export "fill")
      (loop $again
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 1048576))
        (br $again)))
    (func (export "trap") (unreachable))
    (func (export "calls") (result i32) (global.get $calls)))
  (core instance $i (instantiate $m))
  (func (export "loop") (canon lift (core func $i "loop")))
  (func (export "count") (param "rounds" u64) (result u64) (canon lift (core func $i "count")))
  (func (export "fill") (canon lift (core func $i "fill")))
  (func (export "trap") (canon lift (core func $i "trap")))
  (func (export "calls") (result u32) (canon lift (core func $i "calls"))))
