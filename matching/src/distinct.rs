//! Names that are no evidence on their own: trades (`data/generic_words.txt`), names that many carry
//! (`data/shared_names.txt`) and persons.

use crate::lexicon::{Known, Role, known, lines};
use crate::name::{Word, Words};
use crate::persons::only_a_person;
use crate::reason::{Reason, ReasonCode};
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// Endings that make any word a trade: `-bedrijf`.
static ENDINGS: LazyLock<FxHashSet<&'static [u8]>> = LazyLock::new(|| {
    let words = lines(include_str!("../data/generic_words.txt")).flat_map(str::split_whitespace);
    words
        .filter_map(|word| word.strip_prefix('-'))
        .map(str::as_bytes)
        .collect()
});

static LONGEST_ENDING: LazyLock<usize> =
    LazyLock::new(|| ENDINGS.iter().map(|ending| ending.len()).max().unwrap_or_default());

/// The shared names as letters, without an article in front.
static SHARED: LazyLock<FxHashSet<String>> = LazyLock::new(|| {
    let names = lines(include_str!("../data/shared_names.txt"));
    names
        .map(|line| {
            let words = line.trim().split(' ').skip_while(|word| ARTICLES.contains(word));
            words.collect::<String>()
        })
        .collect()
});

const ARTICLES: [&str; 6] = ["de", "het", "een", "t", "the", "ons"];

/// Says what is done rather than who does it: a listed word, a word with a listed ending, or one put together of
/// such words, as Dutch does ("hondentrimsalon").
pub(crate) fn is_generic(letters: &[u8], word: Known) -> bool {
    word.is(Role::Generic) || has_generic_ending(letters) || is_compound(letters)
}

fn has_generic_ending(letters: &[u8]) -> bool {
    let longest = letters.len().saturating_sub(1).min(*LONGEST_ENDING);
    (3..=longest).any(|length| {
        let ending = letters.get(letters.len().saturating_sub(length)..).unwrap_or_default();
        ENDINGS.contains(ending)
    })
}

/// The longest word that is taken apart.
const LONGEST_COMPOUND: usize = 40;

/// Wholly made of listed words of three letters or more, with what Dutch puts between them.
fn is_compound(letters: &[u8]) -> bool {
    if letters.len() > LONGEST_COMPOUND || letters.len() < 6 {
        return false;
    }
    let generic = |part: &[u8]| part.len() >= 3 && known(part, false).is(Role::Generic);
    // Places up to which the word is made of listed words.
    let mut reached = [false; LONGEST_COMPOUND + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for end in 3..=letters.len() {
        let made =
            (0..=end - 3).any(|from| reached.get(from) == Some(&true) && letters.get(from..end).is_some_and(generic));
        if !made {
            continue;
        }
        let mut set = |at: usize| {
            if let Some(place) = reached.get_mut(at) {
                *place = true;
            }
        };
        set(end);
        for between in [b"s".as_slice(), b"e", b"n", b"en"] {
            if letters
                .get(end..)
                .is_some_and(|rest| rest.starts_with(between) && rest.len() > between.len() + 2)
            {
                set(end + between.len());
            }
        }
    }
    reached.get(letters.len()) == Some(&true)
}

/// Why a name proves nothing by itself; `None` when it is distinctive.
///
/// Trade names are not unique: "Catering", "De Regenboog" or "J. de Vries" on record says little about whose
/// account it is. A trade with a surname or a place ("Visserij Bakker") is taken as distinctive.
pub(crate) fn too_little(core: Words<'_>) -> Option<Reason> {
    if letters_and_digits(core) < 4 {
        return Some(Reason::new(ReasonCode::NameTooShort, core.each_shown()));
    }
    if only_generic(core, |word| is_generic(core.letters_of(word), word.known)) || is_one_word_split(core) {
        return Some(Reason::new(ReasonCode::GenericName, core.each_shown()));
    }
    if is_shared(core) {
        return Some(Reason::new(ReasonCode::SharedName, core.each_shown()));
    }
    (only_a_person(core) || only_a_family(core)).then(|| Reason::new(ReasonCode::PrivatePerson, core.each_shown()))
}

/// The same for a statutory name that shows its legal form: only a name that many may carry is too little.
pub(crate) fn too_little_with_form(core: Words<'_>) -> Option<Reason> {
    only_generic(core, |word| word.is(Role::Generic)).then(|| Reason::new(ReasonCode::GenericName, core.each_shown()))
}

fn letters_and_digits(core: Words<'_>) -> usize {
    core.iter().filter(|word| !word.is_connector()).map(Word::len).sum()
}

/// A shared name, be it with what is done there: "Basisschool De Regenboog".
fn is_shared(core: Words<'_>) -> bool {
    let is_article = |word: &Word| ARTICLES.iter().any(|article| core.spells(word, article));
    let trade = |word: &Word| is_article(word) || is_generic(core.letters_of(word), word.known);
    let listed = |from: usize| {
        let letters = core.part(from..core.len()).letters();
        std::str::from_utf8(letters).is_ok_and(|letters| SHARED.contains(letters))
    };
    let in_front = core.iter().take_while(|word| trade(word)).count();
    // "Visserij Roos" is the fishery of Mr Roos.
    let somebody = core.len() > 1 && core.last().is_some_and(|word| word.is(Role::Surname));
    !somebody && (0..=in_front).any(listed)
}

/// "Gebroeders De Vries", "Visser & Zn": there are many.
fn only_a_family(core: Words<'_>) -> bool {
    let mut content = core
        .iter()
        .filter(|word| is_telling(core, word) && !word.is(Role::Family));
    content.next().is_some_and(|word| word.is(Role::Surname)) && content.next().is_none()
}

fn only_generic(core: Words<'_>, generic: impl Fn(&Word) -> bool) -> bool {
    // Many surnames are trades; beside another word they are surnames: "Rijwielhandel Bakker".
    let mut telling = core.iter().filter(|word| is_telling(core, word));
    let named = telling.clone().any(|word| word.is(Role::Surname)) && telling.nth(1).is_some();
    !named && core.iter().filter(|word| !is_filler(core, word)).all(generic)
}

/// "Taxi Centrale" is a taxicentrale.
fn is_one_word_split(core: Words<'_>) -> bool {
    let plain = core.len() < 4 && !core.iter().any(|word| word.is_connector() || word.is(Role::Surname));
    plain && (known(core.letters(), false).is(Role::Generic) || is_compound(core.letters()))
}

/// Beside the point when we ask whether a name is distinctive.
fn is_filler(core: Words<'_>, word: &Word) -> bool {
    !is_telling(core, word) || word.is(Role::Holding) || word.is(Role::Part)
}

/// 24, 10a; "4Sure" is a word.
fn is_number(core: Words<'_>, word: &Word) -> bool {
    let letters = core
        .letters_of(word)
        .iter()
        .filter(|letter| letter.is_ascii_lowercase())
        .count();
    core.is_number(word) && letters < 2
}

/// A word with a meaning of its own, be it a common one.
fn is_telling(core: Words<'_>, word: &Word) -> bool {
    let empty = word.is_connector()
        || is_number(core, word)
        || core.is_roman(word)
        || word.len() == 1
        || word.is(Role::Particle)
        || word.is(Role::Title)
        || word.is(Role::Wide)
        || word.is(Role::Direction);
    !empty
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn verdict(text: &str) -> Option<ReasonCode> {
        too_little(Name::read(text).words()).map(|reason| reason.code)
    }

    #[test]
    fn trades_and_empty_words_say_too_little() {
        for name in [
            "Catering",
            "De Bakker",
            "Holding",
            "Advies & Beheer",
            "Management Nederland",
            "Rijwielhandel",
            "Het Schoonmaakbedrijf",
            "Kappersopleidingen",
            "Taxi Centrale",
            "Autoschadecentrum Nederland",
        ] {
            assert_eq!(verdict(name), Some(ReasonCode::GenericName), "{name}");
        }
    }

    #[test]
    fn a_name_that_many_carry_says_too_little() {
        for name in ["De Regenboog", "'t Hoekje", "REGENBOOG", "Basisschool De Regenboog"] {
            assert_eq!(verdict(name), Some(ReasonCode::SharedName), "{name}");
        }
        assert_eq!(verdict("Regenboog Schilders Zeewolde"), None);
    }

    #[test]
    fn three_letters_are_too_few() {
        assert_eq!(verdict("Z.W.F."), Some(ReasonCode::NameTooShort));
        assert_eq!(verdict("ZWFX"), None);
    }

    #[test]
    fn a_bare_person_says_too_little() {
        for name in ["J. de Vries", "Jansen", "Gebr. de Vries", "Visser & Zn"] {
            assert_eq!(verdict(name), Some(ReasonCode::PrivatePerson), "{name}");
        }
    }

    #[test]
    fn a_trade_with_a_name_or_town_is_distinctive() {
        for name in [
            "Koeriersdienst Zeewolf",
            "Hoveniersbedrijf Lutjebroek",
            "Zeewolf",
            "Zeewolf Nederland",
            "Rijwielhandel De Vries",
            "Rijwielhandel Bakker",
            "De Boer Advies",
            "4Sure Telecom",
        ] {
            assert_eq!(verdict(name), None, "{name}");
        }
    }
}
