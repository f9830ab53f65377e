//! The inbox: verified messages, committed before the provider gets its answer.
//!
//! Commits are shared. While one transaction is being written to disk, what arrives meanwhile
//! gathers; the next transaction takes all of it. A lone message waits for nobody.
//!
//! If we crash before the commit, the provider got no answer and sends again. If we crash between the
//! commit and the answer, it sends again too, and the repeat is recognised by what was committed.

pub(crate) mod anew;
mod counts;
mod refusals;
mod rereads;
mod seen;
mod taking;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::ledger::{Nudge, Work};
use crate::notification::{Receipt, Refusal};
use crate::store::{Store, StoreError};
use counts::Counts;
use refusals::{Sampler, store_refusals};
pub use rereads::Question;
pub(crate) use seen::{forget_who, seen_of};
use taking::Prepared;

/// Most messages that share a transaction.
const LARGEST_GROUP: usize = 256;

/// Most messages that wait for one; beyond it senders are told to come back.
const WAITING_ROOM: usize = 2_048;

/// What was posted could not be stored; the provider has to send it again.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// More is waiting than can be stored soon.
    #[error("too many notifications are waiting to be stored")]
    Full,
    /// The inbox has been closed.
    #[error("the program is stopping")]
    Closed,
    /// The store refused.
    #[error("the notification could not be stored")]
    Store(#[source] Arc<StoreError>),
}

enum Item {
    Message(Box<Prepared>, oneshot::Sender<Result<(), InboxError>>),
    Refusal(Box<Refusal>),
    Close(oneshot::Sender<()>),
}

/// Takes verified messages and commits them. Clones share the same writer.
#[derive(Clone)]
pub struct Inbox {
    items: mpsc::Sender<Item>,
    /// Before the channel: a flood of refusals must not take the room of what was believed.
    sampler: Arc<Mutex<Sampler>>,
    counts: Arc<Counts>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

impl Inbox {
    /// Starts the writer on the current tokio runtime.
    pub fn start(store: Store, nudge: Arc<dyn Nudge>) -> Self {
        let (items, receiver) = mpsc::channel(WAITING_ROOM);
        let counts = Arc::<Counts>::default();
        tokio::spawn(write(store, nudge, receiver, Arc::clone(&counts)));
        Self {
            items,
            sampler: Arc::default(),
            counts,
        }
    }

    /// Commits a message with its events. When this returns `Ok`, they survive a crash; a repeat of
    /// what was committed before is `Ok` as well.
    ///
    /// # Errors
    /// When nothing was stored, or (with [`InboxError::Closed`]) when that isn't known.
    pub async fn commit(&self, receipt: Receipt) -> Result<(), InboxError> {
        let (endpoint, received_at) = (receipt.endpoint.clone(), receipt.received_at);
        let prepared = Prepared::of(receipt).map_err(|error| InboxError::Store(Arc::new(error)))?;
        let (answer, answered) = oneshot::channel();
        let item = Item::Message(Box::new(prepared), answer);
        self.items.try_send(item).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => InboxError::Full,
            mpsc::error::TrySendError::Closed(_) => InboxError::Closed,
        })?;
        answered.await.unwrap_or(Err(InboxError::Closed))?;
        self.counts.taken(endpoint, received_at);
        Ok(())
    }

    /// Counts, and records in samples, that a request was not believed. Never waits.
    pub fn refused(&self, refusal: Refusal) {
        self.counts.refused(&refusal);
        let keeps = {
            let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
            sampler.keeps(&refusal)
        };
        if !keeps {
            return;
        }
        // Dropping one of a flood is what sampling is for.
        let _ = self.items.try_send(Item::Refusal(Box::new(refusal)));
    }

    /// Ends the writer after everything that was handed in is stored.
    pub async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.items.send(Item::Close(done)).await.is_ok() {
            let _ = ended.await;
        }
    }
}

type Answer = oneshot::Sender<Result<(), InboxError>>;

async fn write(store: Store, nudge: Arc<dyn Nudge>, mut items: mpsc::Receiver<Item>, counts: Arc<Counts>) {
    let mut group = Vec::new();
    let mut kept = tokio::time::Instant::now();
    loop {
        group.clear();
        let came = tokio::time::timeout(counts::EVERY, items.recv_many(&mut group, LARGEST_GROUP)).await;
        if came == Ok(0) {
            return;
        }
        let mut messages: Vec<(Box<Prepared>, Answer)> = Vec::new();
        let mut refusals = Vec::new();
        let mut closing = None;
        for item in group.drain(..) {
            match item {
                Item::Message(message, answer) => messages.push((message, answer)),
                Item::Refusal(refusal) => refusals.push(refusal),
                Item::Close(done) => closing = Some(done),
            }
        }
        commit_messages(&store, nudge.as_ref(), messages).await;
        if !refusals.is_empty()
            && let Err(error) = store_refusals(&store, &refusals).await
        {
            tracing::warn!(error = %error, "a refused request could not be recorded");
        }
        if closing.is_some() || kept.elapsed() >= counts::EVERY {
            counts.keep(&store).await;
            kept = tokio::time::Instant::now();
        }
        if let Some(done) = closing {
            let _ = done.send(());
            return;
        }
    }
}

async fn commit_messages(store: &Store, nudge: &dyn Nudge, messages: Vec<(Box<Prepared>, Answer)>) {
    if messages.is_empty() {
        return;
    }
    metrics::histogram!("eencent_inbox_group").record(u32::try_from(messages.len()).unwrap_or(u32::MAX));
    let group: Vec<&Prepared> = messages.iter().map(|(message, _)| message.as_ref()).collect();
    match commit_group(store, &group).await {
        Ok(waiting) => {
            for (_, answer) in messages {
                let _ = answer.send(Ok(()));
            }
            for (work, id) in waiting {
                nudge.look(work, &id);
            }
        }
        Err(error) if messages.len() == 1 => {
            let error = Arc::new(error);
            tracing::error!(error = %error, cause = ?std::error::Error::source(&*error), "a notification could not be stored");
            for (_, answer) in messages {
                let _ = answer.send(Err(InboxError::Store(error.clone())));
            }
        }
        // One message that can't be stored must not cost the others theirs.
        Err(_) => {
            for (message, answer) in messages {
                let result = commit_group(store, &[message.as_ref()]).await;
                let result = result.map_err(|error| InboxError::Store(Arc::new(error)));
                if let Ok(waiting) = &result {
                    waiting.iter().for_each(|(work, id)| nudge.look(*work, id));
                }
                let _ = answer.send(result.map(|_| ()));
            }
        }
    }
}

/// So often a group is tried in all when another receiver stores the same at the same moment.
const TRIES: usize = 3;

async fn commit_group(store: &Store, group: &[&Prepared]) -> Result<Vec<(Work, String)>, StoreError> {
    for _ in 1..TRIES {
        match taking::commit(store, group).await {
            Err(error) if error.is_passing_conflict() => {}
            result => return result,
        }
    }
    taking::commit(store, group).await
}
