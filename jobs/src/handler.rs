//! Between the queue and the work: reads what a task says and attempts that row.

use std::sync::Arc;

use async_trait::async_trait;

use crate::attempt::Attempts;
use crate::queue::{Handler, Queue, read_task};
use eencent_activations::failpoint::{self, Moment};

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
        failpoint::pass(Moment::TaskTaken);
        self.queue.begun(work, &ids).await;
        // Side by side, so that they share the transactions of their work; in tasks of their own, because the queue's
        // worker may die under them: an attempt that is torn off between its claim and its work would leave a row
        // that nobody works on until its lease has run out.
        let attempts = ids.into_iter().map(|id| {
            let (attempts, id) = (Arc::clone(&self.attempts), id.to_owned());
            self.attempts
                .running
                .spawn(async move { attempts.attempt(work, &id).await })
        });
        futures::future::join_all(attempts.collect::<Vec<_>>()).await;
        failpoint::pass(Moment::TaskDone);
    }
}
