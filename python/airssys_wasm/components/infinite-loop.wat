;; Never comes back, and asks the host for nothing on the way.
(component
  (core module $spinner
    (func (export "spin")
      (loop $for-ever (br $for-ever))))
  (core instance $spinner (instantiate $spinner))
  (func (export "spin") (canon lift (core func $spinner "spin"))))
