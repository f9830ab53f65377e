//! The rules of the subject that an operator sets: amounts, lifetimes, office hours, addresses.

use std::time::Duration;

use serde::Deserialize;

use crate::clock::Timestamp;
use crate::desk::deliveries::Listener;
use crate::desk::support::SecondPerson;
use crate::invoicing::{InvoiceSettings, Invoicing, Numbers};
use crate::links::LinksKey;
use crate::money::Money;
use crate::office_hours::OfficeHours;
use crate::state::Method;

/// The settings as written; see `config/default.toml` for what each means.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// Section `[activation]`.
    pub activation: ActivationSettings,
    /// Section `[office]`.
    pub office: OfficeSettings,
    /// Section `[organisations]`.
    pub organisations: OrganisationSettings,
    /// Section `[contact]`.
    pub contact: ContactSettings,
    /// Section `[checkout]`.
    pub checkout: CheckoutSettings,
    /// Section `[invoice]`.
    pub invoice: InvoiceSettings,
    /// Section `[review]`.
    pub review: ReviewSettings,
}

/// Section `[activation]`.
#[derive(Debug, Clone, Deserialize)]
pub struct ActivationSettings {
    /// What method `ideal` asks, in euros.
    pub ideal_amount: String,
    /// What method `invoice` asks, in euros, VAT included.
    pub invoice_amount: String,
    /// How an approved iDEAL activation is completed: `link` or `immediate`.
    pub ideal_completion: String,
    /// How an approved invoice activation is completed.
    pub invoice_completion: String,
    /// Days that an iDEAL activation waits for its payment.
    pub ideal_days: u32,
    /// Days that an invoiced activation waits for its payment.
    pub invoice_days: u32,
    /// Days that a link lives.
    pub link_days: u32,
    /// Days that a request for information waits.
    pub information_days: u32,
    /// Minutes that a payment waits for the message that carries its name.
    pub companion_minutes: u32,
    /// Per cent of the clear payments that a person looks at all the same.
    pub review_share: u32,
    /// Legal forms that a person always looks at.
    pub review_legal_forms: Vec<String>,
    /// How many files an answer to a question may carry.
    pub answer_files: u32,
    /// How many megabytes they may be together.
    pub answer_megabytes: u32,
}

/// How much an answer to a question may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLimits {
    /// Files.
    pub files: usize,
    /// Megabytes, of all files together.
    pub megabytes: usize,
}

impl AnswerLimits {
    /// The same in bytes.
    pub const fn bytes(self) -> usize {
        self.megabytes.saturating_mul(1_000_000)
    }
}

/// Section `[review]`.
#[derive(Debug, Clone, Deserialize)]
pub struct ReviewSettings {
    /// Which approvals by a person take another one: `off`, `strong_mismatch` or `always`.
    pub second_person: String,
}

/// Section `[office]`.
#[derive(Debug, Clone, Deserialize)]
pub struct OfficeSettings {
    /// OpenStreetMap opening hours.
    pub hours: String,
    /// IANA zone.
    pub zone: String,
}

/// Section `[organisations]`.
#[derive(Debug, Clone, Deserialize)]
pub struct OrganisationSettings {
    /// How many an environment may have.
    pub free: u32,
}

/// Section `[contact]`.
#[derive(Debug, Clone, Deserialize)]
pub struct ContactSettings {
    /// E-mail address of support.
    pub support_email: String,
    /// Page of support.
    pub support_url: String,
    /// Where a larger number of organisations is asked for.
    pub sales: String,
    /// The page for Belgian organisations.
    pub belgium_url: String,
    /// The page about registering on Peppol.
    pub peppol_url: String,
}

/// Section `[checkout]`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CheckoutSettings {
    /// The endpoint whose provider payments by iDEAL are made at; empty: the platform makes them.
    pub endpoint: String,
    /// Where payers come back.
    pub return_url: String,
}

/// How an approval is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The creator rounds it off by a link.
    Link,
    /// It activates by itself.
    Immediate,
}

impl Completion {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Immediate => "immediate",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Link, Self::Immediate]
            .into_iter()
            .find(|one| one.as_str() == text)
    }
}

/// What holds for one method.
#[derive(Debug, Clone)]
pub struct MethodRules {
    /// What is asked.
    pub amount: Money,
    /// How an approval is completed.
    pub completion: Completion,
    /// How long it waits for its payment.
    pub lifetime: Duration,
}

/// Which names are fetched again from their register before a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refetching {
    /// Those that are as old as this.
    pub age: Duration,
    /// Of organisations with a number of one of these schemes, such as `NL:KVK`.
    pub schemes: Vec<String>,
}

/// The rules, checked.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(crate) ideal: MethodRules,
    pub(crate) invoice: MethodRules,
    pub(crate) link_lifetime: Duration,
    pub(crate) information_lifetime: Duration,
    pub(crate) companion_wait: Duration,
    pub(crate) review_share: u32,
    pub(crate) review_legal_forms: Vec<String>,
    pub(crate) hours: OfficeHours,
    pub(crate) free_organisations: u32,
    pub(crate) contact: ContactSettings,
    /// What makes invoices; none where there are no invoices.
    pub(crate) invoicing: Option<Invoicing>,
    pub(crate) invoice_numbers: Numbers,
    pub(crate) dutch_references: bool,
    /// The endpoint that payments are made at, and where payers come back.
    pub(crate) checkout: Option<(String, String)>,
    /// Which names are fetched again before a decision; none where no register is configured.
    pub(crate) refetching: Option<Refetching>,
    /// Who is told of events.
    pub(crate) listeners: Vec<Listener>,
    pub(crate) answers: AnswerLimits,
    pub(crate) second_person: SecondPerson,
    pub(crate) links_key: LinksKey,
    pub(crate) public_url: String,
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// All problems at once, each a sentence that names its key.
    pub fn validate(&self, links_key: LinksKey, public_url: &str, now: Timestamp) -> Result<Rules, Vec<String>> {
        let mut problems = Vec::new();
        let a = &self.activation;
        let ideal = method(
            &mut problems,
            "ideal",
            &a.ideal_amount,
            &a.ideal_completion,
            a.ideal_days,
        );
        let invoice = method(
            &mut problems,
            "invoice",
            &a.invoice_amount,
            &a.invoice_completion,
            a.invoice_days,
        );
        let link_lifetime = days(&mut problems, "activation.link_days", a.link_days);
        let information_lifetime = days(&mut problems, "activation.information_days", a.information_days);
        if a.review_share > 100 {
            problems.push("activation.review_share is a percentage; write a number from 0 to 100".into());
        }
        if a.answer_files > 20 {
            problems.push("activation.answer_files is the number of files in an answer; write one from 0 to 20".into());
        }
        if !(1..=50).contains(&a.answer_megabytes) {
            problems.push("activation.answer_megabytes is the size of an answer; write a number from 1 to 50".into());
        }
        let hours = OfficeHours::parse(&self.office.hours, &self.office.zone, now)
            .map_err(|error| problems.push(format!("office: {error}")))
            .ok();
        if !self.checkout.endpoint.is_empty() && !self.checkout.return_url.starts_with("https://") {
            problems.push(
                "checkout.return_url is the page that payers come back to; write an address that begins with https://"
                    .into(),
            );
        }
        if !["creditor_reference", "betalingskenmerk"].contains(&self.invoice.reference.as_str()) {
            problems.push("invoice.reference is unknown; write \"creditor_reference\" or \"betalingskenmerk\"".into());
        }
        let second_person = SecondPerson::parse(&self.review.second_person);
        if second_person.is_none() {
            problems.push("review.second_person is unknown; write \"off\", \"strong_mismatch\" or \"always\"".into());
        }
        let invoice_numbers = self.invoice.numbers(&mut problems);
        let invoicing = match &invoice {
            Some(rules) => self.invoice.checked(rules.amount, &mut problems),
            None => None,
        };
        match (problems.is_empty(), ideal, invoice, hours, second_person) {
            (true, Some(ideal), Some(invoice), Some(hours), Some(second_person)) => Ok(Rules {
                ideal,
                invoice,
                link_lifetime,
                information_lifetime,
                companion_wait: Duration::from_secs(60 * u64::from(a.companion_minutes)),
                review_share: a.review_share,
                review_legal_forms: a
                    .review_legal_forms
                    .iter()
                    .map(|form| form.trim().to_lowercase())
                    .collect(),
                hours,
                free_organisations: self.organisations.free,
                contact: self.contact.clone(),
                invoicing,
                invoice_numbers,
                checkout: (!self.checkout.endpoint.is_empty())
                    .then(|| (self.checkout.endpoint.clone(), self.checkout.return_url.clone())),
                dutch_references: self.invoice.reference == "betalingskenmerk",
                refetching: None,
                listeners: Vec::new(),
                answers: AnswerLimits {
                    files: a.answer_files as usize,
                    megabytes: a.answer_megabytes as usize,
                },
                second_person,
                links_key,
                public_url: public_url.trim_end_matches('/').to_owned(),
            }),
            _ => Err(problems),
        }
    }
}

impl Rules {
    /// The same, and these are told of events.
    #[must_use]
    pub fn telling(self, listeners: Vec<Listener>) -> Self {
        Self { listeners, ..self }
    }

    /// The same, and these names are fetched again before a decision.
    #[must_use]
    pub fn refetching(self, refetching: Option<Refetching>) -> Self {
        Self { refetching, ..self }
    }

    /// What holds for a method.
    pub fn method(&self, method: Method) -> &MethodRules {
        match method {
            Method::Ideal => &self.ideal,
            Method::Invoice => &self.invoice,
        }
    }

    /// The base of links, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Whether payments by iDEAL are made at a provider.
    pub const fn makes_payments(&self) -> bool {
        self.checkout.is_some()
    }

    /// How much an answer to a question may carry.
    pub const fn answers(&self) -> AnswerLimits {
        self.answers
    }

    /// When approvals take effect.
    pub fn hours(&self) -> &OfficeHours {
        &self.hours
    }
}

fn method(
    problems: &mut Vec<String>,
    name: &str,
    amount: &str,
    completion: &str,
    lifetime: u32,
) -> Option<MethodRules> {
    let amount = Money::parse(amount, "EUR").ok().filter(|money| money.minor > 0);
    if amount.is_none() {
        problems.push(format!(
            "activation.{name}_amount is not an amount of euros; write it as \"0.01\""
        ));
    }
    let completion = Completion::parse(completion);
    if completion.is_none() {
        problems.push(format!(
            "activation.{name}_completion is unknown; write \"link\" or \"immediate\""
        ));
    }
    let lifetime = days(problems, &format!("activation.{name}_days"), lifetime);
    Some(MethodRules {
        amount: amount?,
        completion: completion?,
        lifetime,
    })
}

fn days(problems: &mut Vec<String>, key: &str, days: u32) -> Duration {
    if !(1..=3_650).contains(&days) {
        problems.push(format!("{key} is a number of days; write one from 1 to 3650"));
    }
    Duration::from_secs(24 * 60 * 60 * u64::from(days))
}
