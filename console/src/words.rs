//! Times and ages as people tell them.

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
}
