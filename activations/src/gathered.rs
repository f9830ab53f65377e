//! What the jobs do to rows, with whatever else is done at the same moment.
//!
//! Each act is that of the ledger or the desk, and promises the same; only its transaction is shared
//! ([`gathering`](crate::gathering)). A claim is committed before the work begins, as always.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::{Desk, Letter, Rendered};
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
    renderings: Gathering<(Claim, Rendered), (), DeskError>,
    sent: Gathering<Claim, (), DeskError>,
}

impl Gathered {
    /// Starts on the current tokio runtime; ends when the last clone is dropped.
    pub fn start(store: &Store, desk: &Desk) -> Self {
        let lanes = store.writers();
        Self {
            claims: Work::ALL.iter().map(|work| (*work, claiming(store, *work))).collect(),
            events: by(desk, lanes, |desk, claims: Vec<Claim>| async move {
                desk.process_events(&claims).await?;
                Ok(nothing_for(&claims))
            }),
            approvals: by(desk, lanes, |desk, claims: Vec<Claim>| async move {
                desk.carry_out_all(&claims).await?;
                Ok(nothing_for(&claims))
            }),
            letters: by(desk, lanes, |desk, claims: Vec<Claim>| async move {
                desk.emails(&claims).await
            }),
            renderings: by(desk, 1, |desk, rendered: Vec<(Claim, Rendered)>| async move {
                desk.keep_renderings(&rendered).await?;
                Ok(nothing_for(&rendered))
            }),
            sent: by(desk, 1, |desk, claims: Vec<Claim>| async move {
                desk.emails_sent(&claims).await?;
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
        self.renderings.ask((claim.clone(), rendered.clone())).await
    }

    /// The mail server has taken it. Ends the claim.
    ///
    /// # Errors
    /// When the store doesn't answer: then it will be handed over again, with the same `Message-ID`.
    pub async fn email_sent(&self, claim: &Claim) -> Result<(), Failed<DeskError>> {
        self.sent.ask(claim.clone()).await
    }
}

/// Groups that the desk does.
fn by<T, R, F>(
    desk: &Desk,
    lanes: usize,
    work: impl Fn(Desk, Vec<T>) -> F + Send + Sync + 'static,
) -> Gathering<T, R, DeskError>
where
    T: Clone + Send + 'static,
    R: Send + 'static,
    F: Future<Output = Result<Vec<R>, DeskError>> + Send + 'static,
{
    let desk = desk.clone();
    Gathering::start(lanes, move |members| work(desk.clone(), members))
}

fn claiming(store: &Store, work: Work) -> Gathering<Wanted, Option<Claim>, StoreError> {
    let (store, forsaking) = (store.clone(), store.clone());
    let claim = move |wanted: Vec<Wanted>| {
        let store = store.clone();
        async move {
            let Some(Wanted { now, lease, .. }) = wanted.first().cloned() else {
                return Ok(Vec::new());
            };
            // What was due when the first was asked for is due; the lease counts from then.
            let ids: Vec<String> = wanted.into_iter().map(|one| one.id).collect();
            store.claim_many(work, &ids, now, lease).await
        }
    };
    // Whoever asked has given up: nobody works on it.
    Gathering::start_with(1, claim, move |claim: Option<Claim>| {
        if let Some(claim) = claim {
            forsaking.forsake(&claim);
        }
    })
}

fn nothing_for<T>(members: &[T]) -> Vec<()> {
    members.iter().map(|_| ()).collect()
}
