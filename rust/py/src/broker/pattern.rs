//! Patterns of addresses and topics.

use airssys_core::address::{AddressPattern, ComponentId};
use airssys_core::topics::{Topic, TopicPattern};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::fmt::Display;

fn wrong(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Reads patterns of addresses.
///
/// # Errors
///
/// The first that is not written as it must be.
pub fn addresses(texts: &[String]) -> PyResult<Vec<AddressPattern>> {
    let parsed = texts.iter().map(|text| AddressPattern::parse(text));
    parsed.collect::<Result<_, _>>().map_err(wrong)
}

/// Reads patterns of topics.
///
/// # Errors
///
/// The first that is not written as it must be.
pub fn topics(texts: &[String]) -> PyResult<Vec<TopicPattern>> {
    let parsed = texts.iter().map(|text| TopicPattern::parse(text));
    parsed.collect::<Result<_, _>>().map_err(wrong)
}

/// Whether a pattern stands for an address; without an address whether it is one.
#[pyfunction]
#[pyo3(signature = (pattern, address=None))]
pub fn address_matches(pattern: &str, address: Option<&str>) -> PyResult<bool> {
    let pattern = AddressPattern::parse(pattern).map_err(wrong)?;
    let Some(address) = address else {
        return Ok(true);
    };
    let id = ComponentId::parse(address).map_err(wrong)?;
    Ok(pattern.matches(&id))
}

/// Whether a pattern stands for a topic.
#[pyfunction]
pub fn topic_matches(pattern: &str, topic: &str) -> PyResult<bool> {
    let pattern = TopicPattern::parse(pattern).map_err(wrong)?;
    Ok(pattern.matches(Topic::parse(topic).map_err(wrong)?))
}

/// Whether a pattern stands for all that another stands for.
#[pyfunction]
pub fn topic_contains(pattern: &str, inner: &str) -> PyResult<bool> {
    let pattern = TopicPattern::parse(pattern).map_err(wrong)?;
    Ok(pattern.contains(&TopicPattern::parse(inner).map_err(wrong)?))
}
