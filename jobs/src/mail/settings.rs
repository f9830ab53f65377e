//! The section `[mail]`, read and checked; and what it says made ready to use.

use std::path::PathBuf;
use std::time::Duration;

use lettre::Address;
use lettre::message::Mailbox;
use serde::Deserialize;

use super::dkim::KeyPlace;
use super::{Destination, Encryption, Renderer, Stationery, Templates, Transport};
use crate::settings::Problems;

/// `[mail]`: how e-mails leave.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// `smtp://…`, `smtps://…` or `file:DIR`.
    pub url: String,
    /// Who writes: `Name <address>`.
    pub from: String,
    /// Where answers go; empty for support's address, else the one in `from`.
    pub reply_to: String,
    /// Where servers report what they could not deliver; empty for the address in `from`.
    pub bounce_to: String,
    /// A folder with templates in the place of those that are compiled in; empty: none.
    pub templates: String,
    /// So many e-mails are begun in a minute, by all processes together; 0: no limit.
    pub most_a_minute: u32,
    /// Keys that e-mails are signed with, each as `SELECTOR=PATH`.
    pub dkim_keys: Vec<String>,
    /// Whose signature it is; empty for the domain in `from`.
    pub dkim_domain: String,
    /// A file with certificates that are trusted beside the system's; empty: none.
    pub ca_file: String,
    /// How long a server may take for everything before the message, and again for the message.
    pub timeout_seconds: u64,
    /// So many connections to the server at once.
    pub connections: u32,
}

/// The address may hold a password, and keys may stand in the settings, so they aren't shown.
impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings")
            .field("from", &self.from)
            .field("reply_to", &self.reply_to)
            .field("timeout_seconds", &self.timeout_seconds)
            .finish_non_exhaustive()
    }
}

/// `[mail]`, checked. What its files say is read when it is [opened](Self::open).
#[derive(Debug, Clone)]
pub(crate) struct CheckedMail {
    pub(crate) destination: Destination,
    pub(crate) from: Mailbox,
    pub(crate) reply_to: Option<Mailbox>,
    bounce_to: Option<Address>,
    templates: Option<PathBuf>,
    pub(crate) most_a_minute: u32,
    dkim_keys: Vec<KeyPlace>,
    dkim_domain: String,
    ca_file: Option<PathBuf>,
    pub(crate) timeout: Duration,
    connections: usize,
}

/// Everything that sending e-mails takes.
pub(crate) struct Mailer {
    pub(crate) renderer: Renderer,
    pub(crate) stationery: Stationery,
    pub(crate) transport: Transport,
}

impl MailSettings {
    pub(crate) fn checked(&self, problems: &mut Problems) -> Option<CheckedMail> {
        let destination = problems.take("mail.url", Destination::parse(&self.url));
        let from = problems.take("mail.from", mailbox(&self.from));
        let reply_to = match self.reply_to.as_str() {
            "" => Some(None),
            text => problems.take("mail.reply_to", mailbox(text)).map(Some),
        };
        let bounce_to = match self.bounce_to.as_str() {
            "" => Some(None),
            text => problems.take("mail.bounce_to", address(text)).map(Some),
        };
        let keys: Vec<Option<KeyPlace>> = self
            .dkim_keys
            .iter()
            .map(|text| problems.take("mail.dkim_keys", KeyPlace::parse(text)))
            .collect();
        let domain = match (self.dkim_domain.as_str(), &from) {
            ("", Some(from)) => Some(from.email.domain().to_owned()),
            ("", None) => None,
            (text, _) => problems.take("mail.dkim_domain", domain(text)),
        };
        let connections = problems.within("mail.connections", self.connections.into(), 1, 100);
        let timeout = problems.within("mail.timeout_seconds", self.timeout_seconds, 1, 600);
        problems.within("mail.most_a_minute", self.most_a_minute.into(), 0, 1_000_000);
        Some(CheckedMail {
            destination: destination?,
            from: from?,
            reply_to: reply_to?,
            bounce_to: bounce_to?,
            templates: path(&self.templates),
            most_a_minute: self.most_a_minute,
            dkim_keys: keys.into_iter().collect::<Option<_>>()?,
            dkim_domain: domain?,
            ca_file: path(&self.ca_file),
            timeout: Duration::from_secs(timeout),
            connections: usize::try_from(connections).unwrap_or(1),
        })
    }
}

impl CheckedMail {
    /// Reads templates, keys and certificates, and renders every template with sample data.
    ///
    /// # Errors
    /// Everything that is wrong, each a sentence that begins with its key.
    pub(crate) fn open(&self) -> Result<Mailer, Vec<String>> {
        let mut problems = Vec::new();
        let mut keyed = |key: &str, told: Vec<String>| {
            problems.extend(told.into_iter().map(|one| format!("{key}: {one}")));
        };
        let renderer = self.renderer().map_err(|told| keyed("mail.templates", told)).ok();
        let stationery = self.stationery().map_err(|told| keyed("mail.dkim_keys", told)).ok();
        let ca = self.ca_file.as_deref();
        let transport = Transport::new(&self.destination, self.timeout, self.connections, ca)
            .map_err(|told| keyed("mail.ca_file", vec![told]))
            .ok();
        match (renderer, stationery, transport) {
            (Some(renderer), Some(stationery), Some(transport)) => Ok(Mailer {
                renderer,
                stationery,
                transport,
            }),
            _ => Err(problems),
        }
    }

    pub(crate) fn renderer(&self) -> Result<Renderer, Vec<String>> {
        let sender = self.from.name.as_deref().unwrap_or_else(|| self.from.email.domain());
        Renderer::new(Templates::read(self.templates.as_deref())?, sender)
    }

    pub(crate) fn stationery(&self) -> Result<Stationery, Vec<String>> {
        let (mut signers, mut problems) = (Vec::new(), Vec::new());
        for place in &self.dkim_keys {
            match place.open(&self.dkim_domain) {
                Ok(signer) => signers.push(signer),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Stationery {
            from: self.from.clone(),
            reply_to: self.reply_to.clone(),
            bounce_to: self.bounce_to.clone(),
            signers,
        })
    }

    /// What an operator should know of where mail goes, without a password.
    pub(crate) fn goes_to(&self) -> String {
        match &self.destination {
            Destination::Folder(folder) => format!("the folder {}", folder.display()),
            Destination::Server(server) => {
                let how = match server.encryption {
                    Encryption::FromTheStart => "encrypted",
                    Encryption::Required => "encrypted by STARTTLS",
                    Encryption::WhenOffered => "encrypted if the server offers it",
                    Encryption::Loopback => "on this machine, not encrypted",
                };
                format!("the server {}:{}, {how}", server.host, server.port)
            }
        }
    }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    let wrong = || format!("{text:?} is no sender; write name@example.nl or \"Name <name@example.nl>\"");
    if text.chars().any(char::is_control) {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

fn address(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no address; write name@example.nl, without a name before it"))
}

fn domain(text: &str) -> Result<String, String> {
    let fits = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if text.contains('.') && text.split('.').all(fits) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("{text:?} is no domain; write it in ASCII, such as example.nl"))
    }
}
