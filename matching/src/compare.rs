//! The question: is this account holder that organisation?

use crate::accept::{Accepted, Record, Registered, accept};
use crate::evidence::{Evidence, Folding, Verdict, masked};
use crate::explain::{closest, explain};
use crate::fold::plain_letters;
use crate::forms::stated;
use crate::halves::pair;
use crate::reason::{Reason, ReasonCode};
use crate::refuse::{disguises, objections, only_payment_service, payment_service, unreadable};
use crate::token::tokens;
use crate::visible::{findings, visible};
use crate::{LONGEST_NAME, VERSION};
use std::collections::BTreeSet;

/// The organisation's names as registered.
#[derive(Clone, Copy)]
pub struct RegisteredNames<'a> {
    /// The statutory name; for a sole trader, the name the register keeps first.
    pub legal_name: &'a str,
    /// All registered trade names.
    pub trade_names: &'a [String],
    /// The legal form in the register's own words.
    pub legal_form: Option<&'a str>,
}

impl std::fmt::Debug for RegisteredNames<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisteredNames")
            .field("legal_name", &masked(self.legal_name))
            .field("trade_names", &self.trade_names.len())
            .field("legal_form", &self.legal_form)
            .finish()
    }
}

/// Compares the account holder's name, as the bank reports it, with the organisation's registered names.
///
/// Any text of any length is answered, in bounded time.
pub fn compare(account_name: &str, names: &RegisteredNames<'_>) -> Evidence {
    let shown: String = visible(&account_name.chars().take(LONGEST_NAME).collect::<String>());
    let review = |reasons: Vec<Reason>| Evidence {
        verdict: Verdict::Review,
        score: 0,
        reasons,
        matched_name: None,
        folded: Vec::new(),
        left_over_account: Vec::new(),
        left_over_registered: Vec::new(),
        account_name_shown: shown.clone(),
        version: VERSION.to_owned(),
    };
    let reasons = unreadable(account_name);
    if !reasons.is_empty() {
        return review(reasons);
    }
    let registered = registered(names);
    if registered.is_empty() {
        return review(vec![Reason::plain(ReasonCode::RegisteredNameMissing)]);
    }
    let record = Record {
        form: names.legal_form.and_then(stated),
    };
    let account = tokens(account_name);
    let length = account_name.trim().chars().count();

    let mut reasons = objections(&account, &registered);
    reasons.extend(disguises(account_name, &registered));
    let payment = payment_service(&account);
    if reasons.is_empty() {
        for name in &registered {
            match accept(&account, length, name, &record) {
                // A payment service may be activated itself, but not by way of a trade name.
                Ok(Some(_)) if !name.statutory && only_payment_service(&account) => {}
                Ok(Some(accepted)) => return matched(account_name, shown, name, accepted),
                Ok(None) => {}
                Err(objection) => {
                    if !reasons.iter().any(|known| known.code == objection.code) {
                        reasons.push(objection);
                    }
                }
            }
        }
        match pair(&account, length, &registered, &record) {
            Ok(Some(pair)) => {
                let evidence = review(vec![Reason::new(pair.code, pair.names)]);
                return Evidence {
                    verdict: Verdict::Match,
                    score: 100,
                    matched_name: Some(pair.name.to_owned()),
                    folded: pair.folded.into_iter().collect(),
                    ..evidence
                };
            }
            Ok(None) => {}
            Err(objection) => reasons.insert(0, objection),
        }
    }
    reasons.extend(payment);
    let Some((closest, similarity)) = closest(&account, &registered, &record) else {
        return review(reasons);
    };
    let told = explain(&account, length, closest, &record, reasons);
    Evidence {
        score: similarity.min(99),
        matched_name: (similarity > 0).then(|| closest.text.to_owned()),
        left_over_account: told.left_over_account,
        left_over_registered: told.left_over_registered,
        ..review(told.reasons)
    }
}

/// The usable names, statutory first. A registered name too long or unreadable to us cannot be matched.
fn registered<'a>(names: &RegisteredNames<'a>) -> Vec<Registered<'a>> {
    std::iter::once((names.legal_name, true))
        .chain(names.trade_names.iter().map(|name| (name.as_str(), false)))
        .filter(|(text, _)| text.chars().nth(LONGEST_NAME).is_none() && findings(text).is_empty())
        .map(|(text, statutory)| Registered::new(text, statutory))
        .filter(|name| name.tokens.iter().any(|token| !token.is_connector()))
        .collect()
}

fn matched(account_name: &str, shown: String, name: &Registered<'_>, accepted: Accepted) -> Evidence {
    let mut folded = accepted.folded;
    folded.extend(surface(account_name, name.text, &folded));
    let first = match (name.statutory, account_name == name.text) {
        (true, true) => Reason::plain(ReasonCode::ExactName),
        (true, false) => Reason::plain(ReasonCode::EqualAfterFolding),
        (false, _) => Reason::new(ReasonCode::RegisteredTradeName, vec![name.text.to_owned()]),
    };
    let mut reasons = vec![first];
    reasons.extend(accepted.notes.into_iter().map(Reason::plain));
    Evidence {
        verdict: Verdict::Match,
        score: 100,
        reasons,
        matched_name: Some(name.text.to_owned()),
        folded: folded.into_iter().collect(),
        left_over_account: Vec::new(),
        left_over_registered: Vec::new(),
        account_name_shown: shown,
        version: VERSION.to_owned(),
    }
}

/// Differences that show on the surface of two names that are known to be the same.
fn surface(account: &str, registered: &str, known: &BTreeSet<Folding>) -> Vec<Folding> {
    let mut folded = Vec::new();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (mine, theirs) = (letters(account), letters(registered));
    let lower = (mine.to_lowercase(), theirs.to_lowercase());
    if mine != theirs && (lower.0 == lower.1 || account.to_uppercase() == account || account.to_lowercase() == account)
    {
        folded.push(Folding::Case);
    }
    if lower.0 != lower.1 && plain_letters(account) == plain_letters(registered) {
        folded.push(Folding::Diacritics);
    }
    let marks = |text: &str| {
        text.chars()
            .filter(|c| !c.is_alphanumeric() && !c.is_whitespace() && *c != '-')
            .collect::<String>()
    };
    if marks(account) != marks(registered) {
        folded.push(Folding::Punctuation);
    }
    let spaces = |text: &str| {
        text.split([' ', '-', '\t', '\u{a0}'])
            .map(letters)
            .map(|word| word.chars().count())
            .collect::<Vec<_>>()
    };
    if spaces(account) != spaces(registered) && !known.contains(&Folding::Cut) {
        folded.push(Folding::Spacing);
    }
    folded
}
