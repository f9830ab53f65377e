//! Words with a role in a name, from `data/words.tsv`.

use crate::token::Token;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What a word or phrase does in a name. A role names a difference; it never excuses one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Role {
    Holding,
    Region,
    /// A region as wide as a country or wider.
    Wide,
    Direction,
    Part,
    Supporting,
    Particle,
    Title,
    Link,
    Purpose,
    Status,
    Joint,
    Placeholder,
    Payment,
}

const ROLES: [(&str, Role); 14] = [
    ("holding", Role::Holding),
    ("region", Role::Region),
    ("wide", Role::Wide),
    ("direction", Role::Direction),
    ("part", Role::Part),
    ("supporting", Role::Supporting),
    ("particle", Role::Particle),
    ("title", Role::Title),
    ("link", Role::Link),
    ("purpose", Role::Purpose),
    ("status", Role::Status),
    ("joint", Role::Joint),
    ("placeholder", Role::Placeholder),
    ("payment", Role::Payment),
];

/// Role → phrases; a phrase is its words.
static WORDS: LazyLock<BTreeMap<Role, BTreeSet<Vec<&'static str>>>> = LazyLock::new(|| {
    let mut words: BTreeMap<Role, BTreeSet<Vec<&'static str>>> = BTreeMap::new();
    for line in include_str!("../data/words.tsv").lines() {
        let Some((name, entries)) = line.split_once('\t') else {
            continue;
        };
        let Some(&(_, role)) = ROLES.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        let phrases = entries.split('|').map(|entry| entry.split(' ').collect::<Vec<_>>());
        words.entry(role).or_default().extend(phrases);
    }
    words
});

/// Whether a single word has the role.
pub(crate) fn has_role(token: &Token, role: Role) -> bool {
    phrase_at(std::slice::from_ref(token), role) == Some(1)
}

/// The number of tokens of the longest phrase of that role that the tokens begin with.
pub(crate) fn phrase_at(tokens: &[Token], role: Role) -> Option<usize> {
    let phrases = WORDS.get(&role)?;
    (1..=tokens.len().min(5)).rev().find(|&count| {
        let spoken: Vec<&str> = tokens.iter().take(count).map(spoken).collect();
        phrases.contains(&spoken)
    })
}

/// Where a phrase of that role first stands: position and length.
pub(crate) fn find_phrase(tokens: &[Token], role: Role) -> Option<(usize, usize)> {
    (0..tokens.len()).find_map(|at| phrase_at(tokens.get(at..)?, role).map(|count| (at, count)))
}

/// Whether the tokens as a whole are one phrase of that role.
pub(crate) fn is_phrase(tokens: &[Token], role: Role) -> bool {
    !tokens.is_empty() && phrase_at(tokens, role) == Some(tokens.len())
}

/// `h/o` and `e/o` keep their slash, so that a name with the initials H.O. is no link word.
fn spoken(token: &Token) -> &str {
    match token.plain.as_str() {
        "ho" if token.shown.contains('/') => "h/o",
        "eo" if token.shown.contains('/') => "e/o",
        "ta" if token.shown.contains('/') => "t/a",
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    #[test]
    fn every_line_of_the_table_is_a_known_role_with_folded_words() {
        for line in include_str!("../data/words.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let (name, entries) = line.split_once('\t').unwrap();
            assert!(ROLES.iter().any(|(known, _)| *known == name), "{name}");
            for entry in entries.split('|') {
                assert!(
                    !entry.is_empty() && entry.is_ascii() && entry == entry.to_lowercase(),
                    "{entry}"
                );
            }
        }
    }

    #[test]
    fn a_link_needs_its_slash_or_its_dots() {
        assert_eq!(find_phrase(&tokens("Zee h/o Wolf"), Role::Link), Some((1, 1)));
        assert_eq!(find_phrase(&tokens("Zee H.O.D.N. Wolf"), Role::Link), Some((1, 1)));
        assert_eq!(
            find_phrase(&tokens("Zee handelend onder de naam Wolf"), Role::Link),
            Some((1, 4))
        );
        assert_eq!(find_phrase(&tokens("H.O. Zeewolf"), Role::Link), None);
    }

    #[test]
    fn phrases_are_found_whole() {
        assert!(is_phrase(&tokens("Zakelijke rekening"), Role::Placeholder));
        assert!(!is_phrase(&tokens("Zakelijke rekening Zeewolf"), Role::Placeholder));
        assert!(has_role(tokens("Holding").first().unwrap(), Role::Holding));
    }
}
