//! A file that a stranger sent: a picture or a PDF by its bytes, whatever it is called.

use sha2::{Digest as _, Sha256};

/// What a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// A PDF.
    Pdf,
    /// A photograph or scan.
    Jpeg,
    /// A picture of a screen.
    Png,
}

impl MediaType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Jpeg, Self::Png];

    /// As HTTP names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// A file that may be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    name: String,
    media_type: MediaType,
    content: Vec<u8>,
}

/// The bytes are neither a PDF nor a JPEG or PNG picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is neither a PDF nor a JPEG or PNG picture")]
pub struct NotADocument;

/// Longest name that is kept, in characters.
const LONGEST_NAME: usize = 100;

impl Document {
    /// A file as it was sent. Of the name stays what is harmless on every system: no folders, no control or
    /// reserved characters, and an ending that fits the bytes.
    ///
    /// # Errors
    /// When its bytes are something else.
    pub fn parse(name: &str, content: Vec<u8>) -> Result<Self, NotADocument> {
        let found = infer::get(&content).ok_or(NotADocument)?;
        let media_type = MediaType::parse(found.mime_type()).ok_or(NotADocument)?;
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = match name.rsplit_once('.') {
            Some((stem, ending)) if ending.len() <= 4 && ending.chars().all(|c| c.is_ascii_alphanumeric()) => stem,
            _ => name,
        };
        let stem: String = stem
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || " -_()".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .take(LONGEST_NAME)
            .collect();
        let stem = match stem.trim().trim_matches('_').trim() {
            "" => "document",
            stem => stem,
        };
        Ok(Self {
            name: format!("{stem}.{}", media_type.extension()),
            media_type,
            content,
        })
    }

    /// Its harmless name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its bytes are.
    pub const fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Its bytes; never none.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// SHA-256 of its bytes, in hexadecimal.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.content))
    }

    /// Its bytes, taken out.
    pub fn into_content(self) -> Vec<u8> {
        self.content
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Document({}, {} bytes)",
            self.media_type.as_str(),
            self.content.len()
        )
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn a_file_is_what_its_bytes_are() {
        for (bytes, wanted) in [
            (&b"%PDF-1.7\n"[..], "uittreksel.pdf"),
            (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], "uittreksel.jpg"),
            (PNG, "uittreksel.png"),
        ] {
            assert_eq!(
                Document::parse("uittreksel.exe", bytes.to_vec()).unwrap().name(),
                wanted
            );
        }
        for bytes in [
            &b"MZ\x90\0"[..],
            b"<svg onload=alert(1)>",
            b"<html>",
            b"PK\x03\x04",
            b"GIF89a",
            b"",
        ] {
            assert_eq!(Document::parse("uittreksel.pdf", bytes.to_vec()), Err(NotADocument));
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_called_its_name_is_a_harmless_one(name in ".*") {
            let document = Document::parse(&name, PNG.to_vec()).unwrap();
            let kept = document.name();
            prop_assert!(kept.ends_with(".png") && kept.chars().count() <= LONGEST_NAME + 4, "{kept}");
            let stem = kept.trim_end_matches(".png");
            prop_assert!(!stem.is_empty() && !stem.contains(['/', '\\', '"', '\r', '\n', '<', '>', '\0']), "{kept}");
            prop_assert!(!stem.starts_with('.'), "{kept}");
        }
    }
}
