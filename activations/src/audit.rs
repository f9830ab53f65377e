//! The audit as a chain: which bytes an entry's hash is over.
//!
//! An entry is bound to the one before by its hash: SHA-256 over, in this order,
//!
//! 1. the 17 bytes `eencent audit v1` and a line feed;
//! 2. the hash of the entry before, 32 bytes; for the first entry 32 zero bytes;
//! 3. its number and its time in microseconds since 1970, each as 8 bytes, big-endian, the time in two's complement;
//! 4. id, actor, act and subject, each as its length in bytes (8 bytes, big-endian) and its UTF-8;
//! 5. the digest of its reason, 32 bytes: SHA-256 over the salt (16 bytes) and the reason's UTF-8;
//! 6. where the act is a line of an activation's history the byte 1, the line's number (8 bytes, big-endian) and the
//!    digest of that history up to the line (32 bytes); otherwise the byte 0.
//!
//! The digest of a history is SHA-256 over its lines in order: number and time as above, then happening, state before,
//! state after and actor as the texts above.
//!
//! A reason can be taken out of an entry without breaking the chain, because what is bound is a salted digest: the salt
//! goes with the reason, and what it said can't be found by trying. That is how a person is forgotten. The reason of a
//! history line isn't in the history's digest; it is that of the entry.
//!
//! Each act of a person or key on an activation that is there binds the whole history until then. What the program does
//! by itself, and what a creator does, has no entry of its own: it would make each payment wait for all others, and is
//! bound by the next act of a person.
//!
//! The chain shows that something was changed by whoever couldn't write all later entries anew. Against somebody who
//! can write everything only a head that was kept elsewhere helps: `eencent audit export` prints it, and
//! `eencent audit verify --head` looks for it.

use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;

/// What every hash begins with.
const VERSION: &[u8] = b"eencent audit v1\n";

/// An entry as it is hashed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link<'a> {
    pub number: i64,
    pub at: Timestamp,
    pub id: &'a str,
    pub actor: &'a str,
    pub act: &'a str,
    pub subject: &'a str,
    /// In hexadecimal, as it is stored.
    pub reason_digest: &'a str,
    /// The line of the history, and the digest of the history up to it.
    pub line: Option<(i64, &'a str)>,
}

impl Link<'_> {
    /// The entry's hash, in hexadecimal; `before` is that of the entry before, empty for the first.
    pub(crate) fn hash(&self, before: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(VERSION);
        hash.update(bytes(before));
        hash.update(self.number.to_be_bytes());
        hash.update(self.at.micros().to_be_bytes());
        for field in [self.id, self.actor, self.act, self.subject] {
            text(&mut hash, field);
        }
        hash.update(bytes(self.reason_digest));
        match self.line {
            Some((line, digest)) => {
                hash.update([1]);
                hash.update(line.to_be_bytes());
                hash.update(bytes(digest));
            }
            None => hash.update([0]),
        }
        hex::encode(hash.finalize())
    }
}

/// The digest of a reason under its salt.
pub(crate) fn reason_digest(salt: &[u8], reason: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(reason.as_bytes());
    hex::encode(hash.finalize())
}

/// A line of a history as it is hashed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryLine<'a> {
    pub number: i64,
    pub at: Timestamp,
    pub happening: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub actor: &'a str,
}

/// The digest of lines that are given in order.
#[derive(Default)]
pub(crate) struct LinesDigest(Sha256);

impl LinesDigest {
    pub(crate) fn take(&mut self, line: &HistoryLine<'_>) {
        self.0.update(line.number.to_be_bytes());
        self.0.update(line.at.micros().to_be_bytes());
        for field in [line.happening, line.from, line.to, line.actor] {
            text(&mut self.0, field);
        }
    }

    pub(crate) fn end(self) -> String {
        hex::encode(self.0.finalize())
    }
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(text.as_bytes());
}

/// The bytes of a stored hash. What isn't one counts as zeros: nothing has that hash.
fn bytes(stored: &str) -> [u8; 32] {
    let mut bytes = [0_u8; 32];
    if hex::decode_to_slice(stored, &mut bytes).is_err() {
        bytes = [0; 32];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Link<'static> = Link {
        number: 1,
        at: Timestamp::from_micros(1_000_000),
        id: "aud_1",
        actor: "Sanne (key support)",
        act: "key made",
        subject: "shop",
        reason_digest: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
        line: None,
    };

    #[test]
    fn the_hash_is_over_the_bytes_that_the_page_above_says() {
        let mut said = b"eencent audit v1\n".to_vec();
        said.extend([0; 32]);
        said.extend(1_i64.to_be_bytes());
        said.extend(1_000_000_i64.to_be_bytes());
        for field in ["aud_1", "Sanne (key support)", "key made", "shop"] {
            said.extend((field.len() as u64).to_be_bytes());
            said.extend(field.as_bytes());
        }
        said.extend(hex::decode(ENTRY.reason_digest).unwrap_or_default());
        said.push(0);
        assert_eq!(ENTRY.hash(""), hex::encode(Sha256::digest(said)));
    }

    #[test]
    fn every_field_counts() {
        let one = ENTRY.hash("");
        let digest = reason_digest(&[7; 16], "because");
        for other in [
            Link { number: 2, ..ENTRY },
            Link { id: "aud_2", ..ENTRY },
            Link {
                actor: "Sanne (key suppor",
                act: "tkey made",
                ..ENTRY
            },
            Link { subject: "", ..ENTRY },
            Link {
                at: Timestamp::from_micros(1),
                ..ENTRY
            },
            Link {
                reason_digest: &digest,
                ..ENTRY
            },
            Link {
                line: Some((1, &digest)),
                ..ENTRY
            },
        ] {
            assert_ne!(other.hash(""), one, "{other:?}");
        }
        assert_ne!(ENTRY.hash(&one), one);
    }
}
