//! Purges what `[retention]` says, and gives the disk back what that frees.
//!
//! On SQLite everybody who writes waits for one connection, the receiver of notifications too: so it is
//! taken for a few hundred rows at a time, with a pause after each. A run that is cut short goes on with the
//! next fire, since what is old stays old.

use std::time::Duration;

use eencent_activations::desk::retention::Retention;
use tokio_util::sync::CancellationToken;

use crate::rows::{Office, RowError, told};

/// The others' turn, after each batch.
const PAUSE: Duration = Duration::from_millis(20);

/// One run, until nothing is left to purge or `stop`.
pub(crate) async fn purge(office: &dyn Office, retention: Retention, stop: &CancellationToken) {
    match run(office, retention, stop).await {
        Ok(()) => {}
        Err(error) => tracing::warn!(error = told(&error), "could not purge; the next run goes on"),
    }
}

async fn run(office: &dyn Office, retention: Retention, stop: &CancellationToken) -> Result<(), RowError> {
    let mut run = office.begin_purge(retention)?;
    let mut failed = None;
    while !stop.is_cancelled() {
        match office.purge(&mut run).await {
            Ok(0) => break,
            Ok(_) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    for (kind, rows) in run.counts() {
        metrics::counter!("eencent_purged_total", "kind" => kind.as_str()).increment(*rows);
        tracing::info!(kind = kind.as_str(), rows, "purged");
    }
    if let Some(error) = failed {
        return Err(error);
    }
    while !stop.is_cancelled() && office.give_back().await? {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
