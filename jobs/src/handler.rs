//! Between the queue and the work: reads what a task says and attempts that row.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;

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
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let (attempts, queue) = (Arc::clone(&self.attempts), Arc::clone(&self.queue));
        // In a task of its own, because the queue's worker may die under it: what is torn off between a claim and its
        // work would leave rows that nobody works on until their leases have run out.
        let group = self.attempts.running.spawn(async move {
            // Side by side, so that they share the transactions of their work.
            let taken = join_all(ids.iter().map(|id| attempts.take(work, id))).await;
            // Their leases run: nothing is waited for.
            let running = taken.into_iter().flatten().map(|taken| {
                let own = Arc::clone(&attempts);
                attempts.running.spawn(async move { own.attempt(taken).await })
            });
            let running: Vec<_> = running.collect();
            // Not before: as long as nothing is claimed, the sweep finds the same rows and would push them once more.
            queue
                .begun(work, &ids.iter().map(String::as_str).collect::<Vec<_>>())
                .await;
            join_all(running).await;
        });
        // It panics as little as what it does.
        let _ = group.await;
        failpoint::pass(Moment::TaskDone);
    }
}
