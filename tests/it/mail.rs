//! E-mails as a creator gets them, read from the files that the embedded default writes.

use std::path::Path;

/// One e-mail.
#[derive(Debug, Clone)]
pub struct Email {
    pub head: String,
    /// The plain-text part, decoded.
    pub text: String,
}

impl Email {
    pub fn parse(raw: &str) -> Self {
        let raw = raw.replace("\r\n", "\n");
        let (head, body) = raw.split_once("\n\n").expect("a head and a body");
        let part = body
            .split("\n--")
            .find(|part| part.to_lowercase().contains("content-type: text/plain"))
            .unwrap_or(body);
        let (part_head, content) = part.split_once("\n\n").unwrap_or(("", part));
        let encoding = part_head.to_lowercase();
        let text = if encoding.contains("base64") {
            use base64::Engine as _;
            let joined: String = content.split_whitespace().collect();
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(joined).unwrap()).unwrap()
        } else if encoding.contains("quoted-printable") {
            unquoted(content)
        } else {
            content.to_owned()
        };
        // A header that goes on starts its next line with white space.
        let head = head.replace("\n ", " ").replace("\n\t", " ");
        Self { head, text }
    }

    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("{}:", name.to_lowercase());
        let line = self.head.lines().find(|line| line.to_lowercase().starts_with(&prefix));
        line.map_or("", |line| line[prefix.len()..].trim())
    }

    /// The first address in the plain-text part.
    pub fn link(&self) -> Option<&str> {
        self.text.split_whitespace().find(|word| word.starts_with("http"))
    }
}

/// All that are in the folder, by file name.
pub fn read(folder: &Path) -> Vec<Email> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name.ends_with(".eml"));
    names.sort();
    names
        .iter()
        .map(|name| Email::parse(&std::fs::read_to_string(folder.join(name)).unwrap()))
        .collect()
}

fn unquoted(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'=')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
