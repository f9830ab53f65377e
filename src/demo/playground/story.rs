//! One payment, and what came of it. What is shown is read each time from where it really is.

use std::sync::{Mutex, PoisonError};

use eencent_activations::clock::Timestamp;
use minijinja::{Value as Shown, context};
use serde_json::Value;

use super::super::mailbox;
use super::super::platform::{self, Company, Started};
use super::super::providers::Paid;
use super::super::stage::Stage;
use super::super::told::Told;
use super::offers::{Way, Words};
use crate::http::language::Language;

/// The account that pays in all stories.
const IBAN: &str = "NL91ABNA0417164300";

/// Numbers of the register begin here: none of the demonstration's own cases has one of these.
const FIRST_NUMBER: usize = 20_000_000;

/// What is paid.
pub struct Payment {
    /// For which organisation.
    pub company: Company<'static>,
    /// How.
    pub way: Way,
    /// How much; what is asked when not said.
    pub cents: Option<i64>,
    /// What the creator speaks.
    pub language: Language,
}

/// A story.
pub struct Story {
    /// Its number, from 1.
    pub number: usize,
    /// Its organisation.
    pub organisation: String,
    /// Whose account pays.
    pub holder: String,
    so_far: Mutex<SoFar>,
}

/// What has been done.
#[derive(Default)]
struct SoFar {
    started: Option<Started>,
    request: Option<String>,
    answered: Option<u16>,
    trouble: Option<String>,
    way: Option<Words>,
}

impl Story {
    /// Nothing has happened yet.
    pub fn new(number: usize, organisation: &str, holder: &str) -> Self {
        Self {
            number,
            organisation: organisation.to_owned(),
            holder: holder.to_owned(),
            so_far: Mutex::default(),
        }
    }

    fn so_far<T>(&self, with: impl FnOnce(&mut SoFar) -> T) -> T {
        with(&mut self.so_far.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The request that was sent, as it went over the line.
    pub fn sent(&self) -> Option<String> {
        self.so_far(|story| story.request.clone())
    }

    /// The payment reference.
    pub fn reference(&self) -> Option<String> {
        self.so_far(|story| story.started.as_ref().map(|started| started.reference.clone()))
    }

    /// What the platform was told of it.
    pub fn told(&self, stage: &Stage) -> Vec<Told> {
        let activation = self.so_far(|story| story.started.as_ref().map(|started| started.id.clone()));
        activation.map_or_else(Vec::new, |activation| stage.platform.of(&activation))
    }

    /// Registers, starts, pays.
    pub async fn play(&self, stage: &Stage, payment: Payment) {
        self.so_far(|story| story.way = Some(payment.way.told));
        if let Err(error) = self.try_to_play(stage, payment).await {
            self.so_far(|story| story.trouble = Some(format!("{error:#}")));
        }
    }

    async fn try_to_play(&self, stage: &Stage, payment: Payment) -> anyhow::Result<()> {
        // An identifier is active once: each story has one of its own.
        let kvk = (FIRST_NUMBER + self.number).to_string();
        let company = Company {
            kvk: &kvk,
            ..payment.company
        };
        let started = platform::start(stage, &company, payment.way.method, payment.language.code()).await?;
        self.so_far(|story| story.started = Some(started.clone()));
        let message = (payment.way.sign)(&Paid {
            // The cases of the demonstration have the first.
            number: u32::try_from(self.number + 1000)?,
            reference: &started.reference,
            holder: &self.holder,
            iban: IBAN,
            at: stage.now(),
            cents: payment.cents.unwrap_or(started.cents),
        });
        self.so_far(|story| story.request = Some(message.written()));
        let answer = message.post(stage.public).await?;
        self.so_far(|story| story.answered = Some(answer.status));
        Ok(())
    }

    /// The stored record.
    pub async fn record(&self, stage: &Stage) -> Option<Value> {
        let started = self.so_far(|story| story.started.clone())?;
        platform::explanation(stage, &started).await.ok()
    }

    /// What the page shows.
    pub async fn view(&self, stage: &Stage, language: Language, told: &impl Fn(Timestamp) -> String) -> Shown {
        let say = |en: &'static str, nl: &'static str| Words { en, nl }.in_language(language);
        let record = self.record(stage).await.unwrap_or(Value::Null);
        let state = text(&record, "/activation/state").to_owned();
        let at = |value: &Value, key: &str| Timestamp::parse_rfc3339(text(value, key)).map(told);
        let link = |to: &str| format!("/stories/{}/{to}", self.number);
        let mut steps = Vec::new();
        let (answered, trouble, way) = self.so_far(|story| {
            (
                story.answered,
                story.trouble.clone(),
                story.way.unwrap_or(Words { en: "", nl: "" }),
            )
        });
        if !state.is_empty() {
            let asked = text(&record, "/activation/amount/value");
            steps.push(context! {
                title => say("The platform registers the organisation and starts the activation", "Het platform registreert de organisatie en start de activering"),
                at => at(&record, "/activation/created_at"),
                told => [format!("{} {}, € {asked}", say("Reference", "Betalingskenmerk"), text(&record, "/activation/reference"))],
                link => "", label => "",
            });
        }
        if let Some(status) = answered {
            steps.push(context! {
                title => format!("{} {}", self.holder, say("pays", "betaalt")),
                at => "",
                told => [
                    way.in_language(language).to_owned(),
                    format!("{} {status}", say("The signed notification was answered", "De getekende notificatie is beantwoord met")),
                ],
                link => link("request"),
                label => say("The signed request", "Het getekende verzoek"),
            });
        }
        for one in list(&record, "/notifications") {
            steps.push(context! {
                title => say("The notification is stored, and a job looks at it", "De notificatie is opgeslagen, en een taak bekijkt haar"),
                at => at(one, "/received_at"),
                told => [format!("{}: {} · {}", say("Proven by", "Bewezen door"), text(one, "/proven_by"), text(one, "/state"))],
                link => "", label => "",
            });
        }
        for decision in list(&record, "/decisions") {
            steps.push(context! {
                title => say("The decision", "Het besluit"),
                at => at(decision, "/at"),
                told => why(decision, language),
                link => link("explanation"),
                label => say("Everything that it was based on", "Alles waarop het is gebaseerd"),
            });
        }
        for line in list(&record, "/activation/history").skip(1) {
            steps.push(context! {
                title => state_told(text(line, "/to"), language),
                at => at(line, "/at"),
                told => [format!("{} → {}", text(line, "/from"), text(line, "/to"))],
                link => "", label => "",
            });
        }
        let reference = text(&record, "/activation/reference");
        let mails = if reference.is_empty() {
            Vec::new()
        } else {
            mailbox::about(&stage.mail(), reference)
        };
        for (number, mail) in (1..).zip(&mails) {
            steps.push(context! {
                title => say("An e-mail to the creator", "Een e-mail aan de aanmaker"),
                at => "",
                told => [mail.subject.as_str()],
                link => link(&format!("mail/{number}")),
                label => say("Read it", "Lees hem"),
            });
        }
        for (number, event) in (1..).zip(self.told(stage)) {
            steps.push(context! {
                title => say("The platform is told", "Het platform wordt verteld"),
                at => Timestamp::parse_rfc3339(&event.at).map(told),
                told => [event.kind],
                link => link(&format!("told/{number}")),
                label => say("The signed event, as it was posted", "Het getekende bericht, zoals het is gepost"),
            });
        }
        let round_off = mails
            .iter()
            .filter_map(mailbox::Mail::first_address)
            .rfind(|address| state == "awaiting_confirmation" && address.contains("/round-off/"));
        let state_told = trouble.unwrap_or_else(|| state_told(&state, language).to_owned());
        context! { state, state_told, steps, round_off }
    }
}

/// The evidence of the names, in words.
fn why(decision: &Value, language: Language) -> Vec<String> {
    let reading = match language {
        Language::English => eencent_matching::Language::English,
        Language::Dutch => eencent_matching::Language::Dutch,
    };
    let mut told = Vec::new();
    for compared in list(decision, "/record/decision/compared") {
        told.push(format!(
            "{} ↔ {}",
            text(compared, "/evidence/account_name_shown"),
            Some(text(compared, "/evidence/matched_name"))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| text(decision, "/record/asked/legal_name"))
        ));
        for reason in list(compared, "/evidence/reasons") {
            let reason = serde_json::from_value::<eencent_matching::Reason>(reason.clone());
            told.extend(reason.ok().map(|reason| reason.text(reading)));
        }
    }
    let key = if language == Language::Dutch {
        "/text_nl"
    } else {
        "/text"
    };
    for reason in list(decision, "/record/decision/reasons") {
        let said = Some(text(reason, key)).filter(|said| !said.is_empty());
        let said = said.unwrap_or_else(|| text(reason, "/text")).to_owned();
        if !told.contains(&said) {
            told.push(said);
        }
    }
    told
}

fn state_told(state: &str, language: Language) -> &'static str {
    let (en, nl) = match state {
        "awaiting_payment" => (
            "Waiting for the payment to be processed",
            "Wacht op verwerking van de betaling",
        ),
        "under_review" => (
            "Under review: an employee looks at it",
            "In beoordeling: een medewerker bekijkt het",
        ),
        "approved" => ("Approved", "Goedgekeurd"),
        "scheduled" => (
            "Approved; it takes effect when the office opens",
            "Goedgekeurd; het gaat in als het kantoor opengaat",
        ),
        "awaiting_confirmation" => (
            "Approved: one click rounds it off",
            "Goedgekeurd: met één klik is het afgerond",
        ),
        "activated" => ("Activated", "Geactiveerd"),
        "expired" => ("Expired", "Verlopen"),
        _ => ("It begins …", "Het begint …"),
    };
    Words { en, nl }.in_language(language)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
