//! Between the queue and the work: reads what a task says and attempts that row.

use std::sync::Arc;

use async_trait::async_trait;

use crate::attempt::Attempts;
use crate::queue::{Handler, Queue, read_task};

/// Takes tasks of every kind.
pub(crate) struct TaskHandler {
    pub(crate) queue: Arc<Queue>,
    pub(crate) attempts: Arc<Attempts>,
}

#[async_trait]
impl Handler for TaskHandler {
    async fn handle(&self, task: Vec<u8>) {
        let Some((work, ids)) = read_task(&task) else {
            // From another version, or from somebody's hand. The row it meant, if there is one, is
            // found by the sweep. What it says isn't repeated: it may be anything.
            tracing::warn!(length = task.len(), "a task of the queue says nothing we know");
            metrics::counter!("eencent_tasks_unread_total").increment(1);
            return;
        };
        self.queue.begun(work, &ids).await;
        // Side by side, so that they share the transactions of their work.
        futures::future::join_all(ids.into_iter().map(|id| self.attempts.attempt(work, id))).await;
    }
}
