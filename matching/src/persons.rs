//! Whether a name is a person's, from `data/person_names.tsv` and the shapes banks use.

use crate::distinct::is_generic;
use crate::token::{Kind, Token};
use crate::words::{Role, has_role};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static SURNAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| listed("surname"));
static FIRST_NAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| listed("first"));

fn listed(kind: &str) -> BTreeSet<&'static str> {
    include_str!("../data/person_names.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(name, _)| *name == kind)
        .flat_map(|(_, names)| names.split('|'))
        .collect()
}

/// A person's name taken apart: "Hr J.A. van der Zee" or "VAN DER ZEE J A CJ".
struct Parts {
    title: bool,
    initials: usize,
    first_name: bool,
    particles: usize,
    surname: Vec<String>,
}

fn parts(tokens: &[Token]) -> Option<Parts> {
    let titles = tokens.iter().take_while(|token| has_role(token, Role::Title)).count();
    let rest = tokens.get(titles..)?;
    if rest.is_empty() || rest.len() > 9 || rest.iter().any(|token| token.kind != Kind::Word || token.has_digit()) {
        return None;
    }
    // Surname first: "DE ZEEWOLF C N CJ".
    let behind = rest
        .iter()
        .rev()
        .take_while(|token| is_initials(token) || token.plain == "cj")
        .count();
    let (head, initials_behind) = if behind > 0 && behind < rest.len() && !is_initials(rest.first()?) {
        (rest.get(..rest.len() - behind)?, behind)
    } else {
        (rest, 0)
    };
    // The last word is a surname however short: "E D KOK".
    let before_surname = head.len().saturating_sub(1);
    let initials = head
        .iter()
        .take(before_surname)
        .take_while(|token| is_initials(token))
        .count();
    let head = head.get(initials..)?;
    let first_name = head.len() > 1
        && head
            .first()
            .is_some_and(|token| FIRST_NAMES.contains(token.plain.as_str()));
    let head = if first_name { head.get(1..)? } else { head };
    let particles = head.iter().take_while(|token| is_surname_particle(token)).count();
    let surname = head.get(particles..)?;
    if surname.is_empty() || surname.len() > 4 {
        return None;
    }
    Some(Parts {
        title: titles > 0,
        initials: initials + initials_behind,
        first_name,
        particles,
        surname: surname.iter().map(|token| token.plain.clone()).collect(),
    })
}

/// One to four letters that stand for given names: single, dotted, or a short block ("GJ", "JBL").
fn is_initials(token: &Token) -> bool {
    let letters = token.plain.len();
    let dotted = token.shown.contains('.') && letters <= 6;
    (letters <= 3 || dotted)
        && !is_surname_particle(token)
        && !has_role(token, Role::Title)
        && (letters <= 2 || dotted || !FIRST_NAMES.contains(token.plain.as_str()))
}

fn is_surname_particle(token: &Token) -> bool {
    matches!(
        token.plain.as_str(),
        "de" | "den"
            | "der"
            | "van"
            | "von"
            | "ten"
            | "ter"
            | "te"
            | "het"
            | "vd"
            | "op"
            | "in"
            | "la"
            | "le"
            | "el"
            | "al"
            | "di"
            | "du"
            | "da"
            | "dos"
    ) && !(token.shown.contains('.') && token.plain.len() == 1)
}

pub(crate) fn is_common_surname(token: &Token) -> bool {
    SURNAMES.contains(token.plain.as_str())
}

/// The shape of a person's name and no business word in it. Loose: for reasons, and for the person in front
/// of a sole trader's trade name, where the trade name itself must be on record.
pub(crate) fn looks_personal(tokens: &[Token]) -> bool {
    let Some(parts) = parts(tokens) else {
        return false;
    };
    let named = parts.title || parts.initials > 0 || parts.first_name;
    let business = tokens.iter().any(|token| {
        let own_name = is_common_surname(token) || is_surname_particle(token) || is_initials(token);
        !own_name && (is_generic(token) || has_role(token, Role::Holding) || has_role(token, Role::Region))
    });
    named && !business && parts.surname.len() <= 2
}

/// A person's name beyond doubt, for telling support; "NST Visserij" is rather an acronym.
pub(crate) fn clearly_personal(tokens: &[Token]) -> bool {
    let single = |token: &Token| is_initials(token) && (token.plain.len() == 1 || token.shown.contains('.'));
    let known =
        |parts: &Parts| parts.title || parts.first_name || parts.particles > 0 || tokens.iter().any(is_common_surname);
    looks_personal(tokens) && (tokens.iter().any(single) || parts(tokens).is_some_and(|p| known(&p)))
}

/// A name that says no more than who somebody is: "J. de Vries", "Jan Bakker", "Jansen".
pub(crate) fn only_a_person(tokens: &[Token]) -> bool {
    let Some(parts) = parts(tokens) else {
        return false;
    };
    let common = parts.surname.iter().all(|name| SURNAMES.contains(name.as_str()));
    if parts.surname.len() > 2 {
        return false;
    }
    if parts.title {
        return looks_personal(tokens);
    }
    let given = parts.initials > 0 || parts.first_name;
    common || (given && parts.particles > 0 && parts.surname.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

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
            assert!(looks_personal(&tokens(name)), "{name}");
        }
    }

    #[test]
    fn an_acronym_is_no_initials() {
        assert!(clearly_personal(&tokens("GJ de Zeewolf")));
        assert!(!clearly_personal(&tokens("NST Zeewolf")));
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
            assert!(!looks_personal(&tokens(name)), "{name}");
        }
    }

    #[test]
    fn only_common_names_and_clear_shapes_are_only_a_person() {
        for name in ["J. de Vries", "Jan Bakker", "Jansen", "W.P. van Zeewolf"] {
            assert!(only_a_person(&tokens(name)), "{name}");
        }
        for name in ["Zeewolf", "De Zeewolf", "Jansen Schilders"] {
            assert!(!only_a_person(&tokens(name)), "{name}");
        }
    }
}
