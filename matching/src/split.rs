//! A name taken apart: the legal forms at its ends, and the rest.

use crate::forms::{Certainty, Form, FormKind, MOST_WORDS, Notation, form, in_country, spelled};
use crate::name::{Gap, Word, Words};
use smallvec::SmallVec;
use std::sync::LazyLock;

/// Whose name is read, and therefore which notations count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Only notations that are nothing but a form.
    Sure,
    /// The account: also those that may be a word.
    Account,
    /// The registered name, when the register states this form.
    Registered(Option<&'static str>),
    /// A name that may be cut at its end: only what stands in front, as for an account.
    CutAccount,
}

impl Reading {
    fn allows(self, notation: &Notation) -> bool {
        match (notation.certainty, self) {
            (Certainty::Sure, _) | (_, Reading::Account | Reading::CutAccount) => true,
            (Certainty::AlsoWord, Reading::Registered(stated)) => stated == Some(notation.form.code),
            _ => false,
        }
    }
}

/// A handful of forms; a name seldom has two.
pub(crate) type Forms = SmallVec<[&'static Form; 2]>;

/// A name as its forms and the rest.
#[derive(Clone)]
pub(crate) struct Split<'n> {
    /// The whole name.
    pub whole: Words<'n>,
    /// The forms as one set, with a cooperative implied by its liability letters.
    pub forms: Forms,
    pub liability: Option<&'static Form>,
    pub core: Words<'n>,
    /// The number of words of the whole that stand in front of the core, as forms.
    pub front: usize,
    /// A form stood behind the core.
    pub behind: bool,
}

impl<'n> Split<'n> {
    /// The name read as having no form at all.
    pub(crate) fn unread(words: Words<'n>) -> Self {
        Split {
            whole: words,
            forms: Forms::new(),
            liability: None,
            core: words,
            front: 0,
            behind: false,
        }
    }

    /// Whether both name the same legal form in that country; liability letters count only where both show them.
    pub(crate) fn same_forms(&self, other: &Split<'_>, country: Option<&str>) -> bool {
        let liability = match (self.liability, other.liability) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        };
        let has = |forms: &Forms, form: &'static Form| {
            forms
                .iter()
                .any(|other| in_country(other, country) == in_country(form, country))
        };
        liability
            && self.forms.iter().all(|form| has(&other.forms, form))
            && other.forms.iter().all(|form| has(&self.forms, form))
    }

    /// Whether the same words of the same name were taken for its form.
    pub(crate) fn is_read_as(&self, other: &Split<'_>) -> bool {
        self.front == other.front && self.core.len() == other.core.len()
    }

    pub(crate) fn has(&self, code: &str) -> bool {
        self.forms.iter().any(|form| form.code == code)
    }

    /// The words of the forms in front and behind.
    pub(crate) fn form_words(&self) -> [Words<'n>; 2] {
        [
            self.whole.part(0..self.front),
            self.whole.part(self.front + self.core.len()..self.whole.len()),
        ]
    }

    /// The forms as written, for people.
    pub(crate) fn written(&self) -> impl Iterator<Item = &'n str> + use<'n> {
        self.form_words()
            .into_iter()
            .map(|words| words.as_written())
            .filter(|text| !text.is_empty())
    }

    fn note(&mut self, form: &'static Form) {
        if form.kind == FormKind::Liability {
            self.liability = Some(form);
        } else if !self.forms.contains(&form) {
            self.forms.push(form);
        }
    }
}

static COOPERATIVE: LazyLock<Option<&'static Form>> = LazyLock::new(|| form("cooperatie"));

/// Takes the legal forms off both ends of a name. Something always remains: a name of forms only keeps its last.
pub(crate) fn split(words: Words<'_>, reading: Reading) -> Split<'_> {
    let mut split = Split::unread(words);
    let mut took: Option<&Form> = None;
    while let Some((form, count)) = in_front(split.core, reading) {
        // Only the parts of a cooperative's form come in twos.
        if took.is_some_and(|last| last.code != "cooperatie" || last == form) {
            break;
        }
        took = Some(form);
        split.core = split.core.part(count..split.core.len());
        split.front += count;
        split.note(form);
    }
    // "JSC Zeewolf Corporation" has its form in front; what stands behind is its name.
    let settled = took.is_some_and(|form| form.kind == FormKind::Foreign);
    if reading != Reading::CutAccount && !settled {
        let mut took: Option<&Form> = None;
        while let Some((form, count)) = behind(split.core, reading) {
            if took.is_some_and(|last| last.kind != FormKind::Liability && last.code != "cooperatie") {
                break;
            }
            took = Some(form);
            split.core = split.core.part(0..split.core.len().saturating_sub(count));
            split.behind = true;
            split.note(form);
        }
    }
    if let (true, false, Some(cooperative)) = (split.liability.is_some(), split.has("owm"), *COOPERATIVE) {
        split.note(cooperative);
    }
    split
}

fn may_be_part(word: &Word) -> bool {
    word.len() <= 2
}

fn in_front(words: Words<'_>, reading: Reading) -> Option<(&'static Form, usize)> {
    let first = words.first()?;
    if !(first.known.form_begins || may_be_part(first)) {
        return None;
    }
    (1..words.len().min(MOST_WORDS + 1)).rev().find_map(|count| {
        let (last, next) = (words.get(count.checked_sub(1)?)?, words.get(count)?);
        if !(last.known.form_ends || may_be_part(last)) {
            return None;
        }
        // B.V.-kredieten is a word, Stg.Zeewolf is not.
        if matches!(next.gap, Gap::Mark | Gap::Slash) {
            return None;
        }
        let form = read(words.part(0..count), reading).filter(|form| form.in_front)?;
        Some((form, count))
    })
}

fn behind(words: Words<'_>, reading: Reading) -> Option<(&'static Form, usize)> {
    let last = words.last()?;
    if !(last.known.form_ends || may_be_part(last)) {
        return None;
    }
    let all = words.len();
    (1..all.min(MOST_WORDS + 1)).rev().find_map(|count| {
        let tail = words.part(all.saturating_sub(count)..all);
        // zeewolf.ag is an address, not a Swiss company.
        let first = tail.first()?;
        if first.is_attached() || !(first.known.form_begins || may_be_part(first)) {
            return None;
        }
        let form = read(tail, reading).filter(|form| form.behind)?;
        Some((form, count))
    })
}

/// Whether the words are nothing but a legal form.
pub(crate) fn is_only_a_form(words: Words<'_>) -> bool {
    let may_begin = |word: &Word| word.known.form_begins || may_be_part(word);
    words.len() <= MOST_WORDS && words.first().is_some_and(may_begin) && read(words, Reading::Sure).is_some()
}

/// A notation of so many letters needs no boundaries of its own.
const LONG: usize = 10;

/// The form that these words spell.
///
/// Word boundaries must be the notation's own, unless every word is one or two letters long: then it is an
/// abbreviation with its letters apart (`B V`, `S.à r.l.`).
fn read(words: Words<'_>, reading: Reading) -> Option<&'static Form> {
    let notation = spelled(words.letters())?;
    let own_boundaries = || words.iter().map(Word::len).eq(notation.words.iter().copied());
    let letters_apart = || words.iter().all(may_be_part);
    // So many letters spell nothing else, wherever the spaces fell.
    let long = || words.letters().len() >= LONG;
    let spelled = words.len() == 1 || long() || own_boundaries() || letters_apart();
    (spelled && reading.allows(notation)).then_some(notation.form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn read(text: &str) -> (Vec<&'static str>, String) {
        let name = Name::read(text);
        let split = split(name.words(), Reading::Account);
        let forms = split.forms.iter().map(|form| form.code).collect();
        (forms, split.core.as_written().to_lowercase())
    }

    #[test]
    fn a_form_is_read_in_every_notation_on_either_side() {
        for name in [
            "Zeewolf B.V.",
            "zeewolf bv",
            "Zeewolf B V",
            "ZEEWOLF B. V.",
            "B.V. Zeewolf",
            "Zeewolf Besloten Vennootschap",
        ] {
            assert_eq!(read(name), (vec!["bv"], "zeewolf".to_owned()), "{name}");
        }
        for name in [
            "Stichting Zeewolf",
            "STG ZEEWOLF",
            "Stg. Zeewolf",
            "St. Zeewolf",
            "Zeewolf Stichting",
        ] {
            assert_eq!(read(name), (vec!["stichting"], "zeewolf".to_owned()), "{name}");
        }
        for name in [
            "Coöperatie Zeewolf U.A.",
            "Zeewolf Coöperatief U.A.",
            "Coöperatieve Vereniging Zeewolf UA",
            "Zeewolf U.A.",
        ] {
            assert_eq!(read(name), (vec!["cooperatie"], "zeewolf".to_owned()), "{name}");
        }
    }

    #[test]
    fn a_form_inside_a_word_or_address_is_no_form() {
        assert_eq!(read("zeewolf.ag").0, Vec::<&str>::new());
        assert_eq!(read("Zeewolfbv").0, Vec::<&str>::new());
        assert_eq!(read("BV-kredieten Zeewolf").0, Vec::<&str>::new());
        assert_eq!(read("B.V."), (vec![], "b.v.".to_owned()));
    }

    #[test]
    fn a_doubtful_notation_in_a_registered_name_needs_the_register_to_state_the_form() {
        let name = Name::read("Ver Weg");
        assert!(split(name.words(), Reading::Registered(None)).forms.is_empty());
        assert!(split(name.words(), Reading::Registered(Some("vereniging"))).has("vereniging"));
    }

    #[test]
    fn one_belgian_form_has_a_name_in_each_language() {
        let same = |a: &str, b: &str, country| {
            let (a, b) = (Name::read(a), Name::read(b));
            split(a.words(), Reading::Account).same_forms(&split(b.words(), Reading::Sure), country)
        };
        assert!(same("Zeewolf SRL", "Zeewolf BV", Some("BE")));
        assert!(!same("Zeewolf SRL", "Zeewolf BV", None));
        assert!(!same("Zeewolf SA", "Zeewolf BV", Some("BE")));
    }
}
