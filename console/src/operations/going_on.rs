//! Orders over many rows may take longer than somebody waits for a page: they go on without anybody, and the audit has
//! their report.

use std::future::Future;
use std::time::Duration;

use eencent_activations::refused::DeskError;

use crate::trouble::Trouble;

/// A page waits so long for an order.
const PATIENCE: Duration = Duration::from_secs(15);

/// What came of it; `None` when it goes on behind the page's back. Closing the browser doesn't end it either.
pub(super) async fn waited_for<T: Send + 'static>(
    order: impl Future<Output = Result<T, DeskError>> + Send + 'static,
) -> Result<Option<T>, Trouble> {
    let mut going = tokio::spawn(async move {
        let done = order.await;
        if let Err(error) = &done {
            tracing::warn!(%error, "an order of operations ended early; what was done stays done");
        }
        done
    });
    match tokio::time::timeout(PATIENCE, &mut going).await {
        Ok(Ok(done)) => Ok(Some(done?)),
        Ok(Err(_)) => Err(Trouble::Ours),
        Err(_) => Ok(None),
    }
}
