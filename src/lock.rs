//! One worker process for each SQLite database.
//!
//! The lock is the operating system's, on a file beside the database: it goes with the process,
//! however that ends. Whoever has it knows that every lease in the database is of a dead process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Holds the database for this process' workers until it is dropped.
#[derive(Debug)]
pub struct WorkerLock {
    _file: File,
}

/// The workers can't have the database.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "another eencent process works on {0}: on SQLite there can be one `serve` or `work` for each database. \
         Stop that one, or set database.url to another file"
    )]
    Taken(PathBuf),
    /// The lock file can't be made.
    #[error("can't make {0}, which keeps a second worker process away; mend the rights on its folder")]
    File(PathBuf, #[source] io::Error),
}

impl WorkerLock {
    /// Takes the lock on a database file.
    ///
    /// # Errors
    /// When another process has it, or the lock file can't be made.
    pub fn take(database: &Path) -> Result<Self, LockError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let told = |error| LockError::File(path.clone(), error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(told)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(told)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken(database.to_owned())),
            Err(TryLockError::Error(error)) => Err(LockError::File(path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_74_a_second_one_is_told_and_a_later_one_is_let_in() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("new/eencent.db");
        let first = WorkerLock::take(&database).unwrap();
        assert!(matches!(WorkerLock::take(&database), Err(LockError::Taken(_))));
        drop(first);
        WorkerLock::take(&database).unwrap();
    }
}
