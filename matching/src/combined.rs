//! Several names in one: "LEGAL h.o.d.n. TRADE", "TRADE (LEGAL)", "LEGAL B.V. / TRADE", "person h/o TRADE".
//!
//! Every part must be on record, and one of them must be evidence on its own.

use crate::accept::{Accepted, Account, Pairs, Record, Registered, accept};
use crate::foldings::{Folding, Foldings};
use crate::forms::FormKind;
use crate::lexicon::{Role, find_phrase};
use crate::name::{Gap, Word, Words};
use crate::persons::{looks_personal, may_be_owner};
use crate::reason::{Reason, ReasonCode};
use crate::split::{Reading, split};
use compact_str::CompactString;
use smallvec::SmallVec;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// h.o.d.n. and the like.
    Link,
    Brackets,
    /// The legal form of the first name, or a slash.
    Form,
}

struct Parts<'a> {
    joint: Joint,
    names: SmallVec<[Words<'a>; 3]>,
    /// The words that join them.
    links: SmallVec<[Words<'a>; 2]>,
}

/// More names than this in one are more than we explain.
const MOST_NAMES: usize = 4;

fn parts(account: Words<'_>) -> Option<Parts<'_>> {
    linked(account)
        .or_else(|| bracketed(account))
        .or_else(|| slashed(account))
}

fn linked(account: Words<'_>) -> Option<Parts<'_>> {
    let mut parts = Parts {
        joint: Joint::Link,
        names: SmallVec::new(),
        links: SmallVec::new(),
    };
    let mut rest = account;
    while let Some((at, count)) = find_phrase(rest, Role::Link) {
        parts.names.push(rest.part(0..at));
        parts.links.push(rest.part(at..at + count));
        rest = rest.part(at + count..rest.len());
    }
    parts.names.push(rest);
    if parts.links.is_empty() {
        return None;
    }
    // Only the owner in front may be left out: "h/o Zeewolf Visserij".
    let whole = parts.names.iter().skip(1).all(|name| !name.is_empty());
    (whole && (2..=MOST_NAMES).contains(&parts.names.len())).then_some(parts)
}

/// Two trade names behind the link: "h.o.d.n. De Blauwe Meeuw en Zeewolf Visserij".
fn listed<'p, 'a>(parts: &'p Parts<'a>) -> impl Iterator<Item = Parts<'a>> + use<'p, 'a> {
    let last = parts.names.last().filter(|_| parts.joint == Joint::Link).copied();
    last.into_iter().flat_map(move |last| {
        let connectors =
            (1..last.len().saturating_sub(1)).filter(move |at| last.get(*at).is_some_and(Word::is_connector));
        connectors.map(move |at| {
            let mut listed = Parts {
                joint: Joint::Link,
                names: parts.names.clone(),
                links: parts.links.clone(),
            };
            listed.names.pop();
            listed.names.extend([last.part(0..at), last.part(at + 1..last.len())]);
            listed.links.push(last.part(at..at + 1));
            listed
        })
    })
}

/// A last part in brackets.
fn bracketed(account: Words<'_>) -> Option<Parts<'_>> {
    let at = account.iter().position(|word| word.bracketed).filter(|at| *at > 0)?;
    let inside = account.part(at..account.len());
    inside.iter().all(|word| word.bracketed).then(|| Parts {
        joint: Joint::Brackets,
        names: SmallVec::from_slice(&[account.part(0..at), inside]),
        links: SmallVec::new(),
    })
}

/// Two names with a slash and spaces between: "De Blauwe Meeuw / Zeewolf B.V."
fn slashed(account: Words<'_>) -> Option<Parts<'_>> {
    let at = account.iter().position(|word| word.behind_slash).filter(|at| *at > 0)?;
    Some(Parts {
        joint: Joint::Form,
        names: SmallVec::from_slice(&[account.part(0..at), account.part(at..account.len())]),
        links: SmallVec::new(),
    })
}

/// A first name that ends in its legal form, and another behind it: "Zeewolf B.V. / De Blauwe Meeuw".
fn behind_a_form(account: Words<'_>) -> impl Iterator<Item = Parts<'_>> {
    (1..account.len()).filter_map(move |at| {
        let before = account.get(at.checked_sub(1)?)?;
        let next = account.get(at)?;
        let form = (before.known.form_ends || before.len() <= 2) && split(account.part(0..at), Reading::Sure).behind;
        (form && !matches!(next.gap, Gap::Start | Gap::Dot)).then(|| Parts {
            joint: Joint::Form,
            names: SmallVec::from_slice(&[account.part(0..at), account.part(at..account.len())]),
            links: SmallVec::new(),
        })
    })
}

/// A recognised combination of names.
pub(crate) struct Combined<'a, 'r> {
    pub code: ReasonCode,
    /// The registered name that is the weightiest.
    pub name: &'r Registered<'r>,
    pub names: Vec<CompactString>,
    pub folded: Foldings,
    /// Each part with the registered name it is; a person or link has none.
    pub pairs: SmallVec<[(Option<usize>, Pairs<'a, 'r>); 4]>,
}

type Found<'a, 'r> = (&'r Registered<'r>, Accepted<'a, 'r>);

/// Every part on record, or the reason why not. `Ok(None)` when the account is not several names.
pub(crate) fn combined<'a, 'r>(
    account: &Account<'a>,
    length: usize,
    names: &'r [Registered<'r>],
    record: &Record<'_>,
) -> Result<Option<Combined<'a, 'r>>, Reason> {
    let Some(parts) = parts(account.words) else {
        if names.len() < 2 {
            return Ok(None);
        }
        let mut behind = behind_a_form(account.words);
        return Ok(behind.find_map(|parts| recognise(&parts, length, names, record).and_then(Result::ok)));
    };
    let outcome = recognise(&parts, length, names, record);
    if !matches!(outcome, Some(Ok(_))) {
        let mut listed = listed(&parts);
        let found = listed.find_map(|parts| recognise(&parts, length, names, record).and_then(Result::ok));
        if found.is_some() {
            return Ok(found);
        }
    }
    outcome.transpose()
}

fn recognise<'a, 'r>(
    parts: &Parts<'a>,
    length: usize,
    names: &'r [Registered<'r>],
    record: &Record<'_>,
) -> Option<Result<Combined<'a, 'r>, Reason>> {
    let last = parts.names.len().saturating_sub(1);
    let on_record = |(index, words): (usize, &Words<'a>)| -> Option<Found<'a, 'r>> {
        // Only the last part can be cut, at the length of the whole.
        let length = if index == last && parts.joint != Joint::Brackets {
            length
        } else {
            0
        };
        let part = Account::new(*words, length);
        let found = |name: &'r Registered<'r>| accept(&part, name, record).ok().flatten().map(|found| (name, found));
        let all = || names.iter().filter_map(found);
        all()
            .find(|(_, accepted)| accepted.too_little.is_none())
            .or_else(|| all().next())
    };
    let mut found: SmallVec<[Option<Found<'a, 'r>>; 3]> = SmallVec::new();
    for part in parts.names.iter().enumerate() {
        found.push(on_record(part));
        // There is no use in going on when the first is nobody's name.
        if parts.joint == Joint::Form && matches!(found.first(), Some(None)) {
            return None;
        }
    }
    let part = |at: usize| parts.names.get(at).copied();
    let owner = |at: usize| part(at).is_some_and(may_be_owner);
    let person = |at: usize| {
        part(at).is_some_and(|words| Account::new(words, 0).split.forms.is_empty() && looks_personal(words))
    };
    let unknown: SmallVec<[usize; 3]> = (0..found.len())
        .filter(|at| matches!(found.get(*at), Some(None)))
        .collect();
    let is_sole = record.kind() == Some(FormKind::Sole);
    let enough = |statutory_needed: bool| {
        let fits = |(name, accepted): &Found<'a, 'r>| {
            accepted.too_little.is_none() && (!statutory_needed || name.is_statutory())
        };
        found.iter().flatten().any(fits)
    };
    match (unknown.as_slice(), parts.joint) {
        // Before h.o.d.n. stands who trades: of a company that is its own name.
        ([], Joint::Link) if enough(record.kind() == Some(FormKind::Person)) => {
            Some(Ok(told(parts, found, ReasonCode::LegalAndTradeName)?))
        }
        ([], Joint::Brackets | Joint::Form) if enough(true) && one_of_each(&found) && !is_another_body(parts) => {
            Some(Ok(told(parts, found, ReasonCode::LegalAndTradeName)?))
        }
        // The owner of a one-man business in front of its name.
        ([0], Joint::Link) if person(0) && !is_sole => {
            let words = parts.names.first().map(Words::each_shown).unwrap_or_default();
            Some(Err(Reason::new(ReasonCode::SoleTraderAccount, words)))
        }
        ([0], Joint::Link) if owner(0) && is_sole && enough(false) => {
            Some(Ok(told(parts, found, ReasonCode::OwnerAndTradeName)?))
        }
        (_, Joint::Link) => {
            let person_first = person(0);
            if person_first && !is_sole {
                let words = parts.names.first().map(Words::each_shown).unwrap_or_default();
                return Some(Err(Reason::new(ReasonCode::SoleTraderAccount, words)));
            }
            let strange = unknown.iter().find(|at| !(person_first && **at == 0))?;
            let words = parts
                .names
                .get(*strange)
                .filter(|words| !words.is_empty())?
                .each_shown();
            Some(Err(Reason::new(ReasonCode::TradeNameNotRegistered, words)))
        }
        _ => None,
    }
}

/// "Zeewolf B.V. Holding" is another company, though "Holding" be registered as a trade name.
fn is_another_body(parts: &Parts<'_>) -> bool {
    let tells_apart = |word: &Word| {
        [
            Role::Holding,
            Role::Region,
            Role::Direction,
            Role::Part,
            Role::Supporting,
        ]
        .iter()
        .any(|role| word.is(*role))
    };
    let beside = |words: &Words<'_>| {
        words
            .iter()
            .all(|word| tells_apart(word) || word.len() < 3 || words.is_number(word))
    };
    parts.names.iter().any(beside)
}

/// The statutory name and a trade name, rather than one of them twice.
fn one_of_each(found: &[Option<Found<'_, '_>>]) -> bool {
    let statutory = found.iter().flatten().filter(|(name, _)| name.is_statutory()).count();
    statutory == 1
}

fn told<'a, 'r>(
    parts: &Parts<'a>,
    found: SmallVec<[Option<Found<'a, 'r>>; 3]>,
    code: ReasonCode,
) -> Option<Combined<'a, 'r>> {
    let weightiest = found
        .iter()
        .flatten()
        .min_by_key(|(name, accepted)| (accepted.too_little.is_some(), name.index));
    let name = weightiest.map(|(name, _)| *name)?;
    let names = found.iter().flatten().map(|(name, _)| name.text.into()).collect();
    let mut folded = Foldings::NONE.with(Folding::TwoNames);
    let mut pairs: SmallVec<[(Option<usize>, Pairs<'a, 'r>); 4]> = SmallVec::new();
    let nothing = name.name.words().part(0..0);
    let alone = |words: Words<'a>| (None, Pairs::from_iter([(words, nothing)]));
    for (index, part) in found.into_iter().enumerate() {
        if let Some(link) = index.checked_sub(1).and_then(|at| parts.links.get(at)) {
            pairs.push(alone(*link));
        }
        match part {
            Some((name, accepted)) => {
                folded = folded.union(accepted.folded);
                pairs.push((Some(name.index), accepted.pairs));
            }
            None => pairs.extend(parts.names.get(index).map(|words| alone(*words))),
        }
    }
    Some(Combined {
        code,
        name,
        names,
        folded,
        pairs,
    })
}
