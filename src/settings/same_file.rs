//! Whether two addresses of SQLite files are of one file, however they are written.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// Whether they are; addresses that aren't SQLite's never are.
pub fn same(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (path(one), path(other)) else {
        return false;
    };
    // Two names of one file on the disk: the path alone doesn't tell.
    let linked = match (std::fs::metadata(&one), std::fs::metadata(&other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    };
    linked || resolved(&one) == resolved(&other)
}

fn path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    let path = rest.split('?').next().unwrap_or_default();
    (!path.is_empty() && !path.starts_with(':')).then(|| PathBuf::from(path))
}

/// Absolute, with links followed as far as the path exists; the rest is taken as it is written.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut there = absolute.as_path();
    let mut rest: Vec<OsString> = Vec::new();
    let mut found = loop {
        if let Ok(found) = there.canonicalize() {
            break found;
        }
        let (Some(folder), Some(last)) = (there.parent(), there.components().next_back()) else {
            break there.to_owned();
        };
        rest.push(last.as_os_str().to_owned());
        there = folder;
    };
    for part in rest.iter().rev() {
        match Path::new(part).components().next() {
            Some(Component::ParentDir) => {
                found.pop();
            }
            _ => found.push(part),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_is_known_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("sqlite://{}/{name}", folder.path().display());
        assert!(same("sqlite://data/e.db", "sqlite:data/e.db?mode=rwc"));
        assert!(same("sqlite://data/e.db", "sqlite://./data/../data/e.db"));
        assert!(same(&at("new/e.db"), &at("new/../new/./e.db")));
        assert!(!same(&at("e.db"), &at("queue.db")));
        assert!(!same("sqlite://:memory:", "sqlite://:memory:"));
        std::fs::write(folder.path().join("e.db"), "x").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
        std::fs::hard_link(folder.path().join("e.db"), folder.path().join("hard.db")).unwrap();
        assert!(same(&at("e.db"), &at("link/e.db")));
        assert!(same(&at("e.db"), &at("hard.db")));
        assert!(same(&at("new.db"), &at("link/new.db")));
    }
}
