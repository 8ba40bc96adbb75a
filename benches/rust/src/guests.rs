//! The guests, as bytes.

use crate::Result;
use std::path::{Path, PathBuf};

/// `api` of the echo component.
pub const ECHO_API: &str = "acme:echo/api@1.0.0";
/// `api` of the importing component.
pub const IMPORTER_API: &str = "acme:importer/api@1.0.0";
/// What the importing component imports.
pub const IMPORTER_HOST: &str = "acme:importer/host@1.0.0";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A guest that tests use too, by name.
///
/// # Errors
///
/// If it cannot be read.
pub fn prebuilt(name: &str) -> Result<Vec<u8>> {
    Ok(std::fs::read(
        root()
            .join("tests/components/prebuilt")
            .join(format!("{name}.wasm")),
    )?)
}

/// A guest written for benches alone, as text.
///
/// # Errors
///
/// If it cannot be read.
pub fn written(name: &str) -> Result<Vec<u8>> {
    Ok(std::fs::read(
        root().join("benches/guests").join(format!("{name}.wat")),
    )?)
}
