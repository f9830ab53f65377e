//! Reads the e-mails that the demonstration put in its folder, as their receivers would.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An e-mail.
pub struct Mail {
    /// Its plain text, decoded.
    text: String,
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

/// All e-mails about an activation.
pub fn about(folder: &Path, reference: &str) -> Vec<Mail> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "eml"));
    files.sort();
    let wanted = format!("x-activation: {reference}").to_lowercase();
    files
        .into_iter()
        .filter_map(|file| {
            let raw = std::fs::read_to_string(file).ok()?.replace("\r\n", "\n");
            let (head, _) = raw.split_once("\n\n")?;
            let ours = head.lines().any(|line| line.to_lowercase() == wanted);
            ours.then(|| Mail { text: plain_text(&raw) })
        })
        .collect()
}

/// The text of the first part of kind text/plain, decoded.
fn plain_text(raw: &str) -> String {
    let lower = raw.to_lowercase();
    let part = lower
        .find("content-type: text/plain")
        .and_then(|at| raw.get(at..))
        .unwrap_or(raw);
    // The part's other headers may stand before or after its kind.
    let before = lower
        .find("content-type: text/plain")
        .and_then(|at| raw.get(at.saturating_sub(120)..at))
        .unwrap_or_default();
    let (head, body) = part.split_once("\n\n").unwrap_or(("", part));
    let body = body.split("\n--").next().unwrap_or(body);
    let head = format!("{before}\n{head}").to_lowercase();
    if head.contains("transfer-encoding: base64") {
        let packed: String = body.split_whitespace().collect();
        let bytes = STANDARD.decode(packed).unwrap_or_default();
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    if head.contains("quoted-printable") {
        unquoted(body)
    } else {
        body.to_owned()
    }
}

/// Undoes quoted-printable.
fn unquoted(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_str();
    while let Some((plain, after)) = rest.split_once('=') {
        bytes.extend_from_slice(plain.as_bytes());
        match after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'=');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
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
