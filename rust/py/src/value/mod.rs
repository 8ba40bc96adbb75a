//! Python values and component-model values, by plans made once per function.

mod lift;
mod lower;
mod mismatch;
mod numbers;
mod offered;
mod plan;

pub use lift::{Handles, lift, raise_err};
pub use lower::{blob, boolean, lower, numbers, side, text};
pub use mismatch::{Mismatch, Outcome};
pub use numbers::Number;
pub use offered::NotOffered;
pub use plan::{FunctionPlan, Plan, Scope, attribute};
