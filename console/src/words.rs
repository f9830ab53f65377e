//! Times, ages and numbers as people tell them.

use std::time::Duration;

use eencent_activations::language::Language;

/// An age in its two largest units: `3 d 4 h`, `12 min`.
pub fn age(span: Duration, language: Language) -> String {
    let seconds = span.as_secs();
    let hour = if language == Language::Dutch { "u" } else { "h" };
    let two = |large: u64, of: &str, small: u64, unit: &str| {
        if small == 0 {
            format!("{large} {of}")
        } else {
            format!("{large} {of} {small} {unit}")
        }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, hour, seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, hour),
    }
}

/// A number, its thousands apart: `12,345`, `12.345`.
pub fn many(many: i64, language: Language) -> String {
    let apart = if language == Language::Dutch { '.' } else { ',' };
    let digits = many.unsigned_abs().to_string();
    let mut told = String::from(if many < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push(apart);
        }
        told.push(digit);
    }
    told
}

/// How long something took: `120 ms`, `2.4 s`, and from a minute on as an age.
pub fn took(milliseconds: u64, language: Language) -> String {
    let point = if language == Language::Dutch { ',' } else { '.' };
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}{point}{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => age(Duration::from_millis(milliseconds), language),
    }
}

/// In groups of four, to be typed or read out.
pub fn in_fours(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_two_largest_units() {
        let told = |seconds| age(Duration::from_secs(seconds), Language::Dutch);
        assert_eq!(
            [
                told(0),
                told(59),
                told(60),
                told(3_599),
                told(3_600),
                told(5_400),
                told(86_400),
                told(273_600)
            ],
            ["0 s", "59 s", "1 min", "59 min", "1 u", "1 u 30 min", "1 d", "3 d 4 u"]
        );
        assert_eq!(age(Duration::from_secs(5_400), Language::English), "1 h 30 min");
    }

    #[test]
    fn numbers_and_spans_are_told_as_the_language_does() {
        let dutch = [0, 999, 1_000, 1_234_567].map(|number| many(number, Language::Dutch));
        assert_eq!(dutch, ["0", "999", "1.000", "1.234.567"]);
        assert_eq!(many(-12_345, Language::English), "-12,345");
        let spans = [0, 999, 1_000, 59_999, 60_000].map(|span| took(span, Language::Dutch));
        assert_eq!(spans, ["0 ms", "999 ms", "1,0 s", "59,9 s", "1 min"]);
    }
}
