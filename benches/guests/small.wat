;; The smallest guest that has all a guest needs: one page of memory with some
;; data in it, an allocator, and a function. What an idle instance of it costs is
;; what the host costs.
(component
  (core module $small
    (memory (export "memory") 1)
    (data (i32.const 1024) "what every instance starts with")
    (global $top (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $top))
      (global.set $top (i32.add (global.get $top) (local.get $bytes)))
      (local.get $at))
    (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1))))
  (core instance $core (instantiate $small))
  (func (export "add") (param "left" s32) (param "right" s32) (result s32)
    (canon lift (core func $core "add")))
)
