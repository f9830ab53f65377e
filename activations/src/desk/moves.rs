//! The only way to change an activation.
//!
//! A move takes the activation from the state it is in, by one row of the table of moves; writes its
//! line in the history, the e-mail and the event to the platform that the row asks for; all in the
//! caller's transaction. What the table doesn't know can't be done.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::any::AnyRow;

use super::pending::{NewEmail, NewLine, NewOutgoing};
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::ledger::Work;
use crate::money::{Currency, Money};
use crate::reference::Reference;
use crate::refused::DeskError;
use crate::rules::Completion;
use crate::state::{EmailKind, Happening, Method, State, find};
use crate::store::{self, StoreError, instant, maybe_instant, maybe_number, maybe_text, named, number, text};
use crate::trace::TraceParent;
use crate::views::{CreatorView, ReasonView};

/// How long an e-mail is tried.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// An activation as the desk works on it.
#[derive(Debug, Clone)]
pub(super) struct Activation {
    pub id: String,
    pub organisation_id: String,
    pub method: Method,
    pub reference: String,
    pub amount: Money,
    pub completion: Completion,
    pub identifier: (String, String),
    pub state: State,
    pub version: i64,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub remind_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub made_at: Option<Timestamp>,
    pub decided_at: Option<Timestamp>,
    pub reasons: Vec<ReasonView>,
    pub flags: Vec<ReasonView>,
    pub lacks_only_the_name: bool,
    pub touched: bool,
    pub question: Option<String>,
    pub links: i64,
    /// The history line of the question that was asked last.
    pub asked: Option<i64>,
    /// Its invoice and its credit note, by their places in the sequence of all.
    pub invoice: Option<i64>,
    pub credit_note: Option<i64>,
    /// Where what happened to it last stands in its trace.
    pub traceparent: Option<TraceParent>,
    pub organisation: OrganisationPart,
}

/// What of the organisation a move needs.
#[derive(Debug, Clone)]
pub(super) struct OrganisationPart {
    pub legal_name: String,
    pub trade_names: Vec<String>,
    pub legal_form: Option<String>,
    pub names_from_register: bool,
    /// When they were taken from it.
    pub names_at: Option<Timestamp>,
    pub creator: CreatorView,
    pub environment: String,
}

pub(super) const SELECT: &str = "SELECT a.id, a.organisation_id, a.method, a.reference, a.amount_minor, a.currency, a.completion, \
     a.identifier_scheme, a.identifier_value, a.state, a.version, a.created_at, a.expires_at, a.remind_at, a.due_at, \
     a.made_at, a.decided_at, a.reasons, a.flags, a.lacks_only_the_name, a.touched, a.question, a.links, a.asked, a.invoice, a.credit_note, a.traceparent, \
     o.legal_name, o.trade_names, o.legal_form, o.names_source, o.names_at, o.creator, o.environment \
     FROM activations a JOIN organisations o ON o.id = a.organisation_id";

impl Activation {
    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let currency = named(row, "currency", Currency::parse)?;
        Ok(Self {
            id: text(row, "id")?,
            organisation_id: text(row, "organisation_id")?,
            method: named(row, "method", Method::parse)?,
            reference: text(row, "reference")?,
            amount: Money::new(number(row, "amount_minor")?, currency),
            completion: named(row, "completion", Completion::parse)?,
            identifier: (text(row, "identifier_scheme")?, text(row, "identifier_value")?),
            state: named(row, "state", State::parse)?,
            version: number(row, "version")?,
            created_at: instant(row, "created_at")?,
            expires_at: maybe_instant(row, "expires_at")?,
            remind_at: maybe_instant(row, "remind_at")?,
            due_at: maybe_instant(row, "due_at")?,
            made_at: maybe_instant(row, "made_at")?,
            decided_at: maybe_instant(row, "decided_at")?,
            reasons: store::json(row, "reasons")?,
            flags: store::json(row, "flags")?,
            lacks_only_the_name: number(row, "lacks_only_the_name")? == 1,
            touched: number(row, "touched")? == 1,
            question: maybe_text(row, "question")?,
            links: number(row, "links")?,
            asked: maybe_number(row, "asked")?,
            invoice: maybe_number(row, "invoice")?,
            credit_note: maybe_number(row, "credit_note")?,
            traceparent: maybe_text(row, "traceparent")?.and_then(|text| TraceParent::parse(&text)),
            organisation: OrganisationPart {
                legal_name: text(row, "legal_name")?,
                trade_names: store::json(row, "trade_names")?,
                legal_form: maybe_text(row, "legal_form")?,
                names_from_register: text(row, "names_source")? == "register",
                names_at: maybe_instant(row, "names_at")?,
                creator: store::json(row, "creator")?,
                environment: text(row, "environment")?,
            },
        })
    }

    /// What happens to it now goes on in this trace. Where what went before is of another, this one leads to it.
    /// What happens by the clock alone goes on where it last was.
    fn is_in_this_trace(&mut self) {
        let Some(here) = TraceParent::here() else { return };
        if let Some(before) = &self.traceparent
            && !before.is_of_the_trace_of(&here)
        {
            before.link_here();
        }
        self.traceparent = Some(here);
    }

    /// The same for a row that comes of it.
    pub(super) fn trace(&self) -> Option<String> {
        self.traceparent.as_ref().map(ToString::to_string)
    }

    fn dutch(&self) -> bool {
        self.organisation.creator.language == "nl"
    }
}

/// What a move says beside the table.
pub(super) struct Line<'a> {
    pub happening: Happening,
    pub actor: &'a str,
    pub reason: &'a str,
    /// What the e-mail needs beyond what every e-mail has.
    pub email: Value,
}

impl<'a> Line<'a> {
    pub(super) fn by_system(happening: Happening, reason: &'a str) -> Self {
        Self {
            happening,
            actor: "system",
            reason,
            email: json!({}),
        }
    }
}

impl Desk {
    pub(super) async fn load(&self, work: &mut Desking, id: &str) -> Result<Option<Activation>, DeskError> {
        if let Some(known) = work.known.as_ref().and_then(|known| known.activation(id)) {
            return Ok(Some(known));
        }
        let sql = format!("{SELECT} WHERE a.id = $1{}", self.store.held("a"));
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&mut *work.tx)
            .await?;
        Ok(row.map(|row| Activation::read(&row)).transpose()?)
    }

    /// Makes one move. The fields of `activation` that the caller changed are written with it.
    ///
    /// The state's own end is set on entering it; a move within a state leaves it as the caller has it.
    pub(super) async fn make(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        line: Line<'_>,
    ) -> Result<(), DeskError> {
        let now = self.now();
        let from = activation.state;
        let Some(row) = find(Some(from), line.happening) else {
            return Err(StoreError::Unreadable(format!("no move {} from {from}", line.happening)).into());
        };
        activation.state = row.to;
        activation.is_in_this_trace();
        let before = activation.version;
        activation.version += 1;
        if row.to != from || line.happening == Happening::LinkResent {
            self.set_end(activation, now);
        }
        if line.happening == Happening::InformationAsked {
            activation.asked = Some(activation.version);
        }
        work.subject = Some(activation.id.clone());
        add_line(work, activation, from.as_str(), Some(before), now, &line);
        let bound = (line.happening.as_str(), activation.id.as_str(), activation.version);
        self.note_line(work, line.actor, bound, line.reason)?;
        work.pending.moved(activation, before);
        if let Some(known) = &mut work.known {
            known.moved(activation);
        }
        self.wrote(work).await?;
        self.tell(work, activation, row.email, row.told, now, line.email)
            .await?;
        if matches!(row.to, State::Approved) {
            work.will_wait(Work::Approval, &activation.id);
        }
        tracing::info!(
            activation = activation.id,
            happening = line.happening.as_str(),
            from = from.as_str(),
            to = row.to.as_str(),
            "activation moved"
        );
        metrics::counter!("eencent_moves_total", "happening" => line.happening.as_str(), "to" => row.to.as_str())
            .increment(1);
        Ok(())
    }

    /// Writes the first line and everything that the start tells. The row itself is there already.
    pub(super) async fn make_start(
        &self,
        work: &mut Desking,
        activation: &Activation,
        line: Line<'_>,
    ) -> Result<(), DeskError> {
        let now = self.now();
        let Some(row) = find(None, line.happening) else {
            return Err(StoreError::Unreadable(format!("no start by {}", line.happening)).into());
        };
        work.subject = Some(activation.id.clone());
        add_line(work, activation, "none", None, now, &line);
        self.wrote(work).await?;
        self.tell(work, activation, row.email, row.told, now, line.email).await
    }

    /// When a state ends by itself, and when the reminder comes: halfway.
    pub(super) fn set_end(&self, activation: &mut Activation, now: Timestamp) {
        let lifetime = match activation.state {
            State::AwaitingPayment => Some(self.rules.method(activation.method).lifetime),
            State::AwaitingConfirmation => Some(self.rules.link_lifetime),
            State::InformationRequested => Some(self.rules.information_lifetime),
            _ => None,
        };
        activation.expires_at = lifetime.map(|lifetime| now.plus(lifetime));
        activation.remind_at = lifetime.map(|lifetime| now.plus(lifetime / 2));
    }

    async fn tell(
        &self,
        work: &mut Desking,
        activation: &Activation,
        email: Option<EmailKind>,
        told: Option<&'static str>,
        now: Timestamp,
        extra: Value,
    ) -> Result<(), DeskError> {
        if let Some(kind) = email {
            self.write_email(work, activation, kind, now, extra).await?;
        }
        if let Some(kind) = told {
            self.write_event(work, activation, kind, now).await?;
        }
        Ok(())
    }

    async fn write_email(
        &self,
        work: &mut Desking,
        a: &Activation,
        kind: EmailKind,
        now: Timestamp,
        extra: Value,
    ) -> Result<(), DeskError> {
        let id = self.new_id("eml")?;
        let creator = &a.organisation.creator;
        let link = link_of(kind, a);
        let data = self.email_data(a, kind, extra);
        // The key holds the number of the history line: a move is told once, however often it is tried.
        let key = format!("{}/{}/{}", a.id, kind.as_str(), a.version);
        work.will_wait(Work::Email, &id);
        work.pending.emails.push(NewEmail {
            id,
            activation_id: Some(a.id.clone()),
            number: Some(a.version),
            kind: kind.as_str(),
            language: creator.language.clone(),
            recipient: creator.email.clone(),
            recipient_name: creator.name.clone(),
            data: data.to_string(),
            link,
            message_id: format!("<{}@{}>", key.replace('/', "."), self.mail_domain()),
            key,
            created_at: now,
            give_up_at: now.plus(GIVE_UP_AFTER),
            traceparent: a.trace(),
        });
        self.wrote(work).await
    }

    /// What the template of an e-mail about this activation is filled with.
    pub(super) fn email_data(&self, a: &Activation, kind: EmailKind, extra: Value) -> Value {
        let expires = a.expires_at.map(|at| self.local_words(at, a.dutch()));
        // Typed by hand for a transfer: in groups, which are found again with or without their spaces.
        let reference = match (a.method, Reference::parse(&a.reference)) {
            (Method::Invoice, Ok(reference)) => reference.grouped(),
            _ => a.reference.clone(),
        };
        let mut data = json!({
            "organisation": a.organisation.legal_name,
            "creator": a.organisation.creator.name,
            "reference": reference,
            "method": a.method,
            "amount": a.amount.value(),
            "currency": a.amount.currency.as_str(),
            "expires_at": a.expires_at,
            "expires_local": expires.clone().unwrap_or_default(),
            "link_expires_local": expires.unwrap_or_default(),
            "question": a.question.clone().unwrap_or_default(),
            "support": { "email": self.rules.contact.support_email, "url": self.rules.contact.support_url },
        });
        // A button without an address is left out.
        let place = link_of(kind, a).map_or("", |_| crate::links::LINK_PLACEHOLDER);
        if let Some(object) = data.as_object_mut() {
            object.insert("link".to_owned(), place.into());
        }
        if let (Some(object), Value::Object(more)) = (data.as_object_mut(), extra) {
            object.extend(more);
        }
        data
    }

    /// The right-hand side of Message-IDs: the host of our links, or our own name on a bare machine.
    pub(super) fn mail_domain(&self) -> String {
        let host = self.rules.public_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or("");
        let is_name = host.contains('.') && host.chars().any(char::is_alphabetic);
        if is_name {
            host.to_owned()
        } else {
            "eencent.invalid".to_owned()
        }
    }

    async fn write_event(
        &self,
        work: &mut Desking,
        a: &Activation,
        kind: &str,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let document = self.told_document(work, a, kind).await?;
        let mut payload = json!({
            "type": kind,
            "timestamp": now,
            "data": {
                "activation": a.id,
                "organisation": a.organisation_id,
                "environment": a.organisation.environment,
                "identifier": { "scheme": a.identifier.0, "value": a.identifier.1 },
                "reference": a.reference,
                "method": a.method,
                "state": a.state,
                "due_at": a.due_at,
                "sequence": a.version,
            },
        });
        if let Some((name, document)) = document
            && let Some(data) = payload.get_mut("data").and_then(Value::as_object_mut)
        {
            data.insert(name.to_owned(), document);
        }
        let id = self.new_id("out")?;
        self.address(work, (&id, kind), "", (&a.id, a.version), (now, a.trace()))?;
        work.pending.outgoing.push(NewOutgoing {
            id,
            key: format!("{}/{kind}/{}", a.id, a.version),
            activation_id: a.id.clone(),
            number: a.version,
            kind: kind.to_owned(),
            payload: payload.to_string(),
            created_at: now,
        });
        self.wrote(work).await
    }

    /// An instant as people in the office's zone say it: `maandag 12 januari 2026 om 09:00`.
    pub(super) fn local_words(&self, at: Timestamp, dutch: bool) -> String {
        use chrono::{Datelike, Timelike};
        const DAYS_NL: [&str; 7] = [
            "maandag",
            "dinsdag",
            "woensdag",
            "donderdag",
            "vrijdag",
            "zaterdag",
            "zondag",
        ];
        const MONTHS_NL: [&str; 12] = [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ];
        let local = self.rules.hours.local(at);
        if !dutch {
            return local.format("%A %-d %B %Y at %H:%M").to_string();
        }
        let day = DAYS_NL
            .get(local.weekday().num_days_from_monday() as usize)
            .copied()
            .unwrap_or("");
        let month = MONTHS_NL.get(local.month0() as usize).copied().unwrap_or("");
        format!(
            "{day} {} {month} {} om {:02}:{:02}",
            local.day(),
            local.year(),
            local.hour(),
            local.minute()
        )
    }
}

/// The number of the link that an e-mail carries; none where there is nothing to open.
fn link_of(kind: EmailKind, a: &Activation) -> Option<i64> {
    match kind {
        EmailKind::RoundOff | EmailKind::ReminderToRoundOff => Some(a.links),
        EmailKind::InformationRequested | EmailKind::ReminderToAnswer => a.asked,
        EmailKind::Invoice | EmailKind::PartlyPaid | EmailKind::ReminderToPay => a.invoice,
        EmailKind::Cancelled | EmailKind::Expired => a.credit_note,
        _ => None,
    }
}

fn add_line(
    work: &mut Desking,
    a: &Activation,
    from: &'static str,
    previous: Option<i64>,
    at: Timestamp,
    line: &Line<'_>,
) {
    work.pending.lines.push(NewLine {
        activation_id: a.id.clone(),
        number: a.version,
        previous,
        at,
        happening: line.happening.as_str(),
        from,
        to: a.state.as_str(),
        actor: line.actor.to_owned(),
        reason: line.reason.to_owned(),
    });
}
