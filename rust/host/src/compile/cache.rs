//! Compiled code on disk: private, keyed, and verified before every use.
//!
//! An entry is the compiled artefact followed by a BLAKE3 tag keyed with a
//! secret of this directory. Loading compiled code is running it, so nothing
//! without a good tag is ever loaded: a damaged or foreign entry is removed
//! and made again. A directory that cannot be used costs time, never a load.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const TAG_BYTES: usize = 32;
const SECRET_BYTES: usize = 32;
const SECRET_FILE: &str = "secret";
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
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    rejected: AtomicU64,
    write_failures: AtomicU64,
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
}

impl Key {
    pub(crate) fn new(digest: &[u8; 32], engine: &wasmtime::Engine) -> Key {
        let mut settings = Digesting(blake3::Hasher::new());
        FORMAT.hash(&mut settings);
        engine.precompile_compatibility_hash().hash(&mut settings);
        let settings = settings.0.finalize().to_hex();
        let component = blake3::Hash::from_bytes(*digest).to_hex();
        Key {
            file_name: format!("{component}-{}.{ENTRY_SUFFIX}", &settings[..32]),
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
                Ok(secret) => (CacheState::Ready(dir.to_owned()), secret),
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
        }
    }

    /// Opens the entry under `key` with `open`, if there is one with a good tag.
    pub(crate) fn load<T>(&self, key: &Key, open: impl FnOnce(&Path) -> Option<T>) -> Option<T> {
        let loaded = self
            .path(key)
            .and_then(|path| self.load_verified(&path, open));
        let counter = if loaded.is_some() {
            &self.counters.hits
        } else {
            &self.counters.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        loaded
    }

    fn load_verified<T>(&self, path: &Path, open: impl FnOnce(&Path) -> Option<T>) -> Option<T> {
        if !path.exists() {
            return None;
        }
        let loaded = if self.verify(path) { open(path) } else { None };
        if loaded.is_none() {
            self.counters.rejected.fetch_add(1, Ordering::Relaxed);
            // If it cannot be removed it is only found wrong again next time.
            let _ = fs::remove_file(path);
        }
        loaded
    }

    fn verify(&self, path: &Path) -> bool {
        let Ok(entry) = map(path) else { return false };
        let Some((artefact, tag)) = entry.split_last_chunk::<TAG_BYTES>() else {
            return false;
        };
        // Comparing two blake3 hashes takes the same time wherever they differ.
        self.tag(path, artefact) == blake3::Hash::from_bytes(*tag)
    }

    // The tag covers the name too, so that no entry can stand in for another.
    fn tag(&self, path: &Path, artefact: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        hasher.update(artefact);
        hasher.finalize()
    }

    pub(crate) fn store(&self, key: &Key, artefact: &[u8]) {
        let Some(path) = self.path(key) else { return };
        if self.write(&path, artefact).is_err() {
            self.counters.write_failures.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if let Some(dir) = path.parent() {
            // What cannot be pruned now is pruned after the next write.
            let _ = prune(dir, self.bytes_max);
        }
    }

    // Written beside its place and renamed: another process sees a whole entry
    // or none.
    fn write(&self, path: &Path, artefact: &[u8]) -> io::Result<()> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{serial}.tmp", std::process::id()));
        let written = create_private(&beside)
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

fn prepare(dir: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    create_private_dir(dir)?;
    refuse_shared(dir)?;
    let path = dir.join(SECRET_FILE);
    // Two processes may start at once: the one that loses the race reads what
    // the winner wrote.
    if !path.exists() {
        publish_secret(dir, &path)?;
    }
    read_secret(&path)
}

fn publish_secret(dir: &Path, path: &Path) -> io::Result<()> {
    let mut secret = [0; SECRET_BYTES];
    fill_random(&mut secret)?;
    let mut serial = [0; 8];
    fill_random(&mut serial)?;
    let serial = u64::from_ne_bytes(serial);
    let beside = dir.join(format!("{SECRET_FILE}.{serial:016x}.tmp"));
    let published = create_private(&beside)
        .and_then(|mut file| file.write_all(&secret).and_then(|()| file.sync_all()))
        .and_then(|()| match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
    let _ = fs::remove_file(&beside);
    published
}

fn read_secret(path: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let mut secret = [0; SECRET_BYTES];
    let mut file = File::open(path)?;
    file.read_exact(&mut secret)?;
    if file.metadata()?.len() != SECRET_BYTES as u64 {
        return Err(io::Error::other(
            "the secret of the compile cache has a wrong size",
        ));
    }
    refuse_shared(path)?;
    Ok(secret)
}

fn prune(dir: &Path, bytes_max: u64) -> io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|suffix| suffix == ENTRY_SUFFIX || suffix == "tmp")
        {
            let metadata = entry.metadata()?;
            entries.push((metadata.modified()?, metadata.len(), path));
        }
    }
    entries.sort();
    let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, bytes, path) in entries {
        if total <= bytes_max {
            break;
        }
        fs::remove_file(path)?;
        total -= bytes;
    }
    Ok(())
}

fn fill_random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(unix)]
fn map(path: &Path) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt as _;

    refuse_shared(path)?;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(not(unix))]
fn map(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn create_private_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

#[cfg(not(unix))]
fn create_private_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}

/// Refuses what another user owns or may write.
#[cfg(unix)]
fn refuse_shared(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = fs::symlink_metadata(path)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("others may write to it; hint: chmod go-w"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_shared(_path: &Path) -> io::Result<()> {
    // The user's profile directory is private by its access control list.
    Ok(())
}
