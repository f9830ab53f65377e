//! The key that links are derived from: made on the first start, beside the SQLite file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use eencent_activations::entropy::{Entropy, NoEntropy};
use eencent_activations::links::LinksKey;

/// Its name.
const FILE: &str = "links.key";

/// The key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LinksKeyError {
    /// It can't be read or made.
    #[error(
        "can't read or make {0}, the key that links in e-mails are made with; mend the rights on it and its folder"
    )]
    File(PathBuf, #[source] io::Error),
    /// It isn't a key.
    #[error(
        "{0} is not a key of 64 hexadecimal digits; restore it from a backup (or remove it: a new one is made, and links that were sent stop working)"
    )]
    Unreadable(PathBuf),
    /// Others than its owner can read it.
    #[error("{0} can be read by others than its owner; run `chmod 600 {0}`")]
    Open(PathBuf),
    /// There is no randomness to make it of.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Where the key of a database file is.
pub fn path(database: &Path) -> PathBuf {
    folder_of(database).join(FILE)
}

fn folder_of(database: &Path) -> &Path {
    match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Reads the key beside this database file; makes it when there is none.
///
/// # Errors
/// When it can't be read or made, or others can read it.
pub fn beside(database: &Path, entropy: &dyn Entropy) -> Result<LinksKey, LinksKeyError> {
    let folder = folder_of(database);
    let path = path(database);
    let told = |error| LinksKeyError::File(path.clone(), error);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(folder, &path, &LinksKey::generate(entropy)?).map_err(told)?;
        }
        Err(error) => return Err(told(error)),
        Ok(_) => {}
    }
    let rights = fs::metadata(&path).map_err(told)?.permissions().mode();
    if rights & 0o077 != 0 {
        return Err(LinksKeyError::Open(path));
    }
    let text = fs::read_to_string(&path).map_err(told)?;
    LinksKey::from_hex(&text).ok_or(LinksKeyError::Unreadable(path))
}

/// Written aside, then linked into place: it is there whole or not at all, and of two processes that
/// start at once, the second finds the first one's key.
fn make(folder: &Path, path: &Path, key: &LinksKey) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let aside = folder.join(format!(".{FILE}.{}", std::process::id()));
    let written = write(&aside, key).and_then(|()| match fs::hard_link(&aside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&aside).ok();
    written?;
    File::open(folder)?.sync_all()
}

fn write(aside: &Path, key: &LinksKey) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(aside)?;
    file.write_all(key.to_hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use eencent_activations::entropy::OsEntropy;

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("data/eencent.db");
        let first = beside(&database, &OsEntropy).unwrap();
        let second = beside(&database, &OsEntropy).unwrap();
        assert_eq!(first.to_hex(), second.to_hex());
        let path = folder.path().join("data/links.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn fault_71_a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("eencent.db");
        let key = beside(&database, &OsEntropy).unwrap();
        let path = folder.path().join("links.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let told = beside(&database, &OsEntropy).unwrap_err().to_string();
        assert!(told.contains("chmod 600") && !told.contains(&key.to_hex()), "{told}");
    }

    #[test]
    fn one_that_is_not_a_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.key");
        fs::write(&path, "half").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            beside(&folder.path().join("e.db"), &OsEntropy),
            Err(LinksKeyError::Unreadable(_))
        ));
        assert_eq!(fs::read_to_string(path).unwrap(), "half");
    }
}
