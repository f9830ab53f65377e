//! What `eencent check` asks of this crate: can mail leave, can the queue's file be used?

use crate::mail::Transport;
use crate::queue::{Queue, QueueError};
use crate::rows::told;
use crate::settings::Checked;

/// Tries the connections of these settings; answers every problem, each a sentence that begins with
/// the key it is about. An empty list is good news. Sends nothing.
pub async fn check(settings: &Checked) -> Vec<String> {
    let mut problems = Vec::new();
    let transport = Transport::new(&settings.destination, settings.mail_timeout, 1);
    if let Err(problem) = transport.check().await {
        problems.push(format!("mail.url: {problem}"));
    }
    let queue = Queue::new(settings.queue.clone());
    match queue.probe().await {
        // It names the key by itself.
        Err(error @ QueueError::Foreign { .. }) => problems.push(error.to_string()),
        Err(error) => problems.push(format!("queue.url: {}", told(&error.into()))),
        Ok(()) => {}
    }
    problems
}
