//! What banks and registers shorten, from `data/abbreviations.tsv`.

use crate::token::Token;
use std::sync::LazyLock;

/// The sort of organisation whose name is shortened; every one includes the abbreviations of `any`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    Company,
    Public,
    Church,
    /// Foundations and associations: their names are sentences, and long.
    Body,
}

impl Context {
    fn name(self) -> &'static str {
        match self {
            Context::Company => "company",
            Context::Public => "public",
            Context::Church => "church",
            Context::Body => "body",
        }
    }
}

/// (context, short, full words); `prefix` stands for "any beginning of three letters with a dot".
static ROWS: LazyLock<Vec<(&'static str, &'static str, Vec<&'static str>)>> = LazyLock::new(|| {
    include_str!("../data/abbreviations.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?, columns.next()?, columns.next()?.split('|').collect()))
        })
        .collect()
});

/// The words this token may stand for, as letters without spaces.
pub(crate) fn expansions(token: &Token, context: Context) -> Vec<String> {
    let mut full: Vec<&'static str> = Vec::new();
    for (row_context, short, words) in ROWS.iter() {
        if *row_context != "any" && *row_context != context.name() {
            continue;
        }
        if *short == "prefix" {
            if token.dotted && token.plain.len() >= 3 {
                full.extend(
                    words
                        .iter()
                        .filter(|word| word.len() > token.plain.len() && word.starts_with(&token.plain)),
                );
            }
        } else if *short == token.plain {
            full.extend(words.iter());
        }
    }
    full.into_iter().map(|words| words.replace(' ', "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    fn of(name: &str, context: Context) -> Vec<String> {
        expansions(tokens(name).first().unwrap(), context)
    }

    #[test]
    fn an_abbreviation_counts_only_in_its_context() {
        assert_eq!(of("Gem", Context::Public), ["gemeente"]);
        assert!(of("Gem", Context::Company).is_empty());
        assert_eq!(of("Gebr.", Context::Company), ["gebroeders"]);
    }

    #[test]
    fn the_beginning_of_a_descriptive_word_needs_its_dot_and_three_letters() {
        assert!(of("Onderw.", Context::Body).contains(&"onderwijs".to_owned()));
        assert!(of("Onderw", Context::Body).is_empty());
        assert!(of("On.", Context::Body).is_empty());
        assert!(of("Onderw.", Context::Company).is_empty());
    }
}
