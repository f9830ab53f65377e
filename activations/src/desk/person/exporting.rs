//! Everything of one person, as JSON that they can read.
//!
//! Names of columns are the names of fields; instants are RFC 3339; what is stored as JSON is shown as such. Of other
//! people only that there was somebody is said: who of ours acted, and whoever else is in a message that tells of several.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Column as _, Row as _};

use super::concerned::{ActivationOf, Concerned, EventOf, of_each};
use super::texts::{self, Where};
use super::{By, Whose};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::operations::Order;
use crate::links::LINK_PLACEHOLDER;
use crate::refused::DeskError;
use crate::store::StoreError;

/// What was exported.
#[derive(Clone)]
pub struct Exported {
    /// All of it.
    pub json: Value,
    /// How many activations, payments and messages are in it.
    pub counts: [(&'static str, usize); 3],
}

impl std::fmt::Debug for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.counts)
    }
}

/// What belongs to an activation: the field, and the rows.
const OF_ACTIVATION: &[(&str, &str)] = &[
    (
        "history",
        "SELECT t.number, t.at, t.happening, t.from_state, t.to_state, t.actor, t.reason FROM asked JOIN history t ON t.activation_id = asked.row_id ORDER BY t.number",
    ),
    (
        "decisions",
        "SELECT t.number, t.at, t.outcome, t.record FROM asked JOIN decisions t ON t.activation_id = asked.row_id ORDER BY t.number",
    ),
    (
        "emails",
        "SELECT t.kind, t.language, t.recipient, t.recipient_name, t.data, COALESCE(r.words, t.rendered) AS rendered, t.message_id, \
         t.created_at, t.sent_at, t.state, t.last_error FROM asked JOIN emails t ON t.activation_id = asked.row_id \
         LEFT JOIN renderings r ON r.email_id = t.id ORDER BY t.created_at, t.id",
    ),
    (
        "questions",
        "SELECT t.number, t.asked_at, t.question, t.answered_at, t.answer FROM asked JOIN questions t ON t.activation_id = asked.row_id ORDER BY t.number",
    ),
    (
        "files",
        "SELECT t.number AS question, t.name, t.media_type, t.size, t.digest, t.uploaded_at, t.content FROM asked JOIN uploads t ON t.activation_id = asked.row_id ORDER BY t.number, t.position",
    ),
    (
        "notes",
        "SELECT t.at, t.author AS actor, t.note FROM asked JOIN notes t ON t.activation_id = asked.row_id ORDER BY t.id",
    ),
    (
        "proposals",
        "SELECT t.at, t.person AS actor, t.effect, t.reason FROM asked JOIN proposals t ON t.activation_id = asked.row_id",
    ),
    (
        "invoices",
        "SELECT t.number, t.kind, t.issued_at, t.facts FROM asked JOIN invoices t ON t.activation_id = asked.row_id ORDER BY t.sequence",
    ),
    (
        "told_to_the_platform",
        "SELECT t.type, t.created_at, t.payload FROM asked JOIN outgoing_events t ON t.activation_id = asked.row_id ORDER BY t.created_at, t.id",
    ),
    (
        "payments_made_at_a_provider",
        "SELECT t.endpoint, t.created_at, t.payment_id, t.url, t.state FROM asked JOIN checkouts t ON t.activation_id = asked.row_id",
    ),
];

const ACTIVATION: &str = "SELECT a.id, a.reference, a.method, a.amount_minor, a.currency, a.identifier_scheme, a.identifier_value, a.state, \
     a.created_at, a.started_by AS actor, a.reasons, a.flags, a.question FROM asked JOIN activations a ON a.id = asked.row_id";

const ORGANISATION: &str = "SELECT o.id, o.environment, o.legal_name, o.trade_names, o.legal_form, o.country, o.names_source, o.creator, o.address, \
     o.active, o.activated_at, o.created_at, o.changed_at, o.deleted_at FROM asked JOIN organisations o ON o.id = asked.row_id";

const PAYMENT: &str = "SELECT p.id, p.provider, p.payment_id, p.mode, p.status, p.amount_minor, p.currency, p.holder_name, p.account_number, p.reference, \
     p.paid_at, p.received_at, p.standing, p.tied_by, COALESCE(p.activation_id, p.suggested) AS activation FROM asked JOIN payments p ON p.id = asked.row_id";

const EVENT: &str = "SELECT e.id, e.event_id, e.payment_id, e.received_at, e.kind, e.told, e.repeats, e.last_error, e.notification_id AS message \
     FROM asked JOIN events e ON e.id = asked.row_id";

const MESSAGE: &str = "SELECT n.id, n.endpoint, n.provider, n.received_at, n.headers, n.body FROM asked JOIN notifications n ON n.id = asked.row_id";

const ACTS: &str = "SELECT t.at, t.actor, t.act, t.subject, t.reason FROM asked JOIN audit t ON t.subject = asked.row_id ORDER BY t.number";

impl Desk {
    /// Everything of a person; `None`: nothing is stored of them. That it was asked for goes into the audit before it is
    /// told.
    ///
    /// # Errors
    /// Refused without a person and a reason. When the store doesn't answer.
    pub async fn export_person(&self, order: Order<'_>, whose: &Whose) -> Result<Option<Exported>, DeskError> {
        order.check()?;
        let concerned = self.concerned(whose).await?;
        let mut connection = self.store.reader().acquire().await?;
        let mentioned = texts::mentions(&mut connection, &concerned.words, Where::Everywhere).await?;
        if concerned.is_nothing() && mentioned.is_empty() {
            return Ok(None);
        }
        let creator = matches!(whose.by, By::Email(_));
        let mut activations = Vec::new();
        for one in &concerned.activations {
            activations.push(whole(&mut connection, one).await?);
        }
        for one in &concerned.paid_for {
            activations.push(part_of_another(&mut connection, one, &concerned).await?);
        }
        let ids = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let organisations = ids(concerned.organisations.iter().map(|one| one.id.as_str()).collect());
        let payments = ids(concerned.payments.keys().map(String::as_str).collect());
        let events = ids(concerned.events.keys().map(String::as_str).collect());
        let own: Vec<String> = concerned
            .messages
            .iter()
            .filter(|(_, others)| !**others)
            .map(|(id, _)| id.clone())
            .collect();
        let mut about = organisations.clone();
        about.extend(concerned.activations.iter().map(|one| one.id.clone()));
        about.extend(payments.iter().cloned());
        let mentioned: Vec<Value> = mentioned
            .iter()
            .filter(|one| {
                !concerned
                    .activations
                    .iter()
                    .any(|own| one.activation.as_ref() == Some(&own.id))
            })
            .map(|one| json!({ "where": one.place(), "text": parsed(&one.text) }))
            .collect();
        let json = json!({
            "exported_at": self.now(),
            "of": whose.told(),
            "left_out": left_out(creator, &concerned),
            "organisations": rows(&mut connection, ORGANISATION, &organisations).await?,
            "activations": activations,
            "payments": rows(&mut connection, PAYMENT, &payments).await?,
            "messages_as_read": rows(&mut connection, EVENT, &events).await?,
            "messages_as_received": rows(&mut connection, MESSAGE, &own).await?,
            "acts": rows(&mut connection, ACTS, &about).await?,
            "mentioned_elsewhere": mentioned,
        });
        drop(connection);
        let mut work = self.begin().await?;
        let subject = self.subject_of(whose);
        self.note(&mut work, order.actor, "person exported", &subject, order.reason.trim())
            .await?;
        self.commit(work).await?;
        let activations = concerned.activations.len() + concerned.paid_for.len();
        Ok(Some(Exported {
            json,
            counts: [
                ("activations", activations),
                ("payments", payments.len()),
                ("messages", events.len()),
            ],
        }))
    }
}

/// An activation of theirs with all that belongs to it.
async fn whole(connection: &mut AnyConnection, one: &ActivationOf) -> Result<Value, StoreError> {
    let id = std::slice::from_ref(&one.id);
    let mut all = rows(connection, ACTIVATION, id).await?.pop().unwrap_or(Value::Null);
    for (field, sql) in OF_ACTIVATION {
        let rows = rows(connection, sql, id).await?;
        if let Some(fields) = all.as_object_mut() {
            fields.insert((*field).to_owned(), Value::Array(rows));
        }
    }
    Ok(all)
}

/// What of another's activation is about their payments: what was decided on them, without anybody else.
async fn part_of_another(
    connection: &mut AnyConnection,
    one: &ActivationOf,
    concerned: &Concerned,
) -> Result<Value, StoreError> {
    let id = std::slice::from_ref(&one.id);
    let payments = concerned.payment_ids();
    let mut decisions = Vec::new();
    for (field, sql) in OF_ACTIVATION {
        if *field == "decisions" {
            decisions = rows(connection, sql, id).await?;
        }
    }
    for decision in &mut decisions {
        let of = |pointer: &str| -> Vec<Value> {
            let all = decision.pointer(&format!("/record{pointer}")).and_then(Value::as_array);
            let theirs = |one: &&Value| {
                let payment = one.get("payment_id").and_then(Value::as_str);
                payment.is_some_and(|id| payments.iter().any(|known| known == id))
            };
            all.into_iter().flatten().filter(theirs).cloned().collect()
        };
        let told = json!({ "payments": of("/payments"), "compared": of("/decision/compared") });
        if let Some(fields) = decision.as_object_mut() {
            fields.insert("record".to_owned(), told);
        }
    }
    Ok(json!({ "id": one.id, "reference": one.reference, "state": one.state, "decisions": decisions }))
}

fn left_out(creator: bool, concerned: &Concerned) -> Vec<String> {
    let mut told = vec!["Names of colleagues who acted: it says that one of ours did.".to_owned()];
    if !creator && !concerned.paid_for.is_empty() {
        told.push(
            "Of activations that were paid for: whose they are, e-mails, questions, answers, notes and invoices. They are the creator's."
                .to_owned(),
        );
    }
    let shared = concerned.messages.values().filter(|others| **others).count();
    if shared > 0 {
        told.push(format!(
            "{shared} messages as received, which tell of others as well; what was read of this person is there."
        ));
    }
    let purged = |event: &EventOf| !concerned.messages.contains_key(&event.message);
    if concerned.events.values().any(purged) {
        told.push("Messages as received of which the body is purged already (retention.body_days).".to_owned());
    }
    told
}

async fn rows(connection: &mut AnyConnection, sql: &str, ids: &[String]) -> Result<Vec<Value>, StoreError> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    of_each(connection, sql, &ids).await?.iter().map(fields).collect()
}

/// A row by the names of its columns; what is empty is left out.
fn fields(row: &AnyRow) -> Result<Value, StoreError> {
    let mut all = Map::new();
    for column in row.columns() {
        let name = column.name();
        let value = if let Ok(number) = row.try_get::<Option<i64>, _>(name) {
            number.map(|number| match name.ends_with("_at") || name == "at" {
                true => json!(Timestamp::from_micros(number)),
                false => json!(number),
            })
        } else if let Ok(text) = row.try_get::<Option<String>, _>(name) {
            text.map(|text| match name {
                "actor" => json!(somebody(&text)),
                _ => parsed(&text),
            })
        } else {
            let bytes: Option<Vec<u8>> = row.try_get(name)?;
            bytes.map(|bytes| match (name, String::from_utf8(bytes)) {
                ("content", Ok(text)) => json!({ "base64": STANDARD.encode(text) }),
                (_, Ok(text)) => parsed(&text),
                (_, Err(other)) => json!({ "base64": STANDARD.encode(other.into_bytes()) }),
            })
        };
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    }
    Ok(Value::Object(all))
}

/// What is stored as JSON, as such. Secret links open more than the person may: their place is shown.
fn parsed(text: &str) -> Value {
    let text = text.replace(LINK_PLACEHOLDER, "***");
    let is_json = text.starts_with(['{', '[', '"']);
    match serde_json::from_str(&text) {
        Ok(value) if is_json => value,
        _ => Value::String(text),
    }
}

/// Who acted, without the name of a colleague.
fn somebody(actor: &str) -> String {
    match actor.rsplit_once(" (") {
        Some((_, by)) => format!("one of ours ({by}"),
        None => actor.to_owned(),
    }
}
