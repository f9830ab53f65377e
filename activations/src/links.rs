//! Secret links in e-mails: derived from a key, never stored.
//!
//! The token is HMAC-SHA-256 over the page, the activation and a number, so that every attempt to
//! send an e-mail carries the same one, and a copy of the database opens nothing: it holds hashes only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::entropy::{Entropy, NoEntropy};

/// Stands in a kept e-mail for the link, which is put in its place at hand-over.
pub const LINK_PLACEHOLDER: &str = "@@LINK@@";

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// The click that activates; numbered by the links of an activation.
    RoundOff,
    /// A question; numbered by the history line that asked.
    Information,
    /// An invoice or a credit note; numbered by its place in the sequence of all.
    Invoice,
}

impl Page {
    /// The first part of its address. Also part of what tokens are made of: never to be changed.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::RoundOff => "round-off",
            Self::Information => "information",
            Self::Invoice => "invoice",
        }
    }
}

/// The key that links are derived from: 32 secret bytes.
#[derive(Clone)]
pub struct LinksKey([u8; 32]);

impl LinksKey {
    /// A new key.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0_u8; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// From 64 hexadecimal digits, surrounding white space aside; `None` otherwise.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.trim()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// As 64 hexadecimal digits, to keep in a file that only the program may read.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The token of a link: 43 characters that are safe in an address.
    pub(crate) fn token(&self, page: Page, activation_id: &str, number: i64) -> String {
        let message = format!("{}\n{activation_id}\n{number}", page.path());
        // HMAC takes a key of any length; the error can't occur, and an empty token would match nothing.
        match Hmac::<Sha256>::new_from_slice(&self.0) {
            Ok(mut mac) => {
                mac.update(message.as_bytes());
                URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
            }
            Err(_) => String::new(),
        }
    }
}

impl LinksKey {
    /// A key for another use, from which neither this one nor that of any other use can be told.
    pub(crate) fn derived(&self, label: &str) -> [u8; 32] {
        match Hmac::<Sha256>::new_from_slice(&self.0) {
            Ok(mut mac) => {
                // No page of a link contains a NUL: what is derived here is never a token.
                mac.update(b"\0");
                mac.update(label.as_bytes());
                mac.finalize().into_bytes().into()
            }
            // HMAC takes a key of any length: this can't occur.
            Err(_) => self.0,
        }
    }
}

impl LinksKey {
    /// By what somebody who knows the whole of a value finds it: two uses of one value have two hashes.
    pub(crate) fn finding(&self, of: Finding, value: &str) -> String {
        match Hmac::<Sha256>::new_from_slice(&self.derived(of.label())) {
            Ok(mut mac) => {
                mac.update(value.as_bytes());
                hex::encode(mac.finalize().into_bytes())
            }
            // HMAC takes a key of any length: this can't occur.
            Err(_) => String::new(),
        }
    }
}

/// What is found by a hash of the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The account that a payment came from.
    Account,
    /// The address of a creator.
    Creator,
}

impl Finding {
    /// Never to be changed: what is there would not be found any more.
    const fn label(self) -> &'static str {
        match self {
            Self::Account => "finding/account",
            Self::Creator => "finding/creator",
        }
    }
}

impl std::fmt::Debug for LinksKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinksKey(***)")
    }
}

/// What the database keeps of a secret.
pub(crate) fn hash_of(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
