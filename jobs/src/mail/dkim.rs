//! Signs messages (DKIM: RFC 6376, RFC 8463), so that whoever gets one can check that this domain wrote it.
//!
//! A signature is a function of the message, its date and the key: every attempt hands over the same bytes. Libraries
//! put the time of signing into it, which would make each attempt another message; so the form is made here, and
//! *ring* signs. Both forms of text are "relaxed": servers on the way may fold lines and change white space.
//! Headers that must not be there twice are named once more than they are there, so that none can be added.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

/// What is signed, where it is there.
const SIGNED: [&str; 10] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "Content-Language",
];

/// What programs show, or act by: a second one of these makes the signature wrong.
const ALONE: [&str; 8] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
];

/// Where a key is: `SELECTOR=PATH`, or `SELECTOR=-----BEGIN …`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyPlace {
    selector: String,
    key: Kept,
}

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    In(PathBuf),
    Here(String),
}

impl std::fmt::Debug for KeyPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPlace")
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

impl KeyPlace {
    /// Reads a setting. What is refused is never repeated: it may be a key.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (selector, key) = text
            .split_once('=')
            .ok_or("write SELECTOR=PATH of a private key in PEM, such as eencent1=/etc/eencent/dkim.pem")?;
        let label = |label: &str| {
            let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            inner && !label.is_empty() && !label.starts_with('-') && label.len() <= 63
        };
        if !selector.split('.').all(label) {
            return Err("what stands before the = is no selector: letters, digits and hyphens".to_owned());
        }
        let key = match key.trim() {
            "" => return Err("the key is missing: write the path of a private key in PEM".to_owned()),
            pem if pem.starts_with("-----BEGIN") => Kept::Here(pem.to_owned()),
            path => Kept::In(PathBuf::from(path)),
        };
        let selector = selector.to_owned();
        Ok(Self { selector, key })
    }

    /// Reads the key.
    ///
    /// # Errors
    /// A sentence that names the selector.
    pub(crate) fn open(&self, domain: &str) -> Result<Signer, String> {
        let selector = &self.selector;
        let pem = match &self.key {
            Kept::Here(pem) => pem.clone(),
            Kept::In(path) => fs::read_to_string(path)
                .map_err(|error| format!("{selector}: the key {} can't be read: {error}", path.display()))?,
        };
        Ok(Signer {
            selector: selector.clone(),
            domain: domain.to_owned(),
            key: Key::from_pem(&pem).map_err(|reason| format!("{selector}: {reason}"))?,
        })
    }
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl Key {
    fn from_pem(pem: &str) -> Result<Self, String> {
        const FORMS: &str =
            "it is not a private key that can sign: RSA of 2048 to 4096 bits, or Ed25519, unencrypted, in PEM";
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| FORMS.to_owned())?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Self::rsa).ok(),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                // OpenSSL leaves the public half out.
                let edwards = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(|key| Self::Ed25519(Box::new(key)));
                edwards.or_else(|_| RsaKeyPair::from_pkcs8(der).map(Self::rsa)).ok()
            }
            _ => None,
        };
        key.ok_or_else(|| FORMS.to_owned())
    }

    fn rsa(key: RsaKeyPair) -> Self {
        Self::Rsa(Box::new(key))
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// `None` only when the operating system gives no randomness, which hides the key while it is used and has no
    /// part in the signature.
    fn sign(&self, data: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::Ed25519(key) => Some(key.sign(&Sha256::digest(data)).as_ref().to_vec()),
        }
    }

    /// What is published of it.
    fn record(&self) -> String {
        match self {
            Self::Rsa(key) => format!(
                "v=DKIM1; k=rsa; p={}",
                STANDARD.encode(public_key_info(key.public().as_ref()))
            ),
            Self::Ed25519(key) => format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.public_key().as_ref())),
        }
    }
}

/// An RSA public key in the form that resolvers expect: SubjectPublicKeyInfo (RFC 5280).
fn public_key_info(key: &[u8]) -> Vec<u8> {
    /// SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }
    const RSA: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let mut bits = vec![0];
    bits.extend_from_slice(key);
    let mut inner = RSA.to_vec();
    inner.extend(der(0x03, &bits));
    der(0x30, &inner)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.extend(u8::try_from(length));
    } else {
        let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        out.extend(u8::try_from(0x80 + bytes.len()));
        out.extend(bytes);
    }
    out.extend_from_slice(content);
    out
}

/// A domain's key, ready to sign.
pub(crate) struct Signer {
    selector: String,
    domain: String,
    key: Key,
}

impl Signer {
    /// The record to publish: its name, and its text.
    pub(crate) fn record(&self) -> (String, String) {
        (
            format!("{}._domainkey.{}", self.selector, self.domain),
            self.key.record(),
        )
    }

    /// The header to put before the message, with its line break; `None` when the operating system gives no
    /// randomness.
    pub(crate) fn sign(&self, message: &[u8], at: Timestamp) -> Option<String> {
        let (head, body) = split(message);
        let headers = headers(head);
        let there = |name: &&str| headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
        let named: Vec<&str> = SIGNED.iter().copied().filter(there).chain(ALONE).collect();
        let body_hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
        let unsigned = format!(
            "v=1; a={}; c=relaxed/relaxed; d={}; s={};\r\n\tt={};\r\n\th={};\r\n\tbh={};\r\n\tb=",
            self.key.algorithm(),
            self.domain,
            self.selector,
            at.unix_seconds(),
            named.join(":\r\n\t "),
            body_hash,
        );
        let mut data = String::new();
        for name in named.iter().take(named.len() - ALONE.len()) {
            let value = headers.iter().rev().find(|(one, _)| one.eq_ignore_ascii_case(name));
            // Those that are named once more than they are there add nothing.
            if let Some((_, value)) = value {
                data.push_str(&relaxed_header(name, value));
                data.push_str("\r\n");
            }
        }
        data.push_str(&relaxed_header("DKIM-Signature", &unsigned));
        let signature = STANDARD.encode(self.key.sign(data.as_bytes())?);
        let mut folded = String::new();
        for (place, c) in signature.chars().enumerate() {
            if place > 0 && place % 70 == 0 {
                folded.push_str("\r\n\t ");
            }
            folded.push(c);
        }
        Some(format!("DKIM-Signature: {unsigned}{folded}\r\n"))
    }
}

fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    match end {
        Some(at) => (
            message.get(..at + 2).unwrap_or_default(),
            message.get(at + 4..).unwrap_or_default(),
        ),
        None => (message, &[]),
    }
}

/// Names and values, still folded.
fn headers(head: &[u8]) -> Vec<(String, String)> {
    let head = String::from_utf8_lossy(head);
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = headers.last_mut()
        {
            value.push_str(line);
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    headers
}

/// RFC 6376, 3.4.2.
fn relaxed_header(name: &str, value: &str) -> String {
    let words: Vec<&str> = value
        .split([' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty())
        .collect();
    format!("{}:{}", name.to_ascii_lowercase(), words.join(" "))
}

/// RFC 6376, 3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.split("\r\n") {
        let mut kept = String::with_capacity(line.len());
        for c in line.trim_end_matches([' ', '\t']).chars() {
            match c {
                ' ' | '\t' if kept.ends_with(' ') => {}
                ' ' | '\t' => kept.push(' '),
                other => kept.push(other),
            }
        }
        if kept.is_empty() {
            empty += 1;
            continue;
        }
        out.push_str(&"\r\n".repeat(empty));
        empty = 0;
        out.push_str(&kept);
        out.push_str("\r\n");
    }
    out.into_bytes()
}

#[cfg(test)]
#[path = "dkim_tests.rs"]
mod tests;
