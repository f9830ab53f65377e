//! The signs that this process gives of being alive, so that the others take over only what a dead one held.
//!
//! They go out from the runtime that the work runs on: a process that hangs gives none.

use std::sync::Arc;

use eencent_activations::clock::Clock;
use eencent_activations::ledger::{BEAT, Pulse};
use eencent_activations::store::Store;
use tokio_util::sync::CancellationToken;

/// Gives signs until `stop`.
pub(crate) async fn heartbeat(store: Store, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut pulse = Pulse::default();
    loop {
        match store.beat(&mut pulse, clock.now()).await {
            Ok(0) => {}
            Ok(freed) => tracing::info!(freed, "rows that nobody works on are free"),
            Err(error) => tracing::warn!(%error, "no sign of life could be given"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(BEAT) => {}
        }
    }
}
