//! Why a name is not accepted, for support. Nothing here decides: it is only reached for a review.

use crate::accept::{Record, Registered, is_cut_length};
use crate::distinct::is_generic;
use crate::forms::{Reading, Split, split};
use crate::reason::{Reason, ReasonCode};
use crate::refuse::person;
use crate::token::{Token, shown};
use crate::words::{Role, has_role};
use std::collections::BTreeMap;

/// What is told about a review.
pub(crate) struct Told {
    pub reasons: Vec<Reason>,
    pub left_over_account: Vec<String>,
    pub left_over_registered: Vec<String>,
}

/// The registered name most like the account, with their likeness in percent. It orders the queue only.
pub(crate) fn closest<'r, 'n>(
    account: &[Token],
    names: &'r [Registered<'n>],
    record: &Record,
) -> Option<(&'r Registered<'n>, u8)> {
    let mine = pairs(split(account, Reading::Account).core);
    let mut best: Option<(&Registered<'_>, u8)> = None;
    for name in names {
        let theirs = pairs(record.split(&name.tokens).core);
        let alike = likeness(&mine, &theirs);
        if best.is_none_or(|(_, most)| alike > most) {
            best = Some((name, alike));
        }
    }
    best
}

/// Neighbouring letters, counted.
fn pairs(tokens: &[Token]) -> BTreeMap<(char, char), usize> {
    let mut pairs = BTreeMap::new();
    for token in tokens {
        let padded = || {
            std::iter::once(' ')
                .chain(token.plain.chars())
                .chain(std::iter::once(' '))
        };
        for pair in padded().zip(padded().skip(1)) {
            *pairs.entry(pair).or_insert(0) += 1;
        }
    }
    pairs
}

fn likeness(a: &BTreeMap<(char, char), usize>, b: &BTreeMap<(char, char), usize>) -> u8 {
    let shared: usize = a
        .iter()
        .map(|(pair, count)| b.get(pair).copied().unwrap_or(0).min(*count))
        .sum();
    let all: usize = a.values().sum::<usize>() + b.values().sum::<usize>();
    u8::try_from(200 * shared / all.max(1)).unwrap_or(100)
}

/// Adds to the objections already found what the words themselves show.
pub(crate) fn explain(
    account: &[Token],
    length: usize,
    name: &Registered<'_>,
    record: &Record,
    objections: Vec<Reason>,
) -> Told {
    let (mine, theirs) = (split(account, Reading::Account), record.split(&name.tokens));
    let (extra, missing) = left_over(mine.core, theirs.core);
    let mut told = Told {
        reasons: objections,
        left_over_account: extra.iter().map(|token| token.shown.clone()).collect(),
        left_over_registered: missing.iter().map(|token| token.shown.clone()).collect(),
    };
    let settled = told
        .reasons
        .iter()
        .any(|reason| !matches!(reason.code, ReasonCode::PaymentServiceAccount));
    let mut found = Vec::new();
    if let Some(reason) = person(account) {
        found.push(reason);
    }
    supporting(&extra, &mut found);
    let shared = extra.len() < mine.core.len();
    if settled && extra.is_empty() && missing.is_empty() {
        // The objection is the whole story.
    } else if let Some(reason) = spelling(mine.core, theirs.core, &extra, &missing) {
        found.push(reason);
    } else if is_cut(mine.core, theirs.core, length) {
        found.push(Reason::new(ReasonCode::CutTooShort, words(&missing)));
    } else if let Some(reason) = initials(mine.core, theirs.core) {
        found.push(reason);
    } else if shared {
        by_role(&extra, &missing, &mut found);
        let articles = articles(&extra, &missing);
        let only_articles = articles.len() == extra.len() + missing.len();
        if !only_articles {
            by_side(account, mine.core, &extra, &missing, &mut found);
        }
        if !articles.is_empty() {
            found.push(Reason::new(ReasonCode::ArticleDiffers, articles));
        }
        if only_articles {
            by_side(account, mine.core, &extra, &missing, &mut found);
        }
    } else if found.is_empty() && told.reasons.is_empty() {
        found.push(Reason::plain(ReasonCode::OtherName));
    }
    if shared || extra.is_empty() {
        forms(&mine, &theirs, name, record, &mut found);
    }
    for reason in found {
        if !told.reasons.iter().any(|known| known.code == reason.code) {
            told.reasons.push(reason);
        }
    }
    if told.reasons.is_empty() {
        told.reasons.push(Reason::plain(ReasonCode::OtherName));
    }
    told
}

fn words(tokens: &[&Token]) -> Vec<String> {
    tokens.iter().map(|token| token.shown.clone()).collect()
}

/// The words of either side that the other lacks, each counted as often as it occurs.
fn left_over<'t>(mine: &'t [Token], theirs: &'t [Token]) -> (Vec<&'t Token>, Vec<&'t Token>) {
    let mut missing: Vec<&Token> = theirs.iter().collect();
    let mut extra = Vec::new();
    for token in mine {
        let same = |other: &&Token| {
            other.plain == token.plain
                || other.two_letter == token.plain
                || (other.is_connector() && token.is_connector())
        };
        match missing.iter().position(same) {
            Some(at) => {
                missing.remove(at);
            }
            None => extra.push(token),
        }
    }
    (extra, missing)
}

fn supporting(extra: &[&Token], found: &mut Vec<Reason>) {
    let bodies: Vec<&Token> = extra
        .iter()
        .copied()
        .filter(|token| has_role(token, Role::Supporting))
        .collect();
    if !bodies.is_empty() {
        found.push(Reason::new(ReasonCode::SupportingBody, words(&bodies)));
    }
}

/// One word against one word: a letter, a digit for a letter, y for ij.
fn spelling(mine: &[Token], theirs: &[Token], extra: &[&Token], missing: &[&Token]) -> Option<Reason> {
    let joined = |tokens: &[Token]| tokens.iter().map(|token| token.plain.as_str()).collect::<String>();
    let (whole_mine, whole_theirs) = (joined(mine), joined(theirs));
    let pair = |code| {
        Some(Reason::new(
            code,
            words(extra).into_iter().chain(words(missing)).collect(),
        ))
    };
    if whole_mine == whole_theirs {
        return None;
    }
    if alike_to_the_eye(&whole_mine) == alike_to_the_eye(&whole_theirs) {
        return pair(ReasonCode::DigitForLetter);
    }
    if whole_mine.replace("ij", "y") == whole_theirs.replace("ij", "y") {
        return pair(ReasonCode::YForIj);
    }
    let without_digits = |letters: &str| letters.replace(|c: char| c.is_ascii_digit(), "");
    if without_digits(&whole_mine) == without_digits(&whole_theirs) {
        return pair(ReasonCode::NumberDiffers);
    }
    let ([one], [other]) = (extra, missing) else {
        return None;
    };
    if one.has_digit() || other.has_digit() || one.plain.len().min(other.plain.len()) < 4 {
        return None;
    }
    one_edit(&one.plain, &other.plain)
        .then(|| pair(ReasonCode::OneLetterDiffers))
        .flatten()
}

fn alike_to_the_eye(letters: &str) -> String {
    letters
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' => 'l',
            '5' => 's',
            '8' => 'b',
            '3' => 'e',
            other => other,
        })
        .collect()
}

/// One letter more, less, other or swapped with its neighbour.
fn one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a
        .iter()
        .skip(front)
        .rev()
        .zip(b.iter().skip(front).rev())
        .take_while(|(x, y)| x == y)
        .count();
    let left = |word: &[char]| {
        word.get(front..word.len().saturating_sub(back))
            .map(<[char]>::to_vec)
            .unwrap_or_default()
    };
    let (a, b) = (left(&a), left(&b));
    match (a.as_slice(), b.as_slice()) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([p, q], [r, s]) => p == s && q == r,
        _ => false,
    }
}

fn is_cut(mine: &[Token], theirs: &[Token], length: usize) -> bool {
    let joined = |tokens: &[Token]| tokens.iter().map(|token| token.plain.as_str()).collect::<String>();
    let (mine, theirs) = (joined(mine), joined(theirs));
    is_cut_length(length) && mine.len() < theirs.len() && theirs.starts_with(&mine)
}

fn initials(mine: &[Token], theirs: &[Token]) -> Option<Reason> {
    let [only] = mine else { return None };
    let firsts = |all: bool| -> String {
        theirs
            .iter()
            .filter(|token| all || !(token.is_connector() || has_role(token, Role::Particle)))
            .filter_map(|token| token.plain.chars().next())
            .collect()
    };
    let fits = only.plain.len() > 1 && theirs.len() > 1 && (only.plain == firsts(true) || only.plain == firsts(false));
    fits.then(|| Reason::new(ReasonCode::InitialsOnly, vec![only.shown.clone()]))
}

/// The words left over, by what they do in a name.
fn by_role(extra: &[&Token], missing: &[&Token], found: &mut Vec<Reason>) {
    let both: Vec<&Token> = extra.iter().chain(missing).copied().collect();
    let mut note = |code, fits: &dyn Fn(&Token) -> bool| {
        let concerned: Vec<&Token> = both.iter().copied().filter(|token| fits(token)).collect();
        if !concerned.is_empty() {
            found.push(Reason::new(code, words(&concerned)));
        }
    };
    note(ReasonCode::HoldingOrGroupWord, &|token| has_role(token, Role::Holding));
    note(ReasonCode::NumberDiffers, &|token| {
        token.has_digit() || (token.is_roman() && !has_role(token, Role::Particle))
    });
    note(ReasonCode::RegionDiffers, &|token| {
        has_role(token, Role::Region) || has_role(token, Role::Direction)
    });
    note(ReasonCode::BusinessPartDiffers, &|token| {
        has_role(token, Role::Part) && !has_role(token, Role::Holding)
    });
}

fn articles(extra: &[&Token], missing: &[&Token]) -> Vec<String> {
    let both = extra.iter().chain(missing).copied();
    both.filter(|token| has_role(token, Role::Particle))
        .map(|token| token.shown.clone())
        .collect()
}

fn by_side(account: &[Token], mine: &[Token], extra: &[&Token], missing: &[&Token], found: &mut Vec<Reason>) {
    match (extra.is_empty(), missing.is_empty()) {
        (true, true) => found.push(Reason::plain(ReasonCode::WordOrderDiffers)),
        (false, true) => {
            let repeated = extra
                .iter()
                .all(|token| mine.iter().filter(|other| other.plain == token.plain).count() > 1);
            let code = if repeated {
                ReasonCode::WordRepeated
            } else {
                ReasonCode::ExtraWords
            };
            found.push(Reason::new(code, words(extra)));
        }
        (true, false) => {
            found.push(Reason::new(ReasonCode::WordsMissing, words(missing)));
            if account.iter().all(is_generic) {
                found.push(Reason::new(ReasonCode::GenericName, shown(account)));
            }
        }
        (false, false) => {
            found.push(Reason::new(
                ReasonCode::WordReplaced,
                words(extra).into_iter().chain(words(missing)).collect(),
            ));
        }
    }
}

fn forms(mine: &Split<'_>, theirs: &Split<'_>, name: &Registered<'_>, record: &Record, found: &mut Vec<Reason>) {
    if mine.same_forms(theirs) {
        return;
    }
    let stated = record.code().filter(|_| name.statutory);
    if mine.forms.is_empty() {
        if theirs
            .forms
            .iter()
            .any(|code| crate::forms::kind(code) != Some(crate::forms::FormKind::Partnership))
        {
            found.push(Reason::new(ReasonCode::LegalFormMissing, theirs.written.clone()));
        }
    } else if !(theirs.forms.is_empty() && stated.is_some_and(|code| mine.forms.contains(code))) {
        let detail = mine.written.iter().chain(&theirs.written).cloned().collect();
        found.push(Reason::new(ReasonCode::LegalFormDiffers, detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_one_letter() {
        for (a, b) in [
            ("zeewolf", "zeewolv"),
            ("zeewolf", "zewolf"),
            ("zeewolf", "zeewofl"),
            ("zeewolf", "zeewollf"),
        ] {
            assert!(one_edit(a, b), "{a} {b}");
        }
        assert!(!one_edit("zeewolf", "zeehond"));
        assert!(!one_edit("zeewolf", "zeewolf"));
    }
}
