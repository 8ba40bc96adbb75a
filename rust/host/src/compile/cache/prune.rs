//! Keeping the directory inside its bound.

use super::ENTRY_SUFFIX;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Something that counts against the bound; the oldest sorts first.
type Found = (SystemTime, u64, PathBuf);

/// Removes the oldest entries until the rest is inside the bound, and returns
/// how many of them could not be removed.
///
/// # Errors
///
/// If the directory cannot be read.
pub(super) fn prune(dir: &Path, bytes_max: u64) -> io::Result<u64> {
    // What is gone by now counts for nothing.
    let mut entries: Vec<Found> = fs::read_dir(dir)?
        .flatten()
        .filter_map(|entry| found(&entry))
        .collect();
    entries.sort();
    let bytes = entries.iter().map(|(_, bytes, _)| *bytes);
    let mut total = bytes.fold(0, u64::saturating_add);
    let mut failures = 0;
    for (_, bytes, path) in entries {
        if total <= bytes_max {
            break;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => failures += 1,
            _ => total = total.saturating_sub(bytes),
        }
    }
    Ok(failures)
}

fn found(entry: &DirEntry) -> Option<Found> {
    let path = entry.path();
    path.extension()
        .filter(|suffix| *suffix == ENTRY_SUFFIX || *suffix == "tmp")?;
    let metadata = entry.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len(), path))
}
