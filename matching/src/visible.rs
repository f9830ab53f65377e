//! Characters that do not belong in an account name: invisible, damaged, look-alike or of another script.
//!
//! They are named before anything is folded, because folding would hide them.

use crate::fold::{is_combining, latin};
use crate::reason::ReasonCode;

/// The text with every invisible character written out, as in `Zee⟨U+200B⟩wolf`.
pub fn visible(text: &str) -> String {
    if is_printable_ascii(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if !matches!(c, ' '..='~') && (is_invisible(c) || is_damage(c)) {
            shown.push_str(&code_point(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// What stands in the way of reading a name, with the characters concerned.
pub(crate) fn findings(text: &str) -> Vec<(ReasonCode, Vec<String>)> {
    let mut found: Vec<(ReasonCode, Vec<String>)> = Vec::new();
    if is_printable_ascii(text) {
        return found;
    }
    let mut note = |code, c: char| {
        let word = if is_invisible(c) || is_damage(c) {
            code_point(c)
        } else {
            format!("{c} {}", code_point(c))
        };
        match found.iter_mut().find(|(known, _)| *known == code) {
            Some((_, words)) => {
                if !words.contains(&word) && words.len() < 10 {
                    words.push(word);
                }
            }
            None => found.push((code, vec![word])),
        }
    };
    let any_latin = text.chars().any(|c| c.is_ascii_alphabetic());
    for c in text.chars().filter(|c| !matches!(c, ' '..='~')) {
        if is_damage(c) {
            note(ReasonCode::DamagedText, c);
        } else if is_invisible(c) {
            note(ReasonCode::InvisibleCharacters, c);
        } else if is_combining(c) {
            if !ORDINARY_MARKS.contains(&c) {
                note(ReasonCode::LooksLikeLatin, c);
            }
        } else if c.is_alphanumeric() && latin(c).is_none() {
            // A stranger among Latin letters is there to be taken for one of them.
            let code = if any_latin || is_styled(c) {
                ReasonCode::LooksLikeLatin
            } else {
                ReasonCode::OtherScript
            };
            note(code, c);
        }
    }
    found
}

/// The accents of European spelling; anything else on top of a letter is disguise.
const ORDINARY_MARKS: [char; 17] = [
    '\u{300}', '\u{301}', '\u{302}', '\u{303}', '\u{304}', '\u{306}', '\u{307}', '\u{308}', '\u{30a}', '\u{30b}',
    '\u{30c}', '\u{30f}', '\u{311}', '\u{323}', '\u{326}', '\u{327}', '\u{328}',
];

/// Most names are; looking at all bytes at once is quicker than stopping at the first that is not.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & (0x20..0x7f).contains(&byte))
}

fn code_point(c: char) -> String {
    format!("⟨U+{:04X}⟩", u32::from(c))
}

fn is_damage(c: char) -> bool {
    matches!(c, '\u{fffd}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

fn is_invisible(c: char) -> bool {
    if matches!(c, '\t' | '\n' | '\r') {
        return false;
    }
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Fullwidth, mathematical and enclosed letters: compatibility forms that only serve to look like letters.
fn is_styled(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}' | '\u{2460}'..='\u{24ff}'
        | '\u{1f100}'..='\u{1f1ff}' | '\u{2100}'..='\u{214f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<ReasonCode> {
        findings(text).into_iter().map(|(code, _)| code).collect()
    }

    #[test]
    fn invisible_characters_are_written_out() {
        assert_eq!(visible("Zee\u{200b}wolf\u{202e}"), "Zee⟨U+200B⟩wolf⟨U+202E⟩");
        assert_eq!(visible("Zeewolf\tB.V."), "Zeewolf\tB.V.");
    }

    #[test]
    fn each_kind_of_strange_character_has_its_name() {
        assert_eq!(codes("Zee\u{200d}wolf"), [ReasonCode::InvisibleCharacters]);
        assert_eq!(codes("Zeew\u{043e}lf"), [ReasonCode::LooksLikeLatin]);
        assert_eq!(codes("Ｚeewolf"), [ReasonCode::LooksLikeLatin]);
        assert_eq!(codes("Зеевольф"), [ReasonCode::OtherScript]);
        assert_eq!(codes("Zee\u{fffd}wolf"), [ReasonCode::DamagedText]);
        assert_eq!(codes("Zee\u{337}wolf"), [ReasonCode::LooksLikeLatin]);
    }

    #[test]
    fn european_spelling_is_nothing_strange() {
        for text in [
            "Häagen ĳs Ærø Straße Łódź Çelik ÿ Ñ",
            "Zee\u{308}wolf",
            "Piet’s – “Café”, 2,5 m² 🍕",
        ] {
            assert!(codes(text).is_empty(), "{text}: {:?}", codes(text));
        }
    }
}
