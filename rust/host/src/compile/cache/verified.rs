//! The entry that was verified, and nothing that has its name by now.
//!
//! Whoever may rename something above the directory can put another file under the
//! name at any moment. So the name is used once, to open the file; what is verified
//! and what is loaded is what was opened.

use super::TAG_BYTES;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use wasmtime::component::Component;

/// Bytes of an entry that are held at once while it is verified.
const CHUNK_BYTES: usize = 64 * 1024;

/// An entry whose tag is good.
pub(crate) enum Verified {
    /// The open file, under a name that means it and no other. It stays in the
    /// page cache, where processes share it.
    Open {
        /// Good as long as the file is open, and on this thread.
        name: PathBuf,
        /// Only this user may write to it.
        _file: File,
    },
    /// The very bytes, where an open file has no name.
    Bytes(Vec<u8>),
}

impl Verified {
    /// Verifies an open entry: the artefact, and the tag that `hasher` must come to.
    /// `name_of` gives the name of an open file, where there is one.
    ///
    /// # Errors
    ///
    /// What the system says. An entry with a wrong tag is `None`.
    pub(super) fn of(
        mut file: File,
        mut hasher: blake3::Hasher,
        name_of: impl Fn(&File) -> Option<PathBuf>,
    ) -> io::Result<Option<Verified>> {
        let Some(bytes) = file.metadata()?.len().checked_sub(TAG_BYTES as u64) else {
            return Ok(None);
        };
        let name = name_of(&file);
        let mut held = Vec::new();
        let mut artefact = (&mut file).take(bytes);
        if name.is_some() {
            hash_all(&mut hasher, &mut artefact)?;
        } else {
            artefact.read_to_end(&mut held)?;
            hasher.update(&held);
        }
        let mut tag = [0; TAG_BYTES];
        file.read_exact(&mut tag)?;
        // Comparing two blake3 hashes takes the same time wherever they differ.
        let good = hasher.finalize() == blake3::Hash::from_bytes(tag);
        Ok(good.then(|| match name {
            Some(name) => Verified::Open { name, _file: file },
            None => Verified::Bytes(held),
        }))
    }

    /// Makes the compiled code ready to run in `engine`.
    ///
    /// # Safety
    ///
    /// Whoever could seal the entry must have sealed only what the compiler made.
    pub(crate) unsafe fn deserialize(
        &self,
        engine: &wasmtime::Engine,
    ) -> wasmtime::Result<Component> {
        match self {
            // SAFETY: as promised; the name means the file that was verified.
            Verified::Open { name, .. } => unsafe { Component::deserialize_file(engine, name) },
            // SAFETY: as promised; these are the bytes that were verified.
            Verified::Bytes(bytes) => unsafe { Component::deserialize(engine, bytes) },
        }
    }
}

/// A name that means this open file, whatever becomes of the one it was opened by.
/// `None` where there is no process file system, or another one in its place.
#[cfg(target_os = "linux")]
pub(super) fn name_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;

    let name = PathBuf::from(format!("/proc/thread-self/fd/{}", file.as_raw_fd()));
    let ours = file.metadata().ok()?;
    let named = File::open(&name).and_then(|named| named.metadata()).ok()?;
    ((named.dev(), named.ino()) == (ours.dev(), ours.ino())).then_some(name)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn name_of(_file: &File) -> Option<PathBuf> {
    None
}

fn hash_all(hasher: &mut blake3::Hasher, content: &mut impl Read) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match content.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => hasher.update(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::private::{self, Others};
    use super::super::{Cache, Key};
    use super::*;
    use std::fs;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    const ARTEFACT_BYTES_MAX: u64 = 1 << 24;

    /// Two caches with an entry under the same name: one holds the component that
    /// exports `good`, the other one that exports `bad`.
    struct Swapped {
        top: PathBuf,
        engine: wasmtime::Engine,
        key: Key,
        cache: Cache,
    }

    impl Swapped {
        fn new(name: &str) -> Swapped {
            let top = format!("airssys-verified-{}-{name}", std::process::id());
            let top = std::env::temp_dir().join(top);
            let engine = wasmtime::Engine::default();
            let key = Key::new(&[7; 32], &engine, ARTEFACT_BYTES_MAX);
            let cache = Cache::open(Some(&top.join("cache")), 1 << 30);
            cache.store(&key, &artefact(&engine, "good"));
            let other = Cache::open(Some(&top.join("other")), 1 << 30);
            other.store(&key, &artefact(&engine, "bad"));
            Swapped {
                top,
                engine,
                key,
                cache,
            }
        }

        /// Puts each directory in the place of the other, without an instant in
        /// which there is none.
        fn swap(&self) {
            swap(&self.top.join("cache"), &self.top.join("other"));
        }

        fn deserialize(&self, entry: &Verified) -> Option<&'static str> {
            // SAFETY: both entries were compiled above.
            let loaded = unsafe { entry.deserialize(&self.engine) }.ok()?;
            ["good", "bad"]
                .into_iter()
                .find(|name| loaded.get_export_index(None, name).is_some())
        }
    }

    impl Drop for Swapped {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.top);
        }
    }

    fn artefact(engine: &wasmtime::Engine, export: &str) -> Vec<u8> {
        let text = format!("(component (core module $m) (export \"{export}\" (core module $m)))");
        engine.precompile_component(text.as_bytes()).unwrap()
    }

    #[cfg(target_os = "linux")]
    fn swap(one: &Path, other: &Path) {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
    }

    #[cfg(not(target_os = "linux"))]
    fn swap(one: &Path, other: &Path) {
        let aside = one.with_extension("aside");
        fs::rename(one, &aside).unwrap();
        fs::rename(other, one).unwrap();
        fs::rename(&aside, other).unwrap();
    }

    #[test]
    fn what_is_loaded_is_what_was_verified_whatever_has_its_name_by_now() {
        let swapped = Swapped::new("load");

        let loaded = swapped.cache.load(&swapped.key, |entry| {
            swapped.swap();
            swapped.deserialize(entry)
        });

        assert_eq!(loaded, Some("good"));
        assert_eq!(swapped.cache.statistics().hits, 1);
    }

    #[test]
    fn an_open_file_without_a_name_is_loaded_by_its_bytes() {
        let swapped = Swapped::new("bytes");
        let path = swapped.cache.path(&swapped.key).unwrap();
        let file = private::open(&path, ARTEFACT_BYTES_MAX, Others::MayRead).unwrap();

        let entry = Verified::of(file, swapped.cache.hasher(&path), |_| None);
        swapped.swap();

        let entry = entry.unwrap().unwrap();
        assert!(matches!(entry, Verified::Bytes(_)));
        assert_eq!(swapped.deserialize(&entry), Some("good"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_linux_an_open_file_has_a_name_even_when_its_own_is_gone() {
        let swapped = Swapped::new("name");
        let path = swapped.cache.path(&swapped.key).unwrap();
        let file = private::open(&path, ARTEFACT_BYTES_MAX, Others::MayRead).unwrap();
        fs::remove_file(&path).unwrap();

        let entry = Verified::of(file, swapped.cache.hasher(&path), name_of);

        let entry = entry.unwrap().unwrap();
        assert!(matches!(entry, Verified::Open { .. }));
        assert_eq!(swapped.deserialize(&entry), Some("good"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nothing_foreign_is_loaded_while_the_directory_is_swapped_all_the_time() {
        let swapped = Swapped::new("race");
        let good = artefact(&swapped.engine, "good");
        let other = swapped.top.join("other");
        let bad = fs::read(other.join(&swapped.key.file_name)).unwrap();
        let ended = AtomicBool::new(false);

        let loads: Vec<Option<&str>> = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    swapped.swap();
                }
            });
            let load = |_| {
                // What was found wrong was removed. Either falls into whichever
                // directory has the name just then, or is lost on the way.
                let _ = fs::write(other.join("beside"), &bad);
                let _ = fs::rename(other.join("beside"), other.join(&swapped.key.file_name));
                let open = |entry: &Verified| swapped.deserialize(entry);
                let loaded = swapped.cache.load(&swapped.key, open);
                if loaded.is_none() {
                    swapped.cache.store(&swapped.key, &good);
                }
                loaded
            };
            let loads = (0..1_000).map(load).collect();
            ended.store(true, Ordering::Relaxed);
            loads
        });

        assert!(!loads.contains(&Some("bad")));
        let good = loads.iter().flatten().count();
        assert!(good > 50, "loaded {good} times");
        assert!(good < loads.len(), "the other directory was never seen");
    }
}
