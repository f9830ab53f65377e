//! Reads the e-mails that the demonstration put in its folder, as their receivers would.

use std::path::{Path, PathBuf};

use mail_parser::MessageParser;

/// An e-mail.
pub struct Mail {
    /// What it is about.
    pub subject: String,
    /// Its plain text, decoded.
    pub text: String,
    /// Its HTML, decoded.
    pub html: String,
}

impl Mail {
    /// The first address in its text.
    pub fn first_address(&self) -> Option<&str> {
        let from = self.text.find("http://").or_else(|| self.text.find("https://"))?;
        let rest = self.text.get(from..)?;
        rest.split(|c: char| c.is_whitespace() || c == '<' || c == '>' || c == '"')
            .next()
    }
}

/// The e-mails about an activation whose text holds an address under `path`, if any.
pub fn with_link(folder: &Path, reference: &str, path: &str) -> Option<Mail> {
    about(folder, reference)
        .into_iter()
        .find(|mail| mail.first_address().is_some_and(|address| address.contains(path)))
}

/// All e-mails about an activation, in the order of their coming.
pub fn about(folder: &Path, reference: &str) -> Vec<Mail> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "eml"));
    files.sort_by_key(|file| std::fs::metadata(file).and_then(|about| about.modified()).ok());
    files
        .into_iter()
        .filter_map(|file| {
            let raw = std::fs::read(file).ok()?;
            let read = MessageParser::default().parse(&raw)?;
            let about = read.header_raw("X-Activation").unwrap_or_default().trim();
            (about == reference).then(|| Mail {
                subject: read.subject().unwrap_or_default().to_owned(),
                text: read.body_text(0).unwrap_or_default().into_owned(),
                html: read.body_html(0).unwrap_or_default().into_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_in_an_encoded_mail() {
        let folder = tempfile::tempdir().unwrap();
        let raw = "To: a@b.nl\r\nX-Activation: EC-1\r\nContent-Type: multipart/alternative; boundary=\"x\"\r\n\r\n--x\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Caf=C3=A9: http://127.0.0.1:1/round-=\r\noff/abc=3D\r\n\r\n--x--\r\n";
        std::fs::write(folder.path().join("1.eml"), raw).unwrap();
        let mail = with_link(folder.path(), "EC-1", "/round-off/").unwrap();
        assert_eq!(mail.first_address(), Some("http://127.0.0.1:1/round-off/abc="));
        assert!(about(folder.path(), "EC-2").is_empty());
    }
}
