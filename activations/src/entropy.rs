//! Randomness, and the ids and secrets that are made of it.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::clock::Timestamp;

/// A source of unpredictable bytes. The operating system's in production, a counted one in tests.
pub trait Entropy: Send + Sync {
    /// Fills `buffer`.
    ///
    /// # Errors
    /// When the operating system has no randomness to give. Nothing may be made up instead.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The operating system refused to give random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy;

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}

/// Repeats the same bytes in the same order at every start: for tests and snapshots only, where
/// ids must be the same each time.
#[derive(Debug, Default)]
pub struct CountedEntropy(AtomicU64);

impl Entropy for CountedEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in buffer.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::digest(number.to_be_bytes());
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
        Ok(())
    }
}

/// A new id such as `act_01JD5W9A4H8S6P0D2E7XGK5NQM`: sorts by time, and can't collide.
///
/// # Errors
/// When there is no randomness.
pub fn new_id(prefix: &str, now: Timestamp, entropy: &dyn Entropy) -> Result<String, NoEntropy> {
    let mut bytes = [0_u8; 16];
    entropy.fill(&mut bytes)?;
    let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
    let id = Ulid::from_parts(millis, u128::from_be_bytes(bytes));
    Ok(format!("{prefix}_{id}"))
}
