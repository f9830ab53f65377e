//! Damage in transport that can be undone without loss: text coded twice, or coded for another purpose.
//!
//! Only what has exactly one original is restored. A character that was lost (`?`, U+FFFD) is not guessed.

/// The text as it was before it was damaged; `None` when nothing speaks of damage, or it can't be undone.
pub(crate) fn restored(text: &str) -> Option<String> {
    let mut best: Option<String> = None;
    // Twice at most: a name may be escaped and coded twice.
    for _ in 0..2 {
        let now = best.as_deref().unwrap_or(text);
        let read = entities(now).or_else(|| escapes(now)).or_else(|| percent(now));
        let Some(next) = read.or_else(|| mojibake(now)) else {
            break;
        };
        best = Some(next);
    }
    best
}

/// `&amp;`, `&eacute;`, `&#235;`: written for a web page.
fn entities(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut restored = parts.next()?.to_owned();
    let mut found = false;
    for part in parts {
        let entity = part.split_once(';').and_then(|(name, rest)| {
            // A bank that prints in capitals prints &AMP; too.
            let found = entity(name).or_else(|| entity(&name.to_ascii_lowercase()))?;
            Some((found, rest))
        });
        match entity {
            Some((c, rest)) => {
                found = true;
                restored.push(c);
                restored.push_str(rest);
            }
            None => {
                restored.push('&');
                restored.push_str(part);
            }
        }
    }
    found.then_some(restored)
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    let known = [
        ("amp", '&'),
        ("quot", '"'),
        ("apos", '\''),
        ("lt", '<'),
        ("gt", '>'),
        ("nbsp", ' '),
        ("szlig", 'ß'),
        ("aelig", 'æ'),
        ("AElig", 'Æ'),
        ("oelig", 'œ'),
        ("OElig", 'Œ'),
        ("oslash", 'ø'),
        ("Oslash", 'Ø'),
        ("aring", 'å'),
        ("Aring", 'Å'),
        ("euro", '€'),
        ("ndash", '–'),
        ("mdash", '—'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("IJlig", 'Ĳ'),
        ("ijlig", 'ĳ'),
    ];
    if let Some((_, c)) = known.iter().find(|(entity, _)| *entity == name) {
        return Some(*c);
    }
    // A letter with the name of its accent.
    let mut chars = name.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic)?;
    let mark = match chars.as_str() {
        "acute" => '\u{301}',
        "grave" => '\u{300}',
        "circ" => '\u{302}',
        "uml" => '\u{308}',
        "tilde" => '\u{303}',
        "cedil" => '\u{327}',
        "caron" => '\u{30c}',
        _ => return None,
    };
    unicode_normalization::char::compose(letter, mark)
}

/// `Caf\u00e9`: written for a program.
fn escapes(text: &str) -> Option<String> {
    let mut parts = text.split("\\u");
    let mut restored = parts.next()?.to_owned();
    let mut found = false;
    for part in parts {
        let (code, rest) = part.split_at_checked(4)?;
        restored.push(char::from_u32(u32::from_str_radix(code, 16).ok()?).filter(|c| !c.is_control())?);
        restored.push_str(rest);
        found = true;
    }
    found.then_some(restored)
}

/// `Zeewolf%20B.V.`, `Zeewolf+%26+Zn`: written for a web address.
fn percent(text: &str) -> Option<String> {
    if !text.contains('%') || text.contains(char::is_whitespace) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (*first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(*high)? * 16 + digit(*low)?);
                rest = after;
            }
            (b'%', _) => return None,
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains(char::is_control))
}

/// UTF-8 that was read as Latin-1 or Windows-1252: `CoÃ¶peratie`.
fn mojibake(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    // Where the whole text doesn't read so, pieces of it may: each run of what looks like bytes.
    let mut restored = String::with_capacity(text.len());
    let mut bytes: Vec<u8> = Vec::new();
    let mut run = String::new();
    let mut found = false;
    for c in text.chars().map(Some).chain([None]) {
        match c.and_then(byte_of) {
            Some(byte) if byte >= 0x80 => {
                bytes.push(byte);
                run.extend(c);
            }
            _ => {
                match std::str::from_utf8(&bytes) {
                    Ok(read) if !bytes.is_empty() && read.chars().all(is_usual) => {
                        found = true;
                        restored.push_str(read);
                    }
                    // A lone é is an é.
                    _ => restored.push_str(&run),
                }
                bytes.clear();
                run.clear();
                restored.extend(c);
            }
        }
    }
    found.then_some(restored)
}

/// What is coded as more than one byte in the names of organisations: letters and a few marks. Two letters that
/// happen to read as something else (KŘÍŽ) are two letters.
fn is_usual(c: char) -> bool {
    crate::fold::latin(c).is_some() || matches!(c, '\u{80}'..='\u{ff}' | '\u{2010}'..='\u{2026}' | '€' | '™')
}

/// The byte that Windows-1252, or else Latin-1, shows as this character.
fn byte_of(c: char) -> Option<u8> {
    const WINDOWS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    if let Some(place) = WINDOWS.iter().position(|known| *known == c) {
        return u8::try_from(place).ok()?.checked_add(0x80);
    }
    u8::try_from(u32::from(c)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_coded_for_another_purpose_is_read_back() {
        for (damaged, original) in [
            ("CoÃ¶peratie Zeewolf", "Coöperatie Zeewolf"),
            ("CAFÃ‰ ZEEWOLF", "CAFÉ ZEEWOLF"),
            ("CafÃƒÂ© Zeewolf", "Café Zeewolf"),
            ("Zeewolf &amp; Zn", "Zeewolf & Zn"),
            ("Caf&eacute; d&#39;Or", "Café d'Or"),
            ("ZEEWOLF &AMP; ZN", "ZEEWOLF & ZN"),
            ("Zeewolf%20%26%20Zn%20B.V.", "Zeewolf & Zn B.V."),
            ("Zeewolf+%C3%A9n+Kwal", "Zeewolf én Kwal"),
            ("Pietâ€™s Zeewolf", "Piet’s Zeewolf"),
            ("Caf\\u00e9 Zeewolf", "Café Zeewolf"),
        ] {
            assert_eq!(restored(damaged).as_deref(), Some(original), "{damaged}");
        }
    }

    #[test]
    fn text_that_is_not_damaged_stays_as_it_is() {
        for text in [
            "Café Zeewolf",
            "Zee & Wolf; Kwal",
            "100% Zeewolf",
            "Zee+Wolf",
            "Ã",
            "M?ller",
            "&nothing;",
            "%zz",
            "KŘÍŽ",
        ] {
            assert_eq!(restored(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_in_the_wrong_coding_is_read_back(text in "[A-Za-z ]{0,10}[éëïöüçñÉË][A-Za-zéëïöüçñ ]{0,10}") {
            let damaged: String = text.bytes().map(char::from).collect();
            prop_assert_eq!(restored(&damaged), Some(text));
        }
    }
}
