//! The stored record, read: why is this in review, why no mail, why was that refused?

use serde::Serialize;
use serde_json::Value;

use super::Desk;
use super::deliveries::DeliveryView;
use super::likely::{Clues, LikelyActivation};
use super::payments::{PAYMENTS, remittance};
use super::questions::QuestionView;
use crate::clock::Timestamp;
use crate::refused::DeskError;
use crate::store::{StoreError, instant, json, maybe_instant, maybe_text, number, text};
use crate::views::{ActivationView, OrganisationView, PaymentView};

/// All that is known of one activation. Nothing in it is computed again.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The activation as it is.
    pub activation: ActivationView,
    /// The organisation as it is registered now; decisions hold the names as they were.
    pub organisation: Option<OrganisationView>,
    /// That the decision waits for the register, since when, and what went wrong last; a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<String>,
    /// Each decision, with its inputs as they were.
    pub decisions: Vec<DecisionRecord>,
    /// What came in about it.
    pub notifications: Vec<Notified>,
    /// Signed events to the platform, each to each of its endpoints.
    pub deliveries: Vec<DeliveryView>,
    /// What the creator was asked, and answered.
    pub questions: Vec<QuestionView>,
}

/// A decision as it was kept.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionRecord {
    /// The history line that it led to.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// The state that it led to.
    pub outcome: String,
    /// What was asked and paid, the names side by side, the rule that decided, the clock.
    pub record: Value,
}

/// One event of a notification.
#[derive(Debug, Clone, Serialize)]
pub struct Notified {
    /// Our id.
    pub id: String,
    /// The provider's id of the event.
    pub event_id: String,
    /// The provider's id of the payment.
    pub payment_id: Option<String>,
    /// The endpoint.
    pub endpoint: String,
    /// The provider.
    pub provider: String,
    /// The id of the request, as it was answered.
    pub request_id: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// How it was proven.
    pub proven_by: String,
    /// `payment`, `conflict`, `ignored`, `quarantined`.
    pub kind: String,
    /// `waiting`, `processed`, `ignored`, `quarantined`.
    pub state: String,
    /// When it was processed.
    pub processed_at: Option<Timestamp>,
    /// What it says; account numbers masked.
    pub told: Value,
    /// How often it came again.
    pub repeats: i64,
    /// The earlier event that it contradicts.
    pub conflicts_with: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// What came of reading it from the provider's API, where that had to be done; a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_back: Option<String>,
    /// The activation that it concerns.
    pub activation: Option<String>,
}

/// A request that was not believed.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedRequest {
    /// The id of the request, as it was answered.
    pub request_id: String,
    /// The endpoint.
    pub endpoint: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// Stable code.
    pub code: String,
    /// What was wrong, and what usually causes it.
    pub reason: String,
    /// The event id that it claimed to have.
    pub claimed_id: Option<String>,
    /// Where it came from.
    pub remote: String,
}

/// The answer to a question about an id.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// The activation that it is, or concerns.
    pub activation: Option<Explanation>,
    /// The payment that it is, where it isn't tied to an activation.
    pub payments: Vec<PaymentView>,
    /// The activations that such a payment is likely for, by its account holder's name. Made when asked, to help
    /// find out; it ties nothing.
    pub likely: Vec<LikelyActivation>,
    /// The notifications that it is or is about.
    pub notifications: Vec<Notified>,
    /// The refused requests that it names.
    pub refusals: Vec<RefusedRequest>,
}

const EVENTS: &str = "SELECT e.id, e.event_id, e.kind, e.payment_id, e.told, e.conflicts_with, e.received_at, e.repeats, e.state, \
     e.processed_at, e.activation_id, e.last_error, n.endpoint, n.provider, n.request_id, n.proven_by FROM events e JOIN notifications n ON n.id = e.notification_id";

impl Desk {
    /// All that is known of an activation.
    ///
    /// # Errors
    /// Refused when there is none with this id.
    pub async fn explanation(&self, id: &str) -> Result<Explanation, DeskError> {
        let activation = self.activation(id).await?;
        let organisation = match self.organisation(&activation.organisation).await {
            Ok(organisation) => Some(organisation),
            Err(DeskError::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        let rows =
            sqlx::query("SELECT number, at, outcome, record FROM decisions WHERE activation_id = $1 ORDER BY number")
                .bind(id)
                .fetch_all(self.store.reader())
                .await?;
        let decision = |row| -> Result<DecisionRecord, StoreError> {
            Ok(DecisionRecord {
                number: number(row, "number")?,
                at: instant(row, "at")?,
                outcome: text(row, "outcome")?,
                record: json(row, "record")?,
            })
        };
        let decisions = rows.iter().map(decision).collect::<Result<_, _>>()?;
        let sql = format!(
            "{EVENTS} WHERE e.id IN (SELECT t.id FROM events t WHERE t.activation_id = $1 \
               UNION SELECT t.id FROM payments p JOIN events t ON t.payment_id = p.payment_id AND t.account = p.account WHERE p.activation_id = $1 \
               UNION SELECT t.id FROM payments p JOIN events t ON t.payment_id = p.payment_id AND t.account = p.account WHERE p.suggested = $1) \
             ORDER BY e.received_at, e.id"
        );
        Ok(Explanation {
            activation,
            organisation,
            register: self.register_awaited(id).await?,
            decisions,
            notifications: self.notified(sql, id).await?,
            deliveries: self.deliveries_of(id).await?,
            questions: self.questions_of(id).await?,
        })
    }

    /// What is known of an id: an activation's id or reference, a provider's event or payment id, an id
    /// of ours, or the id of a request. `None` when nothing is.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn explain(&self, question: &str) -> Result<Option<Explained>, DeskError> {
        let question = question.trim();
        let row = sqlx::query("SELECT id FROM activations WHERE id = $1 OR reference = $1 OR reference = $2")
            .bind(question)
            .bind(question.replace(' ', "").to_uppercase())
            .fetch_optional(self.store.reader())
            .await?;
        if let Some(row) = row {
            let explanation = self.explanation(&text(&row, "id")?).await?;
            return Ok(Some(Explained {
                notifications: Vec::new(),
                payments: Vec::new(),
                likely: Vec::new(),
                refusals: Vec::new(),
                activation: Some(explanation),
            }));
        }
        let sql = format!(
            "{EVENTS} WHERE e.event_id = $1 OR e.payment_id = $1 OR e.id = $1 OR n.id = $1 OR n.request_id = $1 ORDER BY e.received_at, e.id"
        );
        let notifications = self.notified(sql, question).await?;
        let payments = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{PAYMENTS} WHERE (p.payment_id = $1 OR p.id = $1) AND p.activation_id IS NULL"
        )))
        .bind(question)
        .fetch_all(self.store.reader())
        .await?;
        let remittance = payments
            .iter()
            .find_map(|row| remittance(row).transpose())
            .transpose()?;
        let payments: Vec<PaymentView> = payments.iter().map(super::show::payment).collect::<Result<_, _>>()?;
        let rows = sqlx::query("SELECT request_id, endpoint, received_at, code, reason, claimed_id, remote FROM refusals WHERE request_id = $1 OR claimed_id = $1 OR endpoint = $1 ORDER BY received_at DESC LIMIT 20")
            .bind(question)
            .fetch_all(self.store.reader())
            .await?;
        let refusal = |row| -> Result<RefusedRequest, StoreError> {
            Ok(RefusedRequest {
                request_id: text(row, "request_id")?,
                endpoint: text(row, "endpoint")?,
                received_at: instant(row, "received_at")?,
                code: text(row, "code")?,
                reason: text(row, "reason")?,
                claimed_id: maybe_text(row, "claimed_id")?,
                remote: text(row, "remote")?,
            })
        };
        let refusals: Vec<RefusedRequest> = rows.iter().map(refusal).collect::<Result<_, _>>()?;
        let concerned = notifications.iter().find_map(|one| one.activation.clone());
        let activation = match concerned {
            Some(id) => Some(self.explanation(&id).await?),
            None => None,
        };
        let unallocated = payments.iter().find(|payment| payment.standing == "unallocated");
        let likely = match unallocated {
            Some(payment) => self.waiting_for_money().await?.likely(&Clues {
                holder: payment.holder_name.as_deref(),
                paid: payment.amount,
                remittance: remittance.as_deref(),
            })?,
            None => Vec::new(),
        };
        let nothing = notifications.is_empty() && payments.is_empty() && refusals.is_empty();
        Ok((!nothing).then_some(Explained {
            activation,
            payments,
            likely,
            notifications,
            refusals,
        }))
    }

    async fn notified(&self, sql: String, argument: &str) -> Result<Vec<Notified>, DeskError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(argument)
            .fetch_all(self.store.reader())
            .await?;
        let one = |row| -> Result<Notified, StoreError> {
            Ok(Notified {
                id: text(row, "id")?,
                event_id: text(row, "event_id")?,
                payment_id: maybe_text(row, "payment_id")?,
                endpoint: text(row, "endpoint")?,
                provider: text(row, "provider")?,
                request_id: text(row, "request_id")?,
                received_at: instant(row, "received_at")?,
                proven_by: text(row, "proven_by")?,
                kind: text(row, "kind")?,
                state: text(row, "state")?,
                processed_at: maybe_instant(row, "processed_at")?,
                told: masked(json(row, "told")?),
                repeats: number(row, "repeats")?,
                conflicts_with: maybe_text(row, "conflicts_with")?,
                last_error: maybe_text(row, "last_error")?,
                read_back: None,
                activation: maybe_text(row, "activation_id")?,
            })
        };
        let mut all = rows.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        for one in &mut all {
            one.read_back = self.read_back_of(&one.id).await?;
        }
        Ok(all)
    }

    /// What came of reading what an event left out; `None` when it left out nothing.
    async fn read_back_of(&self, event: &str) -> Result<Option<String>, DeskError> {
        let row = sqlx::query("SELECT state, answered_at, last_error, attempts FROM rereads WHERE event = $1")
            .bind(event)
            .fetch_optional(self.store.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let attempts = number(&row, "attempts")?;
        let why = maybe_text(&row, "last_error")?.unwrap_or_default();
        let at = maybe_instant(&row, "answered_at")?
            .map(|at| at.to_string())
            .unwrap_or_default();
        Ok(Some(match text(&row, "state")?.as_str() {
            "answered" => format!("from the provider's API at {at}"),
            "failed" => format!("given up at {at}: {why}"),
            _ if attempts == 0 => "waits for its turn".to_owned(),
            _ => format!("tried {attempts} times, and tried again: {why}"),
        }))
    }
}

/// The account number masked; the holder's name stays, support compares it.
fn masked(mut told: Value) -> Value {
    if let Some(object) = told.as_object_mut()
        && let Some(number) = object.remove("account_number")
        && let Ok(Some(number)) = serde_json::from_value::<Option<crate::personal::AccountNumber>>(number)
    {
        object.insert("account_masked".to_owned(), number.masked().into());
    }
    told
}
