//! Lays the sources that ship in the wheel where maturin collects them.
//!
//! The interface tree, the guest SDK, which `airssys-wasm build` hands to a crate, and
//! the sources of the prebuilt components lie elsewhere in this repository; maturin takes files from
//! outside of the Python package only out of a build script's output folder.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const SHIPPED: [&str; 4] = ["wit", "rust/sdk", "rust/sdk-macros", "examples"];

/// What a build leaves behind in a source folder.
const PRODUCTS: [&str; 2] = ["target", "__pycache__"];

fn main() -> io::Result<()> {
    // Tells the sources which Python they are built for: cfg(Py_3_15) and its like.
    pyo3_build_config::use_pyo3_cfgs();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = PathBuf::from(variable("OUT_DIR")?).join("sources");
    if sources.exists() {
        fs::remove_dir_all(&sources)?;
    }
    for folder in SHIPPED {
        copy(&repository.join(folder), &sources.join(folder))?;
    }
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

/// Copies a folder without what builds left there, and has cargo watch what was copied.
/// Says whether any product lay in it.
///
/// Cargo watches a folder with all that lies in it. One with products is watched file by
/// file: else each run of an example, which writes `__pycache__`, would cost a new build of
/// this crate.
fn copy(from: &Path, to: &Path) -> io::Result<bool> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", from.display()));
    fs::create_dir_all(to)?;
    let mut products = false;
    let mut files = Vec::new();
    for entry in fs::read_dir(from).map_err(named)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if PRODUCTS.iter().any(|product| name == *product) {
                products = true;
            } else {
                products |= copy(&entry.path(), &to.join(name))?;
            }
        } else if Path::new(&name)
            .extension()
            .is_none_or(|suffix| suffix != "wasm")
        {
            fs::copy(entry.path(), to.join(name))?;
            files.push(entry.path());
        } else {
            // What a build made beside its sources.
            products = true;
        }
    }
    if products {
        for file in files {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    } else {
        println!("cargo::rerun-if-changed={}", from.display());
    }
    Ok(products)
}
