//! Messages as files, one each: what a fresh checkout does, and what tests read.
//!
//! Whoever watches the folder must never see half a message. lettre's own file transport writes in
//! place under a random name, so a crash leaves half a file and a repeat a second one. Here a
//! message is written under a name that starts with a dot, brought to the disk, and renamed to a
//! name made from its key: complete when seen, and a repeat takes the place of the first.
//!
//! A message may hold a link that somebody can act with: it is for its owner's eyes alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use eencent_activations::desk::Trouble;

use super::{Refused, Sealed};

/// A folder that messages go into.
pub(crate) struct Files {
    folder: PathBuf,
}

/// Two writers of one process never share an unfinished file.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Files {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) async fn hand_over(&self, sealed: &Sealed) -> Result<(), Refused> {
        let (folder, name, bytes) = (self.folder.clone(), sealed.file_name.clone(), sealed.bytes.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Refused::Later(Trouble::NotWritten.told(self.sentence(&error)))),
            Err(_) => Err(Refused::Later(Trouble::NotWritten.told("writing the file panicked"))),
        }
    }

    pub(crate) async fn check(&self) -> Result<(), String> {
        let folder = self.folder.clone();
        let tried = tokio::task::spawn_blocking(move || {
            make(&folder)?;
            let probe = unfinished(&folder, "check");
            fs::write(&probe, b"check")?;
            fs::remove_file(&probe)
        });
        match tried.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.sentence(&error)),
            Err(_) => Err("writing a file panicked".to_owned()),
        }
    }

    fn sentence(&self, error: &io::Error) -> String {
        format!("the mail folder {} can't be written to: {error}", self.folder.display())
    }
}

fn unfinished(folder: &Path, name: &str) -> PathBuf {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    folder.join(format!(".{name}.{}-{number}.part", std::process::id()))
}

/// Makes the folder; one that is there keeps the rights that it has.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder)
}

/// A new file that only its owner reads.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    make(folder)?;
    let aside = unfinished(folder, name);
    let written = (|| {
        let mut file = new_file(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, folder.join(name))
    })();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
        return written;
    }
    // The name is only safe once the folder is on the disk too.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::testing::sealed;

    #[tokio::test]
    async fn a_repeat_takes_the_place_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("made/when/missing"));
        let sealed = sealed();
        for _ in 0..3 {
            files.hand_over(&sealed).await.unwrap();
        }
        let names: Vec<_> = fs::read_dir(folder.path().join("made/when/missing"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, [sealed.file_name.as_str()]);
        assert_eq!(
            fs::read(folder.path().join("made/when/missing").join(&sealed.file_name)).unwrap(),
            sealed.bytes
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_reads_a_message() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mail = folder.path().join("mail");
        let sealed = sealed();
        Files::new(mail.clone()).hand_over(&sealed).await.unwrap();
        let rights = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((rights(&mail), rights(&mail.join(&sealed.file_name))), (0o700, 0o600));
    }

    /// Writers repeat the same large message while a reader looks: whatever ends in `.eml` is whole.
    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn an_eml_is_complete_when_seen() {
        let folder = tempfile::tempdir().unwrap();
        let files = std::sync::Arc::new(Files::new(folder.path().to_owned()));
        let mut sealed = sealed();
        sealed.bytes = vec![b'x'; 300_000];
        let sealed = std::sync::Arc::new(sealed);
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let (files, sealed) = (files.clone(), sealed.clone());
                tokio::spawn(async move {
                    for _ in 0..20 {
                        files.hand_over(&sealed).await.unwrap();
                    }
                })
            })
            .collect();
        let mut seen = 0;
        while writers.iter().any(|writer| !writer.is_finished()) {
            for entry in fs::read_dir(folder.path()).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "eml") {
                    assert_eq!(fs::read(path).unwrap().len(), 300_000);
                    seen += 1;
                }
            }
            tokio::task::yield_now().await;
        }
        assert!(seen > 0);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_tried_again_later() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        let files = Files::new(folder.path().join("file/mail"));
        assert!(matches!(files.hand_over(&sealed()).await, Err(Refused::Later(_))));
        assert!(files.check().await.is_err());
    }
}
