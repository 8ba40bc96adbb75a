;; An actor: answers with what it was sent, unless the first byte says otherwise.
;; The core module alone does the work: tests wrap it into a component with the real WIT.
(component
  (core module
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (global $handled (mut i32) (i32.const 0))
    (global $health (mut i32) (i32.const 0))
    ;; Starts over with each message: nothing outlives one.
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "airssys:core/lifecycle@1.0.0#initialize") (param i32) (result i32)
      (global.set $top (i32.const 4096))
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.const 64))
    (func (export "airssys:core/lifecycle@1.0.0#execute")
      (param i32 i32 i32 i32 i32) (result i32) (unreachable))
    ;; "!" traps, "?" never ends, "#" gives the number of messages so far, "-" refuses.
    (func (export "airssys:core/lifecycle@1.0.0#handle-message")
      (param $sender i64) (param $codec i32) (param $at i32) (param $bytes i32) (result i32)
      (local $first i32)
      (global.set $handled (i32.add (global.get $handled) (i32.const 1)))
      (global.set $top (i32.const 4096))
      (if (local.get $bytes) (then (local.set $first (i32.load8_u (local.get $at)))))
      (if (i32.eq (local.get $first) (i32.const 33)) (then (unreachable)))
      (if (i32.eq (local.get $first) (i32.const 63)) (then (loop $again (br $again))))
      (if (i32.eq (local.get $first) (i32.const 72))
        (then (global.set $health (i32.load8_u offset=1 (local.get $at)))))
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.store offset=4 (i32.const 64) (local.get $at))
      (i32.store offset=8 (i32.const 64) (local.get $bytes))
      (if (i32.eq (local.get $first) (i32.const 35))
        (then
          (i32.store (i32.const 128) (global.get $handled))
          (i32.store offset=4 (i32.const 64) (i32.const 128))
          (i32.store offset=8 (i32.const 64) (i32.const 4))))
      (if (i32.eq (local.get $first) (i32.const 45))
        (then
          (i32.store8 (i32.const 64) (i32.const 1)) ;; err
          (i32.store8 offset=4 (i32.const 64) (i32.const 3)) ;; refused
          (i32.store offset=8 (i32.const 64) (local.get $at))
          (i32.store offset=12 (i32.const 64) (local.get $bytes))))
      (i32.const 64))
    (func (export "airssys:core/lifecycle@1.0.0#handle-callback")
      (param i64 i32 i32 i64 i32 i32) (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#metadata") (result i32) (i32.const 1024))
    ;; The record: all texts and lists empty, no memory wanted; the codecs stand at 48.
    (data (i32.const 1072) "\00\00\00\00\00\00\00\00")
    (func (export "airssys:core/lifecycle@1.0.0#health") (result i32)
      (if (i32.eq (global.get $health) (i32.const 8)) (then (unreachable)))
      (if (i32.eq (global.get $health) (i32.const 9)) (then (loop $again (br $again))))
      (global.get $health))
    (func (export "airssys:core/lifecycle@1.0.0#shutdown") (param i32) (result i32)
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.const 64))))
