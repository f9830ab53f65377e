//! What the platform is told: the bodies that are posted to its endpoints.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Identifier, Method, State};

/// What the platform is told (docs/events.md).
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// What happened, such as `organisation.activated`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// To which activation, and what it is since then.
    pub data: EventData,
}

/// The activation that an event is about, as it was then.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EventData {
    /// The activation's id.
    pub activation: String,
    /// The organisation's id.
    pub organisation: String,
    /// The platform's tenant that it belongs to.
    pub environment: String,
    /// What it is activated under.
    pub identifier: Identifier,
    /// What ties a payment to it.
    pub reference: String,
    /// By which method.
    pub method: Method,
    /// Where it stands since then.
    pub state: State,
    /// When the approval takes effect.
    #[schema(format = DateTime)]
    pub due_at: Option<String>,
    /// The line of its history; those of one activation come in this order.
    pub sequence: i64,
    /// Its invoice; only with `activation.invoiced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<EventDocument>,
    /// The credit note that takes the invoice back; only with `activation.cancelled`, of one that was invoiced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_note: Option<EventDocument>,
}

/// A document for the creator's inbox on the platform.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EventDocument {
    /// As it is printed.
    pub number: String,
    /// Its page, with the document as PDF and UBL. Whoever has the address can open it.
    pub url: String,
    /// The document: UBL 2.1, Peppol BIS Billing 3.0.
    pub ubl: String,
}
