//! Compiled code on disk: private, keyed, and verified before every use.
//!
//! An entry is the compiled artefact followed by a BLAKE3 tag keyed with a
//! secret of this directory. Loading compiled code is running it, so nothing
//! without a good tag is ever loaded: a damaged or foreign entry is removed
//! and made again. What is loaded is the open file that was verified, not what
//! its name means a moment later. A directory that cannot be used costs time,
//! never a load.

mod private;
mod prune;
mod secret;
mod verified;

pub(crate) use verified::Verified;

use super::relift;
use private::Others;
use secret::SECRET_BYTES;
use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const TAG_BYTES: usize = 32;
const ENTRY_SUFFIX: &str = "cwasm";
/// Changes whenever the layout of an entry does.
const FORMAT: &str = "airssys-wasm compile cache 1";

/// Whether and why the cache is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// Entries are read and written in this directory.
    Ready(PathBuf),
    /// The embedder asked for no cache.
    Off,
    /// The directory cannot be used; the text says why.
    Unusable(String),
}

/// What the cache did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatistics {
    /// Entries loaded.
    pub hits: u64,
    /// Components compiled because no entry was there.
    pub misses: u64,
    /// Entries removed because their tag was wrong.
    pub rejected: u64,
    /// Entries that could not be written.
    pub write_failures: u64,
    /// Entries that could not be removed when the directory was over its bound.
    pub prune_failures: u64,
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    rejected: AtomicU64,
    write_failures: AtomicU64,
    prune_failures: AtomicU64,
}

/// A compile cache in one directory.
pub struct Cache {
    state: CacheState,
    secret: [u8; SECRET_BYTES],
    bytes_max: u64,
    counters: Counters,
}

/// Names one artefact: the component's digest and everything about the engine
/// that decides what code is made.
pub(crate) struct Key {
    file_name: String,
    artefact_bytes_max: u64,
}

impl Key {
    pub(crate) fn new(
        digest: &[u8; 32],
        engine: &wasmtime::Engine,
        artefact_bytes_max: u64,
    ) -> Key {
        let mut settings = Digesting(blake3::Hasher::new());
        FORMAT.hash(&mut settings);
        relift::VERSION.hash(&mut settings);
        engine.precompile_compatibility_hash().hash(&mut settings);
        let settings = settings.0.finalize().to_hex();
        let component = blake3::Hash::from_bytes(*digest).to_hex();
        Key {
            file_name: format!("{component}-{}.{ENTRY_SUFFIX}", &settings[..32]),
            artefact_bytes_max,
        }
    }
}

struct Digesting(blake3::Hasher);

impl Hasher for Digesting {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Only the wide digest is used; the trait asks for a narrow one too.
        let wide = self.0.finalize();
        wide.as_bytes()[..8]
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

impl Cache {
    /// Opens or makes the directory; a directory that cannot be used leaves a
    /// cache that does nothing and says why.
    pub fn open(dir: Option<&Path>, bytes_max: u64) -> Cache {
        let (state, secret) = match dir {
            None => (CacheState::Off, [0; SECRET_BYTES]),
            Some(dir) => match prepare(dir) {
                Ok((real, secret)) => (CacheState::Ready(real), secret),
                Err(error) => {
                    let why = format!("{}: {error}", dir.display());
                    (CacheState::Unusable(why), [0; SECRET_BYTES])
                }
            },
        };
        Cache {
            state,
            secret,
            bytes_max,
            counters: Counters::default(),
        }
    }

    /// Whether and why the cache is in use.
    pub fn state(&self) -> &CacheState {
        &self.state
    }

    /// What the cache did so far.
    pub fn statistics(&self) -> CacheStatistics {
        CacheStatistics {
            hits: self.counters.hits.load(Ordering::Relaxed),
            misses: self.counters.misses.load(Ordering::Relaxed),
            rejected: self.counters.rejected.load(Ordering::Relaxed),
            write_failures: self.counters.write_failures.load(Ordering::Relaxed),
            prune_failures: self.counters.prune_failures.load(Ordering::Relaxed),
        }
    }

    /// Opens the entry under `key` with `open`, if there is one with a good tag.
    pub(crate) fn load<T>(
        &self,
        key: &Key,
        open: impl FnOnce(&Verified) -> Option<T>,
    ) -> Option<T> {
        let loaded = self
            .path(key)
            .and_then(|path| self.load_verified(&path, key.artefact_bytes_max, open));
        let counter = if loaded.is_some() {
            &self.counters.hits
        } else {
            &self.counters.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        loaded
    }

    fn load_verified<T>(
        &self,
        path: &Path,
        artefact_bytes_max: u64,
        open: impl FnOnce(&Verified) -> Option<T>,
    ) -> Option<T> {
        let loaded = match self.verify(path, artefact_bytes_max) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Ok(Some(entry)) => open(&entry),
            _ => None,
        };
        if loaded.is_none() {
            self.counters.rejected.fetch_add(1, Ordering::Relaxed);
            // If it cannot be removed it is only found wrong again next time.
            let _ = fs::remove_file(path);
        }
        loaded
    }

    fn verify(&self, path: &Path, artefact_bytes_max: u64) -> io::Result<Option<Verified>> {
        let bytes_max = artefact_bytes_max.saturating_add(TAG_BYTES as u64);
        let file = private::open(path, bytes_max, Others::MayRead)?;
        Verified::of(file, self.hasher(path), verified::name_of)
    }

    // The tag covers the name too, so that no entry can stand in for another.
    fn hasher(&self, path: &Path) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        hasher
    }

    fn tag(&self, path: &Path, artefact: &[u8]) -> blake3::Hash {
        self.hasher(path).update(artefact).finalize()
    }

    pub(crate) fn store(&self, key: &Key, artefact: &[u8]) {
        let Some(path) = self.path(key) else { return };
        if self.write(&path, artefact).is_err() {
            self.counters.write_failures.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if let Some(dir) = path.parent() {
            // What cannot be pruned now is pruned after the next write.
            let failures = prune::prune(dir, self.bytes_max).unwrap_or(1);
            self.counters
                .prune_failures
                .fetch_add(failures, Ordering::Relaxed);
        }
    }

    // Written beside its place and renamed: another process sees a whole entry
    // or none.
    fn write(&self, path: &Path, artefact: &[u8]) -> io::Result<()> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{serial}.tmp", std::process::id()));
        let written = private::create(&beside)
            .and_then(|mut file| {
                file.write_all(artefact)?;
                file.write_all(self.tag(path, artefact).as_bytes())
            })
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn path(&self, key: &Key) -> Option<PathBuf> {
        match &self.state {
            CacheState::Ready(dir) => Some(dir.join(&key.file_name)),
            CacheState::Off | CacheState::Unusable(_) => None,
        }
    }
}

fn prepare(dir: &Path) -> io::Result<(PathBuf, [u8; SECRET_BYTES])> {
    let real = private::directory(dir)?;
    let secret = secret::of(&real)?;
    Ok((real, secret))
}
