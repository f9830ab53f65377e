//! What a payment provider told us, in our own words: the border between `webhooks`, which
//! verifies and translates, and everything behind it.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::money::Money;
use crate::personal::{AccountNumber, HolderName};

/// Where a payment stands, as one notification says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Begun, or on its way.
    Pending,
    /// The bank refused it.
    Failed,
    /// The payer let the time run out.
    Expired,
    /// The payer broke it off.
    Cancelled,
    /// The money is ours.
    Paid,
    /// The money went back, wholly or in part.
    Refunded,
    /// The money was claimed back, wholly or in part.
    ChargedBack,
    /// A refund that was announced did not go through.
    RefundFailed,
}

impl PaymentStatus {
    /// The stable name, as in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
            Self::ChargedBack => "charged_back",
            Self::RefundFailed => "refund_failed",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Failed,
            Self::Expired,
            Self::Cancelled,
            Self::Paid,
            Self::Refunded,
            Self::ChargedBack,
            Self::RefundFailed,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }

    /// How far a payment in this status has come. A picture of a payment moves only to a higher
    /// rank, so that events may arrive in any order.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Failed | Self::Expired | Self::Cancelled => 1,
            Self::Paid => 2,
            Self::RefundFailed => 3,
            Self::Refunded | Self::ChargedBack => 4,
        }
    }
}

/// What in the message ties the payment to an activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "text")]
pub enum ReferenceHint {
    /// A field that holds the reference (or the activation's id) and nothing else.
    Exact(String),
    /// Free text in which it may stand: a description, remittance information.
    Within(String),
}

/// How much of the message its proof covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The signature covers every byte that was read.
    WholeMessage,
    /// The signature covers some fields only, but the sender also proved who it is over the same
    /// connection (Adyen's standard items with Basic auth, account and mode checked).
    WholeRequest,
    /// The signature covers some fields; holder's name and time of payment are not among them.
    SomeFields,
    /// Nothing covers it: anybody who knows the address can have sent it.
    Nothing,
    /// Read from the provider's own API, over TLS and with our credentials.
    ReadBack,
    /// From a bank statement that a person imported, or put into the watched folder.
    Imported,
}

impl Proof {
    /// Whether the holder's name may decide.
    pub const fn covers_the_name(self) -> bool {
        matches!(
            self,
            Self::WholeMessage | Self::WholeRequest | Self::ReadBack | Self::Imported
        )
    }

    /// Whether the time of payment may decide.
    pub const fn covers_the_time(self) -> bool {
        self.covers_the_name()
    }

    /// The stable name, as in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WholeMessage => "whole_message",
            Self::WholeRequest => "whole_request",
            Self::SomeFields => "some_fields",
            Self::Nothing => "nothing",
            Self::ReadBack => "read_back",
            Self::Imported => "imported",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::WholeMessage,
            Self::WholeRequest,
            Self::SomeFields,
            Self::Nothing,
            Self::ReadBack,
            Self::Imported,
        ]
        .into_iter()
        .find(|proof| proof.as_str() == text)
    }
}

/// Whether money is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money.
    #[default]
    Live,
    /// The provider's test environment.
    Test,
}

impl Mode {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::Test].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// One thing that one message says about one payment, verified and translated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentNotification {
    /// The provider's id of the payment; of a refund or chargeback, of the payment it takes back.
    pub payment_id: String,
    /// Where the payment stands.
    pub status: PaymentStatus,
    /// How much; `None` where this kind of message doesn't say.
    pub amount: Option<Money>,
    /// The account holder as the scheme or the sending bank reports it; never what the payer typed.
    pub holder: Option<HolderName>,
    /// The paying account.
    pub account_number: Option<AccountNumber>,
    /// What ties it to an activation.
    pub reference: Option<ReferenceHint>,
    /// When the payment was made, if the provider says so.
    pub paid_at: Option<Timestamp>,
    /// How much of the above is proven.
    pub proof: Proof,
    /// Real or test money; `None` where the message doesn't say, which is believed to be the
    /// endpoint's own mode.
    pub mode: Option<Mode>,
    /// This kind of message never carries the name, another one of the same payment does
    /// (Stripe's `payment_intent.*`): wait for the companion before deciding.
    pub name_comes_separately: bool,
}

/// What one item of a message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Something about a payment.
    Payment(Box<PaymentNotification>),
    /// Authentic, understood, and of no concern here; says what it is.
    Ignored(String),
    /// Authentic, but it could not be read; says why. Somebody has to look at it.
    Quarantined(String),
}

/// One item of a verified message. Most messages carry one, an Adyen batch several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique within the account: the provider's id of the event, or one derived from its contents
    /// by the provider's own advice where it sends none.
    pub event_id: String,
    /// SHA-256 over the bytes that say it, to see whether a repeat says the same.
    pub digest: [u8; 32],
    /// What it says.
    pub told: Told,
    /// What has to be read from the provider's API because of it, in the provider's own words (see
    /// [`crate::reread`]): the message alone isn't enough, or proves nothing.
    pub reread: Option<String>,
}

/// A verified message, ready to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The endpoint's name in the settings, and in its address.
    pub endpoint: String,
    /// The provider's name, such as `mollie`.
    pub provider: String,
    /// The account that ids are unique within.
    pub account: String,
    /// The endpoint's mode.
    pub mode: Mode,
    /// When it came in.
    pub received_at: Timestamp,
    /// The id of the request, as answered in `X-Request-Id`.
    pub request_id: String,
    /// How it was proven, in words that operators read: the scheme, and which of the secrets.
    pub proven_by: String,
    /// The headers that the provider's scheme reads, as they came; `Authorization` never.
    pub headers: Vec<(String, String)>,
    /// The body as it came, byte for byte.
    pub body: Vec<u8>,
    /// What it says. Never empty.
    pub events: Vec<Event>,
}

/// A request that was not believed. Recorded in samples, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The endpoint's name.
    pub endpoint: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// The id of the request, as answered in `X-Request-Id`.
    pub request_id: String,
    /// Stable code, such as `signature_mismatch`.
    pub code: String,
    /// What was wrong and what usually causes it, for the operator; never a secret.
    pub reason: String,
    /// The event id that the message claims to have, unverified; letters, digits, `_`, `-`, `.`,
    /// `:` only, at most 100.
    pub claimed_id: Option<String>,
    /// Where it came from.
    pub remote: String,
}
