//! The signs that this process gives of being alive, so that the others take over only what a dead one held.
//!
//! They go out from the runtime that the work runs on: a process that hangs gives none.

use std::sync::Arc;

use eencent_activations::clock::Clock;
use eencent_activations::ledger::{BEAT, Pulse};
use eencent_activations::store::Store;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Gives signs until `stop`; `begun` hears of the first.
pub(crate) async fn heartbeat(
    store: Store,
    clock: Arc<dyn Clock>,
    begun: oneshot::Sender<()>,
    stop: CancellationToken,
) {
    let mut pulse = Pulse::default();
    let mut begun = Some(begun);
    loop {
        match store.beat(&mut pulse, clock.now()).await {
            Ok(freed) => {
                if freed > 0 {
                    tracing::info!(freed, "rows that nobody works on are free");
                }
                begun.take().map(|begun| begun.send(()));
            }
            Err(error) => tracing::warn!(%error, "no sign of life could be given"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(BEAT) => {}
        }
    }
}
