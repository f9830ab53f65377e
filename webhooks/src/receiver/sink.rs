//! Where proven messages go, and how much a request may take.

use std::time::Duration;

use async_trait::async_trait;
use eencent_activations::notification::{Receipt, Refusal};

use super::unproven::Allowance;

/// Where proven messages go. The store implements it.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Commits a message and what it says, in one transaction. When it returns `Ok`, the message
    /// survives the loss of power; a repeat of one that is stored already is `Ok` too. It may be
    /// dropped at any point when the deadline passes; whether it was stored is then unknown, and the
    /// provider's retry is a repeat.
    ///
    /// # Errors
    /// [`Unavailable`] when nothing was stored. Nothing else is an error: what can't be used is
    /// stored and set apart.
    async fn commit(&self, receipt: Receipt) -> Result<(), Unavailable>;

    /// Hears of a request that was not believed. Returns at once and never fails: it is called on
    /// the path of a flood, and may keep samples only.
    fn refused(&self, refusal: Refusal);
}

/// The message could not be stored. Displays as the cause, for the log; the provider is only told to
/// come back.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Unavailable {
    cause: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Unavailable {
    /// Because of this, in words without personal data.
    pub fn because(cause: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            source: None,
        }
    }

    /// Because of an error.
    pub fn from_error(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            cause: error.to_string(),
            source: Some(Box::new(error)),
        }
    }
}

/// What one request may take.
///
/// Memory has a bound because of them: a connection holds one request at a time, whose body is at most
/// [`Self::body_bytes`], and so many more wait in the inbox as it lets in. The rest is the listener's
/// number of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a body. Providers send a few thousand; default 65,536.
    pub body_bytes: usize,
    /// Most time for the body to come in. Default 10 seconds.
    pub body_time: Duration,
    /// Most time from a request's head to its answer, the commit included. Default 8 seconds; less for
    /// providers that give up sooner than after ten.
    pub commit_time: Duration,
    /// What an address may send to an endpoint that proves nothing.
    pub unproven: Allowance,
}

impl Limits {
    /// Most time for an answer that a provider waits so long for: a fifth of it is left for the way.
    pub(super) fn answer_within(&self, deadline: Duration) -> Duration {
        self.commit_time.min(deadline * 4 / 5)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            body_time: Duration::from_secs(10),
            commit_time: Duration::from_secs(8),
            unproven: Allowance::default(),
        }
    }
}
