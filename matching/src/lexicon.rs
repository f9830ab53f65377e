//! What words mean: one dictionary over all word lists, so that each word of a name is looked up once.
//!
//! A role names what a word does in a name. It never excuses a difference; only the abbreviations say that one
//! way of writing stands for another.

use crate::forms;
use crate::name::{Word, Words};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Writes the roles and their names in `data/words.tsv` as one table.
macro_rules! roles {
    ($($role:ident $name:literal $doc:literal;)*) => {
        /// What a word or phrase does in a name.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Role { $(#[doc = $doc] $role,)* }

        const ROLES: &[(&str, Role)] = &[$(($name, Role::$role),)*];
    };
}

roles! {
    Holding "holding" "The company above, or the group around.";
    Region "region" "A country, region or town.";
    Wide "wide" "A region as wide as a country or wider.";
    Direction "direction" "Noord, Oost, …";
    Part "part" "A part of a business that is often a company of its own.";
    Supporting "supporting" "A body beside an organisation: client money, pensions, friends.";
    Particle "particle" "Articles and prepositions.";
    Title "title" "Stands before a person's name.";
    Family "family" "Relations: Gebroeders, Zonen, Weduwe.";
    Link "link" "Joins a name to the trade name used: h.o.d.n.";
    Purpose "purpose" "The account is held for a purpose or for somebody else.";
    Department "department" "The account is a department's or a branch's.";
    Status "status" "The organisation is not, or no longer, itself.";
    Successor "successor" "Formerly, or successor to.";
    Joint "joint" "Stands between two holders.";
    Connector "connector" "Stands for &.";
    Placeholder "placeholder" "No name at all.";
    Temporary "temporary" "What a bank shows before the real name is on the account.";
    Payment "payment" "Banks and payment services.";
    Generic "generic" "Says what is done, not by whom.";
    Descriptive "descriptive" "What the long names of foundations and associations are made of.";
    Surname "surname" "A common surname.";
    FirstName "first" "A first name.";
}

impl Role {
    fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// What the lists know of one word.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Known {
    roles: u32,
    /// The roles of all phrases that begin with it, itself included.
    begins: u32,
    phrases: (u16, u16),
    shorts: (u16, u16),
    /// A legal form may begin here.
    pub form_begins: bool,
    /// A legal form may end here.
    pub form_ends: bool,
    /// That form may also be an ordinary word.
    pub form_is_doubtful: bool,
}

impl Known {
    pub(crate) fn is(self, role: Role) -> bool {
        self.roles & role.bit() != 0
    }

    /// A phrase of this role begins with it.
    pub(crate) fn begins(self, role: Role) -> bool {
        self.begins & role.bit() != 0
    }

    /// What is known of either.
    pub(crate) fn or(self, other: Known) -> Known {
        Known {
            roles: self.roles | other.roles,
            begins: self.begins | other.begins,
            form_begins: self.form_begins | other.form_begins,
            form_ends: self.form_ends | other.form_ends,
            form_is_doubtful: self.form_is_doubtful | other.form_is_doubtful,
            ..self
        }
    }

    /// It stands in a list, whatever the list.
    pub(crate) fn is_a_word(self) -> bool {
        self.roles != 0
    }
}

struct Phrase {
    role: Role,
    words: Vec<&'static str>,
}

struct Lexicon {
    words: FxHashMap<Vec<u8>, Known>,
    phrases: Vec<Phrase>,
    shorts: Vec<Short>,
    endings: Vec<Ending>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::build);

/// What the lists know of a word by its letters; `slashed` when slashes hold them together (`h/o`).
pub(crate) fn known(letters: &[u8], slashed: bool) -> Known {
    if slashed {
        let mut spoken: Vec<u8> = Vec::with_capacity(letters.len() * 2);
        for letter in letters {
            if !spoken.is_empty() {
                spoken.push(b'/');
            }
            spoken.push(*letter);
        }
        if let Some(known) = LEXICON.words.get(spoken.as_slice()) {
            return *known;
        }
    }
    LEXICON.words.get(letters).copied().unwrap_or_default()
}

/// The number of words of the longest phrase of that role that the words begin with.
pub(crate) fn phrase_at(words: Words<'_>, role: Role) -> Option<usize> {
    let first = words.first()?;
    if !first.known.begins(role) {
        return None;
    }
    let (from, to) = first.known.phrases;
    let phrases = LEXICON
        .phrases
        .get(usize::from(from)..usize::from(to))
        .unwrap_or_default();
    let fits = |phrase: &&Phrase| {
        phrase.role == role
            && phrase.words.len() <= words.len()
            && phrase
                .words
                .iter()
                .zip(words.iter())
                .all(|(text, word)| words.spells(word, text))
    };
    let longest = phrases.iter().filter(fits).map(|phrase| phrase.words.len()).max();
    longest.or_else(|| first.is(role).then_some(1))
}

/// Where a phrase of that role first stands: position and length.
pub(crate) fn find_phrase(words: Words<'_>, role: Role) -> Option<(usize, usize)> {
    if !words.may_have(role) {
        return None;
    }
    (0..words.len()).find_map(|at| phrase_at(words.part(at..words.len()), role).map(|count| (at, count)))
}

/// Whether the words as a whole are one phrase of that role.
pub(crate) fn is_phrase(words: Words<'_>, role: Role) -> bool {
    !words.is_empty() && phrase_at(words, role) == Some(words.len())
}

/// The sorts of names in which an abbreviation is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    Company,
    Public,
    Church,
    /// Foundations and associations: their names are sentences, and long.
    Body,
    /// Owners' associations: their names are addresses.
    Vve,
}

impl Context {
    const ALL: [(&str, Context); 5] = [
        ("company", Context::Company),
        ("public", Context::Public),
        ("church", Context::Church),
        ("body", Context::Body),
        ("vve", Context::Vve),
    ];

    fn bit(self) -> u8 {
        1 << (self as u8)
    }

    /// Whose names are descriptions, in which every descriptive word may be shortened.
    pub(crate) fn is_descriptive(self) -> bool {
        matches!(self, Context::Public | Context::Church | Context::Body)
    }
}

struct Short {
    contexts: u8,
    /// Without its dot it is a word of its own, or too little.
    needs_dot: bool,
    full: String,
}

struct Ending {
    contexts: u8,
    needs_dot: bool,
    short: &'static str,
    full: &'static str,
}

/// The full words, as letters, that a word of the account may stand for.
pub(crate) fn expansions<'w>(word: &Word, context: Context) -> impl Iterator<Item = &'w [u8]> {
    let (from, to) = word.known.shorts;
    let dotted = word.dotted || word.joined;
    let shorts = LEXICON
        .shorts
        .get(usize::from(from)..usize::from(to))
        .unwrap_or_default();
    shorts
        .iter()
        .filter(move |short| short.contexts & context.bit() != 0 && (dotted || !short.needs_dot))
        .map(|short| short.full.as_bytes())
}

/// The ways in which the end of a word may be shortened: (what is written, what it stands for).
pub(crate) fn short_endings(
    letters: &[u8],
    dotted: bool,
    context: Context,
) -> impl Iterator<Item = (usize, &'static [u8])> {
    LEXICON.endings.iter().filter_map(move |ending| {
        let stem = letters.len().checked_sub(ending.short.len()).filter(|stem| *stem > 1)?;
        let fits = ending.contexts & context.bit() != 0
            && (dotted || !ending.needs_dot)
            && letters.ends_with(ending.short.as_bytes());
        fits.then_some((stem, ending.full.as_bytes()))
    })
}

/// The lines of a list that are not comments.
pub(crate) fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

const WORDS: &str = include_str!("../data/words.tsv");
const PERSONS: &str = include_str!("../data/person_names.tsv");
const GENERIC: &str = include_str!("../data/generic_words.txt");
const ABBREVIATIONS: &str = include_str!("../data/abbreviations.tsv");

impl Lexicon {
    fn build() -> Self {
        let mut draft = Draft::default();
        for (name, entries) in lines(WORDS)
            .chain(lines(PERSONS))
            .filter_map(|line| line.split_once('\t'))
        {
            if let Some((_, role)) = ROLES.iter().find(|(known, _)| *known == name) {
                for entry in entries.split('|') {
                    draft.phrase(entry, *role);
                }
            }
        }
        for word in lines(GENERIC)
            .flat_map(str::split_whitespace)
            .filter(|word| !word.starts_with('-'))
        {
            draft.phrase(word, Role::Generic);
        }
        for line in lines(ABBREVIATIONS) {
            draft.abbreviation(line);
        }
        for (notation, sure) in forms::notations() {
            let words: Vec<&str> = notation.split(' ').collect();
            if let (Some(first), Some(last)) = (words.first(), words.last()) {
                draft.word(first).form_begins = true;
                draft.word(last).form_ends = true;
                draft.word(first).form_is_doubtful |= !sure;
                draft.word(last).form_is_doubtful |= !sure;
            }
        }
        draft.finish()
    }
}

#[derive(Default)]
struct Draft {
    words: FxHashMap<Vec<u8>, Known>,
    phrases: BTreeMap<&'static str, Vec<Phrase>>,
    shorts: BTreeMap<&'static str, Vec<Short>>,
    endings: Vec<Ending>,
}

impl Draft {
    fn word(&mut self, letters: &str) -> &mut Known {
        self.words.entry(letters.as_bytes().to_vec()).or_default()
    }

    fn phrase(&mut self, entry: &'static str, role: Role) {
        let words: Vec<&str> = entry.split([' ', '-']).collect();
        let Some(first) = words.first().copied() else { return };
        let single = words.len() == 1;
        let known = self.word(first);
        known.begins |= role.bit();
        if single {
            known.roles |= role.bit();
        } else {
            self.phrases.entry(first).or_default().push(Phrase { role, words });
        }
    }

    fn abbreviation(&mut self, line: &'static str) {
        let mut columns = line.split('\t');
        let (Some(context), Some(short), Some(full)) = (columns.next(), columns.next(), columns.next()) else {
            return;
        };
        let contexts = match Context::ALL.iter().find(|(name, _)| *name == context) {
            Some((_, context)) => context.bit(),
            None => u8::MAX,
        };
        if short == "prefix" {
            for word in full.split('|') {
                self.phrase(word, Role::Descriptive);
            }
            return;
        }
        let (short, needs_dot) = match short.strip_suffix('.') {
            Some(short) => (short, true),
            None => (short, false),
        };
        for full in full.split('|') {
            match (short.strip_prefix('-'), full.strip_prefix('-')) {
                (Some(short), Some(full)) => self.endings.push(Ending {
                    contexts,
                    needs_dot,
                    short,
                    full,
                }),
                (None, None) => {
                    let full = full.replace(' ', "");
                    self.shorts.entry(short).or_default().push(Short {
                        contexts,
                        needs_dot,
                        full,
                    });
                }
                _ => {}
            }
        }
    }

    fn finish(mut self) -> Lexicon {
        let (mut phrases, mut shorts) = (Vec::new(), Vec::new());
        let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        for (first, group) in std::mem::take(&mut self.phrases) {
            let from = place(phrases.len());
            phrases.extend(group);
            self.word(first).phrases = (from, place(phrases.len()));
        }
        for (short, group) in std::mem::take(&mut self.shorts) {
            let from = place(shorts.len());
            shorts.extend(group);
            self.word(short).shorts = (from, place(shorts.len()));
        }
        Lexicon {
            words: self.words,
            phrases,
            shorts,
            endings: self.endings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn found(text: &str, role: Role) -> Option<(usize, usize)> {
        find_phrase(Name::read(text).words(), role)
    }

    #[test]
    fn every_line_of_the_tables_is_a_known_role_with_folded_words() {
        for line in lines(WORDS).chain(lines(PERSONS)) {
            let (name, entries) = line.split_once('\t').unwrap();
            assert!(ROLES.iter().any(|(known, _)| *known == name), "{name}");
            for entry in entries.split('|') {
                assert!(
                    !entry.is_empty() && entry.is_ascii() && entry == entry.to_lowercase(),
                    "{entry}"
                );
            }
        }
        assert!(
            lines(GENERIC)
                .flat_map(str::split_whitespace)
                .all(|word| word.is_ascii() && word == word.to_lowercase() && word.len() > 1)
        );
    }

    #[test]
    fn every_abbreviation_is_three_columns_and_known() {
        for line in lines(ABBREVIATIONS) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert_eq!(columns.len(), 3, "{line}");
            let context = columns.first().unwrap();
            assert!(
                *context == "any" || Context::ALL.iter().any(|(name, _)| name == context),
                "{line}"
            );
            let ending = columns.get(1).unwrap().starts_with('-');
            assert!(
                columns
                    .get(2)
                    .unwrap()
                    .split('|')
                    .all(|full| full.starts_with('-') == ending),
                "{line}"
            );
        }
    }

    #[test]
    fn a_link_needs_its_slash_or_its_dots() {
        assert_eq!(found("Zee h/o Wolf", Role::Link), Some((1, 1)));
        assert_eq!(found("Zee H.O.D.N. Wolf", Role::Link), Some((1, 1)));
        assert_eq!(found("Zee handelend onder de naam Wolf", Role::Link), Some((1, 4)));
        assert_eq!(found("H.O. Zeewolf", Role::Link), None);
    }

    #[test]
    fn phrases_are_found_whole() {
        let is = |text: &str, role| is_phrase(Name::read(text).words(), role);
        assert!(is("Zakelijke rekening", Role::Placeholder));
        assert!(!is("Zakelijke rekening Zeewolf", Role::Placeholder));
        assert!(is("Holding", Role::Holding));
    }

    #[test]
    fn an_abbreviation_counts_only_in_its_context() {
        let of = |text: &str, context| -> Vec<Vec<u8>> {
            let name = Name::read(text);
            expansions(name.words().first().unwrap(), context)
                .map(<[u8]>::to_vec)
                .collect()
        };
        assert!(of("Gem", Context::Public).contains(&b"gemeente".to_vec()));
        assert!(of("Gem", Context::Company).is_empty());
        assert!(of("Gebr.", Context::Company).contains(&b"gebroeders".to_vec()));
    }
}
