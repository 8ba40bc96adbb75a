;; A component with a life cycle that keeps what `initialize` was told. The core
;; module alone does the work: tests wrap it into a component with the real WIT.
(component
  (core module
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (global $config (mut i32) (i32.const 0))
    (global $initialized (mut i32) (i32.const 0))
    ;; Never frees: what `initialize` got stays where it was put.
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    ;; A configuration that begins with "!" is refused with its own text, one that
    ;; begins with "?" traps.
    (func (export "airssys:core/lifecycle@1.0.0#initialize") (param $at i32) (result i32)
      (local $first i32)
      (global.set $config (local.get $at))
      (global.set $initialized (i32.add (global.get $initialized) (i32.const 1)))
      (if (i32.load8_u offset=88 (local.get $at))
        (then (local.set $first (i32.load8_u (i32.load offset=96 (local.get $at))))))
      (if (i32.eq (local.get $first) (i32.const 63)) (then (unreachable)))
      (if (i32.eq (local.get $first) (i32.const 33))
        (then
          (i32.store8 (i32.const 64) (i32.const 1)) ;; err
          (i32.store8 offset=4 (i32.const 64) (i32.const 0)) ;; configuration-invalid
          (i32.store offset=8 (i32.const 64) (i32.load offset=96 (local.get $at)))
          (i32.store offset=12 (i32.const 64) (i32.load offset=100 (local.get $at)))))
      (i32.const 64))
    (func (export "airssys:core/lifecycle@1.0.0#execute")
      (param i32 i32 i32 i32 i32) (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#handle-message")
      (param i64 i32 i32 i32) (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#handle-callback")
      (param i64 i32 i32 i64 i32 i32) (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#metadata") (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#health") (result i32) (unreachable))
    (func (export "airssys:core/lifecycle@1.0.0#shutdown") (param i32) (result i32)
      (unreachable))
    (func (export "told") (result i32) (global.get $config))
    (func (export "initialized") (result i32) (global.get $initialized))))
