//! Says why it panics, through an import of its world.

use airssys_sdk::component;

#[component(world = "panicker", on_panic = report)]
struct Panicker;

impl exports::acme::panicker::api::Guest for Panicker {
    fn divide(dividend: i32, divisor: i32) -> i32 {
        assert!(divisor != 0, "asked to divide {dividend} by zero");
        dividend.wrapping_div(divisor)
    }
}
