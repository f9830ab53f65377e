//! Hints from after a commit: "this row waits", told to the queue before the sweep would find it.
//!
//! A hint must not make its teller wait, nor fail: the receiver has just committed a notification
//! and is about to answer 2xx. So it goes into a bounded channel, and when that is full it is
//! dropped; the sweep finds the row within its second. At the other end hints are taken in batches,
//! as a flood of notifications would else pay one transaction of the queue each.

use std::collections::HashMap;

use eencent_activations::ledger::{Nudge, Work};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Queue;

/// Gives hints to the queue of this process. Handed to the desk and the inbox.
#[derive(Debug, Clone)]
pub struct QueueNudge(mpsc::Sender<(Work, String)>);

/// The other end of [`QueueNudge`]: handed to the workers, which feed the queue from it.
#[derive(Debug)]
pub struct Feeder(mpsc::Receiver<(Work, String)>);

/// A pair of ends that hold at most `capacity` hints between them. Made first, since the desk
/// wants the one end before the workers, which want the desk, can have the other.
pub fn nudge(capacity: usize) -> (QueueNudge, Feeder) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    (QueueNudge(sender), Feeder(receiver))
}

impl Nudge for QueueNudge {
    fn look(&self, work: Work, id: &str) {
        if self.0.try_send((work, id.to_owned())).is_err() {
            metrics::counter!("eencent_nudges_dropped_total", "work" => work.as_str()).increment(1);
        }
    }
}

/// At most so many hints in one push.
const BATCH: usize = 200;

/// Pushes hints until `stop`, or until nobody is left to give any.
pub(crate) async fn push_hints(mut feeder: Feeder, queue: &Queue, stop: &CancellationToken) {
    let mut hints = Vec::with_capacity(BATCH);
    loop {
        let taken = tokio::select! {
            () = stop.cancelled() => return,
            taken = feeder.0.recv_many(&mut hints, BATCH) => taken,
        };
        if taken == 0 {
            return stop.cancelled().await;
        }
        let mut by_work: HashMap<Work, Vec<String>> = HashMap::new();
        for (work, id) in hints.drain(..) {
            by_work.entry(work).or_default().push(id);
        }
        for (work, ids) in by_work {
            if let Err(error) = queue.feed(work, &ids).await {
                // The rows are there; the sweep tells the queue again.
                tracing::warn!(work = work.as_str(), lost = ids.len(), %error, "hints were lost");
            }
        }
    }
}
