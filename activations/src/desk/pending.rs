//! What a transaction has yet to write: rows gathered while a group is worked on, then written table by table,
//! many by one statement.
//!
//! Alone, everything is written at once. Within a group it is written before it is read, and at the end; the
//! order of the tables is that of their references.

use super::deliveries::NewDelivery;
use super::moves::Activation;
use super::payments::Payment;
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::ledger::Claim;
use crate::links::LinksKey;
use crate::refused::DeskError;
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, to_json};

/// A line of the history.
pub(super) struct NewLine {
    pub activation_id: String,
    pub number: i64,
    pub previous: Option<i64>,
    pub at: Timestamp,
    pub happening: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub actor: String,
    pub reason: String,
}

/// A decision with its record.
pub(super) struct NewDecision {
    pub activation_id: String,
    pub number: i64,
    pub at: Timestamp,
    pub outcome: &'static str,
    pub record: String,
}

/// A link, by its hash.
pub(super) struct NewLink {
    pub token_hash: String,
    pub activation_id: String,
    pub number: i64,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// An e-mail to hand over.
pub(super) struct NewEmail {
    pub id: String,
    pub key: String,
    /// None: it is to the house.
    pub activation_id: Option<String>,
    pub number: Option<i64>,
    pub kind: &'static str,
    pub language: String,
    pub recipient: String,
    pub recipient_name: String,
    pub data: String,
    pub link: Option<i64>,
    pub message_id: String,
    pub created_at: Timestamp,
    pub give_up_at: Timestamp,
    /// What it comes of.
    pub traceparent: Option<String>,
}

/// A signed event to the platform.
pub(super) struct NewOutgoing {
    pub id: String,
    pub key: String,
    pub activation_id: String,
    pub number: i64,
    pub kind: String,
    pub payload: String,
    pub created_at: Timestamp,
}

/// A payment that wasn't known, and where its first message came from.
pub(super) struct NewPayment {
    pub payment: Payment,
    pub provider: String,
    pub endpoint: String,
    pub mode: &'static str,
}

/// An event that was worked on, and what it ends as.
pub(super) struct EventEnd {
    pub claim: Claim,
    pub state: &'static str,
    pub activation_id: Option<String>,
}

/// Everything that is yet to be written.
#[derive(Default)]
pub(super) struct Pending {
    pub lines: Vec<NewLine>,
    /// As it is to be, and the version that it has before.
    pub activations: Vec<(Activation, i64)>,
    pub decisions: Vec<NewDecision>,
    pub links: Vec<NewLink>,
    pub emails: Vec<NewEmail>,
    pub outgoing: Vec<NewOutgoing>,
    pub deliveries: Vec<NewDelivery>,
    pub new_payments: Vec<NewPayment>,
    pub payments: Vec<Payment>,
    pub events: Vec<EventEnd>,
    pub approvals: Vec<Claim>,
}

impl Pending {
    /// A move from the version `before`. Of several moves of one activation within a group each has its line, and
    /// the row is written once, as the last leaves it.
    pub(super) fn moved(&mut self, activation: &Activation, before: i64) {
        let moved = &mut self.activations;
        match moved.iter_mut().find(|(pending, _)| pending.id == activation.id) {
            Some((pending, _)) => pending.clone_from(activation),
            None => moved.push((activation.clone(), before)),
        }
    }
}

impl Desk {
    /// Something was added to what is pending: alone it is written now.
    pub(super) async fn wrote(&self, work: &mut Desking) -> Result<(), DeskError> {
        if work.known.is_some() {
            return Ok(());
        }
        self.flush(work).await
    }

    /// Writes everything that is pending.
    pub(super) async fn flush(&self, work: &mut Desking) -> Result<(), DeskError> {
        let pending = std::mem::take(&mut work.pending);
        let now = self.now();
        write_payments(work, &pending, now, &self.rules.links_key).await?;
        write_moves(work, &pending).await?;
        super::support::write_reviews(self, work, &pending).await?;
        write_told(work, &pending).await?;
        end_claims(work, &pending, now).await
    }
}

async fn write_payments(
    work: &mut Desking,
    pending: &Pending,
    now: Timestamp,
    key: &LinksKey,
) -> Result<(), DeskError> {
    const INSERT: Many<'static> = Many {
        head: "INSERT INTO payments (id, account, payment_id, received_at, changed_at, provider, endpoint, mode, status, standing, \
               activation_id, suggested, tied_by, amount_minor, currency, holder_name, account_number, reference, paid_at, \
               paid_at_proven, name_proven, name_awaited_until, conflicting, mode_fits, account_hash)",
        columns: Columns::Inserted(25),
        tail: "",
    };
    const UPDATE: Many<'static> = Many {
        head: "WITH given (row_id, new_received, new_changed, new_status, new_standing, new_activation, new_suggested, new_tied, \
               new_amount, new_currency, new_holder, new_number, new_reference, new_paid, new_paid_proven, new_name_proven, \
               new_awaited, new_conflicting, new_fits, new_hash) AS (",
        columns: Columns::Typed(&[
            "TEXT", "BIGINT", "BIGINT", "TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "BIGINT", "TEXT", "TEXT", "TEXT",
            "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT",
        ]),
        tail: ") UPDATE payments SET received_at = new_received, changed_at = new_changed, status = new_status, \
               standing = new_standing, activation_id = new_activation, suggested = new_suggested, tied_by = new_tied, \
               amount_minor = new_amount, currency = new_currency, holder_name = new_holder, account_number = new_number, \
               reference = new_reference, paid_at = new_paid, paid_at_proven = new_paid_proven, name_proven = new_name_proven, \
               name_awaited_until = new_awaited, conflicting = new_conflicting, mode_fits = new_fits, account_hash = new_hash \
               FROM given WHERE payments.id = given.row_id",
    };
    let mut new = Vec::with_capacity(pending.new_payments.len());
    for one in &pending.new_payments {
        new.push((one, Texts::of(&one.payment, key)?));
    }
    INSERT
        .execute(&mut work.tx, &new, |query, (one, texts)| {
            let p = &one.payment;
            let query = query
                .bind(p.id.as_str())
                .bind(p.account.as_str())
                .bind(p.payment_id.as_str())
                .bind(p.received_at.micros())
                .bind(now.micros())
                .bind(one.provider.as_str())
                .bind(one.endpoint.as_str())
                .bind(one.mode);
            texts.bind(p, query)
        })
        .await?;
    let mut changed = Vec::with_capacity(pending.payments.len());
    for payment in &pending.payments {
        changed.push((payment, Texts::of(payment, key)?));
    }
    UPDATE
        .execute(&mut work.tx, &changed, |query, (p, texts)| {
            let query = query
                .bind(p.id.as_str())
                .bind(p.received_at.micros())
                .bind(now.micros());
            texts.bind(p, query)
        })
        .await?;
    Ok(())
}

/// What of a payment is written as JSON.
struct Texts {
    currency: Option<String>,
    account_number: Option<String>,
    reference: Option<String>,
    account_hash: Option<String>,
}

impl Texts {
    fn of(p: &Payment, key: &LinksKey) -> Result<Self, StoreError> {
        Ok(Self {
            currency: p.amount.map(|amount| amount.currency.to_string()),
            account_number: p.account_number.as_ref().map(to_json).transpose()?,
            reference: p.reference.as_ref().map(to_json).transpose()?,
            account_hash: p.account_number.as_ref().and_then(|number| number.found_by(key)),
        })
    }

    /// The columns that change, from `status` on.
    fn bind<'q>(&'q self, p: &'q Payment, query: crate::store::many::Bound<'q>) -> crate::store::many::Bound<'q> {
        query
            .bind(p.status.as_str())
            .bind(p.standing.as_str())
            .bind(p.activation_id.as_deref())
            .bind(p.suggested.as_deref())
            .bind(p.tied_by.as_deref())
            .bind(p.amount.map(|amount| amount.minor))
            .bind(self.currency.as_deref())
            .bind(p.holder.as_ref().map(|holder| holder.as_str()))
            .bind(self.account_number.as_deref())
            .bind(self.reference.as_deref())
            .bind(p.paid_at.map(Timestamp::micros))
            .bind(i64::from(p.paid_at_proven))
            .bind(i64::from(p.name_proven))
            .bind(p.name_awaited_until.map(Timestamp::micros))
            .bind(i64::from(p.conflicting))
            .bind(i64::from(p.mode_fits))
            .bind(self.account_hash.as_deref())
    }
}

async fn write_moves(work: &mut Desking, pending: &Pending) -> Result<(), DeskError> {
    const LINES: Many<'static> = Many {
        head: "INSERT INTO history (activation_id, number, previous, at, happening, from_state, to_state, actor, reason)",
        columns: Columns::Inserted(9),
        tail: "",
    };
    const ACTIVATIONS: Many<'static> = Many {
        head: "WITH given (row_id, before, new_state, new_version, new_expires, new_remind, new_due, new_made, new_decided, new_reasons, \
               new_flags, new_lacks, new_touched, new_question, new_links, new_asked, new_credit_note, new_traceparent) AS (",
        columns: Columns::Typed(&[
            "TEXT", "BIGINT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "TEXT",
            "BIGINT", "BIGINT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "TEXT",
        ]),
        tail: ") UPDATE activations SET state = new_state, version = new_version, expires_at = new_expires, remind_at = new_remind, \
               due_at = new_due, made_at = new_made, decided_at = new_decided, reasons = new_reasons, flags = new_flags, \
               lacks_only_the_name = new_lacks, touched = new_touched, question = new_question, links = new_links, \
               asked = new_asked, credit_note = new_credit_note, traceparent = new_traceparent, \
               set_apart_at = CASE WHEN state = new_state THEN set_apart_at END, \
               attempts = CASE WHEN state = new_state THEN attempts ELSE 0 END, \
               next_attempt_at = CASE WHEN state = new_state THEN next_attempt_at END \
               FROM given WHERE activations.id = given.row_id AND activations.version = given.before",
    };
    LINES
        .execute(&mut work.tx, &pending.lines, |query, line| {
            query
                .bind(line.activation_id.as_str())
                .bind(line.number)
                .bind(line.previous)
                .bind(line.at.micros())
                .bind(line.happening)
                .bind(line.from)
                .bind(line.to)
                .bind(line.actor.as_str())
                .bind(line.reason.as_str())
        })
        .await?;
    let mut moved = Vec::with_capacity(pending.activations.len());
    for (activation, before) in &pending.activations {
        moved.push((
            activation,
            *before,
            to_json(&activation.reasons)?,
            to_json(&activation.flags)?,
        ));
    }
    let updated = ACTIVATIONS
        .execute(&mut work.tx, &moved, |query, (a, before, reasons, flags)| {
            query
                .bind(a.id.as_str())
                .bind(*before)
                .bind(a.state.as_str())
                .bind(a.version)
                .bind(a.expires_at.map(Timestamp::micros))
                .bind(a.remind_at.map(Timestamp::micros))
                .bind(a.due_at.map(Timestamp::micros))
                .bind(a.made_at.map(Timestamp::micros))
                .bind(a.decided_at.map(Timestamp::micros))
                .bind(reasons.as_str())
                .bind(flags.as_str())
                .bind(i64::from(a.lacks_only_the_name))
                .bind(i64::from(a.touched))
                .bind(a.question.as_deref())
                .bind(a.links)
                .bind(a.asked)
                .bind(a.credit_note)
                .bind(a.trace())
        })
        .await?;
    all_of(updated, moved.len(), || moved.first().map(|(a, ..)| a.id.clone()))
}

async fn write_told(work: &mut Desking, pending: &Pending) -> Result<(), DeskError> {
    const DECISIONS: Many<'static> = Many {
        head: "INSERT INTO decisions (activation_id, number, at, outcome, record)",
        columns: Columns::Inserted(5),
        tail: "",
    };
    const LINKS: Many<'static> = Many {
        head: "INSERT INTO links (token_hash, activation_id, number, created_at, expires_at)",
        columns: Columns::Inserted(5),
        tail: "",
    };
    const EMAILS: Many<'static> = Many {
        head: "INSERT INTO emails (id, email_key, activation_id, number, kind, language, recipient, recipient_name, data, link, \
               message_id, created_at, give_up_at, state, traceparent)",
        columns: Columns::Inserted(15),
        tail: "",
    };
    const OUTGOING: Many<'static> = Many {
        head: "INSERT INTO outgoing_events (id, event_key, activation_id, number, type, payload, created_at, state)",
        columns: Columns::Inserted(8),
        tail: "",
    };
    DECISIONS
        .execute(&mut work.tx, &pending.decisions, |query, one| {
            query
                .bind(one.activation_id.as_str())
                .bind(one.number)
                .bind(one.at.micros())
                .bind(one.outcome)
                .bind(one.record.as_str())
        })
        .await?;
    LINKS
        .execute(&mut work.tx, &pending.links, |query, one| {
            query
                .bind(one.token_hash.as_str())
                .bind(one.activation_id.as_str())
                .bind(one.number)
                .bind(one.created_at.micros())
                .bind(one.expires_at.micros())
        })
        .await?;
    EMAILS
        .execute(&mut work.tx, &pending.emails, |query, one| {
            query
                .bind(one.id.as_str())
                .bind(one.key.as_str())
                .bind(one.activation_id.as_deref())
                .bind(one.number)
                .bind(one.kind)
                .bind(one.language.as_str())
                .bind(one.recipient.as_str())
                .bind(one.recipient_name.as_str())
                .bind(one.data.as_str())
                .bind(one.link)
                .bind(one.message_id.as_str())
                .bind(one.created_at.micros())
                .bind(one.give_up_at.micros())
                .bind("waiting")
                .bind(one.traceparent.as_deref())
        })
        .await?;
    OUTGOING
        .execute(&mut work.tx, &pending.outgoing, |query, one| {
            query
                .bind(one.id.as_str())
                .bind(one.key.as_str())
                .bind(one.activation_id.as_str())
                .bind(one.number)
                .bind(one.kind.as_str())
                .bind(one.payload.as_str())
                .bind(one.created_at.micros())
                // Whether it was told, its deliveries tell.
                .bind("sent")
        })
        .await?;
    super::deliveries::write(work, &pending.deliveries).await?;
    Ok(())
}

/// The fence: when one lease was lost, nothing of the transaction may be committed.
async fn end_claims(work: &mut Desking, pending: &Pending, now: Timestamp) -> Result<(), DeskError> {
    const EVENTS: Many<'static> = Many {
        head: "WITH given (row_id, token, new_state, at_when, tied) AS (",
        columns: Columns::Typed(&["TEXT", "TEXT", "TEXT", "BIGINT", "TEXT"]),
        tail: ") UPDATE events SET state = new_state, processed_at = at_when, activation_id = COALESCE(tied, activation_id), starts = 0, \
               next_attempt_at = NULL, last_error = NULL, lease = NULL, lease_until = NULL \
               FROM given WHERE events.id = given.row_id AND events.lease = given.token",
    };
    const APPROVALS: Many<'static> = Many {
        head: "WITH given (row_id, token) AS (",
        columns: Columns::Typed(&["TEXT", "TEXT"]),
        tail: ") UPDATE activations SET starts = 0, next_attempt_at = NULL, last_error = NULL, lease = NULL, lease_until = NULL \
               FROM given WHERE activations.id = given.row_id AND activations.lease = given.token",
    };
    let ended = EVENTS
        .execute(&mut work.tx, &pending.events, |query, end| {
            query
                .bind(end.claim.id.as_str())
                .bind(end.claim.lease.as_str())
                .bind(end.state)
                .bind(now.micros())
                .bind(end.activation_id.as_deref())
        })
        .await?;
    all_of(ended, pending.events.len(), || {
        pending.events.first().map(|end| end.claim.id.clone())
    })?;
    let ended = APPROVALS
        .execute(&mut work.tx, &pending.approvals, |query, claim| {
            query.bind(claim.id.as_str()).bind(claim.lease.as_str())
        })
        .await?;
    all_of(ended, pending.approvals.len(), || {
        pending.approvals.first().map(|claim| claim.id.clone())
    })
}

/// All of them were still as they were when they were read.
fn all_of(changed: u64, wanted: usize, first: impl FnOnce() -> Option<String>) -> Result<(), DeskError> {
    if usize::try_from(changed).is_ok_and(|changed| changed == wanted) {
        return Ok(());
    }
    Err(StoreError::LeaseLost(first().unwrap_or_default()).into())
}
