//! What the outside sees of organisations and activations: the shapes of the platform API.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::identifier::Identifier;
use crate::money::Money;
use crate::state::{EmailKind, Happening, Method, State};

/// Who registered an organisation; gets the e-mails.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatorView {
    /// Name, as e-mails address it.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// `nl` or `en`.
    pub language: String,
    /// Role in the environment; only an `administrator` may register organisations.
    pub role: String,
}

impl std::fmt::Debug for CreatorView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::personal::masked_words(&self.name))
    }
}

/// Where an organisation is, in its country. Of a sole trader it may be a home.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressView {
    /// Street and number.
    pub street: String,
    /// Postcode.
    pub postcode: String,
    /// City.
    pub city: String,
}

impl std::fmt::Debug for AddressView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::personal::masked_words(&self.street))
    }
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganisationView {
    /// Its id.
    pub id: String,
    /// The platform's tenant that it belongs to.
    pub environment: String,
    /// Statutory name.
    pub legal_name: String,
    /// All registered trade names.
    pub trade_names: Vec<String>,
    /// The register's own wording.
    pub legal_form: Option<String>,
    /// Where it is; invoices over Peppol need it.
    pub address: Option<AddressView>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// `register` or `entered`.
    pub names_source: String,
    /// When they were taken from the register.
    pub names_at: Option<Timestamp>,
    /// By what it can be recognised.
    pub identifiers: Vec<Identifier>,
    /// Who registered it.
    pub creator: CreatorView,
    /// The tick.
    pub active: bool,
    /// When it got the tick.
    pub activated_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// An environment: the platform's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentView {
    /// Its name.
    pub environment: String,
    /// How many organisations it may have.
    pub limit: i64,
    /// The limit was granted; otherwise it is the number that is free.
    pub granted: bool,
    /// How many it has; deleted ones don't count.
    pub used: i64,
}

/// A reason, in words that support can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonView {
    /// Stable code.
    pub code: String,
    /// In English.
    pub text: String,
    /// In Dutch.
    #[serde(default)]
    pub text_nl: String,
}

impl ReasonView {
    pub(crate) fn new(code: &str, text: impl Into<String>, text_nl: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            text: text.into(),
            text_nl: text_nl.into(),
        }
    }
}

/// A payment of an activation.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PaymentView {
    /// The provider's id.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// `pending`, `failed`, `expired`, `cancelled`, `paid`, `refunded`, `charged_back`, `refund_failed`.
    pub status: String,
    /// How much.
    pub amount: Option<Money>,
    /// When it was made, as the provider says.
    pub paid_at: Option<Timestamp>,
    /// The account holder as the bank reported it.
    pub holder_name: Option<String>,
    /// The paying account, masked.
    pub iban_masked: Option<String>,
    /// `counts`, `surplus`, `unallocated`, `other_mode`, `not_paid`.
    pub standing: String,
}

impl std::fmt::Debug for PaymentView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?} {}", self.id, self.status, self.amount, self.standing)
    }
}

/// An e-mail of an activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmailView {
    /// Its id, by which it is sent again.
    pub id: String,
    /// Which.
    pub kind: EmailKind,
    /// To whom, masked; none once that was purged.
    pub recipient_masked: Option<String>,
    /// Its `Message-ID`.
    pub message_id: String,
    /// `waiting`, `sent`, `failed`, `withdrawn`.
    pub state: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// Handed over once without an answer: it may have arrived twice.
    pub maybe_sent: bool,
    /// How often an attempt failed, and another one was to follow.
    pub attempts: i64,
    /// When it is tried again; none where it isn't, or at once.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it isn't delivered, in words; in state `failed` that is final.
    pub problem: Option<ReasonView>,
    /// What was said when it failed last, by the mail server for instance.
    pub last_error: Option<String>,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryView {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub event: Happening,
    /// The state before; none at the start.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who: `system`, `creator`, or a key and a person.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What the platform tells the person who is to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InstructionsView {
    /// In Dutch.
    pub nl: &'static str,
    /// In English.
    pub en: &'static str,
}

impl InstructionsView {
    /// What to tell while a payment by this method is awaited.
    pub const fn of(method: Method) -> Self {
        match method {
            Method::Ideal => Self {
                nl: "Betaal vanaf een bankrekening die op naam van de organisatie staat. Breek de betaling niet af; twee keer betalen helpt niet.",
                en: "Pay from a bank account in the organisation's name. Don't break off the payment; paying twice does not help.",
            },
            Method::Invoice => Self {
                nl: "Maak het bedrag over vanaf een bankrekening die op naam van de organisatie staat, met het betalingskenmerk. Twee keer betalen helpt niet.",
                en: "Transfer the amount from a bank account in the organisation's name, with the reference. Paying twice does not help.",
            },
        }
    }
}

/// The invoice of an activation. Whoever has an address can open the page.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceView {
    /// As it is printed.
    pub number: String,
    /// Its page.
    pub url: String,
    /// The number of the credit note that took it back.
    pub credit_note: Option<String>,
    /// The page of that.
    pub credit_note_url: Option<String>,
}

impl std::fmt::Debug for InvoiceView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.number, self.credit_note)
    }
}

/// An activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivationView {
    /// Its id.
    pub id: String,
    /// The organisation's id.
    pub organisation: String,
    /// By which method.
    pub method: Method,
    /// What ties a payment to it.
    pub reference: String,
    /// What is asked.
    pub amount: Money,
    /// Where it stands.
    pub state: State,
    /// When the approval takes effect, or took effect.
    pub due_at: Option<Timestamp>,
    /// When this state ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was started.
    pub created_at: Timestamp,
    /// Every act carries the version of what was looked at.
    pub version: i64,
    /// Why it is, or was, in review.
    pub reasons: Vec<ReasonView>,
    /// What support should know; changes no state.
    pub flags: Vec<ReasonView>,
    /// What to tell the person who is to pay; only while the payment is awaited.
    pub instructions: Option<InstructionsView>,
    /// Where the payer is to be sent; only while the payment is awaited, and where payments are made here.
    pub checkout_url: Option<String>,
    /// Its invoice; none by another method.
    pub invoice: Option<InvoiceView>,
    /// All its payments, oldest first.
    pub payments: Vec<PaymentView>,
    /// All its e-mails, oldest first.
    pub emails: Vec<EmailView>,
    /// All that happened, oldest first.
    pub history: Vec<HistoryView>,
}
