//! The hash functions that providers sign with, and codes made with them.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::{Choice, ConstantTimeEq};

/// A hash function. MD5 isn't among them: one scheme uses it inside a signature, nothing else may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// `sha1`, `sha256`, `sha384` or `sha512`, in either case and with or without a hyphen.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().replace('-', "").as_str() {
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// As people write it.
    pub(crate) const fn shown(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Bytes of its sums.
    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The sum of some bytes.
    pub(crate) fn sum(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// HMAC over the parts, one after the other. Keys may be of any length, so there is always one;
    /// the types can't say so.
    pub(crate) fn code(self, key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        match self {
            Self::Sha1 => code::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => code::<Hmac<Sha256>>(key, parts),
            Self::Sha384 => code::<Hmac<Sha384>>(key, parts),
            Self::Sha512 => code::<Hmac<Sha512>>(key, parts),
        }
    }

    /// Which of the keys made the code over the parts: its number.
    pub(crate) fn made_by<'k>(
        self,
        keys: impl IntoIterator<Item = (usize, &'k [u8])>,
        parts: &[&[u8]],
        given: &[u8],
    ) -> Option<usize> {
        keys.into_iter()
            .find_map(|(number, key)| same(&self.code(key, parts)?, given).then_some(number))
    }

    /// Lower-case hexadecimal of exactly one sum. Upper case is refused, as the providers' own
    /// libraries, which compare text, refuse it.
    pub(crate) fn lower_hex(self, text: &str) -> Option<Vec<u8>> {
        let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (lower && text.len() == 2 * self.length())
            .then(|| hex::decode(text).ok())
            .flatten()
    }
}

/// Whether two sums are the same, in a time that doesn't depend on where they differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let equal: Choice = one.ct_eq(other);
    equal.into()
}

fn code<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = <M as Mac>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}
