//! The question: is this account holder that organisation?

use crate::accept::{Accepted, Account, Pairs, Record, Registered, accept};
use crate::combined::{Combined, combined};
use crate::evidence::{Evidence, Verdict, WordPair, masked};
use crate::explain::{closest, explain};
use crate::foldings::{Folding, Foldings};
use crate::forms::stated;
use crate::name::Name;
use crate::reason::{Reason, ReasonCode};
use crate::refuse::{disguises, objections, only_payment_service, payment_service, unreadable};
use crate::repair::restored;
use crate::surface::surface;
use crate::visible::{findings, visible};
use crate::{LONGEST_NAME, VERSION};
use std::borrow::Cow;

/// The organisation's names as registered.
#[derive(Clone, Copy)]
pub struct RegisteredNames<'a> {
    /// The statutory name; for a sole trader, the name the register keeps first.
    pub legal_name: &'a str,
    /// All registered trade names.
    pub trade_names: &'a [String],
    /// The legal form in the register's own words.
    pub legal_form: Option<&'a str>,
    /// The country of the register, as ISO 3166-1 alpha-2; `None` for the Netherlands. Some countries have a name
    /// for one legal form in each of their languages.
    pub country: Option<&'a str>,
}

impl std::fmt::Debug for RegisteredNames<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisteredNames")
            .field("legal_name", &masked(self.legal_name))
            .field("trade_names", &self.trade_names.len())
            .field("legal_form", &self.legal_form)
            .field("country", &self.country)
            .finish()
    }
}

/// Compares the account holder's name, as the bank reports it, with the organisation's registered names.
///
/// Any text of any length is answered, in bounded time.
pub fn compare(account_name: &str, names: &RegisteredNames<'_>) -> Evidence {
    if is_too_long(account_name) {
        let shown: String = account_name.chars().take(LONGEST_NAME).collect();
        return Question::review(visible(&shown), vec![Reason::plain(ReasonCode::TooLong)]);
    }
    let registered = registered(names);
    let question = Question {
        registered: &registered,
        record: Record {
            form: names.legal_form.and_then(stated),
            country: names.country,
        },
    };
    let evidence = question.answer(account_name);
    if evidence.verdict == Verdict::Match {
        return evidence;
    }
    // Damage is undone only where that explains everything; a review shows the name as it came.
    let Some(restored) = restored(account_name) else {
        return evidence;
    };
    let again = question.answer(&restored);
    if again.verdict == Verdict::Match {
        let mut reasons = again.reasons;
        reasons.push(Reason::plain(ReasonCode::EncodingRestored));
        return Evidence {
            reasons,
            folded: again.folded.with(Folding::Encoding),
            account_name_shown: visible(account_name),
            ..again
        };
    }
    let mut reasons = vec![Reason::new(ReasonCode::DamagedText, vec![visible(account_name).into()])];
    reasons.extend(
        again
            .reasons
            .into_iter()
            .filter(|reason| reason.code != ReasonCode::DamagedText),
    );
    Evidence {
        reasons,
        account_name_shown: visible(account_name),
        ..again
    }
}

fn is_too_long(text: &str) -> bool {
    text.len() > LONGEST_NAME && text.chars().nth(LONGEST_NAME).is_some()
}

/// The usable names, statutory first. A registered name too long or unreadable to us cannot be matched.
fn registered<'n>(names: &RegisteredNames<'n>) -> Vec<Registered<'n>> {
    let all = std::iter::once(names.legal_name).chain(names.trade_names.iter().map(String::as_str));
    let mut usable = Vec::with_capacity(1 + names.trade_names.len());
    for (index, text) in all.enumerate() {
        if is_too_long(text) || !findings(text).is_empty() {
            continue;
        }
        usable.push(Registered {
            text,
            index,
            name: Name::read(text),
        });
        if usable.last().is_some_and(Registered::is_empty) {
            usable.pop();
        }
    }
    usable
}

/// All that an account name is compared with.
struct Question<'q> {
    registered: &'q [Registered<'q>],
    record: Record<'q>,
}

impl<'q> Question<'q> {
    fn review(shown: String, reasons: Vec<Reason>) -> Evidence {
        Evidence {
            verdict: Verdict::Review,
            score: 0,
            reasons,
            matched_name: None,
            folded: Foldings::NONE,
            words: Vec::new(),
            left_over_account: Vec::new(),
            left_over_registered: Vec::new(),
            account_name_shown: shown,
            version: Cow::Borrowed(VERSION),
        }
    }

    fn answer(&self, account_name: &str) -> Evidence {
        let name = Name::read(account_name);
        let words = name.words();
        let reasons = unreadable(account_name, words);
        if !reasons.is_empty() {
            return Self::review(visible(account_name), reasons);
        }
        if self.registered.is_empty() {
            let reasons = vec![Reason::plain(ReasonCode::RegisteredNameMissing)];
            return Self::review(visible(account_name), reasons);
        }
        let length = account_name.trim().chars().count();
        let account = Account::new(words, length);
        let mut reasons = objections(words, self.registered);
        reasons.extend(disguises(account_name, self.registered));
        let payment = payment_service(&account);
        if reasons.is_empty() {
            for name in self.registered {
                match accept(&account, name, &self.record) {
                    // A payment service may be activated itself, but not by way of a trade name.
                    Ok(Some(_)) if payment.is_some() && !name.is_statutory() && only_payment_service(&account) => {}
                    Ok(Some(mut accepted)) => match accepted.too_little.take() {
                        None => return matched(account_name, name, accepted),
                        Some(reason) => note(&mut reasons, reason),
                    },
                    Ok(None) => {}
                    Err(objection) => note(&mut reasons, objection),
                }
            }
            match combined(&account, length, self.registered, &self.record) {
                Ok(Some(combined)) => return matched_together(account_name, combined),
                Ok(None) => {}
                Err(objection) => reasons.insert(0, objection),
            }
        }
        reasons.extend(payment);
        let Some((closest, likeness)) = closest(&account, self.registered, &self.record) else {
            return Self::review(visible(account_name), reasons);
        };
        let told = explain(&account, closest, &self.record, reasons);
        Evidence {
            score: likeness.min(99),
            matched_name: (likeness > 0).then(|| closest.text.to_owned()),
            words: word_pairs(Some(closest.index), &told.pairs).collect(),
            left_over_account: told.left_over_account,
            left_over_registered: told.left_over_registered,
            ..Self::review(visible(account_name), told.reasons)
        }
    }
}

fn note(reasons: &mut Vec<Reason>, reason: Reason) {
    if !reasons.iter().any(|known| known.code == reason.code) {
        reasons.push(reason);
    }
}

fn word_pairs(name: Option<usize>, pairs: &Pairs<'_, '_>) -> impl Iterator<Item = WordPair> {
    pairs.iter().map(move |(mine, theirs)| WordPair {
        account: mine.as_written().into(),
        registered: theirs.as_written().into(),
        name: name.unwrap_or_default(),
    })
}

fn matched(account_name: &str, name: &Registered<'_>, accepted: Accepted<'_, '_>) -> Evidence {
    let first = match (name.is_statutory(), account_name == name.text) {
        (true, true) => Reason::plain(ReasonCode::ExactName),
        (true, false) => Reason::plain(ReasonCode::EqualAfterFolding),
        (false, _) => Reason::new(ReasonCode::RegisteredTradeName, vec![name.text.into()]),
    };
    let mut reasons = vec![first];
    reasons.extend(accepted.notes.into_iter().map(Reason::plain));
    Evidence {
        verdict: Verdict::Match,
        score: 100,
        matched_name: Some(name.text.to_owned()),
        folded: surface(account_name, name.text, accepted.folded),
        words: word_pairs(Some(name.index), &accepted.pairs).collect(),
        ..Question::review(visible(account_name), reasons)
    }
}

fn matched_together(account_name: &str, combined: Combined<'_, '_>) -> Evidence {
    let pairs = combined.pairs.iter();
    Evidence {
        verdict: Verdict::Match,
        score: 100,
        matched_name: Some(combined.name.text.to_owned()),
        folded: combined.folded,
        words: pairs.flat_map(|(name, pairs)| word_pairs(*name, pairs)).collect(),
        ..Question::review(visible(account_name), vec![Reason::new(combined.code, combined.names)])
    }
}
