//! Payments that somebody has to look at, and the act that allocates one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Money, Payment};

/// A payment that somebody has to look at.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SetAsidePayment {
    /// Opaque; by it the payment is allocated.
    pub id: String,
    /// What is known of it.
    pub payment: Payment,
    /// When it came in.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// What the payer wrote.
    pub remittance: Option<String>,
    /// The activation that it belongs to, or that it names though it is over.
    pub activation: Option<String>,
    /// The open activations that it may be for, likeliest first; none of it is proof.
    pub likely: Vec<LikelyActivation>,
}

/// An activation that waits for money, and what speaks for it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct LikelyActivation {
    /// Its id.
    pub activation: String,
    /// Its payment reference.
    pub reference: String,
    /// What it asks.
    pub amount: Money,
    /// The registered name that is alike.
    pub name: String,
    /// 0 to 100: how much the organisation is called like the account holder.
    pub likeness: u8,
    /// Whether it asks just what was paid.
    pub same_amount: bool,
    /// Whether the payment carries its reference but for a slip or two.
    pub similar_reference: bool,
}

/// Payments that somebody has to look at.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetAside {
    /// They name no activation, or one that is over.
    Unallocated,
    /// They came in besides what was asked.
    Surplus,
}

/// Which activation a payment was for.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"activation": "act_01JQ", "version": 1, "actor": "M. de Vries", "reason": "The payer forgot the reference; the name and the amount fit."}))]
pub struct Allocation {
    /// The activation.
    pub activation: String,
    /// Of the activation, as it was looked at.
    pub version: i64,
    /// The person who decides.
    #[schema(min_length = 1)]
    pub actor: String,
    /// Why.
    #[schema(min_length = 1)]
    pub reason: String,
}
