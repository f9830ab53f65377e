//! E-mail: from what happened to a letter in somebody's hands.
//!
//! - [`render`]: templates in two languages become a subject, a text and a page.
//! - [`letter`]: these become one message, the same bytes at each attempt.
//! - [`address`]: where messages go, read from the settings into a type that can't
//!   be wrong.
//! - [`smtp`] and [`files`]: the two ways to go there.

mod address;
mod files;
mod letter;
mod render;
mod smtp;

#[cfg(test)]
pub(crate) mod pretend_server;
#[cfg(test)]
mod smtp_tests;

pub(crate) use address::{Destination, Encryption};
pub(crate) use letter::{Sealed, Stationery};
pub(crate) use render::Renderer;

/// Why a message wasn't taken.
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
    /// `connections` is how many are open at once to a server.
    pub(crate) fn new(destination: &Destination, timeout: std::time::Duration, connections: usize) -> Self {
        match destination {
            Destination::Server(server) => Self::Smtp(smtp::Smtp::new(server.clone(), timeout, connections)),
            Destination::Folder(folder) => Self::Files(files::Files::new(folder.clone())),
        }
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
