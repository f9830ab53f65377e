//! What the jobs do to rows, with whatever else is done at the same moment.
//!
//! Each act is that of the ledger or the desk, and promises the same; only its transaction is shared
//! ([`gathering`](crate::gathering)). A claim is committed before the work begins, as always.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::{Desk, Desking, Kept, Letter, Rendered};
use crate::gathering::{Failed, Gathering};
use crate::ledger::{Claim, Work};
use crate::refused::DeskError;
use crate::store::{Store, StoreError};

/// A row that is to be claimed.
#[derive(Debug, Clone)]
struct Wanted {
    id: String,
    now: Timestamp,
    lease: Duration,
}

/// The store and the desk, many at a time. Clones share the groups.
#[derive(Debug, Clone)]
pub struct Gathered {
    claims: HashMap<Work, Gathering<Wanted, Option<Claim>, StoreError>>,
    events: Gathering<Claim, (), DeskError>,
    approvals: Gathering<Claim, (), DeskError>,
    letters: Gathering<Claim, Letter, DeskError>,
    renderings: Gathering<(Claim, Kept), (), DeskError>,
    sent: Gathering<Claim, (), DeskError>,
}

impl Gathered {
    /// Starts on the current tokio runtime; ends when the last clone is dropped.
    pub fn start(store: &Store, desk: &Desk) -> Self {
        let lanes = store.writers();
        Self {
            claims: Work::ALL.iter().map(|work| (*work, claiming(store, *work))).collect(),
            events: by(desk, lanes, |desk, work, claims: Vec<Claim>| async move {
                desk.process_events_in(work, &claims).await?;
                Ok(nothing_for(&claims))
            }),
            approvals: by(desk, lanes, |desk, work, claims: Vec<Claim>| async move {
                desk.carry_out_all_in(work, &claims).await?;
                Ok(nothing_for(&claims))
            }),
            letters: reading(desk, lanes),
            renderings: by(desk, 1, |desk, work, kept: Vec<(Claim, Kept)>| async move {
                desk.keep_renderings_in(work, &kept).await?;
                Ok(nothing_for(&kept))
            }),
            sent: by(desk, 1, |desk, work, claims: Vec<Claim>| async move {
                desk.emails_sent_in(work, &claims).await?;
                Ok(nothing_for(&claims))
            }),
        }
    }

    /// Takes a row to work on: see [`Store::claim`].
    ///
    /// # Errors
    /// When the store doesn't answer; the row then stays as it was.
    pub async fn claim(
        &self,
        work: Work,
        id: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Claim>, Failed<StoreError>> {
        let Some(claims) = self.claims.get(&work) else {
            return Ok(None);
        };
        let id = id.to_owned();
        claims.ask(Wanted { id, now, lease }).await
    }

    /// Processes an event: see [`Desk::process_event`].
    ///
    /// # Errors
    /// When it fails by itself; nothing was written then.
    pub async fn process_event(&self, claim: &Claim) -> Result<(), Failed<DeskError>> {
        self.events.ask(claim.clone()).await
    }

    /// Carries out an approval: see [`Desk::carry_out`].
    ///
    /// # Errors
    /// When it fails by itself; nothing was written then.
    pub async fn carry_out(&self, claim: &Claim) -> Result<(), Failed<DeskError>> {
        self.approvals.ask(claim.clone()).await
    }

    /// The e-mail of a claim.
    ///
    /// # Errors
    /// When the store doesn't answer, or the row can't be read.
    pub async fn email(&self, claim: &Claim) -> Result<Letter, Failed<DeskError>> {
        self.letters.ask(claim.clone()).await
    }

    /// Keeps what was rendered; what was kept before stays.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn keep_rendering(&self, claim: &Claim, rendered: &Rendered) -> Result<(), Failed<DeskError>> {
        let kept = Kept::of(rendered).map_err(|error| Failed::Itself(error.into()))?;
        self.renderings.ask((claim.clone(), kept)).await
    }

    /// The mail server has taken it. Ends the claim.
    ///
    /// # Errors
    /// When the store doesn't answer: then it will be handed over again, with the same `Message-ID`.
    pub async fn email_sent(&self, claim: &Claim) -> Result<(), Failed<DeskError>> {
        self.sent.ask(claim.clone()).await
    }
}

/// Groups that the desk does, each in a transaction that writes.
fn by<T, R, F>(
    desk: &Desk,
    lanes: usize,
    work: impl Fn(Desk, Desking, Vec<T>) -> F + Send + Sync + 'static,
) -> Gathering<T, R, DeskError>
where
    T: Clone + Send + 'static,
    R: Send + 'static,
    F: Future<Output = Result<Vec<R>, DeskError>> + Send + 'static,
{
    let (desk, beginning) = (desk.clone(), desk.clone());
    let begin = move || {
        let desk = beginning.clone();
        async move { desk.begin_group().await }
    };
    Gathering::start(lanes, begin, move |begun, members| work(desk.clone(), begun, members))
}

/// Letters are read beside what is written.
fn reading(desk: &Desk, lanes: usize) -> Gathering<Claim, Letter, DeskError> {
    let desk = desk.clone();
    let at_once = || std::future::ready(Ok(()));
    Gathering::start(lanes, at_once, move |(), claims: Vec<Claim>| {
        let desk = desk.clone();
        async move { desk.emails(&claims).await }
    })
}

fn claiming(store: &Store, work: Work) -> Gathering<Wanted, Option<Claim>, StoreError> {
    let (store, beginning, forsaking) = (store.clone(), store.clone(), store.clone());
    let begin = move || {
        let store = beginning.clone();
        async move { store.begin().await }
    };
    let claim = move |tx, wanted: Vec<Wanted>| {
        let store = store.clone();
        async move {
            // What is due for one of them is due; the lease counts from then.
            let Some((now, lease)) = wanted.iter().map(|one| (one.now, one.lease)).max() else {
                return Ok(Vec::new());
            };
            let ids: Vec<String> = wanted.into_iter().map(|one| one.id).collect();
            store.claim_many_in(tx, work, &ids, now, lease).await
        }
    };
    // Whoever asked has given up: nobody works on it.
    Gathering::start_with(1, begin, claim, move |claim: Option<Claim>| {
        if let Some(claim) = claim {
            forsaking.forsake(&claim);
        }
    })
}

fn nothing_for<T>(members: &[T]) -> Vec<()> {
    members.iter().map(|_| ()).collect()
}
