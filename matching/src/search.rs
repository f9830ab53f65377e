//! The words of a name as it is looked for: small letters without accents, so that whoever types `cafe` finds `Café`.
//!
//! They hold a to z and 0 to 9 only, which every database sorts the same: all words that begin with what was typed
//! stand between it and its [`upper_bound`]. Letters of other scripts become their number, in a fixed width, so that
//! their beginnings are beginnings too.

use crate::fold::{is_combining, latin};
use std::fmt::Write as _;

/// Longer words are cut: nobody types so much of one.
const LONGEST_WORD: usize = 40;

/// The words of a text, each once, in their order; at most `most`.
pub fn search_words(text: &str, most: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in text.split(|c: char| !(c.is_alphanumeric() || is_combining(c) || is_within_words(c))) {
        let mut word = String::new();
        for c in piece.chars().filter(|c| !is_combining(*c) && !is_within_words(*c)) {
            if word.len() >= LONGEST_WORD {
                break;
            }
            match latin(c) {
                Some(letters) => word.extend(letters.plain().iter().map(|letter| char::from(*letter))),
                None => {
                    let _ = write!(word, "u{:06x}", u32::from(c));
                }
            }
        }
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
        if words.len() == most {
            break;
        }
    }
    words
}

/// The least text that is greater than every word that begins with this one: its last letter is the next one. `None`
/// when there is none, as for `zz`, or when it isn't a [search word](search_words).
pub fn upper_bound(word: &str) -> Option<String> {
    let kept = word.trim_end_matches('z');
    let last = kept.bytes().last()?;
    let next = match last {
        b'9' => b'a',
        b'0'..=b'8' | b'a'..=b'y' => last.wrapping_add(1),
        _ => return None,
    };
    let mut bound = kept.get(..kept.len() - 1)?.to_owned();
    bound.push(char::from(next));
    Some(bound)
}

/// Of one word, as in `B.V.`, `Booking.com` and `Albert's`.
fn is_within_words(c: char) -> bool {
    matches!(c, '.' | '\'' | '\u{2019}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_without_case_accents_and_dots() {
        assert_eq!(
            search_words("Café De Zwaan B.V. (Groep-Noord)", 20),
            ["cafe", "de", "zwaan", "bv", "groep", "noord"]
        );
        assert_eq!(
            search_words("Albert\u{2019}s Booking.com", 20),
            ["alberts", "bookingcom"]
        );
        assert_eq!(search_words("Cafe\u{301} café", 20), ["cafe"]);
        assert_eq!(search_words("Ærø Straße", 20), ["aero", "strasse"]);
        assert_eq!(search_words(" - . ' ", 20), Vec::<String>::new());
        assert_eq!(search_words("a b c", 2), ["a", "b"]);
    }

    #[test]
    fn the_beginning_of_a_word_in_any_script_is_a_beginning() {
        let (whole, begun) = (search_words("Ахмат", 9).concat(), search_words("Ахм", 9).concat());
        assert!(whole.starts_with(&begun), "{whole} {begun}");
        assert!(whole.bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn all_words_that_begin_with_a_text_stand_below_its_bound() {
        for (word, bound) in [("kor", "kos"), ("az", "b"), ("a9", "aa"), ("0", "1")] {
            assert_eq!(upper_bound(word).as_deref(), Some(bound));
            assert!(word < bound && format!("{word}zzz9").as_str() < bound);
        }
        assert_eq!(upper_bound("zz"), None);
        assert_eq!(upper_bound(""), None);
    }
}
