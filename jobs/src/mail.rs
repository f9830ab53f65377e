//! E-mail: from what happened to a letter in somebody's hands.
//!
//! - [`templates`]: where texts come from: compiled in, or an operator's folder.
//! - [`render`] and [`blocks`]: templates in two languages become a subject, a text and a page; [`samples`]: what they
//!   are checked with, and [`preview`]: shown with; [`pen`]: one that isn't sent yet.
//! - [`letter`]: these become one message, the same bytes at each attempt; [`dkim`]: signed.
//! - [`settings`]: what of this an operator sets.
//! - [`address`]: where messages go, read from the settings into a type that can't
//!   be wrong.
//! - [`smtp`] and [`files`]: the two ways to go there.

mod address;
mod blocks;
mod dkim;
mod files;
mod letter;
mod pen;
pub(crate) mod preview;
mod render;
mod samples;
pub(crate) mod settings;
mod smtp;
mod templates;

#[cfg(test)]
mod docs_tests;
#[cfg(test)]
pub(crate) mod pretend_server;
#[cfg(test)]
mod smtp_tests;
#[cfg(test)]
mod templates_tests;
#[cfg(test)]
pub(crate) use samples::samples;

pub(crate) use address::{Destination, Encryption};
pub(crate) use dkim::Signer;
pub(crate) use letter::{Sealed, Stationery};
pub(crate) use pen::TemplatePen;
pub(crate) use render::Renderer;
pub(crate) use settings::{CheckedMail, Mailer};
pub(crate) use templates::Templates;

/// Why a message wasn't taken: each text as it goes onto the row
/// ([`Trouble::told`](eencent_activations::desk::Trouble::told)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not now: the network, a busy server, greylisting, or settings somebody has to mend.
    Later(String),
    /// It was handed over and no answer came: it may have arrived.
    Uncertain(String),
    /// Not this message to this recipient, ever.
    Never(String),
}

/// The way that messages go.
pub(crate) enum Transport {
    /// To a mail server.
    Smtp(smtp::Smtp),
    /// Into a folder.
    Files(files::Files),
}

impl Transport {
    /// `connections` is how many are open at once to a server; certificates of `ca` are trusted beside the system's.
    ///
    /// # Errors
    /// When the certificates can't be read: a sentence.
    pub(crate) fn new(
        destination: &Destination,
        timeout: std::time::Duration,
        connections: usize,
        ca: Option<&std::path::Path>,
    ) -> Result<Self, String> {
        let ca = ca.map(smtp::certificates).transpose()?;
        Ok(match destination {
            Destination::Server(server) => Self::Smtp(smtp::Smtp::new(server.clone(), timeout, connections, ca)),
            Destination::Folder(folder) => Self::Files(files::Files::new(folder.clone())),
        })
    }

    /// Hands one message over.
    pub(crate) async fn hand_over(&self, sealed: &Sealed) -> Result<(), Refused> {
        match self {
            Self::Smtp(smtp) => smtp.hand_over(sealed).await,
            Self::Files(files) => files.hand_over(sealed).await,
        }
    }

    /// Whether a message could be handed over: greets the server and says goodbye, or writes a file
    /// and removes it. A sentence when not.
    pub(crate) async fn check(&self) -> Result<(), String> {
        match self {
            Self::Smtp(smtp) => smtp.check().await,
            Self::Files(files) => files.check().await,
        }
    }
}
