//! What is played, and how each case has to end.

use anyhow::ensure;
use serde_json::Value;

use super::platform::{self, Company, Started, emails, look, start, state, until};
use super::providers::{self, Message, Paid};
use super::stage::Stage;

/// Friday 13 March 2026, 18:00 in Amsterdam; and the Monday after, when the office has just opened.
const FRIDAY_EVENING: &str = "2026-03-13T17:00:00Z";
const MONDAY_MORNING: &str = "2026-03-16T08:00:05Z";

const BV: &str = "Besloten Vennootschap";
const BAKERY: Company<'static> = Company {
    name: "Bakkerij De Korenaar B.V.",
    form: BV,
    trade_name: Some("De Korenaar"),
    kvk: "68750110",
};
const INSTALLER: Company<'static> = Company {
    name: "Waterman Installatietechniek B.V.",
    form: BV,
    trade_name: None,
    kvk: "69599084",
};
const GARDENER: Company<'static> = Company {
    name: "Hoveniersbedrijf Kamperfoelie B.V.",
    form: BV,
    trade_name: None,
    kvk: "90004760",
};
const FORGE: Company<'static> = Company {
    name: "Smederij Aambeeld & Zoon B.V.",
    form: BV,
    trade_name: None,
    kvk: "55344526",
};
const LIBRARY: Company<'static> = Company {
    name: "Stichting Leeszaal Zonnehoek",
    form: "Stichting",
    trade_name: None,
    kvk: "59581883",
};
const BOATYARD: Company<'static> = Company {
    name: "Scheepswerf Noorderlicht B.V.",
    form: BV,
    trade_name: None,
    kvk: "68727720",
};
const ORCHARD: Company<'static> = Company {
    name: "Fruitteelt Appelgaard B.V.",
    form: BV,
    trade_name: None,
    kvk: "90001354",
};

/// How a case went.
pub struct Played {
    /// What was played.
    pub name: &'static str,
    /// By whom it was told.
    pub provider: &'static str,
    /// The organisation.
    pub organisation: &'static str,
    /// The account holder, as the bank reports it.
    pub holder: &'static str,
    /// How it had to end.
    pub expected: &'static str,
    /// How it ended.
    pub ended: String,
    /// Whether that is the same.
    pub well: bool,
    /// What to look up, where there is something.
    pub reference: Option<String>,
}

struct Case<'s> {
    stage: &'s Stage,
    number: u32,
    company: Company<'static>,
    holder: &'static str,
    iban: &'static str,
}

impl Case<'_> {
    fn message(&self, started: &Started, sign: fn(&Paid<'_>) -> Message) -> Message {
        sign(&Paid {
            number: self.number,
            reference: &started.reference,
            holder: self.holder,
            iban: self.iban,
            at: self.stage.now(),
            cents: started.cents,
        })
    }
}

/// What a case came to: where its activation stands, and in words what else was seen.
type Outcome = anyhow::Result<(Option<Started>, String)>;

/// Plays all cases, one after the other; a case that fails doesn't keep the next from being played.
pub async fn play(stage: &Stage, about_to: impl Fn(&str)) -> Vec<Played> {
    let mut played = Vec::new();
    let case = |number, company, holder, iban| Case {
        stage,
        number,
        company,
        holder,
        iban,
    };
    let mut note = |name, provider, case: &Case<'_>, expected: &'static str, outcome: Outcome| {
        let (reference, ended) = match outcome {
            Ok((started, ended)) => (started.map(|started| started.reference), ended),
            Err(error) => (None, format!("{error:#}")),
        };
        let well = ended == expected;
        played.push(Played {
            name,
            provider,
            organisation: case.company.name,
            holder: case.holder,
            expected,
            ended,
            well,
            reference,
        });
    };

    let bakery = case(1, BAKERY, "Bakkerij De Korenaar B.V.", "NL91ABNA0417164300");
    about_to("a match: paid, approved, the link opened and clicked");
    let (outcome, told) = matched(&bakery).await;
    note("a match, and the click", "mollie", &bakery, "activated", outcome);

    about_to("a duplicate: the same notification again");
    note(
        "a duplicate",
        "mollie",
        &bakery,
        "activated, once",
        duplicate(&bakery, told).await,
    );

    let installer = case(2, INSTALLER, "WATERMAN INSTALLATIETECHNIEK BV", "NL20INGB0001234567");
    about_to("a match in another notation");
    let outcome = paid(
        &installer,
        "ideal",
        providers::adyen,
        "awaiting_confirmation",
        "round_off",
    )
    .await;
    note(
        "a match in another notation",
        "adyen",
        &installer,
        "awaiting_confirmation",
        outcome,
    );

    let gardener = case(3, GARDENER, "Hr J Jansen", "NL69INGB0123456789");
    about_to("a mismatch: set apart for review");
    let outcome = paid(&gardener, "ideal", providers::mollie, "under_review", "takes_longer").await;
    note("a mismatch", "mollie", &gardener, "under_review", outcome);

    let forge = case(4, FORGE, "Smederij Aambeeld & Zoon B.V.", "NL44RABO0123456789");
    about_to("a tampered notification: refused");
    note(
        "a tampered notification",
        "mollie",
        &forge,
        "refused (401), awaiting_payment",
        tampered(&forge).await,
    );

    let library = case(5, LIBRARY, "Stichting Leeszaal Zonnehoek", "NL91ABNA0417164300");
    about_to("a bank transfer for an invoice");
    let outcome = paid(&library, "invoice", providers::bank, "activated", "activated").await;
    note("a bank transfer", "standard_webhooks", &library, "activated", outcome);

    let boatyard = case(6, BOATYARD, "SCHEEPSWERF NOORDERLICHT BV", "NL20INGB0001234567");
    about_to("a bank transfer to an account at Stripe");
    let outcome = paid(&boatyard, "invoice", providers::stripe, "activated", "activated").await;
    note("a bank transfer, by Stripe", "stripe", &boatyard, "activated", outcome);

    let orchard = case(7, ORCHARD, "Fruitteelt Appelgaard B.V.", "NL69INGB0123456789");
    about_to("a payment on Friday evening, and the Monday after");
    let outcome = out_of_hours(&orchard).await;
    note(
        "paid on Friday at 18:00",
        "mollie",
        &orchard,
        "scheduled; Monday 09:00 awaiting_confirmation",
        outcome,
    );
    played
}

/// Starts, pays, and waits until it stands where it has to.
async fn paid(case: &Case<'_>, method: &str, sign: fn(&Paid<'_>) -> Message, wanted: &str, email: &str) -> Outcome {
    let started = start(case.stage, &case.company, method, "nl").await?;
    let answer = case.message(&started, sign).post(case.stage.public).await?;
    ensure!(answer.status == 200, "the notification was answered {}", answer.status);
    let activation = until(case.stage, &started, wanted, email).await?;
    Ok((Some(started), state(&activation).to_owned()))
}

/// Answers what was posted as well, to post it again.
async fn matched(case: &Case<'_>) -> (Outcome, Option<(Started, Message)>) {
    let started = match start(case.stage, &case.company, "ideal", "nl").await {
        Ok(started) => started,
        Err(error) => return (Err(error), None),
    };
    let message = case.message(&started, providers::mollie);
    let outcome = async {
        let answer = message.post(case.stage.public).await?;
        ensure!(answer.status == 200, "the notification was answered {}", answer.status);
        until(case.stage, &started, "awaiting_confirmation", "round_off").await?;
        platform::round_off(case.stage, &started).await?;
        let activation = until(case.stage, &started, "activated", "activated").await?;
        Ok((Some(started.clone()), state(&activation).to_owned()))
    }
    .await;
    (outcome, Some((started, message)))
}

async fn duplicate(case: &Case<'_>, told: Option<(Started, Message)>) -> Outcome {
    let Some((started, message)) = told else {
        anyhow::bail!("there is nothing to repeat")
    };
    let before = look(case.stage, &started).await?;
    let answer = message.post(case.stage.public).await?;
    ensure!(answer.status == 200, "the repeat was answered {}", answer.status);
    // The repeat was committed before it was answered; there is nothing that could still come of it.
    let after = look(case.stage, &started).await?;
    let payments = after.get("payments").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(
        before.get("version") == after.get("version") && payments == 1,
        "the repeat changed something"
    );
    ensure!(emails(&after, "activated") == 1, "the creator was told twice");
    Ok((Some(started), format!("{}, once", state(&after))))
}

async fn tampered(case: &Case<'_>) -> Outcome {
    let started = start(case.stage, &case.company, "ideal", "nl").await?;
    let message = case.message(&started, providers::mollie).tampered("Zoon", "Zonen");
    let answer = message.post(case.stage.public).await?;
    let activation = look(case.stage, &started).await?;
    Ok((
        Some(started),
        format!("refused ({}), {}", answer.status, state(&activation)),
    ))
}

async fn out_of_hours(case: &Case<'_>) -> Outcome {
    case.stage.turn_to(FRIDAY_EVENING)?;
    let (started, friday) = paid(case, "ideal", providers::mollie, "scheduled", "scheduled").await?;
    case.stage.turn_to(MONDAY_MORNING)?;
    let Some(started) = started else {
        anyhow::bail!("it was not started")
    };
    let activation = until(case.stage, &started, "awaiting_confirmation", "round_off").await?;
    Ok((Some(started), format!("{friday}; Monday 09:00 {}", state(&activation))))
}
