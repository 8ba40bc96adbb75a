;; Takes one page of 64 KiB after another and writes to each, so that it is
;; really used. When it gets no more it traps, as an allocator does.
(component
  (core module $hog
    (memory 1)
    (func (export "eat")
      (local $page i32)
      (loop $again
        (local.set $page (memory.grow (i32.const 1)))
        (if (i32.eq (local.get $page) (i32.const -1)) (then unreachable))
        (i32.store8 (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
        (br $again))))
  (core instance $hog (instantiate $hog))
  (func (export "eat") (canon lift (core func $hog "eat"))))
