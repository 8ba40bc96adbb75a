;; One interface in two versions: a name without version fits both.
(component
  (core module $m
    (func (export "one") (result i32) (i32.const 1))
    (func (export "two") (result i32) (i32.const 2)))
  (core instance $i (instantiate $m))
  (func $one (result u32) (canon lift (core func $i "one")))
  (func $two (result u32) (canon lift (core func $i "two")))
  (instance $first (export "version" (func $one)))
  (instance $second (export "version" (func $two)))
  (export "acme:twice/api@1.0.0" (instance $first))
  (export "acme:twice/api@2.0.0" (instance $second)))
