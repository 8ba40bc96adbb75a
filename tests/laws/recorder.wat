;; An actor that says what it gets, before anything else, and then does what its first byte
;; says: "e" answers, "z" answers after a while, "-" refuses, "!" traps, "?" and "d" never end.
;; A message is that byte and a number of eight; the answer is both and the incarnation.
(component
  (core module
    (import "test:recorder/log" "note" (func $note (param i64 i64)))
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (global $incarnation (mut i64) (i64.const 0))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    ;; The incarnation stands behind the three texts of the address.
    (func (export "airssys:core/lifecycle@1.0.0#initialize") (param $config i32) (result i32)
      (global.set $incarnation (i64.load offset=24 (local.get $config)))
      (global.set $top (i32.const 4096))
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.const 64))
    (func (export "airssys:core/lifecycle@1.0.0#execute")
      (param i32 i32 i32 i32 i32) (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#handle-message")
      (param $sender i64) (param $codec i32) (param $at i32) (param $bytes i32) (result i32)
      (local $first i32) (local $turns i32)
      (global.set $top (i32.const 4096))
      (call $note (global.get $incarnation) (i64.load offset=1 (local.get $at)))
      (local.set $first (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $first) (i32.const 33)) (then (unreachable)))
      (if (i32.or
            (i32.eq (local.get $first) (i32.const 63))
            (i32.eq (local.get $first) (i32.const 100)))
        (then (loop $ever (br $ever))))
      (if (i32.eq (local.get $first) (i32.const 122))
        (then (loop $while
          (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
          (br_if $while (i32.lt_u (local.get $turns) (i32.const 4000000))))))
      (if (i32.eq (local.get $first) (i32.const 45))
        (then
          (i32.store8 (i32.const 64) (i32.const 1)) ;; err
          (i32.store8 offset=4 (i32.const 64) (i32.const 3)) ;; refused
          (i32.store offset=8 (i32.const 64) (i32.const 0))
          (i32.store offset=12 (i32.const 64) (i32.const 0))
          (return (i32.const 64))))
      (i64.store (i32.const 257) (i64.load offset=1 (local.get $at)))
      (i64.store (i32.const 265) (global.get $incarnation))
      (i32.store8 (i32.const 256) (local.get $first))
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.store offset=4 (i32.const 64) (i32.const 256))
      (i32.store offset=8 (i32.const 64) (i32.const 17))
      (i32.const 64))
    (func (export "airssys:core/lifecycle@1.0.0#handle-callback")
      (param i64 i32 i32 i64 i32 i32) (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#metadata") (result i32) (i32.const 1024))
    ;; The record: all texts and lists empty, no memory wanted; the codecs stand at 48.
    (data (i32.const 1072) "\00\00\00\00\00\00\00\00")
    (func (export "airssys:core/lifecycle@1.0.0#health") (result i32) (i32.const 0))
    (func (export "airssys:core/lifecycle@1.0.0#shutdown") (param i32) (result i32)
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.const 64))))
