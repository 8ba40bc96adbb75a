//! The secret that entries of one directory are sealed with.
//!
//! It is made once. One that is no good any more, cut short or open to others, is
//! made anew: the entries it sealed are then found wrong, and made anew too.

use super::private::{self, Others};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

pub(super) const SECRET_BYTES: usize = 32;
const SECRET_FILE: &str = "secret";

/// The secret of `dir`, which is private; made if there is no good one.
///
/// # Errors
///
/// What the system says of a directory that cannot be written, or that something
/// under the secret's name can be neither used nor removed.
pub(super) fn of(dir: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let path = dir.join(SECRET_FILE);
    match read(&path) {
        Ok(secret) => return Ok(secret),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(why) => fs::remove_file(&path).or_else(|error| still_there(&error, &why))?,
    }
    publish(dir, &path)?;
    // Two processes may start at once: the one that loses the race reads what
    // the winner wrote.
    read(&path)
}

fn still_there(error: &io::Error, why: &io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "its file {SECRET_FILE:?} cannot be used ({why}) nor removed ({error}); hint: remove it"
    )))
}

fn read(path: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let mut secret = [0; SECRET_BYTES];
    let mut file = private::open(path, SECRET_BYTES as u64, Others::MayNothing)?;
    file.read_exact(&mut secret)?;
    Ok(secret)
}

fn publish(dir: &Path, path: &Path) -> io::Result<()> {
    let mut secret = [0; SECRET_BYTES];
    fill_random(&mut secret)?;
    let mut serial = [0; 8];
    fill_random(&mut serial)?;
    let serial = u64::from_ne_bytes(serial);
    let beside = dir.join(format!("{SECRET_FILE}.{serial:016x}.tmp"));
    let published = private::create(&beside)
        .and_then(|mut file| file.write_all(&secret).and_then(|()| file.sync_all()))
        .and_then(|()| match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
    let _ = fs::remove_file(&beside);
    published
}

fn fill_random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}
