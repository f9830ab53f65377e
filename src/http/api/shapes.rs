//! The shapes of requests and answers, for `/openapi.json`.
//!
//! What is answered is made by the subject's crate, which knows nothing of HTTP; these say the same
//! for the description. A test reads real answers into them and back.

mod events;
mod payments;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use events::Event;
pub use payments::{Allocation, SetAside, SetAsidePayment};

/// An amount: a decimal string and its currency.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"value": "0.01", "currency": "EUR"}))]
pub struct Money {
    /// With as many decimals as the currency has.
    pub value: String,
    /// ISO 4217.
    pub currency: String,
}

/// What an organisation can be recognised by.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"scheme": "NL:KVK", "value": "12345678"}))]
pub struct Identifier {
    /// Such as `NL:KVK`, `NL:VAT` or `BE:EN`.
    pub scheme: String,
    /// Its value in that scheme.
    pub value: String,
}

/// Where an organisation is, in its country.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"street": "Keizersgracht 1", "postcode": "1015 CJ", "city": "Amsterdam"}))]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// Postcode.
    pub postcode: String,
    /// City.
    pub city: String,
}

/// The person who registered the organisation; gets the e-mails.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "J. Jansen", "email": "jansen@example.nl", "language": "nl", "role": "administrator"}))]
pub struct Creator {
    /// Name.
    pub name: String,
    /// E-mail address; checked by its syntax only.
    pub email: String,
    /// `nl` or `en`.
    pub language: String,
    /// The role in the environment; only an `administrator` may add organisations.
    pub role: String,
}

/// An organisation to register.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "environment": "env-1", "legal_name": "Bakkerij De Korenaar B.V.", "trade_names": ["De Korenaar"],
    "legal_form": "Besloten Vennootschap", "country": "NL", "names_source": "register",
    "identifiers": [{"scheme": "NL:KVK", "value": "12345678"}],
    "creator": {"name": "J. Jansen", "email": "jansen@example.nl", "language": "nl", "role": "administrator"}
}))]
pub struct NewOrganisation {
    /// The platform's tenant that it belongs to.
    #[schema(min_length = 1)]
    pub environment: String,
    /// A number in the trade register, from which everything else about the organisation is filled in; then only
    /// `environment` and `creator` are given beside it.
    pub kvk: Option<String>,
    /// Statutory name; needed where `kvk` isn't given.
    #[schema(min_length = 1)]
    pub legal_name: Option<String>,
    /// All registered trade names.
    #[serde(default)]
    pub trade_names: Vec<String>,
    /// The register's own wording.
    pub legal_form: Option<String>,
    /// Where it is; invoices over Peppol need it of a Dutch organisation.
    pub address: Option<Address>,
    /// ISO 3166-1 alpha-2; needed where `kvk` isn't given.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    pub country: Option<String>,
    /// Where the names come from; `entered` (the default) can't be approved without a person.
    pub names_source: Option<NamesSource>,
    /// At the moment of activation exactly one.
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
    /// Who gets the e-mails.
    pub creator: Creator,
}

/// What to change; fields that are left out stay as they are.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"identifiers": [{"scheme": "NL:KVK", "value": "12345678"}]}))]
pub struct OrganisationChange {
    /// Statutory name.
    #[schema(min_length = 1)]
    pub legal_name: Option<String>,
    /// All registered trade names.
    pub trade_names: Option<Vec<String>>,
    /// The register's own wording.
    pub legal_form: Option<String>,
    /// Where it is; invoices over Peppol need it of a Dutch organisation.
    pub address: Option<Address>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    pub country: Option<String>,
    /// Where the names come from.
    pub names_source: Option<NamesSource>,
    /// All of them: the list replaces the one before.
    pub identifiers: Option<Vec<Identifier>>,
    /// Who gets the e-mails.
    pub creator: Option<CreatorChange>,
}

/// What to change about the creator; fields that are left out stay as they are.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"email": "j.jansen@example.nl"}))]
pub struct CreatorChange {
    /// Name.
    pub name: Option<String>,
    /// E-mail address; checked by its syntax only.
    pub email: Option<String>,
    /// `nl` or `en`.
    pub language: Option<String>,
    /// The role in the environment; only an `administrator` may add organisations.
    pub role: Option<String>,
}

/// An environment: the platform's tenant.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"environment": "env-1", "limit": 2, "granted": false, "used": 1}))]
pub struct Environment {
    /// Its name.
    pub environment: String,
    /// How many organisations it may have.
    pub limit: i64,
    /// The limit was granted; otherwise it is the number that is free.
    pub granted: bool,
    /// How many it has; deleted ones don't count.
    pub used: i64,
}

/// Another number of organisations for an environment.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"limit": 25, "reason": "Order 2026-114"}))]
pub struct Grant {
    /// How many it may have.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub limit: i64,
    /// Why; kept in the audit.
    #[schema(min_length = 1, max_length = 1_000)]
    pub reason: String,
}

/// Where names come from.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamesSource {
    /// A register.
    Register,
    /// Somebody typed them.
    Entered,
}

/// An organisation.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "org_01JD5W8Q7R5T4E3W2Q1A9S8D7F", "environment": "env-1", "legal_name": "Bakkerij De Korenaar B.V.",
    "trade_names": ["De Korenaar"], "legal_form": "Besloten Vennootschap", "country": "NL", "names_source": "register",
    "identifiers": [{"scheme": "NL:KVK", "value": "12345678"}],
    "creator": {"name": "J. Jansen", "email": "jansen@example.nl", "language": "nl", "role": "administrator"},
    "active": false, "activated_at": null, "created_at": "2026-03-10T08:55:00Z"
}))]
pub struct Organisation {
    /// Opaque.
    pub id: String,
    /// The platform's tenant that it belongs to.
    pub environment: String,
    /// Statutory name.
    pub legal_name: String,
    /// Trade names.
    pub trade_names: Vec<String>,
    /// The register's own wording.
    pub legal_form: Option<String>,
    /// Where it is, if that is known.
    pub address: Option<Address>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Where the names come from.
    pub names_source: NamesSource,
    /// When they were taken from the register.
    #[schema(format = DateTime)]
    pub names_at: Option<String>,
    /// What it can be recognised by.
    pub identifiers: Vec<Identifier>,
    /// Who gets the e-mails.
    pub creator: Creator,
    /// The tick: it may send invoices in its own name.
    pub active: bool,
    /// Since when.
    #[schema(format = DateTime)]
    pub activated_at: Option<String>,
    /// When it was registered.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// An organisation in the trade register.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "identifier": {"scheme": "NL:KVK", "value": "68750110"}, "name": "Bakkerij De Korenaar B.V.", "other_names": ["De Korenaar"],
    "street": "Brink 1", "place": "Deventer", "registered": true
}))]
pub struct Found {
    /// Its number.
    pub identifier: Identifier,
    /// Its own name: the statutory one, where it has one.
    pub name: String,
    /// Its other names: all of them by number, those that fit in a search.
    pub other_names: Vec<String>,
    /// Street and number; only in a search.
    pub street: Option<String>,
    /// Place.
    pub place: Option<String>,
    /// Whether it is still registered.
    pub registered: bool,
    /// What else the register says; only by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<FoundDetails>,
}

/// What else the register says of an organisation.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct FoundDetails {
    /// The register's own wording.
    pub legal_form: Option<String>,
    /// The number of the legal person, where it has one.
    pub rsin: Option<String>,
    /// When the register said so.
    #[schema(format = DateTime)]
    pub fetched_at: String,
}

/// An activation to start.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"method": "ideal"}))]
pub struct NewActivation {
    /// `ideal` (one cent, decided without a person) or `invoice` (by bank transfer).
    #[schema(required = true, value_type = Method)]
    pub method: Option<String>,
}

/// How the payment is asked for.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// One cent, decided without a person.
    Ideal,
    /// By bank transfer.
    Invoice,
}

/// A withdrawal.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"reason": "Registered by mistake."}))]
pub struct Cancellation {
    /// Why; kept in the history.
    pub reason: Option<String>,
}

/// Where an activation stands.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waiting for the payment, or the rest of it.
    AwaitingPayment,
    /// A person has to look at it.
    UnderReview,
    /// The creator has been asked something.
    InformationRequested,
    /// Decided; will be carried out.
    Approved,
    /// Takes effect when the office opens.
    Scheduled,
    /// The creator has the link to round it off.
    AwaitingConfirmation,
    /// The organisation is active.
    Activated,
    /// Support has said no.
    Rejected,
    /// Its time ran out.
    Expired,
    /// Withdrawn.
    Cancelled,
}

/// A code with its explanation.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"code": "names_differ", "text": "The account holder is not the organisation.", "text_nl": "De rekeninghouder is niet de organisatie."}))]
pub struct Reason {
    /// Stable.
    pub code: String,
    /// In English.
    pub text: String,
    /// In Dutch.
    pub text_nl: String,
}

/// A payment, as all notifications of it together say.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// Opaque.
    pub id: String,
    /// Who told of it.
    pub provider: String,
    /// Where it stands, such as `paid`.
    pub status: String,
    /// How much.
    pub amount: Option<Money>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub paid_at: Option<String>,
    /// The account holder, as the bank reports it.
    pub holder_name: Option<String>,
    /// The account, masked.
    pub iban_masked: Option<String>,
    /// What it is for this activation, such as `counts` or `surplus`.
    pub standing: String,
}

/// An e-mail to the creator.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Email {
    /// Opaque; `eencent mail resend` takes it.
    pub id: String,
    /// Which.
    pub kind: String,
    /// To whom, masked. None once it was purged (`retention.email_days`).
    pub recipient_masked: Option<String>,
    /// As in its header `Message-ID`.
    pub message_id: String,
    /// `waiting`, `sent`, `failed` or `withdrawn`.
    pub state: String,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was handed over.
    #[schema(format = DateTime)]
    pub sent_at: Option<String>,
    /// Handed over once without an answer: it may have arrived twice.
    pub maybe_sent: bool,
    /// How often an attempt failed, and another one was to follow.
    pub attempts: i64,
    /// When it is tried again; none where it isn't, or at once.
    #[schema(format = DateTime)]
    pub next_attempt_at: Option<String>,
    /// Why it isn't delivered, such as `address_refused`; in state `failed` that is final.
    pub problem: Option<Reason>,
    /// What was said when it failed last, by the mail server for instance; addresses left out.
    pub last_error: Option<String>,
}

/// One line of what happened.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct HistoryLine {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What.
    pub event: String,
    /// The state before; none for the start.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What the platform tells the person who is to pay.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Instructions {
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

/// The invoice of an activation. Whoever has an address can open the page: give it to who is to pay only.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Invoice {
    /// As it is printed.
    pub number: String,
    /// Its page, with the document as PDF and UBL.
    pub url: String,
    /// The number of the credit note that took it back.
    pub credit_note: Option<String>,
    /// The page of that.
    pub credit_note_url: Option<String>,
}

/// An activation.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "act_01JD5W9A4H8S6P2M3N4B5V6C7X", "organisation": "org_01JD5W8Q7R5T4E3W2Q1A9S8D7F", "method": "ideal",
    "reference": "RF48K7M29QTX4BCD", "amount": {"value": "0.01", "currency": "EUR"}, "state": "awaiting_payment",
    "due_at": null, "expires_at": "2026-03-24T09:00:00Z", "created_at": "2026-03-10T09:00:00Z", "version": 1,
    "reasons": [], "flags": [],
    "instructions": {
        "nl": "Betaal vanaf een bankrekening die op naam van de organisatie staat. Breek de betaling niet af; twee keer betalen helpt niet.",
        "en": "Pay from a bank account in the organisation's name. Don't break off the payment; paying twice does not help."
    },
    "checkout_url": "https://www.mollie.com/checkout/issuer/select/ideal/7UhSN1zuXS", "payments": [], "emails": [],
    "history": [{"at": "2026-03-10T09:00:00Z", "event": "started_ideal", "from": null, "to": "awaiting_payment", "actor": "key shop", "reason": ""}]
}))]
pub struct Activation {
    /// Opaque.
    pub id: String,
    /// The organisation's id.
    pub organisation: String,
    /// `ideal` or `invoice`.
    pub method: String,
    /// What ties a payment to it.
    pub reference: String,
    /// What is asked.
    pub amount: Money,
    /// Where it stands.
    pub state: State,
    /// When the approval takes effect.
    #[schema(format = DateTime)]
    pub due_at: Option<String>,
    /// When its time is up, if it is.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When it was started.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Counts its moves; an act carries the one that was looked at.
    pub version: i64,
    /// Why it was set apart for review.
    pub reasons: Vec<Reason>,
    /// What support should know, such as a surplus.
    pub flags: Vec<Reason>,
    /// What to tell the person who is to pay; only while the payment is awaited.
    pub instructions: Option<Instructions>,
    /// Where the payer is to be sent; only while the payment is awaited, and where payments are made here
    /// (`checkout.endpoint`). Absent for a moment when the provider is slow: read the activation again.
    pub checkout_url: Option<String>,
    /// Its invoice; none by another method.
    pub invoice: Option<Invoice>,
    /// Its payments.
    pub payments: Vec<Payment>,
    /// Its e-mails.
    pub emails: Vec<Email>,
    /// Everything that happened to it.
    pub history: Vec<HistoryLine>,
}

/// What a person decides.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"version": 4, "actor": "M. de Vries", "reason": "The statutes show the former name."}))]
pub struct Act {
    /// Of the activation, as it was looked at.
    pub version: i64,
    /// The person who decides.
    #[schema(min_length = 1)]
    pub actor: String,
    /// Why.
    #[schema(min_length = 1)]
    pub reason: String,
}

/// An approval by a person.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"version": 4, "actor": "M. de Vries", "reason": "The statutes show the former name.", "when": "office_hours"}))]
pub struct Approval {
    /// Of the activation, as it was looked at.
    pub version: i64,
    /// The person who decides.
    #[schema(min_length = 1)]
    pub actor: String,
    /// Why.
    #[schema(min_length = 1)]
    pub reason: String,
    /// `office_hours` unless said otherwise.
    pub when: Option<When>,
}

/// When an approval takes effect.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At once if the office is open, else when it opens.
    OfficeHours,
    /// At once.
    Now,
}

/// The stored record of an activation.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The activation as it is now.
    pub activation: Activation,
    /// Notifications, decisions and e-mails, as they were recorded.
    #[serde(flatten)]
    pub record: serde_json::Map<String, serde_json::Value>,
}

/// What is wrong with one field.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Such as `creator.email`.
    pub field: String,
    /// Stable.
    pub code: String,
    /// What to do.
    pub detail: String,
}

/// What is wrong, and what to do (RFC 9457).
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:eencent:problem:scope_missing", "title": "Not allowed", "status": 403,
    "detail": "This key does not have the scope `review`, which this needs: use a key that has it.",
    "code": "scope_missing"
}))]
pub struct Problem {
    /// `urn:eencent:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What to do.
    pub detail: String,
    /// Stable; docs/problems.md lists them.
    pub code: String,
    /// Which fields are wrong, all at once.
    pub errors: Option<Vec<FieldProblem>>,
    /// The activation as it is now, when the version was out of date.
    pub activation: Option<Activation>,
}

#[cfg(test)]
mod tests;
