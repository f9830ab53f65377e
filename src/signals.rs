//! SIGTERM and SIGINT: the first asks for an orderly end, the second ends at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the process says when it was made to end at once: 128 and the number of SIGTERM.
const AT_ONCE: i32 = 143;

/// Cancels `stop` at the first signal, and exits at the second.
///
/// # Errors
/// When signals can't be listened for.
pub fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                tracing::info!("stopping: what is being done is finished first; a second signal ends it at once");
                stop.cancel();
            } else {
                tracing::warn!("ended at once");
                std::process::exit(AT_ONCE);
            }
        }
    });
    Ok(())
}
