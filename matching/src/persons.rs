//! Whether a name is a person's, from `data/person_names.tsv` and the shapes banks use.

use crate::distinct::is_generic;
use crate::forms::spelled;
use crate::lexicon::Role;
use crate::name::{Gap, Kind, Word, Words};

/// A person's name taken apart: "Hr J.A. van der Zee" or "VAN DER ZEE J A CJ".
struct Parts<'n> {
    title: bool,
    initials: usize,
    first_name: bool,
    particles: usize,
    surname: Words<'n>,
}

fn parts(words: Words<'_>) -> Option<Parts<'_>> {
    let titles = words.iter().take_while(|word| word.is(Role::Title)).count();
    let rest = words.part(titles..words.len());
    let odd = |word: &Word| word.kind != Kind::Word || words.has_digit(word);
    if rest.is_empty() || rest.len() > 9 || rest.iter().any(odd) {
        return None;
    }
    // Surname first: "DE ZEEWOLF C N CJ".
    let behind = rest
        .iter()
        .rev()
        .take_while(|word| is_initials(rest, word) || rest.spells(word, "cj"))
        .count();
    let (head, initials_behind) = if behind > 0 && behind < rest.len() && !is_initials(rest, rest.first()?) {
        (rest.part(0..rest.len().saturating_sub(behind)), behind)
    } else {
        (rest, 0)
    };
    // The last word is a surname however short: "E D KOK".
    let before_surname = head.len().saturating_sub(1);
    let initials = head
        .iter()
        .take(before_surname)
        .take_while(|word| is_initials(head, word))
        .count();
    let head = head.part(initials..head.len());
    let first_name = head.len() > 1 && head.first().is_some_and(|word| word.is(Role::FirstName));
    let head = head.part(usize::from(first_name)..head.len());
    let particles = head.iter().take_while(|word| is_surname_particle(head, word)).count();
    let surname = head.part(particles..head.len());
    if surname.is_empty() || surname.len() > 4 {
        return None;
    }
    Some(Parts {
        title: titles > 0,
        initials: initials + initials_behind,
        first_name,
        particles,
        surname,
    })
}

/// One to four letters that stand for given names: single, dotted, or a short block ("GJ", "JBL").
fn is_initials(words: Words<'_>, word: &Word) -> bool {
    let letters = word.len();
    let dotted = is_dotted(words, word) && letters <= 6;
    (letters <= 3 || dotted)
        && !is_surname_particle(words, word)
        && !word.is(Role::Title)
        && (letters <= 2 || dotted || !word.is(Role::FirstName))
}

fn is_dotted(words: Words<'_>, word: &Word) -> bool {
    word.joined && words.shown(word).contains('.')
}

fn is_surname_particle(words: Words<'_>, word: &Word) -> bool {
    matches!(
        words.letters_of(word),
        b"de"
            | b"den"
            | b"der"
            | b"van"
            | b"von"
            | b"ten"
            | b"ter"
            | b"te"
            | b"het"
            | b"vd"
            | b"op"
            | b"in"
            | b"la"
            | b"le"
            | b"el"
            | b"al"
            | b"di"
            | b"du"
            | b"da"
            | b"dos"
    )
}

/// Whether the words may name the owner of a one-man business, beside its trade name that is on record: nothing but
/// titles, initials, given names and one surname.
///
/// Every part of such a name is one too, none at all included: so no word added to an account makes an owner of what was none.
pub(crate) fn may_be_owner(words: Words<'_>) -> bool {
    let mut surnames = 0;
    let owner = |word: &Word| {
        if word.is_connector() || words.has_digit(word) || may_be_a_form(words, word) {
            return false;
        }
        let known = word.is(Role::Title)
            || word.is(Role::FirstName)
            || word.is(Role::Surname)
            || is_surname_particle(words, word)
            || is_initials(words, word)
            || words.spells(word, "cj");
        if known {
            return true;
        }
        let business =
            is_generic(words.letters_of(word), word.known) || word.is(Role::Holding) || word.is(Role::Region);
        // The second half of a double surname stands behind a hyphen.
        surnames += usize::from(word.gap != Gap::Mark || surnames == 0);
        !business && surnames < 2
    };
    words.len() < 10 && words.list().iter().all(owner) && !is_spelled_apart(words)
}

/// A word of a legal form, wherever it stands: a company is nobody's owner.
fn may_be_a_form(words: Words<'_>, word: &Word) -> bool {
    let letters = words.letters_of(word);
    if word.joined {
        // A.B. are initials, and so is what a Swede writes for his company.
        return matches!(letters, b"bv" | b"nv" | b"cv" | b"vof");
    }
    let part_of_one = word.len() > 2 && (word.known.form_begins || word.known.form_ends);
    part_of_one || spelled(letters).is_some()
}

/// B V and the like among the initials, with or without another word between.
fn is_spelled_apart(words: Words<'_>) -> bool {
    let singles = || {
        words
            .list()
            .iter()
            .filter(|word| word.len() == 1)
            .flat_map(|word| words.letters_of(word))
    };
    let mut before_v = singles().skip_while(|letter| !b"bnc".contains(letter));
    before_v.any(|letter| *letter == b'v')
}

/// The shape of a person's name and no business word in it. Loose: for reasons only.
pub(crate) fn looks_personal(words: Words<'_>) -> bool {
    parts(words).is_some_and(|parts| is_personal(words, &parts))
}

fn is_personal(words: Words<'_>, parts: &Parts<'_>) -> bool {
    let named = parts.title || parts.initials > 0 || parts.first_name;
    let business = |word: &Word| {
        let own_name = word.is(Role::Surname) || is_surname_particle(words, word) || is_initials(words, word);
        !own_name && (is_generic(words.letters_of(word), word.known) || word.is(Role::Holding) || word.is(Role::Region))
    };
    named && parts.surname.len() <= 2 && !words.iter().any(business)
}

/// A person's name beyond doubt, for telling support; "NST Visserij" is rather an acronym.
pub(crate) fn clearly_personal(words: Words<'_>) -> bool {
    let single = |word: &Word| is_initials(words, word) && (word.len() == 1 || is_dotted(words, word));
    parts(words).is_some_and(|parts| {
        let known = parts.title || parts.first_name || parts.particles > 0;
        is_personal(words, &parts) && (known || words.iter().any(|word| single(word) || word.is(Role::Surname)))
    })
}

/// A name that says no more than who somebody is: "J. de Vries", "Jan Bakker", "Jansen".
pub(crate) fn only_a_person(words: Words<'_>) -> bool {
    let Some(parts) = parts(words) else {
        return false;
    };
    if parts.surname.len() > 2 {
        return false;
    }
    if parts.title {
        return is_personal(words, &parts);
    }
    let given = parts.initials > 0 || parts.first_name;
    parts.surname.iter().all(|word| word.is(Role::Surname))
        || (given && parts.particles > 0 && parts.surname.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn looks(text: &str) -> bool {
        looks_personal(Name::read(text).words())
    }

    #[test]
    fn the_shapes_banks_give_persons_are_seen() {
        for name in [
            "Hr J. Zeewolf",
            "J A VAN DER ZEEWOLF",
            "ZEEWOLF J A",
            "Mw G.H. de Zeewolf",
            "DE ZEEWOLF C N CJ",
            "Jan Zeewolf",
            "GJ Zeewolf-Bakker",
        ] {
            assert!(looks(name), "{name}");
        }
    }

    #[test]
    fn every_part_of_an_owners_name_may_be_an_owner() {
        let full = "Dhr J.A. van der Zeewolf-Kwal CJ";
        let words: Vec<&str> = full.split(' ').collect();
        for left_out in 0..words.len() {
            let mut part = words.clone();
            part.remove(left_out);
            assert!(may_be_owner(Name::read(&part.join(" ")).words()), "{part:?}");
        }
        for name in [
            "J Zeewolf Visserij",
            "Zeewolf Kwal",
            "J & M Zeewolf",
            "Zeewolf 2",
            "J. Zeewolf Beheer",
        ] {
            assert!(!may_be_owner(Name::read(name).words()), "{name}");
        }
    }

    #[test]
    fn an_acronym_is_no_initials() {
        assert!(clearly_personal(Name::read("GJ de Zeewolf").words()));
        assert!(!clearly_personal(Name::read("NST Zeewolf").words()));
    }

    #[test]
    fn a_business_name_is_no_person() {
        for name in [
            "Zeewolf Visserij Holding",
            "Bakkerij Zeewolf",
            "J. Zeewolf Beheer",
            "Zeewolf 2",
            "Zee & Wolf",
        ] {
            assert!(!looks(name), "{name}");
        }
    }

    #[test]
    fn only_common_names_and_clear_shapes_are_only_a_person() {
        for name in ["J. de Vries", "Jan Bakker", "Jansen", "W.P. van Zeewolf"] {
            assert!(only_a_person(Name::read(name).words()), "{name}");
        }
        for name in ["Zeewolf", "De Zeewolf", "Jansen Schilders"] {
            assert!(!only_a_person(Name::read(name).words()), "{name}");
        }
    }
}
