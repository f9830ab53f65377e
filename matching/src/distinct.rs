//! Names that are no evidence on their own, from `data/generic_words.txt`.

use crate::persons::{is_common_surname, only_a_person};
use crate::reason::{Reason, ReasonCode};
use crate::token::{Token, shown};
use crate::words::{Role, has_role};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static WORDS: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| list().filter(|word| !word.starts_with('-')).collect());
static ENDINGS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| list().filter_map(|word| word.strip_prefix('-')).collect());

fn list() -> impl Iterator<Item = &'static str> {
    include_str!("../data/generic_words.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
}

/// Says what is done rather than who does it.
pub(crate) fn is_generic(token: &Token) -> bool {
    is_listed(token)
        || ENDINGS
            .iter()
            .any(|ending| token.plain.len() > ending.len() && token.plain.ends_with(ending))
}

fn is_listed(token: &Token) -> bool {
    WORDS.contains(token.plain.as_str())
}

/// Why a name proves nothing by itself; `None` when it is distinctive.
///
/// Trade names are not unique: "Catering" or "J. de Vries" on record says little about whose account it is.
/// A trade with a surname or a place ("Visserij Bakker") is taken as distinctive.
pub(crate) fn too_little(core: &[Token]) -> Option<Reason> {
    if letters_and_digits(core) < 4 {
        return Some(Reason::new(ReasonCode::NameTooShort, shown(core)));
    }
    if only_generic(core, is_generic) {
        return Some(Reason::new(ReasonCode::GenericName, shown(core)));
    }
    (only_a_person(core) || only_a_family(core)).then(|| Reason::new(ReasonCode::PrivatePerson, shown(core)))
}

/// The same for a statutory name that shows its legal form: only a name that many may carry is too little.
pub(crate) fn too_little_with_form(core: &[Token]) -> Option<Reason> {
    only_generic(core, is_listed).then(|| Reason::new(ReasonCode::GenericName, shown(core)))
}

fn letters_and_digits(core: &[Token]) -> usize {
    let words = core.iter().filter(|token| !token.is_connector());
    words.map(|token| token.plain.len()).sum()
}

/// "Gebroeders De Vries", "Visser & Zn": there are many.
fn only_a_family(core: &[Token]) -> bool {
    let mut content = core.iter().filter(|token| is_telling(token) && !is_family_word(token));
    content.next().is_some_and(is_common_surname) && content.next().is_none()
}

fn is_family_word(token: &Token) -> bool {
    matches!(
        token.plain.as_str(),
        "gebr"
            | "gebroeders"
            | "zoon"
            | "zonen"
            | "zn"
            | "dochter"
            | "dochters"
            | "familie"
            | "fam"
            | "erven"
            | "wed"
            | "weduwe"
    )
}

fn only_generic(core: &[Token], generic: impl Fn(&Token) -> bool) -> bool {
    let content: Vec<&Token> = core.iter().filter(|token| !is_filler(token)).collect();
    // Many surnames are trades; beside another word they are surnames: "Rijwielhandel Bakker".
    let telling: Vec<&Token> = core.iter().filter(|token| is_telling(token)).collect();
    let named = telling.len() > 1 && telling.iter().any(|token| is_common_surname(token));
    !named && content.iter().all(|token| generic(token))
}

/// Beside the point when we ask whether a name is distinctive.
fn is_filler(token: &Token) -> bool {
    !is_telling(token) || has_role(token, Role::Holding) || has_role(token, Role::Part)
}

/// A word with a meaning of its own, be it a common one.
fn is_telling(token: &Token) -> bool {
    let empty = token.is_connector()
        || token.is_number()
        || token.is_roman()
        || token.plain.len() == 1
        || has_role(token, Role::Particle)
        || has_role(token, Role::Wide)
        || has_role(token, Role::Direction);
    !empty
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    fn verdict(name: &str) -> Option<ReasonCode> {
        too_little(&tokens(name)).map(|reason| reason.code)
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
        ] {
            assert_eq!(verdict(name), Some(ReasonCode::GenericName), "{name}");
        }
    }

    #[test]
    fn three_letters_are_too_few() {
        assert_eq!(verdict("Z.W.F."), Some(ReasonCode::NameTooShort));
        assert_eq!(verdict("ZWFX"), None);
    }

    #[test]
    fn a_bare_person_says_too_little() {
        assert_eq!(verdict("J. de Vries"), Some(ReasonCode::PrivatePerson));
        assert_eq!(verdict("Jansen"), Some(ReasonCode::PrivatePerson));
        assert_eq!(verdict("Gebr. de Vries"), Some(ReasonCode::PrivatePerson));
        assert_eq!(verdict("Visser & Zn"), Some(ReasonCode::PrivatePerson));
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
        ] {
            assert_eq!(verdict(name), None, "{name}");
        }
    }

    #[test]
    fn the_list_is_folded_and_has_no_empty_words() {
        assert!(list().all(|word| word.is_ascii() && word == word.to_lowercase() && word.len() > 1));
    }
}
