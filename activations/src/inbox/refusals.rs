//! Requests that were not believed: recorded in samples, so that a flood fills no disk.

use std::collections::HashMap;

use crate::notification::Refusal;
use crate::store::{Store, StoreError};

/// Most refusals of one endpoint that are recorded in a minute.
const REFUSALS_A_MINUTE: u32 = 20;

/// How many refusals are kept in all.
const REFUSALS_KEPT: i64 = 10_000;

/// Lets through a bounded number of refusals an endpoint and minute.
#[derive(Default)]
pub(super) struct Sampler {
    minute: i64,
    kept: HashMap<String, u32>,
}

impl Sampler {
    pub(super) fn keeps(&mut self, refusal: &Refusal) -> bool {
        let minute = refusal.received_at.unix_seconds().div_euclid(60);
        if minute != self.minute {
            self.minute = minute;
            self.kept.clear();
        }
        let kept = self.kept.entry(refusal.endpoint.clone()).or_default();
        *kept = kept.saturating_add(1);
        *kept <= REFUSALS_A_MINUTE
    }
}

pub(super) async fn store_refusals(store: &Store, refusals: &[Box<Refusal>]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    for refusal in refusals {
        sqlx::query(
            "INSERT INTO refusals (request_id, endpoint, received_at, code, reason, claimed_id, remote) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (request_id) DO NOTHING",
        )
        .bind(refusal.request_id.as_str())
        .bind(refusal.endpoint.as_str())
        .bind(refusal.received_at.micros())
        .bind(refusal.code.as_str())
        .bind(refusal.reason.as_str())
        .bind(refusal.claimed_id.as_deref())
        .bind(refusal.remote.as_str())
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query(
        "DELETE FROM refusals WHERE received_at < (SELECT received_at FROM refusals ORDER BY received_at DESC LIMIT 1 OFFSET $1)",
    )
    .bind(REFUSALS_KEPT)
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}
