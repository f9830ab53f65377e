//! Deciding: the pure decision on what the database holds, the move that it asks for, and its record.

use std::time::Duration;

use serde_json::{Value, json};
use tracing::Instrument as _;

use super::moves::{Activation, Line};
use super::names::Names;
use super::payments::Payment;
use super::pending::NewDecision;
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::decide::{Asked, Decision, Outcome, RegisterSays, decide};
use crate::refused::DeskError;
use crate::state::Happening;
use crate::store::{StoreError, text, to_json};
use crate::trace;
use crate::views::ReasonView;

/// A decision, and what it was made on.
pub(super) struct Weighed {
    pub asked: Asked,
    pub decision: Decision,
    /// It may not be made yet: the register is asked first, and what it says is decided on then.
    pub names_awaited: bool,
}

/// What is measured of a decision. Outcomes and reasons are of closed sets.
pub(super) struct Decided {
    outcome: &'static str,
    reasons: Vec<String>,
    /// Since the last of what it was made on was received.
    after: Duration,
}

impl Decided {
    fn of(decision: &Decision, payments: &[Payment], now: Timestamp) -> Self {
        let (outcome, reasons) = match &decision.outcome {
            Outcome::Wait { .. } => ("wait", Vec::new()),
            Outcome::PaidInPart { .. } => ("paid_in_part", Vec::new()),
            Outcome::Clear { .. } => ("clear", Vec::new()),
            Outcome::Unclear { reasons, .. } => {
                let mut codes: Vec<String> = reasons.iter().map(|reason| reason.code.clone()).collect();
                codes.sort();
                codes.dedup();
                ("unclear", codes)
            }
        };
        let last = payments.iter().map(|payment| payment.received_at).max();
        Self {
            outcome,
            reasons,
            after: last.map(|last| now.since(last)).unwrap_or_default(),
        }
    }

    /// In the trace of what was decided on.
    fn note(&self) {
        let span = tracing::Span::current();
        trace::note(&span, "outcome", self.outcome);
        if !self.reasons.is_empty() {
            trace::note(&span, "reasons", self.reasons.join(" "));
        }
    }

    pub(super) fn measure(&self) {
        metrics::counter!("eencent_decisions_total", "outcome" => self.outcome).increment(1);
        for reason in &self.reasons {
            metrics::counter!("eencent_decision_reasons_total", "reason" => reason.clone()).increment(1);
        }
        metrics::histogram!("eencent_decision_seconds").record(self.after.as_secs_f64());
    }
}

impl Desk {
    pub(super) async fn weigh(&self, work: &mut Desking, activation: &Activation) -> Result<Weighed, DeskError> {
        let names = self.names_of(work, activation).await?;
        let says = match names {
            Names::Said(says) => says,
            Names::Awaited | Names::TooOld => RegisterSays::Current,
        };
        let asked = self.asked(activation, says);
        let payments = self.counting(work, &activation.id).await?;
        let paid: Vec<_> = payments.iter().map(Payment::as_paid).collect();
        let mut decision = decide(&asked, &paid, self.now());
        // With no opening in sight (the holiday calendar has an end) nothing can be promised.
        if let Outcome::Clear { made_at, .. } = decision.outcome
            && self.rules.hours.takes_effect(Some(made_at), self.now()).is_none()
        {
            let reason = ReasonView::new(
                "office_hours_end",
                "The office hours give no next opening; mend the setting office.hours, then approve.",
                "De kantooruren geven geen volgende opening; herstel de instelling office.hours en keur dan goed.",
            );
            decision.outcome = Outcome::Unclear {
                reasons: vec![reason],
                lacks_only_the_name: false,
            };
        }
        let decides = matches!(decision.outcome, Outcome::Clear { .. } | Outcome::Unclear { .. });
        if decides && names == Names::TooOld {
            self.ask_register(work, activation).await?;
        }
        Ok(Weighed {
            asked,
            decision,
            names_awaited: decides && matches!(names, Names::TooOld | Names::Awaited),
        })
    }

    fn asked(&self, a: &Activation, register: RegisterSays) -> Asked {
        let form = a
            .organisation
            .legal_form
            .as_deref()
            .map(|form| form.trim().to_lowercase());
        Asked {
            method: a.method,
            amount: a.amount,
            legal_name: a.organisation.legal_name.clone(),
            trade_names: a.organisation.trade_names.clone(),
            legal_form: a.organisation.legal_form.clone(),
            country: a.identifier.0.split_once(':').map(|(country, _)| country.to_owned()),
            names_from_register: a.organisation.names_from_register,
            names_at: a.organisation.names_at,
            register,
            sampled: self.is_sampled(&a.id) || form.is_some_and(|form| self.rules.review_legal_forms.contains(&form)),
        }
    }

    /// Whether this one falls in the share that is always reviewed; the same answer each time.
    fn is_sampled(&self, activation: &str) -> bool {
        let hash = crate::links::hash_of(activation);
        let number = hash
            .get(..8)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .unwrap_or(0);
        number % 100 < self.rules.review_share
    }

    /// Decides on what has come in. When to look again, if the account holder's name is still to come; where names have
    /// to be fetched first, whatever comes of that decides (`names.rs`), and nobody needs to look again.
    pub(super) async fn decide_on(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        clear: Happening,
    ) -> Result<Option<Timestamp>, DeskError> {
        let weighed = self.weigh(work, activation).await?;
        if let Outcome::Wait { until } = weighed.decision.outcome {
            return Ok(Some(until));
        }
        if !weighed.names_awaited {
            self.carry(work, activation, &weighed, clear).await?;
        }
        Ok(None)
    }

    /// Makes the move that a decision asks for, and keeps the decision with its inputs.
    pub(super) async fn carry(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        weighed: &Weighed,
        clear: Happening,
    ) -> Result<(), DeskError> {
        let deciding = tracing::debug_span!("decision", activation = activation.id);
        let carried = self.carry_within(work, activation, weighed, clear);
        carried.instrument(deciding).await
    }

    async fn carry_within(
        &self,
        work: &mut Desking,
        activation: &mut Activation,
        weighed: &Weighed,
        clear: Happening,
    ) -> Result<(), DeskError> {
        let now = self.now();
        let decision = &weighed.decision;
        let mut effect = None;
        match &decision.outcome {
            Outcome::Wait { .. } => return Ok(()),
            Outcome::PaidInPart { received, missing } => {
                let email = json!({ "received": received.value(), "missing": missing.value() });
                let why = format!("{received} received, {missing} missing");
                // A payment may be told of again, and is looked at again then; its creator has heard this already.
                if self.last_told_in_part(work, &activation.id).await?.as_ref() == Some(&why) {
                    return Ok(());
                }
                let line = Line {
                    happening: Happening::PaidInPart,
                    actor: "system",
                    reason: &why,
                    email,
                };
                self.make(work, activation, line).await?;
            }
            Outcome::Clear { made_at, surplus } => {
                effect = self.rules.hours.takes_effect(Some(*made_at), now);
                activation.reasons.clear();
                activation.lacks_only_the_name = false;
                activation.made_at = Some(*made_at);
                activation.decided_at = Some(now);
                activation.due_at = effect;
                if let Some(surplus) = surplus {
                    activation.flags.push(ReasonView::new(
                        "surplus",
                        format!("Paid {surplus} more than asked."),
                        format!("Er is {surplus} meer betaald dan gevraagd."),
                    ));
                }
                let why = "paid in full; the account holder is the organisation";
                self.make(work, activation, Line::by_system(clear, why)).await?;
            }
            Outcome::Unclear {
                reasons,
                lacks_only_the_name,
            } => {
                activation.reasons.clone_from(reasons);
                activation.lacks_only_the_name = *lacks_only_the_name;
                let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
                let email = json!({ "reasons": self.for_creator(activation) });
                let line = Line {
                    happening: Happening::PaidUnclear,
                    actor: "system",
                    reason: &codes.join(", "),
                    email,
                };
                self.make(work, activation, line).await?;
            }
        }
        let payments = self.counting(work, &activation.id).await?;
        let decided = Decided::of(decision, &payments, now);
        decided.note();
        work.decided.push(decided);
        self.keep_weighed(work, activation, weighed, &payments, effect).await
    }

    /// What came in during a review, weighed with the rest: the names side by side, which whoever reviews looks at, and
    /// by which it may take two of them. The state and the reasons stay as they are, and it is held against the names
    /// as they are known, also while a register is asked for newer ones.
    pub(super) async fn keep_comparison(&self, work: &mut Desking, activation: &Activation) -> Result<(), DeskError> {
        let weighed = self.weigh(work, activation).await?;
        if !matches!(weighed.decision.outcome, Outcome::Unclear { .. }) {
            return Ok(());
        }
        let payments = self.counting(work, &activation.id).await?;
        self.keep_weighed(work, activation, &weighed, &payments, None).await
    }

    /// Keeps what was weighed, with its inputs.
    async fn keep_weighed(
        &self,
        work: &mut Desking,
        activation: &Activation,
        weighed: &Weighed,
        payments: &[Payment],
        effect: Option<Timestamp>,
    ) -> Result<(), DeskError> {
        let now = self.now();
        let Weighed { asked, decision, .. } = weighed;
        let record = json!({
            "decided_at": now,
            "asked": asked,
            "payments": payments.iter().map(described).collect::<Vec<_>>(),
            "decision": decision,
            "office_hours": { "expression": self.rules.hours.expression(), "zone": self.rules.hours.zone().to_string(),
                              "open_when_decided": self.rules.hours.is_open(now) },
            "takes_effect": effect,
            "matcher": eencent_matching::VERSION,
        });
        self.keep_decision(work, activation, now, &record).await
    }

    /// What the line of the last part that was paid says, if there is one.
    async fn last_told_in_part(&self, work: &mut Desking, activation: &str) -> Result<Option<String>, DeskError> {
        self.flush(work).await?;
        let row = sqlx::query(
            "SELECT reason FROM history WHERE activation_id = $1 AND happening = $2 ORDER BY number DESC LIMIT 1",
        )
        .bind(activation)
        .bind(Happening::PaidInPart.as_str())
        .fetch_optional(&mut *work.tx)
        .await
        .map_err(StoreError::from)?;
        Ok(row.map(|row| text(&row, "reason")).transpose()?)
    }

    async fn keep_decision(
        &self,
        work: &mut Desking,
        a: &Activation,
        now: Timestamp,
        record: &Value,
    ) -> Result<(), DeskError> {
        work.pending.decisions.push(NewDecision {
            activation_id: a.id.clone(),
            number: a.version,
            at: now,
            outcome: a.state.as_str(),
            record: to_json(record)?,
        });
        self.wrote(work).await
    }

    /// The reasons as the creator is told them: what he can do something about, and nothing of how we
    /// check. What support reads stands in the activation.
    fn for_creator(&self, a: &Activation) -> Value {
        let dutch = a.organisation.creator.language == "nl";
        let mut told: Vec<Value> = Vec::new();
        for reason in &a.reasons {
            let Some((text, text_nl)) = creators_words(&reason.code) else {
                continue;
            };
            let one = json!({ "code": reason.code, "text": if dutch { text_nl } else { text } });
            if !told.iter().any(|known| known.get("text") == one.get("text")) {
                told.push(one);
            }
        }
        Value::Array(told)
    }
}

/// A payment as the record of a decision keeps it.
fn described(payment: &Payment) -> Value {
    json!({
        "payment_id": payment.payment_id,
        "account": payment.account,
        "amount": payment.amount,
        "holder_name": payment.holder,
        "account_masked": payment.account_number.as_ref().map(crate::personal::AccountNumber::masked),
        "name_proven": payment.name_proven,
        "paid_at": payment.paid_at,
        "paid_at_proven": payment.paid_at_proven,
        "received_at": payment.received_at,
        "made_at": payment.made_at(),
        "tied_by": payment.tied_by,
    })
}

/// What a creator reads of a reason, in English and Dutch; nothing of what only concerns us.
fn creators_words(code: &str) -> Option<(&'static str, &'static str)> {
    match code {
        "sampled"
        | "name_not_proven"
        | "notifications_conflict"
        | "told_twice"
        | "office_hours_end"
        | "mode_doubted" => None,
        "amount_differs" | "currency_differs" | "amount_unknown" => Some((
            "The amount paid is not the amount asked.",
            "Het betaalde bedrag is niet het gevraagde bedrag.",
        )),
        "payment_reversed" => Some((
            "The payment was refunded or charged back.",
            "De betaling is terugbetaald of teruggeboekt.",
        )),
        "register_ended" | "register_unknown" => Some((
            "The organisation is not in the trade register (any more).",
            "De organisatie staat niet (meer) in het handelsregister.",
        )),
        "names_entered" | "register_silent" => Some((
            "We check the organisation's name in the trade register.",
            "Wij controleren de naam van de organisatie in het handelsregister.",
        )),
        "name_missing" => Some((
            "The bank has not reported the account holder's name.",
            "De bank heeft de naam van de rekeninghouder niet gemeld.",
        )),
        _ => Some((
            "The account holder's name is not the same as the organisation's registered name.",
            "De naam van de rekeninghouder is niet dezelfde als de ingeschreven naam van de organisatie.",
        )),
    }
}
