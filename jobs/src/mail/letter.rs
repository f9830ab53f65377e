//! A letter as the one message that goes over the wire: the same bytes at every attempt.
//!
//! When the process dies between a server's "250" and our note of it, the mail is sent again. The
//! recipient's server can only recognise it if it is the same mail, so nothing in it may be made up
//! anew: the `Message-ID` comes with the letter, the `Date` is when the letter was written and not
//! when it is sent, and the boundary between its parts is a hash of its key.
//!
//! Signatures (DKIM) are a function of all that.
//!
//! Names come from strangers. A line break in one would begin a header of its own, so what goes
//! into a header is one line of printable text, and `=?utf-8?…?=` in it is broken up: mail programs
//! decode that even where they should not, and would show what we never wrote.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eencent_activations::clock::Timestamp;
use eencent_activations::desk::{Letter, Rendered};
use eencent_activations::links::LINK_PLACEHOLDER;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::blocks::html_escaped;
use super::dkim::Signer;

/// A message, ready to go.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    /// From whom and to whom, as the server is told.
    pub(crate) envelope: Envelope,
    /// The message.
    pub(crate) bytes: Vec<u8>,
    /// Its name as a file; the same for each repeat.
    pub(crate) file_name: String,
}

/// The letter can't be made into a message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsealed {
    #[error("the address of the recipient can't be written on an e-mail")]
    Recipient(#[source] lettre::address::AddressError),
    #[error("the domain of the recipient can't be written in ASCII")]
    Domain,
    #[error("the e-mail has a link in it, and the letter came without one")]
    Link,
    #[error("the parts of the e-mail don't make a message")]
    Message(#[source] lettre::error::Error),
    #[error("it can't be signed: the operating system gives no randomness")]
    Unsigned,
}

/// What is the same on all letters.
pub(crate) struct Stationery {
    /// Who writes.
    pub(crate) from: Mailbox,
    /// Where answers go; where that isn't set, to support, whom e-mails name, and else to who writes.
    pub(crate) reply_to: Option<Mailbox>,
    /// Where servers report what they could not deliver, if not to who writes.
    pub(crate) bounce_to: Option<Address>,
    /// Each signs.
    pub(crate) signers: Vec<Signer>,
}

impl Stationery {
    /// Makes the message, with the secret link in its place.
    pub(crate) fn seal(&self, letter: &Letter, rendered: &Rendered) -> Result<Sealed, Unsealed> {
        let text = with_link(&rendered.text, letter.link.as_deref(), str::to_owned)?;
        let html = with_link(&rendered.html, letter.link.as_deref(), html_escaped)?;
        let to = Mailbox::new(
            letter.to_name.as_deref().map(one_line).filter(|name| !name.is_empty()),
            recipient(letter.to.as_str())?,
        );
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(one_line(&rendered.subject))
            .date(system_time(letter.created_at))
            .message_id(Some(letter.message_id.clone()));
        if let Some(reference) = &letter.reference {
            message = message.raw_header(header("X-Activation", reference));
        }
        message = message
            // Answering machines stay silent at this (RFC 3834), and Exchange's at the other one. No Precedence and no
            // List headers: each of these is about one activation, and asked for by it.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "OOF, AutoReply"))
            .raw_header(header("Content-Language", &letter.language));
        if let Some(reply_to) = self.reply_to.clone().or_else(|| support(letter)) {
            message = message.reply_to(reply_to);
        }
        let parts = MultiPart::alternative()
            .boundary(boundary(&letter.key))
            .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text))
            .singlepart(SinglePart::builder().header(ContentType::TEXT_HTML).body(html));
        let message = message.multipart(parts).map_err(Unsealed::Message)?;
        let mut envelope = message.envelope().clone();
        if let Some(bounce_to) = &self.bounce_to {
            envelope = Envelope::new(Some(bounce_to.clone()), envelope.to().to_vec()).map_err(Unsealed::Message)?;
        }
        let formatted = message.formatted();
        let mut bytes = Vec::with_capacity(formatted.len());
        for signer in &self.signers {
            let signature = signer.sign(&formatted, letter.created_at).ok_or(Unsealed::Unsigned)?;
            bytes.extend_from_slice(signature.as_bytes());
        }
        bytes.extend(formatted);
        Ok(Sealed {
            envelope,
            bytes,
            file_name: file_name(letter.created_at, &letter.key),
        })
    }
}

/// Support's address, as the e-mail itself names it.
fn support(letter: &Letter) -> Option<Mailbox> {
    let address = letter.data.pointer("/support/email")?.as_str()?;
    Some(Mailbox::new(None, recipient(address).ok()?))
}

/// One line of printable text, at most 200 characters.
pub(crate) fn one_line(text: &str) -> String {
    let printable = text
        .chars()
        .map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c });
    let line: String = printable.collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    words
        .join(" ")
        .replace("=?", "= ?")
        .replace("?=", "? =")
        .chars()
        .take(200)
        .collect()
}

/// Characters that turn the direction of writing, or end a line in some programs.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// A header of ours. Its name is a constant of this file.
fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), one_line(value))
}

fn with_link(text: &str, link: Option<&str>, written: impl Fn(&str) -> String) -> Result<String, Unsealed> {
    if !text.contains(LINK_PLACEHOLDER) {
        return Ok(text.to_owned());
    }
    let link = link.ok_or(Unsealed::Link)?;
    Ok(text.replace(LINK_PLACEHOLDER, &written(link)))
}

/// The address with its domain in ASCII, as every server understands it.
fn recipient(address: &str) -> Result<Address, Unsealed> {
    let (local, domain) = address.rsplit_once('@').ok_or(Unsealed::Domain)?;
    let domain = idna::domain_to_ascii(domain).map_err(|_| Unsealed::Domain)?;
    Address::new(local, domain).map_err(Unsealed::Recipient)
}

fn system_time(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.unix_seconds()).unwrap_or(0);
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn boundary(key: &str) -> String {
    // FNV-1a: unlike the standard library's hash it stays what it is when the compiler is updated.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("=_eencent_{hash:016x}")
}

/// `20260310T090000Z-act_01J…-round_off-1.eml`: sorts by time, one for each key.
fn file_name(created_at: Timestamp, key: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let key: String = key.chars().map(|c| if fits(c) { c } else { '-' }).take(150).collect();
    format!("{}-{key}.eml", created_at.to_utc().format("%Y%m%dT%H%M%SZ"))
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
