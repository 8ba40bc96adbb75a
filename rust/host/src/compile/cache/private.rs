//! Files and directories that nobody else may have touched.
//!
//! What is looked at is what was opened, never a name that may mean something
//! else a moment later. Nothing here waits, whatever lies under the name.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What others may do with a file of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// Read it: its content is no secret, and verified.
    MayRead,
    /// Nothing at all.
    MayNothing,
}

/// Opens a regular file of this user, of at most so many bytes.
///
/// # Errors
///
/// What the system says, or that the file is none of the kind.
pub(super) fn open(path: &Path, bytes_max: u64, others: Others) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A pipe would wait for its writer, and a link can name anything.
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > bytes_max {
        return Err(io::Error::other("larger than it can be"));
    }
    refuse_foreign(&metadata)?;
    refuse_open_to(others, &metadata)?;
    Ok(file)
}

/// Makes a file for this user alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes the directory for this user alone, if there is none. Returns where it
/// really lies: a link on the way is followed once, and never again.
///
/// # Errors
///
/// What the system says; or it, or a directory it lies in, belongs to another user,
/// or others may write to it.
pub(super) fn directory(path: &Path) -> io::Result<PathBuf> {
    create_directory(path)?;
    let real = fs::canonicalize(path)?;
    refuse_shared_above(&real)?;
    refuse_shared(&real)?;
    Ok(real)
}

#[cfg(unix)]
fn create_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn create_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

// Whoever may rename something above it can put a directory of their own in its
// place. From the root down: what lies in a directory that is good stays there
// while the next one is looked at.
#[cfg(unix)]
fn refuse_shared_above(real: &Path) -> io::Result<()> {
    let mut above: Vec<&Path> = real.ancestors().skip(1).collect();
    above.reverse();
    for directory in above {
        refuse_renamable(&fs::symlink_metadata(directory)?).map_err(|error| {
            let why = format!("it lies in {}: {error}", directory.display());
            io::Error::other(why)
        })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_shared_above(_real: &Path) -> io::Result<()> {
    // As for the directory itself.
    Ok(())
}

/// Refuses a directory in which others may rename what is ours. The superuser may
/// anyhow; and where the sticky bit is set, as in `/tmp`, others may only rename
/// what is theirs.
#[cfg(unix)]
fn refuse_renamable(metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    const STICKY: u32 = 0o1000;
    if !metadata.is_dir() {
        return Err(io::Error::other("not a directory any more"));
    }
    if metadata.uid() != 0 {
        refuse_foreign(metadata)?;
    }
    if metadata.mode() & STICKY != 0 {
        return Ok(());
    }
    refuse_open_to(Others::MayRead, metadata)
}

// Who may only read it learns which components there are; the files are closed.
#[cfg(unix)]
fn refuse_shared(real: &Path) -> io::Result<()> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(real)?;
    let metadata = directory.metadata()?;
    refuse_foreign(&metadata)?;
    refuse_open_to(Others::MayRead, &metadata)
}

#[cfg(not(unix))]
fn refuse_shared(_real: &Path) -> io::Result<()> {
    // The user's profile directory is private by its access control list.
    Ok(())
}

#[cfg(unix)]
fn refuse_foreign(metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    if metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(io::Error::other("belongs to another user"))
}

#[cfg(unix)]
fn refuse_open_to(others: Others, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let (forbidden, why) = match others {
        Others::MayRead => (0o022, "others may write to it; hint: chmod go-w"),
        Others::MayNothing => (0o077, "others may read it; hint: chmod go="),
    };
    if metadata.mode() & forbidden == 0 {
        return Ok(());
    }
    Err(io::Error::other(why))
}

#[cfg(not(unix))]
fn refuse_foreign(_metadata: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_to(_others: Others, _metadata: &Metadata) -> io::Result<()> {
    Ok(())
}
