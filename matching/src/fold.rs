//! Characters to plain letters: case, accents and ligatures.

use crate::visible::is_combining;
use unicode_normalization::UnicodeNormalization;

/// A character as plain lower-case letters: without its accent, and as German and Scandinavian spell it
/// in two letters. The two are the same for most characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Letters {
    pub plain: String,
    pub two_letter: String,
}

/// The letters of a Latin letter or European digit; `None` for any other character.
///
/// The list is closed: a letter that neither decomposes to an ASCII letter with ordinary marks nor stands
/// here is not Latin for us, however much it looks it.
pub(crate) fn latin(c: char) -> Option<Letters> {
    let same = |text: &str| {
        Some(Letters {
            plain: text.to_owned(),
            two_letter: text.to_owned(),
        })
    };
    let two = |plain: &str, two_letter: &str| {
        Some(Letters {
            plain: plain.to_owned(),
            two_letter: two_letter.to_owned(),
        })
    };
    if c.is_ascii_alphanumeric() {
        return same(c.to_ascii_lowercase().to_string().as_str());
    }
    match c {
        'ä' | 'Ä' => two("a", "ae"),
        'ö' | 'Ö' => two("o", "oe"),
        'ü' | 'Ü' => two("u", "ue"),
        'å' | 'Å' => two("a", "aa"),
        'ø' | 'Ø' => two("o", "oe"),
        'æ' | 'Æ' => same("ae"),
        'œ' | 'Œ' => same("oe"),
        'ß' | 'ẞ' => same("ss"),
        'ĳ' | 'Ĳ' => same("ij"),
        'þ' | 'Þ' => same("th"),
        'ð' | 'Ð' | 'đ' | 'Đ' => same("d"),
        'ł' | 'Ł' => same("l"),
        'ħ' | 'Ħ' => same("h"),
        'ı' => same("i"),
        'ﬀ' => same("ff"),
        'ﬁ' => same("fi"),
        'ﬂ' => same("fl"),
        'ﬃ' => same("ffi"),
        'ﬄ' => same("ffl"),
        'ª' => same("a"),
        'º' => same("o"),
        '²' => same("2"),
        '³' => same("3"),
        '¹' => same("1"),
        '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
            let mut parts = c.nfd();
            let base = parts.next()?;
            (base.is_ascii_alphabetic() && parts.all(is_combining))
                .then(|| same(base.to_ascii_lowercase().to_string().as_str()))?
        }
        _ => None,
    }
}

/// The name in plain lower-case letters and digits, everything else gone. Folding twice changes nothing.
pub(crate) fn plain_letters(text: &str) -> String {
    text.nfc().filter_map(latin).map(|letters| letters.plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accents_and_ligatures_become_letters() {
        for (text, expected) in [
            ("Zeeïsland", "zeeisland"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("Ĳsvogel", "ijsvogel"),
            ("Łódź", "lodz"),
            ("e\u{301}e\u{301}n", "een"),
        ] {
            assert_eq!(plain_letters(text), expected);
        }
        assert_eq!(latin('ö').unwrap().two_letter, "oe");
        assert_eq!(latin('ë').unwrap().two_letter, "e");
        assert_eq!(latin('о'), None, "Cyrillic о is not Latin");
        assert_eq!(latin('ɡ'), None, "phonetic letters are not Latin");
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,60}") {
            let once = plain_letters(&text);
            prop_assert_eq!(plain_letters(&once), once);
        }
    }
}
