//! Typed lanes: functions of common shapes cross without dynamic values, so that
//! bytes and numbers are copied as a whole.

mod exports;
mod imports;
mod kinds;

pub use exports::{Lane, select};
pub use imports::define as import_lane;
