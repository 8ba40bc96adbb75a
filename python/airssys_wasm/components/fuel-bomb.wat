;; Counts to a million million: hours of work behind one small call.
(component
  (core module $counter
    (func (export "count") (result i64)
      (local $n i64)
      (loop $again
        (local.set $n (i64.add (local.get $n) (i64.const 1)))
        (br_if $again (i64.lt_u (local.get $n) (i64.const 1_000_000_000_000))))
      (local.get $n)))
  (core instance $counter (instantiate $counter))
  (func (export "count") (result u64) (canon lift (core func $counter "count"))))
