;; Loops of different make, to see what interrupting them costs. Each gives a
;; checksum, so that nothing can be left out.
(component
  (core module $kernels
    (memory 16)
    ;; Calls: one check for each function entered.
    (func $fib (param $n i32) (result i64)
      (if (result i64) (i32.lt_u (local.get $n) (i32.const 2))
        (then (i64.extend_i32_u (local.get $n)))
        (else
          (i64.add
            (call $fib (i32.sub (local.get $n) (i32.const 1)))
            (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
    (export "fib" (func $fib))
    ;; Arithmetic: a xorshift in registers.
    (func (export "arithmetic") (param $rounds i32) (result i64)
      (local $x i64)
      (local.set $x (i64.const 88172645463325252))
      (loop $again
        (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
        (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
        (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
        (br_if $again
          (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
      (local.get $x))
    ;; Memory: one load and one store in a short loop, the dearest kind.
    (func (export "memory") (param $rounds i32) (result i64)
      (local $at i32) (local $sum i64)
      (loop $again
        (local.set $at
          (i32.and (i32.add (local.get $at) (i32.const 8)) (i32.const 0x7fff8)))
        (local.set $sum (i64.add (local.get $sum) (i64.load (local.get $at))))
        (i64.store (local.get $at) (local.get $sum))
        (br_if $again
          (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
      (i64.add (local.get $sum) (i64.const 1)))
    ;; Bytes: an FNV hash over the memory, byte by byte.
    (func (export "hash") (param $rounds i32) (result i64)
      (local $hash i64)
      (local.set $hash (i64.const 0xcbf29ce484222325))
      (loop $again
        (local.set $hash
          (i64.mul
            (i64.xor (local.get $hash)
              (i64.load8_u (i32.and (local.get $rounds) (i32.const 0xfffff))))
            (i64.const 0x100000001b3)))
        (br_if $again
          (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
      (local.get $hash))
  )
  (core instance $core (instantiate $kernels))
  (func (export "fib") (param "n" u32) (result u64) (canon lift (core func $core "fib")))
  (func (export "arithmetic") (param "rounds" u32) (result u64)
    (canon lift (core func $core "arithmetic")))
  (func (export "memory") (param "rounds" u32) (result u64)
    (canon lift (core func $core "memory")))
  (func (export "hash") (param "rounds" u32) (result u64)
    (canon lift (core func $core "hash")))
)
