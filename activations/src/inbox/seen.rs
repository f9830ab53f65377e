//! What has been seen before: repeats, contradictions, and what only fills in.

mod forgetting;

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::clock::Timestamp;
use crate::notification::{Event, PaymentNotification, PaymentStatus, Told};
use crate::store::many::{Columns, Many};
use crate::store::{Store, StoreError, Tx, json, text, to_json};

pub(crate) use forgetting::{forget_who, seen_of};

/// What an event says about money; decides whether two say the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Facts {
    #[serde(default)]
    payment: Option<String>,
    status: Option<String>,
    amount: Option<crate::money::Money>,
    holder: Option<crate::personal::HolderName>,
    account_number: Option<crate::personal::AccountNumber>,
    reference: Option<crate::notification::ReferenceHint>,
    mode: Option<crate::notification::Mode>,
    /// Who paid was erased: what a later message says of that is neither news nor a contradiction.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    forgotten: bool,
}

impl Facts {
    fn of(told: &Told) -> Self {
        let payment = match told {
            Told::Payment(payment) => Some(payment.as_ref()),
            Told::Ignored(_) | Told::Quarantined(_) => None,
        };
        Self {
            payment: payment.map(|p| p.payment_id.clone()),
            status: payment.map(|p| p.status.as_str().to_owned()),
            amount: payment.and_then(|p| p.amount),
            holder: payment.and_then(|p| p.holder.clone()),
            account_number: payment.and_then(|p| p.account_number.clone()),
            reference: payment.and_then(|p| p.reference.clone()),
            mode: payment.and_then(|p| p.mode),
            forgotten: false,
        }
    }

    /// The same without who paid.
    fn forgetting(&self) -> Self {
        Self {
            holder: None,
            account_number: None,
            reference: None,
            forgotten: true,
            ..self.clone()
        }
    }

    /// Whether `later` says anything else of the money.
    fn differs_from(&self, later: &Self) -> bool {
        if self.forgotten {
            *self != later.forgetting()
        } else {
            self != later
        }
    }

    /// Whether `later` contradicts: both say something, and it differs.
    fn contradicted_by(&self, later: &Self) -> bool {
        fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        differ(self.status.as_ref(), later.status.as_ref())
            || differ(self.amount.as_ref(), later.amount.as_ref())
            || differ(self.holder.as_ref(), later.holder.as_ref())
            || differ(self.account_number.as_ref(), later.account_number.as_ref())
            || differ(self.reference.as_ref(), later.reference.as_ref())
            || differ(self.mode.as_ref(), later.mode.as_ref())
    }

    /// Whether `later` fills in what is missing here.
    fn supplemented_by(&self, later: &Self) -> bool {
        (self.amount.is_none() && later.amount.is_some())
            || (!self.forgotten
                && ((self.holder.is_none() && later.holder.is_some())
                    || (self.account_number.is_none() && later.account_number.is_some())
                    || (self.reference.is_none() && later.reference.is_some())))
    }

    /// The same with what only `later` says; of one whose payer was erased, only the amount.
    fn filled_in_by(&self, later: &Self) -> Self {
        let later = if self.forgotten {
            later.forgetting()
        } else {
            later.clone()
        };
        let known = self.clone();
        Self {
            payment: known.payment.or(later.payment),
            status: known.status.or(later.status),
            amount: known.amount.or(later.amount),
            holder: known.holder.or(later.holder),
            account_number: known.account_number.or(later.account_number),
            reference: known.reference.or(later.reference),
            mode: known.mode.or(later.mode),
            forgotten: known.forgotten,
        }
    }
}

/// What became of one event of a message.
pub(super) enum Taken {
    New,
    Repeat { of: String },
    Conflict { with: String, about_money: bool },
}

/// What is compared of one event, computed before it comes to the store.
pub(super) struct Marks {
    event_key: String,
    payment_key: Option<String>,
    conflict_key: String,
    digest: String,
    facts: Facts,
    facts_json: String,
    /// Only what is paid is fixed: refunds come in parts, and an amount on its way may grow.
    fixed: bool,
}

impl Marks {
    pub(super) fn of(event: &Event) -> Result<Self, StoreError> {
        let digest = hex::encode(event.digest);
        let facts = Facts::of(&event.told);
        let payment = match &event.told {
            Told::Payment(payment) => Some(payment.as_ref()),
            Told::Ignored(_) | Told::Quarantined(_) => None,
        };
        Ok(Self {
            event_key: format!("event:{}", event.event_id),
            payment_key: payment.map(payment_key),
            conflict_key: format!("conflict:{}:{digest}", event.event_id),
            facts_json: to_json(&facts)?,
            fixed: payment.is_some_and(|payment| payment.status == PaymentStatus::Paid),
            digest,
            facts,
        })
    }
}

/// A kind of message that never carries the name is another aspect of the payment than the one that
/// does: neither repeats the other.
fn payment_key(payment: &PaymentNotification) -> String {
    let aspect = if payment.name_comes_separately { ":unnamed" } else { "" };
    format!("payment:{}:{}{aspect}", payment.payment_id, payment.status.as_str())
}

/// One event, with where it came from.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) account: &'a str,
    pub(super) at: Timestamp,
    /// The row that it becomes if it is new; unlike that of any other.
    pub(super) id: &'a str,
    pub(super) marks: &'a Marks,
}

/// What a message that is read again by other code says, against what was seen since.
pub(super) struct Anew {
    /// Nothing had this id of an event.
    pub(super) new_event: bool,
    /// Another event said otherwise of the same payment, which can't change any more.
    pub(super) contradicts: Option<String>,
}

/// Remembers what a stored event turns out to say, so that a repeat of it is known as one.
pub(super) async fn read_anew(
    tx: &mut Tx,
    account: &str,
    at: Timestamp,
    id: &str,
    event: &Event,
) -> Result<Anew, StoreError> {
    let marks = Marks::of(event)?;
    let arrival = Arrival {
        account,
        at,
        id,
        marks: &marks,
    };
    let known = remember(tx, vec![arrival.under(&marks.event_key)]).await?;
    let new_event = !stands(&known, &arrival, &marks.event_key);
    let Some(key) = marks.payment_key.as_deref() else {
        return Ok(Anew {
            new_event,
            contradicts: None,
        });
    };
    // What it was taken for is no longer what it says.
    sqlx::query("UPDATE seen SET facts = $1, digest = $2 WHERE account = $3 AND seen_key IN ($4, $5) AND event = $6")
        .bind(marks.facts_json.as_str())
        .bind(marks.digest.as_str())
        .bind(account)
        .bind(marks.event_key.as_str())
        .bind(key)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    let earlier = remember(tx, vec![arrival.under(key)]).await?.into_values().next();
    let contradicts = earlier
        .filter(|first| first.event != id && marks.fixed && first.facts.contradicted_by(&marks.facts))
        .map(|first| first.event);
    Ok(Anew { new_event, contradicts })
}

/// Compares events with what was seen and with each other, in their order, and remembers them.
///
/// What is new is found out by writing it down: a key that stands there already is left as it is, and only when
/// fewer rows were written than were given it is looked who was first. So a group of news costs two statements
/// that return nothing, and two receivers that hear the same at the same moment wait for each other at the key.
pub(super) async fn recognise(store: &Store, tx: &mut Tx, arrivals: &[Arrival<'_>]) -> Result<Vec<Taken>, StoreError> {
    let by_event = arrivals
        .iter()
        .map(|arrival| arrival.under(&arrival.marks.event_key))
        .collect();
    let mut earlier = remember(tx, by_event).await?;
    let news = |arrival: &&Arrival<'_>| !stands(&earlier, arrival, &arrival.marks.event_key);
    let by_payment = arrivals
        .iter()
        .filter(news)
        .filter_map(|arrival| Some(arrival.under(arrival.marks.payment_key.as_deref()?)))
        .collect();
    earlier.extend(remember(tx, by_payment).await?);

    let mut taken = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        taken.push(if stands(&earlier, arrival, &arrival.marks.event_key) {
            another_of_an_event(tx, arrival, &mut earlier).await?
        } else {
            match &arrival.marks.payment_key {
                Some(key) if stands(&earlier, arrival, key) => {
                    let first = held(store, tx, arrival, key).await?;
                    another_of_a_payment(tx, arrival, key, first).await?
                }
                _ => Taken::New,
            }
        });
    }
    Ok(taken)
}

/// The id of the event is known.
async fn another_of_an_event(tx: &mut Tx, arrival: &Arrival<'_>, earlier: &mut Known) -> Result<Taken, StoreError> {
    let marks = arrival.marks;
    let Some(first) = earlier.get(&(arrival.account.to_owned(), marks.event_key.clone())) else {
        return Err(StoreError::Unreadable(format!("seen: {} is gone", marks.event_key)));
    };
    if first.digest == marks.digest {
        return Ok(Taken::Repeat {
            of: first.event.clone(),
        });
    }
    // The same contradiction again is a repeat of itself.
    let keyed = [arrival.under(&marks.conflict_key)];
    if let Some(again) = look_up(tx, &keyed).await?.into_values().next() {
        return Ok(Taken::Repeat { of: again.event });
    }
    remember(tx, keyed.to_vec()).await?;
    Ok(Taken::Conflict {
        about_money: first.facts.differs_from(&marks.facts),
        with: first.event.clone(),
    })
}

/// What stands under a key now, held until the end of the transaction: another receiver may just have filled it in.
async fn held(store: &Store, tx: &mut Tx, arrival: &Arrival<'_>, key: &str) -> Result<Earlier, StoreError> {
    let sql = format!(
        "SELECT event, digest, facts FROM seen WHERE account = $1 AND seen_key = $2{}",
        store.held("seen")
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(arrival.account)
        .bind(key)
        .fetch_optional(&mut **tx)
        .await?;
    let row = row.ok_or_else(|| StoreError::Unreadable(format!("seen: {key} is gone")))?;
    Earlier::read(&row)
}

/// The event is new, and something was said of this payment and status before.
async fn another_of_a_payment(
    tx: &mut Tx,
    arrival: &Arrival<'_>,
    key: &str,
    first: Earlier,
) -> Result<Taken, StoreError> {
    let marks = arrival.marks;
    if first.facts.contradicted_by(&marks.facts) {
        return Ok(if marks.fixed {
            Taken::Conflict {
                with: first.event,
                about_money: true,
            }
        } else {
            Taken::New
        });
    }
    if first.facts.supplemented_by(&marks.facts) {
        let facts = first.facts.filled_in_by(&marks.facts);
        sqlx::query("UPDATE seen SET facts = $1 WHERE account = $2 AND seen_key = $3")
            .bind(to_json(&facts)?)
            .bind(arrival.account)
            .bind(key)
            .execute(&mut **tx)
            .await?;
        return Ok(Taken::New);
    }
    let of = first.event;
    if first.facts.forgotten {
        // Under its own key it was written down a moment ago, with who paid.
        forget_who(tx, &[(arrival.account.to_owned(), marks.event_key.clone())]).await?;
    }
    Ok(Taken::Repeat { of })
}

/// An arrival under one of its keys.
#[derive(Clone, Copy)]
struct Keyed<'a> {
    arrival: Arrival<'a>,
    key: &'a str,
}

impl<'a> Arrival<'a> {
    const fn under(self, key: &'a str) -> Keyed<'a> {
        Keyed { arrival: self, key }
    }
}

/// What was seen, by account and key.
type Known = HashMap<(String, String), Earlier>;

struct Earlier {
    event: String,
    digest: String,
    facts: Facts,
}

impl Earlier {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            event: text(row, "event")?,
            digest: text(row, "digest")?,
            facts: json(row, "facts")?,
        })
    }
}

/// Whether another event was the first under this key.
fn stands(known: &Known, arrival: &Arrival<'_>, key: &str) -> bool {
    !known.is_empty()
        && known
            .get(&(arrival.account.to_owned(), key.to_owned()))
            .is_some_and(|first| first.event != arrival.id)
}

/// Writes down what isn't there yet. Nothing when all of it is new; else who stands under each of the keys.
async fn remember(tx: &mut Tx, mut keyed: Vec<Keyed<'_>>) -> Result<Known, StoreError> {
    const REMEMBER: Many<'static> = Many {
        head: "INSERT INTO seen (account, seen_key, event, digest, facts, seen_at)",
        columns: Columns::Inserted(6),
        tail: " ON CONFLICT (account, seen_key) DO NOTHING",
    };
    // In one order everywhere: two receivers that wait for each other's keys would wait for ever. Of equal
    // keys, the first to arrive stays the first.
    keyed.sort_by(|a, b| (a.arrival.account, a.key).cmp(&(b.arrival.account, b.key)));
    let written = REMEMBER
        .execute(tx, &keyed, |query, Keyed { arrival, key }| {
            query
                .bind(arrival.account)
                .bind(*key)
                .bind(arrival.id)
                .bind(arrival.marks.digest.as_str())
                .bind(arrival.marks.facts_json.as_str())
                .bind(arrival.at.micros())
        })
        .await?;
    if usize::try_from(written) == Ok(keyed.len()) {
        return Ok(Known::new());
    }
    let known = look_up(tx, &keyed).await?;
    // Forgotten between the two statements: the provider gets no answer, and the next try writes it down.
    for Keyed { arrival, key } in keyed {
        if !known.contains_key(&(arrival.account.to_owned(), key.to_owned())) {
            return Err(StoreError::Unreadable(format!("seen: {key} is gone")));
        }
    }
    Ok(known)
}

async fn look_up(tx: &mut Tx, keyed: &[Keyed<'_>]) -> Result<Known, StoreError> {
    const LOOK_UP: Many<'static> = Many {
        head: "WITH asked (account, seen_key) AS (",
        columns: Columns::Typed(&["TEXT", "TEXT"]),
        tail: ") SELECT s.account, s.seen_key, s.event, s.digest, s.facts FROM asked \
               JOIN seen s ON s.account = asked.account AND s.seen_key = asked.seen_key",
    };
    let rows = LOOK_UP
        .fetch(tx, keyed, |query, Keyed { arrival, key }| {
            query.bind(arrival.account).bind(*key)
        })
        .await?;
    rows.iter()
        .map(|row| Ok(((text(row, "account")?, text(row, "seen_key")?), Earlier::read(row)?)))
        .collect()
}

/// How long what was seen is remembered, whatever else is purged: Adyen sends again for 30 days, and
/// a chargeback may come after a year.
const SEEN_FOR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Store {
    /// Forgets what was seen over 400 days ago, a bounded number at a time; how many.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn forget_seen(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let gone = sqlx::query(
            "DELETE FROM seen WHERE seen_at < $1 AND seen_at <= \
             (SELECT MAX(seen_at) FROM (SELECT seen_at FROM seen ORDER BY seen_at LIMIT 500) AS oldest)",
        )
        .bind(now.minus(SEEN_FOR).micros())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}
