//! Words shortened to their beginning.

use crate::distinct::is_generic;
use crate::lexicon::{Known, Role, known};
use crate::name::Word;

/// In the long names of foundations and associations any descriptive word may be shortened to its beginning:
/// three letters with a dot, or four that end in a consonant and are no word themselves. Without a dot it must not be
/// the only word that is shortened.
pub(super) fn is_beginning(letters: &[u8], word: &Word, full: &[u8], whole: Known) -> bool {
    let descriptive = || whole.is(Role::Descriptive) || is_generic(full, whole);
    let consonant = letters.last().is_some_and(|last| !b"aeiouy".contains(last));
    let shortened = if word.dotted {
        letters.len() >= 3
    } else {
        letters.len() >= 4 && consonant && !word.known.is_a_word() && !is_inflected(letters, full)
    };
    shortened
        && letters.len() < full.len()
        && full.starts_with(letters)
        && descriptive()
        && !hides_a_word(letters, full)
}

/// "Kind" is a word, of which "kinderen" is the plural: no abbreviation.
fn is_inflected(letters: &[u8], full: &[u8]) -> bool {
    const ENDINGS: [&str; 12] = [
        "e", "en", "er", "ers", "eren", "s", "se", "n", "je", "jes", "elijk", "elijke",
    ];
    full.strip_prefix(letters)
        .is_some_and(|rest| ENDINGS.iter().any(|ending| rest == ending.as_bytes()))
}

/// "Mus." is the museum and not the museum's friends: what is left out holds a word of its own. An ending such as
/// -e or -en is none.
fn hides_a_word(letters: &[u8], full: &[u8]) -> bool {
    (letters.len()..full.len().saturating_sub(2)).any(|end| {
        let shorter = known(full.get(..end).unwrap_or_default(), false);
        shorter.is(Role::Descriptive) || shorter.is(Role::Generic)
    })
}
