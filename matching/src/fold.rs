//! Characters to plain letters: case, accents and ligatures.

use unicode_normalization::UnicodeNormalization;

/// A character as plain lower-case letters and digits, without its accent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Letters {
    letters: [u8; 3],
    length: usize,
    /// The letter that German and Scandinavian may write after the plain one: the e of ö as oe.
    pub second: Option<u8>,
}

impl Letters {
    const fn one(letter: u8, second: Option<u8>) -> Self {
        Self {
            letters: [letter, 0, 0],
            length: 1,
            second,
        }
    }

    const fn all<const N: usize>(text: [u8; N]) -> Self {
        let mut letters = [0; 3];
        let mut length = 0;
        let mut rest: &[u8] = &text;
        while let [first, tail @ ..] = rest {
            if let Some((_, slots)) = letters.split_at_mut_checked(length)
                && let Some(slot) = slots.first_mut()
            {
                *slot = *first;
            }
            length += 1;
            rest = tail;
        }
        Self {
            letters,
            length,
            second: None,
        }
    }

    /// a-z and 0-9 only.
    pub(crate) fn plain(&self) -> &[u8] {
        self.letters.get(..self.length).unwrap_or_default()
    }
}

/// The letters of a Latin letter or European digit; `None` for any other character.
///
/// The list is closed: a letter that neither decomposes to an ASCII letter with ordinary marks nor stands
/// here is not Latin for us, however much it looks it.
pub(crate) fn latin(c: char) -> Option<Letters> {
    if c.is_ascii() {
        let byte = u8::try_from(c).ok()?;
        return byte
            .is_ascii_alphanumeric()
            .then(|| Letters::one(byte.to_ascii_lowercase(), None));
    }
    Some(match c {
        'ä' | 'Ä' => Letters::one(b'a', Some(b'e')),
        'ö' | 'Ö' | 'ø' | 'Ø' => Letters::one(b'o', Some(b'e')),
        'ü' | 'Ü' => Letters::one(b'u', Some(b'e')),
        'å' | 'Å' => Letters::one(b'a', Some(b'a')),
        'æ' | 'Æ' => Letters::all(*b"ae"),
        'œ' | 'Œ' => Letters::all(*b"oe"),
        'ß' | 'ẞ' => Letters::all(*b"ss"),
        'ĳ' | 'Ĳ' => Letters::all(*b"ij"),
        'þ' | 'Þ' => Letters::all(*b"th"),
        'ð' | 'Ð' | 'đ' | 'Đ' => Letters::one(b'd', None),
        'ł' | 'Ł' => Letters::one(b'l', None),
        'ħ' | 'Ħ' => Letters::one(b'h', None),
        'ı' => Letters::one(b'i', None),
        'ﬀ' => Letters::all(*b"ff"),
        'ﬁ' => Letters::all(*b"fi"),
        'ﬂ' => Letters::all(*b"fl"),
        'ﬃ' => Letters::all(*b"ffi"),
        'ﬄ' => Letters::all(*b"ffl"),
        'ª' => Letters::one(b'a', None),
        'º' => Letters::one(b'o', None),
        '²' => Letters::one(b'2', None),
        '³' => Letters::one(b'3', None),
        '¹' => Letters::one(b'1', None),
        '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
            let mut parts = std::iter::once(c).nfd();
            let base = u8::try_from(parts.next()?).ok()?;
            let accented = base.is_ascii_alphabetic() && parts.all(is_combining);
            return accented.then(|| Letters::one(base.to_ascii_lowercase(), None));
        }
        _ => return None,
    })
}

/// The letter that a combining accent lets follow the one it stands on: o + ¨ may be written oe.
pub(crate) fn second_letter(letter: u8, mark: char) -> Option<u8> {
    match (letter, mark) {
        (b'a' | b'o' | b'u', '\u{308}') => Some(b'e'),
        (b'a', '\u{30a}') => Some(b'a'),
        _ => None,
    }
}

/// Whether the character is an accent of its own, to be put on the letter before it.
pub(crate) fn is_combining(c: char) -> bool {
    !c.is_ascii() && unicode_normalization::char::is_combining_mark(c)
}

/// The name in plain lower-case letters and digits, everything else gone. Folding twice changes nothing.
pub(crate) fn plain_letters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letters in text.chars().filter_map(latin) {
        plain.extend(letters.plain().iter().copied().map(char::from));
    }
    plain
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
            ("oﬃce", "office"),
            ("e\u{301}e\u{301}n", "een"),
        ] {
            assert_eq!(plain_letters(text), expected);
        }
        assert_eq!(latin('ö').unwrap().second, Some(b'e'));
        assert_eq!(latin('ë').unwrap().second, None);
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
