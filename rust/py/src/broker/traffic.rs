//! Figures of routes and rates, as Python gives them.

use crate::error::Result;
use airssys_core::traffic::{BreakerSettings, RateLimit, RetryPolicy, SettingInvalid};
use airssys_host::broker::RouteRules;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::time::Duration;

/// The rules of a route, or none if there is nothing in them.
///
/// # Errors
///
/// If a figure is outside its range.
pub fn rules(
    retry: Option<(u32, f64, f64, f64, f64)>,
    breaker: Option<(u32, f64, f64, u32)>,
    idempotent: bool,
) -> Result<Option<RouteRules>> {
    let retry = match retry {
        None => None,
        Some((attempts, first, longest, factor, jitter)) => {
            let (first, longest) = (nanoseconds(first)?, nanoseconds(longest)?);
            Some(RetryPolicy::new(attempts, first, longest, factor, jitter).map_err(invalid)?)
        }
    };
    let breaker = match breaker {
        None => None,
        Some((failures, window, cool_down, probes)) => {
            let (window, cool_down) = (nanoseconds(window)?, nanoseconds(cool_down)?);
            Some(BreakerSettings::new(failures, window, cool_down, probes).map_err(invalid)?)
        }
    };
    if retry.is_none() && breaker.is_none() {
        return Ok(None);
    }
    Ok(Some(RouteRules {
        retry,
        breaker,
        idempotent,
    }))
}

/// A limit for what an actor sends.
///
/// # Errors
///
/// If a figure is outside its range.
pub fn rate(per_second: u32, burst: u32) -> Result<RateLimit> {
    Ok(RateLimit::new(per_second, burst).map_err(invalid)?)
}

fn nanoseconds(seconds: f64) -> Result<u64> {
    let time = Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{seconds} is no time in seconds")))?;
    Ok(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

fn invalid(error: SettingInvalid) -> PyErr {
    PyValueError::new_err(error.to_string())
}
