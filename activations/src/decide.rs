//! The decision: from what was asked and what was paid to clear, unclear, or wait. Pure.
//!
//! Clear means: nobody needs to look. Everything that isn't clearly so is unclear, with reasons.

use std::time::Duration;

use eencent_matching::{Evidence, Language, RegisteredNames, Verdict};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::money::Money;
use crate::personal::{AccountNumber, HolderName};
use crate::state::Method;
use crate::views::ReasonView;

/// One transfer told through two channels is told within this time.
const TWICE_TOLD_WITHIN: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// What a register said of an organisation when names had to be fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegisterSays {
    /// The names are fresh, or there is no register to ask.
    #[default]
    Current,
    /// The organisation isn't registered any more.
    Ended,
    /// It has no such number.
    Unknown,
    /// It didn't answer for as long as it is waited for.
    Nothing,
}

/// What is asked, and of whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// By which method.
    pub method: Method,
    /// How much.
    pub amount: Money,
    /// Statutory name.
    pub legal_name: String,
    /// Registered trade names.
    pub trade_names: Vec<String>,
    /// The register's own wording.
    pub legal_form: Option<String>,
    /// The country of the register, as ISO 3166-1 alpha-2.
    #[serde(default)]
    pub country: Option<String>,
    /// Whether the names come from a register; entered ones never decide.
    pub names_from_register: bool,
    /// From when they are.
    #[serde(default)]
    pub names_at: Option<Timestamp>,
    /// What their register said when it was asked before this decision.
    #[serde(default)]
    pub register: RegisterSays,
    /// A person looks at it, however clear: the operator wants a share, or a kind, reviewed.
    pub sampled: bool,
}

/// A payment that counts towards the activation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Paid {
    /// The provider's id.
    pub payment_id: String,
    /// Which account told of it.
    pub account: String,
    /// How much; unknown where no message said.
    pub amount: Option<Money>,
    /// The account holder.
    pub holder: Option<HolderName>,
    /// The paying account.
    pub account_number: Option<AccountNumber>,
    /// Whether the holder's name is proven.
    pub name_proven: bool,
    /// Until when another message may bring the name.
    pub name_awaited_until: Option<Timestamp>,
    /// A later message contradicted an earlier one.
    pub conflicting: bool,
    /// It was refunded or charged back.
    pub reversed: bool,
    /// When it was made: the provider's time where that is proven, never later than it was received.
    pub made_at: Timestamp,
}

/// One payment's name held against the organisation's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Compared {
    /// The payment.
    pub payment_id: String,
    /// The account that its id is unique within.
    pub account: String,
    /// What the matcher found.
    pub evidence: Evidence,
}

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// Another message will bring the name; look again then.
    Wait {
        /// When to look again at the latest.
        until: Timestamp,
    },
    /// Less than asked has come in.
    PaidInPart {
        /// So much.
        received: Money,
        /// So much is missing.
        missing: Money,
    },
    /// Paid in full, and nobody needs to look.
    Clear {
        /// When the amount became complete.
        made_at: Timestamp,
        /// More than asked, by so much.
        surplus: Option<Money>,
    },
    /// A person has to look.
    Unclear {
        /// Why; never empty.
        reasons: Vec<ReasonView>,
        /// Nothing but the name is wanting: when it comes, decide again.
        lacks_only_the_name: bool,
    },
}

/// The decision with what it was made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decision {
    /// What to do.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The names, side by side.
    pub compared: Vec<Compared>,
}

/// Decides on the payments that count. `payments` must not be empty: nothing paid is nothing to decide,
/// and is answered by review.
pub fn decide(asked: &Asked, payments: &[Paid], now: Timestamp) -> Decision {
    let compared = compare_names(asked, payments);
    if let Some(until) = wait_for_name(payments, now) {
        return Decision {
            outcome: Outcome::Wait { until },
            compared,
        };
    }
    let mut reasons = Vec::new();
    let mut sum: i64 = 0;
    for payment in payments {
        money_reasons(asked, payment, &mut reasons);
        let minor = payment.amount.map_or(0, |amount| amount.minor);
        sum = sum.saturating_add(minor);
    }
    if asked.method == Method::Ideal && reasons.is_empty() && sum != asked.amount.minor {
        reasons.push(amount_differs(asked, Money::new(sum, asked.amount.currency)));
    }
    if told_twice(payments) {
        reasons.push(ReasonView::new(
            "told_twice",
            "The same payer, amount and time were reported through two channels; it may be one transfer told twice.",
            "Dezelfde betaler en hetzelfde bedrag zijn via twee kanalen gemeld; mogelijk is het één overboeking die twee keer is gemeld.",
        ));
    }
    let before_names = reasons.len();
    name_reasons(asked, payments, &compared, &mut reasons);
    let only_missing =
        before_names == 0 && !reasons.is_empty() && reasons.iter().all(|reason| reason.code == "name_missing");
    if payments.is_empty() {
        reasons.push(ReasonView::new(
            "nothing_paid",
            "Nothing has been paid.",
            "Er is niets betaald.",
        ));
    }
    let outcome = if !reasons.is_empty() {
        Outcome::Unclear {
            reasons,
            lacks_only_the_name: only_missing,
        }
    } else if sum < asked.amount.minor {
        let currency = asked.amount.currency;
        Outcome::PaidInPart {
            received: Money::new(sum, currency),
            missing: Money::new(asked.amount.minor.saturating_sub(sum), currency),
        }
    } else if asked.sampled {
        let reason = ReasonView::new(
            "sampled",
            "Everything is clear; a share of these is always looked at by a person.",
            "Alles is duidelijk; een deel hiervan wordt altijd door een medewerker bekeken.",
        );
        Outcome::Unclear {
            reasons: vec![reason],
            lacks_only_the_name: false,
        }
    } else {
        let over = sum.saturating_sub(asked.amount.minor);
        Outcome::Clear {
            made_at: complete_at(asked, payments).unwrap_or(now),
            surplus: (over > 0).then(|| Money::new(over, asked.amount.currency)),
        }
    };
    Decision { outcome, compared }
}

fn compare_names(asked: &Asked, payments: &[Paid]) -> Vec<Compared> {
    let names = RegisteredNames {
        legal_name: &asked.legal_name,
        trade_names: &asked.trade_names,
        legal_form: asked.legal_form.as_deref(),
        country: asked.country.as_deref(),
    };
    let named = payments
        .iter()
        .filter_map(|payment| Some((payment, payment.holder.as_ref()?)));
    named
        .map(|(payment, holder)| Compared {
            payment_id: payment.payment_id.clone(),
            account: payment.account.clone(),
            evidence: eencent_matching::compare(holder.as_str(), &names),
        })
        .collect()
}

/// The latest time until which a name may still come, when that lies ahead.
fn wait_for_name(payments: &[Paid], now: Timestamp) -> Option<Timestamp> {
    payments
        .iter()
        .filter(|payment| payment.holder.is_none() && !payment.reversed)
        .filter_map(|payment| payment.name_awaited_until)
        .filter(|until| *until > now)
        .max()
}

fn money_reasons(asked: &Asked, payment: &Paid, reasons: &mut Vec<ReasonView>) {
    if payment.reversed {
        reasons.push(ReasonView::new(
            "payment_reversed",
            format!("Payment {} was refunded or charged back.", payment.payment_id),
            format!("Betaling {} is terugbetaald of teruggeboekt.", payment.payment_id),
        ));
    }
    if payment.conflicting {
        reasons.push(notifications_conflict(&payment.payment_id));
    }
    match payment.amount {
        None => reasons.push(ReasonView::new(
            "amount_unknown",
            format!("The provider did not say how much payment {} was.", payment.payment_id),
            format!(
                "De betaaldienstverlener heeft niet gemeld hoe hoog betaling {} was.",
                payment.payment_id
            ),
        )),
        Some(amount) if amount.currency != asked.amount.currency => reasons.push(ReasonView::new(
            "currency_differs",
            format!("Paid in {}, asked in {}.", amount.currency, asked.amount.currency),
            format!("Betaald in {}, gevraagd in {}.", amount.currency, asked.amount.currency),
        )),
        Some(amount) if amount.minor <= 0 => reasons.push(amount_differs(asked, amount)),
        Some(_) => {}
    }
}

fn amount_differs(asked: &Asked, paid: Money) -> ReasonView {
    ReasonView::new(
        "amount_differs",
        format!("Paid {paid}, asked {}.", asked.amount),
        format!("Betaald {paid}, gevraagd {}.", asked.amount),
    )
}

fn told_twice(payments: &[Paid]) -> bool {
    let same_payer = |a: &Paid, b: &Paid| match (&a.account_number, &b.account_number) {
        (Some(AccountNumber::Iban(a)), Some(AccountNumber::Iban(b))) => a == b,
        _ => match (&a.holder, &b.holder) {
            (Some(a), Some(b)) => a.as_str().to_lowercase() == b.as_str().to_lowercase(),
            _ => true,
        },
    };
    payments.iter().enumerate().any(|(at, a)| {
        payments.iter().skip(at + 1).any(|b| {
            let apart = a.made_at.since(b.made_at).max(b.made_at.since(a.made_at));
            a.account != b.account && a.amount == b.amount && apart <= TWICE_TOLD_WITHIN && same_payer(a, b)
        })
    })
}

fn name_reasons(asked: &Asked, payments: &[Paid], compared: &[Compared], reasons: &mut Vec<ReasonView>) {
    for payment in payments.iter().filter(|payment| !payment.reversed) {
        let Some(found) = compared
            .iter()
            .find(|one| one.payment_id == payment.payment_id && one.account == payment.account)
        else {
            reasons.push(ReasonView::new(
                "name_missing",
                "The bank has not reported the account holder's name.",
                "De bank heeft de naam van de rekeninghouder niet gemeld.",
            ));
            continue;
        };
        if found.evidence.verdict == Verdict::Review {
            for reason in &found.evidence.reasons {
                reasons.push(ReasonView::new(
                    reason.code.as_str(),
                    reason.text(Language::English),
                    reason.text(Language::Dutch),
                ));
            }
        }
        if !payment.name_proven {
            reasons.push(ReasonView::new(
                "name_not_proven",
                "Nothing vouches for the account holder's name: the provider's signature does not cover it (Adyen without Basic auth and a checked account), or with this way of paying somebody typed it.",
                "Niets staat in voor de naam van de rekeninghouder: de handtekening van de betaaldienstverlener dekt hem niet (Adyen zonder Basic auth en gecontroleerd account), of bij deze betaalwijze heeft iemand hem getypt.",
            ));
        }
    }
    if !asked.names_from_register && !payments.is_empty() {
        reasons.push(ReasonView::new(
            "names_entered",
            "The organisation's names were entered by somebody and do not come from a register; check them in the register first.",
            "De namen van de organisatie zijn ingevoerd en komen niet uit een register; controleer ze eerst in het register.",
        ));
    }
    if !payments.is_empty() {
        reasons.extend(register_reason(asked.register));
    }
}

fn register_reason(says: RegisterSays) -> Option<ReasonView> {
    match says {
        RegisterSays::Current => None,
        RegisterSays::Ended => Some(ReasonView::new(
            "register_ended",
            "The register says that this organisation is not registered any more.",
            "Het register zegt dat deze organisatie niet meer is ingeschreven.",
        )),
        RegisterSays::Unknown => Some(ReasonView::new(
            "register_unknown",
            "The register has no organisation with this number.",
            "Het register kent geen organisatie met dit nummer.",
        )),
        RegisterSays::Nothing => Some(ReasonView::new(
            "register_silent",
            "The names are old, and the register did not answer for a day; check them in the register.",
            "De namen zijn oud, en het register heeft een dag lang niet geantwoord; controleer ze in het register.",
        )),
    }
}

/// When the amount asked was complete: the time of the payment, in order, that completed it.
fn complete_at(asked: &Asked, payments: &[Paid]) -> Option<Timestamp> {
    let mut in_order: Vec<&Paid> = payments.iter().collect();
    in_order.sort_by_key(|payment| payment.made_at);
    let mut sum = 0_i64;
    for payment in in_order {
        sum = sum.saturating_add(payment.amount.map_or(0, |amount| amount.minor));
        if sum >= asked.amount.minor {
            return Some(payment.made_at);
        }
    }
    None
}

/// Two notifications say different things about the money of a payment.
pub(crate) fn notifications_conflict(payment: &str) -> ReasonView {
    ReasonView::new(
        "notifications_conflict",
        format!("Two notifications about payment {payment} say different things about the money; the first was kept."),
        format!(
            "Twee notificaties over betaling {payment} spreken elkaar tegen over het geld; de eerste is aangehouden."
        ),
    )
}

#[cfg(test)]
mod tests;
