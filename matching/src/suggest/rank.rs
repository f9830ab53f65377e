//! From an account name to a handful of likely names.
//!
//! 1. Each word asked for stands for itself, for words one slip away when it is rare, for its two halves or for
//!    itself glued to its neighbour, and the last word for what it may be the beginning of.
//! 2. The names with its rarest words are gathered, until there are enough; common words only add weight to those.
//! 3. The weightiest of them are compared word by word.

use super::words::WordNumber;
use super::{Index, Suggestion, counted, readable};
use crate::likeness::LetterPairs;
use crate::name::{Name, Words};
use std::cmp::Ordering;

/// Words of a question that are looked at.
const MOST_WORDS: usize = 24;
/// Names gathered by their rare words.
const ENOUGH: usize = 20_000;
/// Names taken of one word when there is no rarer one.
const MOST_NAMES: usize = 200_000;
/// Names compared word by word.
const COMPARED: usize = 400;
/// A word that stands in fewer names than this may be a slip of the pen.
const RARE: usize = 5;
/// Names less alike than this share no more than a legal form.
const LEAST: u8 = 15;
/// More words than this begin with anything.
const MOST_BEGINNINGS: u32 = 200;

/// A word asked for: what it weighs, and the words of the index that it may stand for, with how well they fit.
struct Term {
    weight: f32,
    stands_for: Vec<(WordNumber, f32)>,
    /// In so many names.
    names: usize,
}

pub(super) fn suggest<'i>(index: &'i Index, account_name: &str, limit: usize) -> Vec<Suggestion<'i>> {
    let asked = Name::read(readable(account_name));
    let words = asked.words().part(0..asked.words().len().min(MOST_WORDS));
    let terms = terms(index, words);
    let mut names = gather(index, &terms);
    if names.len() > COMPARED {
        names.select_nth_unstable_by(COMPARED, heavier);
        names.truncate(COMPARED);
    }
    let letters = LetterPairs::of(words);
    let mut found: Vec<(f32, Suggestion<'i>)> = names
        .into_iter()
        .filter_map(|(name, _)| compared(index, &terms, &letters, name))
        .collect();
    found.sort_by(|(a, one), (b, other)| {
        let by_name = || one.name.cmp(other.name).then(one.key.cmp(&other.key));
        b.total_cmp(a).then_with(by_name)
    });
    let mut suggestions: Vec<Suggestion<'i>> = Vec::new();
    for (_, suggestion) in found {
        if suggestions.len() == limit {
            break;
        }
        if !suggestions.iter().any(|known| known.key == suggestion.key) {
            suggestions.push(suggestion);
        }
    }
    suggestions
}

fn heavier(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

fn terms(index: &Index, words: Words<'_>) -> Vec<Term> {
    let all: Vec<&[u8]> = counted(words).map(|(_, letters)| letters).collect();
    let mut terms = Vec::with_capacity(all.len());
    for (at, letters) in all.iter().enumerate() {
        let exact = index.words.exact(letters);
        let known = exact.map_or(0, |word| index.postings.count(word));
        let mut stands_for: Vec<(WordNumber, f32)> = exact.map(|word| (word, 1.0)).into_iter().collect();
        if known < RARE {
            stands_for.extend(index.words.near(letters).into_iter().map(|word| (word, 0.8)));
            for half in 3..letters.len().saturating_sub(2) {
                let (head, tail) = letters.split_at_checked(half).unwrap_or_default();
                if let Some((head, tail)) = index.words.exact(head).zip(index.words.exact(tail)) {
                    stands_for.extend([(head, 0.9), (tail, 0.9)]);
                }
            }
            let beginnings = index.words.beginning_with(letters);
            if letters.len() >= 4 && at + 1 == all.len() && beginnings.end - beginnings.start <= MOST_BEGINNINGS {
                stands_for.extend(beginnings.map(|word| (word, 0.9)));
            }
        }
        for neighbours in [at.checked_sub(1).map(|before| before..at + 1), Some(at..at + 2)]
            .into_iter()
            .flatten()
        {
            let pair = all.get(neighbours).map(<[&[u8]]>::concat);
            stands_for.extend(pair.and_then(|pair| index.words.exact(&pair)).map(|word| (word, 1.0)));
        }
        stands_for.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        stands_for.dedup_by_key(|(word, _)| *word);
        terms.push(Term {
            weight: index.weight(letters, known),
            names: stands_for.iter().map(|(word, _)| index.postings.count(*word)).sum(),
            stands_for,
        });
    }
    terms
}

/// Names with the rarest of the terms, each with the weight of what it has, in rising order.
fn gather(index: &Index, terms: &[Term]) -> Vec<(u32, f32)> {
    let mut rarest: Vec<&Term> = terms.iter().filter(|term| term.names > 0).collect();
    rarest.sort_by_key(|term| term.names);
    let mut names: Vec<(u32, f32)> = Vec::new();
    let mut common = Vec::new();
    for term in rarest {
        if names.is_empty() || names.len() + term.names <= ENOUGH {
            for (word, fit) in &term.stands_for {
                let weight = term.weight * fit;
                names.extend(index.postings.names(*word).take(MOST_NAMES).map(|name| (name, weight)));
            }
        } else {
            common.push(term);
        }
    }
    names.sort_unstable_by_key(|(name, _)| *name);
    names.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    for term in common {
        for (word, fit) in &term.stands_for {
            add(&mut names, index.postings.names(*word), term.weight * fit);
        }
    }
    names
}

/// Adds the weight to those names that are in the list; both rise.
fn add(names: &mut [(u32, f32)], list: impl Iterator<Item = u32>, weight: f32) {
    let mut list = list.peekable();
    for (name, sum) in names {
        while list.peek().is_some_and(|next| next < name) {
            list.next();
        }
        match list.peek() {
            Some(next) if next == name => *sum += weight,
            Some(_) => {}
            None => return,
        }
    }
}

/// The share of weight that both have, with the likeness of their letters to tell apart what is left.
fn compared<'i>(index: &'i Index, terms: &[Term], asked: &LetterPairs, name: u32) -> Option<(f32, Suggestion<'i>)> {
    let (text, key) = index.name(name)?;
    let read = Name::read(readable(text));
    let words: Vec<(WordNumber, f32)> = counted(read.words())
        .filter_map(|(_, letters)| {
            let word = index.words.exact(letters)?;
            Some((word, index.weight(letters, index.postings.count(word))))
        })
        .collect();
    let fit = |term: &Term, word: WordNumber| {
        let at = term.stands_for.binary_search_by_key(&word, |(known, _)| *known).ok()?;
        term.stands_for.get(at).map(|(_, fit)| *fit)
    };
    let best = |fits: &mut dyn Iterator<Item = f32>| fits.fold(0.0, f32::max);
    let mine: f32 = terms
        .iter()
        .map(|term| term.weight * best(&mut words.iter().filter_map(|(word, _)| fit(term, *word))))
        .sum();
    let theirs: f32 = words
        .iter()
        .map(|(word, weight)| weight * best(&mut terms.iter().filter_map(|term| fit(term, *word))))
        .sum();
    let all: f32 =
        terms.iter().map(|term| term.weight).sum::<f32>() + words.iter().map(|(_, weight)| weight).sum::<f32>();
    let share = (mine + theirs) / all.max(f32::MIN_POSITIVE);
    let letters = f32::from(asked.likeness(&LetterPairs::of(read.words()))) / 100.0;
    let likeness = 0.8f32.mul_add(share, 0.2 * letters).clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 100 by the line before"
    )]
    let percent = (likeness * 100.0).round() as u8;
    if percent < LEAST {
        return None;
    }
    let suggestion = Suggestion {
        key,
        name: text,
        likeness: percent,
    };
    Some((likeness, suggestion))
}
