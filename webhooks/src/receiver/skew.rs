//! Whether this machine's clock is to be doubted.
//!
//! When it is wrong, every message of a scheme that signs the time is refused although its signature is
//! right, and nothing else looks amiss. A replay is refused in the same way; but where several such
//! refusals follow each other with no message in time between them, it is rather the clock.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use eencent_activations::clock::Timestamp;
use metrics::gauge;

use crate::refused::{Code, Refused};

/// So many in a row make a doubt.
const DOUBT: u32 = 3;

/// The log says so at most once in so many seconds.
const SAID_EVERY: u64 = 60;

/// What one endpoint's messages say about the clock.
pub(super) struct Skew {
    in_a_row: AtomicU32,
    /// When the log last said so, in seconds; before anything was said, `i64::MIN`.
    said: AtomicI64,
}

impl Default for Skew {
    fn default() -> Self {
        Self {
            in_a_row: AtomicU32::new(0),
            said: AtomicI64::new(i64::MIN),
        }
    }
}

impl Skew {
    /// A message was refused. Only those that are rightly signed count: anybody can write a time.
    pub(super) fn refused(&self, endpoint: &str, refused: &Refused, now: Timestamp) {
        if !matches!(refused.code(), Code::Stale | Code::FromTheFuture) {
            return;
        }
        if self.in_a_row.fetch_add(1, Ordering::Relaxed).saturating_add(1) < DOUBT {
            return;
        }
        doubted(endpoint).set(1.0);
        let now = now.unix_seconds();
        let said = self.said.load(Ordering::Relaxed);
        if now.abs_diff(said) >= SAID_EVERY
            && self
                .said
                .compare_exchange(said, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            tracing::warn!(
                endpoint,
                code = refused.code().as_str(),
                "check this machine's clock: rightly signed messages are refused for their time, one after the other. {refused}"
            );
        }
    }

    /// A message was proven, its time included.
    pub(super) fn in_time(&self, endpoint: &str) {
        // Read first: the common case writes nothing.
        if self.in_a_row.load(Ordering::Relaxed) > 0 && self.in_a_row.swap(0, Ordering::Relaxed) >= DOUBT {
            doubted(endpoint).set(0.0);
        }
    }
}

fn doubted(endpoint: &str) -> metrics::Gauge {
    gauge!("eencent_webhook_clock_doubted", "endpoint" => endpoint.to_owned())
}
