//! The stored record as one page of text, for people: why is this in review, why no mail, why 401?
//!
//! Nothing is computed again: what stands here is what was recorded when it happened. Only for a payment that
//! waits to be allocated the likely activations are looked up.

mod decision;
mod paper;

use eencent_activations::clock::Timestamp;
use eencent_activations::desk::{Explained, Explanation};
use eencent_activations::office_hours::OfficeHours;
use eencent_activations::views::PaymentView;
use serde_json::Value;

use decision::Decision;
use paper::Paper;

use crate::http::language::Language;
use eencent_activations::local_time;

/// The page.
pub fn page(explained: &Explained, hours: &OfficeHours) -> String {
    let mut paper = Paper::default();
    let write = Write { hours };
    if let Some(explanation) = &explained.activation {
        write.activation(&mut paper, explanation);
    } else {
        write.notifications(&mut paper, &told(&explained.notifications));
        if !explained.notifications.is_empty() {
            paper.line("It is not tied to an activation.");
        }
    }
    if !explained.payments.is_empty() {
        paper.heading("Payments that wait to be allocated");
        explained
            .payments
            .iter()
            .for_each(|payment| write.payment(&mut paper, payment));
    }
    if !explained.likely.is_empty() {
        paper
            .heading("Activations that it may be for, by their reference, the account holder's name and what they ask");
        for likely in &explained.likely {
            let alike = match likely.likeness {
                0 => "    ".to_owned(),
                likeness => format!("{likeness} %"),
            };
            paper.item(&format!("{alike}  {}", likely.name));
            let slips = if likely.similar_reference {
                ", which the payment carries but for a slip or two"
            } else {
                ""
            };
            paper.under("reference", &format!("{}{slips}", likely.reference));
            let same = if likely.same_amount {
                ", which is what was paid"
            } else {
                ""
            };
            paper.under("asks", &format!("{}{same}", likely.amount));
        }
        paper.line("None of it proves anything: ask the payer, or look at the statement.");
    }
    write.refusals(&mut paper, &told(&explained.refusals));
    paper.done()
}

/// Records as the JSON that the API gives.
fn told<T: serde::Serialize>(records: &[T]) -> Vec<Value> {
    records
        .iter()
        .filter_map(|record| serde_json::to_value(record).ok())
        .collect()
}

/// Text at a pointer; empty when there is none.
fn text<'v>(record: &'v Value, pointer: &str) -> &'v str {
    record.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// An amount at a pointer.
fn money(record: &Value, pointer: &str) -> String {
    record.pointer(pointer).filter(|money| money.is_object()).map_or_else(
        || "amount not said".to_owned(),
        |money| format!("{} {}", text(money, "/currency"), text(money, "/value")),
    )
}

struct Write<'a> {
    hours: &'a OfficeHours,
}

impl Write<'_> {
    fn instant(&self, at: Timestamp) -> String {
        format!("{at} ({})", local_time::told(&self.hours.local(at), Language::English))
    }

    fn instant_at(&self, record: &Value, pointer: &str) -> Option<String> {
        Timestamp::parse_rfc3339(text(record, pointer)).map(|at| self.instant(at))
    }

    fn activation(&self, paper: &mut Paper, explanation: &Explanation) {
        let activation = &explanation.activation;
        paper.title(&format!("{} is {}", activation.reference, activation.state));
        paper.pair("activation", &activation.id);
        match &explanation.organisation {
            Some(organisation) => {
                paper.pair(
                    "organisation",
                    &format!("{} ({})", organisation.legal_name, organisation.id),
                );
                let trade_names = organisation.trade_names.join(", ");
                paper.pair_if("trade names", &trade_names);
                paper.pair("names from", &organisation.names_source);
            }
            None => paper.pair("organisation", &format!("{} (deleted)", activation.organisation)),
        }
        paper.pair("asked", &format!("{} by {}", activation.amount, activation.method));
        paper.pair("started", &self.instant(activation.created_at));
        if let Some(at) = activation.due_at {
            paper.pair("takes effect", &self.instant(at));
        }
        if let Some(at) = activation.expires_at {
            paper.pair("ends by itself", &self.instant(at));
        }
        paper.pair_if("register", explanation.register.as_deref().unwrap_or_default());
        if !activation.reasons.is_empty() {
            paper.heading("Why a person looks at it");
            activation
                .reasons
                .iter()
                .for_each(|reason| paper.item(&format!("{} [{}]", reason.text, reason.code)));
        }
        if !activation.flags.is_empty() {
            paper.heading("What support should know");
            activation
                .flags
                .iter()
                .for_each(|flag| paper.item(&format!("{} [{}]", flag.text, flag.code)));
        }
        self.notifications(paper, &told(&explanation.notifications));
        if !activation.payments.is_empty() {
            paper.heading("Payments");
            activation
                .payments
                .iter()
                .for_each(|payment| self.payment(paper, payment));
        }
        for kept in &explanation.decisions {
            let decision = Decision {
                number: kept.number,
                at: kept.at,
                outcome: &kept.outcome,
                record: &kept.record,
            };
            decision::write(self, paper, &decision);
        }
        self.history(paper, explanation);
        self.letters(paper, explanation);
    }

    fn notifications(&self, paper: &mut Paper, notifications: &[Value]) {
        if notifications.is_empty() {
            return;
        }
        paper.heading("What came in");
        for one in notifications {
            let endpoint = text(one, "/endpoint");
            // An import has no address; its endpoint says what it was.
            let way = if endpoint.contains(' ') {
                format!("by {endpoint}")
            } else {
                format!("at /webhooks/{endpoint}")
            };
            paper.item(&format!(
                "{} from {} {way}",
                text(one, "/event_id"),
                text(one, "/provider")
            ));
            paper.under("received", &self.instant_at(one, "/received_at").unwrap_or_default());
            paper.under("request", text(one, "/request_id"));
            paper.under("proven by", text(one, "/proven_by"));
            paper.under("is", &format!("{}, {}", text(one, "/kind"), text(one, "/state")));
            let said = one.get("told").unwrap_or(&Value::Null);
            match said {
                Value::String(why) => paper.under("says", why),
                Value::Object(_) => self.said(paper, said),
                _ => {}
            }
            if let Some(times) = one.get("repeats").and_then(Value::as_i64).filter(|times| *times > 0) {
                paper.under(
                    "repeated",
                    &format!("{times} times more, answered with success and not done again"),
                );
            }
            paper.under("contradicts", text(one, "/conflicts_with"));
            paper.under("went wrong", text(one, "/last_error"));
            paper.under("read back", text(one, "/read_back"));
        }
    }

    fn said(&self, paper: &mut Paper, said: &Value) {
        let payment = text(said, "/payment_id");
        if payment.is_empty() {
            for (name, value) in said.as_object().into_iter().flatten() {
                if let Some(value) = value.as_str() {
                    paper.under(name, value);
                }
            }
            return;
        }
        paper.under(
            "payment",
            &format!("{payment}: {}, {}", text(said, "/status"), money(said, "/amount")),
        );
        paper.under("account holder", text(said, "/holder"));
        paper.under("account", text(said, "/account_masked"));
        paper.under("paid", &self.instant_at(said, "/paid_at").unwrap_or_default());
        let hint = text(said, "/reference/text");
        match text(said, "/reference/kind") {
            "exact" => paper.under("reference", hint),
            "within" => paper.under("in its text", hint),
            _ => paper.under("reference", "none"),
        }
        match text(said, "/proof") {
            "some_fields" => paper.under(
                "the proof",
                "covers some fields; the name and the time are not among them, and decide nothing",
            ),
            "whole_request" => paper.under("the proof", "some fields by signature, the rest by Basic auth"),
            _ => {}
        }
    }

    fn payment(&self, paper: &mut Paper, payment: &PaymentView) {
        let amount = payment
            .amount
            .map_or_else(|| "amount not said".to_owned(), |amount| amount.to_string());
        paper.item(&format!(
            "{} by {}: {}, {amount}, {}",
            payment.id,
            payment.provider,
            payment.status,
            payment.standing.replace('_', " ")
        ));
        paper.under(
            "account holder",
            payment.holder_name.as_deref().unwrap_or("not told by the bank"),
        );
        paper.under("account", payment.iban_masked.as_deref().unwrap_or_default());
        if let Some(at) = payment.paid_at {
            paper.under("paid", &self.instant(at));
        }
    }

    fn history(&self, paper: &mut Paper, explanation: &Explanation) {
        paper.heading("What happened");
        for (number, line) in explanation.activation.history.iter().enumerate() {
            let from = line.from.map_or_else(String::new, |from| format!("{from} → "));
            paper.item(&format!(
                "{}. {}  {}: {from}{}",
                number + 1,
                self.instant(line.at),
                line.event,
                line.to
            ));
            paper.under("by", &line.actor);
            paper.under("because", &line.reason);
        }
    }

    fn letters(&self, paper: &mut Paper, explanation: &Explanation) {
        paper.heading("E-mails");
        let emails = &explanation.activation.emails;
        if emails.is_empty() {
            paper.line("None: nothing has happened yet that the creator is told by e-mail.");
        }
        for email in emails {
            let sent = email
                .sent_at
                .map_or_else(String::new, |at| format!(", {}", self.instant(at)));
            paper.item(&format!("{}: {}{sent}", email.kind, email.state));
            paper.under("id", &email.id);
            paper.under("to", email.recipient_masked.as_deref().unwrap_or_default());
            paper.under("Message-ID", &email.message_id);
            if email.maybe_sent {
                paper.under(
                    "perhaps twice",
                    "once the server gave no answer; a second copy has the same Message-ID",
                );
            }
            if let Some(problem) = &email.problem {
                paper.under("because", &format!("{} [{}]", problem.text, problem.code));
            }
            paper.under("went wrong", email.last_error.as_deref().unwrap_or_default());
            if let Some(at) = email.next_attempt_at {
                paper.under("again", &self.instant(at));
            }
            if email.state == "failed" {
                paper.under(
                    "to send it again",
                    &format!("eencent mail resend {} --by NAME --reason WHY", email.id),
                );
            }
        }
        if let Some(organisation) = &explanation.organisation
            && !emails.is_empty()
        {
            paper.line(&format!("They go to {}.", organisation.creator.email));
        }
        if !explanation.questions.is_empty() {
            paper.heading("Questions to the creator");
            for asked in &explanation.questions {
                paper.item(&format!("{}  {}", self.instant(asked.asked_at), asked.question));
                match asked.answered_at {
                    Some(at) => paper.under("answered", &self.instant(at)),
                    None => paper.line("Not answered."),
                }
                paper.under("answer", asked.answer.as_deref().unwrap_or_default());
                for file in &asked.files {
                    paper.under("file", &format!("{} ({}, {} bytes)", file.name, file.id, file.size));
                }
            }
        }
        if !explanation.deliveries.is_empty() {
            paper.heading("Events for the platform");
            for delivery in &explanation.deliveries {
                let when = self.instant(delivery.delivered_at.unwrap_or(delivery.created_at));
                paper.item(&format!(
                    "{} to {}: {}, {when}",
                    delivery.kind, delivery.endpoint, delivery.state
                ));
                paper.under("went wrong", delivery.last_error.as_deref().unwrap_or_default());
            }
        }
    }

    fn refusals(&self, paper: &mut Paper, refusals: &[Value]) {
        if refusals.is_empty() {
            return;
        }
        paper.heading("Requests that were refused (401)");
        for one in refusals {
            paper.item(&format!(
                "{} at /webhooks/{}",
                text(one, "/request_id"),
                text(one, "/endpoint")
            ));
            paper.under("received", &self.instant_at(one, "/received_at").unwrap_or_default());
            paper.under("from", text(one, "/remote"));
            paper.under("claims to be", text(one, "/claimed_id"));
            paper.under("why", &format!("{} [{}]", text(one, "/reason"), text(one, "/code")));
        }
    }
}
