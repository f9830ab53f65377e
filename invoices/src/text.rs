//! Names and descriptions, as every document can hold them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::written::written_by_display;

/// One line of text: 1 to [`Text::MAX_CHARS`] characters that can be printed and that XML 1.0 can hold.
///
/// `Debug` doesn't show it: it may be somebody's name.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

/// Why a text can't be on an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAText {
    /// Nothing is left that can be seen.
    #[error("a text on an invoice has at least one character that can be seen")]
    Empty,
    /// Longer than [`Text::MAX_CHARS`].
    #[error("a text on an invoice has at most {} characters: shorten it", Text::MAX_CHARS)]
    TooLong,
}

impl Text {
    /// The most characters.
    pub const MAX_CHARS: usize = 500;

    /// Takes a text as people and registers give it. White space of any kind becomes single spaces; what XML 1.0
    /// forbids goes (control characters, U+FFFE, U+FFFF), and so do characters that turn the direction of
    /// writing around for all that follows: one name must not change how the amount beside it reads.
    ///
    /// # Errors
    /// When nothing is left, or too much.
    pub fn parse(text: &str) -> Result<Self, NotAText> {
        let kept: String = text.chars().filter(|c| c.is_whitespace() || may_stay(*c)).collect();
        let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
        if kept.chars().all(is_unseen) {
            return Err(NotAText::Empty);
        }
        if kept.chars().count() > Self::MAX_CHARS {
            return Err(NotAText::TooLong);
        }
        Ok(Self(kept))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many characters it has.
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }
}

fn may_stay(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
        // Embeddings, overrides and isolates of writing direction.
        && !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// White space, and what takes no room.
fn is_unseen(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} characters)", self.chars())
    }
}

written_by_display!(Text, NotAText);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_no_document_can_hold_goes_and_the_rest_stays() {
        for (given, kept) in [
            ("  Bakkerij\t Jansen\r\n& Zonen ", "Bakkerij Jansen & Zonen"),
            ("Zero\0Width\u{7}", "ZeroWidth"),
            ("\u{202E}drawkcab\u{202C} BV", "drawkcab BV"),
            ("\u{FFFE}a\u{FFFF}", "a"),
            ("שלום 🧁 Ελλάς", "שלום 🧁 Ελλάς"),
        ] {
            assert_eq!(Text::parse(given).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn a_text_without_anything_to_see_is_refused_and_so_is_a_long_one() {
        for empty in ["", "  \n", "\0\u{1}", "\u{200B}\u{FEFF}", "\u{202E}"] {
            assert_eq!(Text::parse(empty), Err(NotAText::Empty), "{empty:?}");
        }
        assert!(Text::parse(&"é".repeat(Text::MAX_CHARS)).is_ok());
        assert_eq!(Text::parse(&"é".repeat(Text::MAX_CHARS + 1)), Err(NotAText::TooLong));
    }

    #[test]
    fn it_prints_masked() {
        let text = Text::parse("Jan Jansen").unwrap();
        assert_eq!(format!("{text:?}"), "Text(10 characters)");
    }

    proptest! {
        #[test]
        fn a_text_that_was_taken_is_taken_again_unchanged(text in any::<String>()) {
            if let Ok(once) = Text::parse(&text) {
                prop_assert_eq!(Text::parse(once.as_str()), Ok(once.clone()));
                let json = serde_json::to_string(&once).unwrap();
                prop_assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), once);
            }
        }
    }
}
