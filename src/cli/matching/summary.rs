//! What came of a file of comparisons: how many, how fast, and how often the verdict was the expected one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use eencent_matching::Verdict;

/// Counts of one class of rows.
#[derive(Default)]
struct Class {
    rows: u64,
    wrong: u64,
}

/// The tally, row by row.
#[derive(Default)]
pub struct Summary {
    matches: u64,
    reviews: u64,
    /// (expected, given): so many.
    confusion: BTreeMap<(&'static str, &'static str), u64>,
    /// By the file's own class and what it expects.
    classes: BTreeMap<(String, &'static str), Class>,
}

/// What a row expects; `None` when it says nothing.
///
/// # Errors
/// When it is neither `match` nor `review`.
pub fn expected(cell: Option<&str>) -> Result<Option<Verdict>, String> {
    match cell.map(str::trim) {
        None | Some("") => Ok(None),
        Some("match") => Ok(Some(Verdict::Match)),
        Some("review") => Ok(Some(Verdict::Review)),
        Some(other) => Err(format!("expected is {other:?}, which is neither match nor review")),
    }
}

impl Summary {
    /// Counts one row.
    pub fn count(&mut self, given: Verdict, expected: Option<Verdict>, class: Option<&str>) {
        match given {
            Verdict::Match => self.matches += 1,
            Verdict::Review => self.reviews += 1,
        }
        let Some(expected) = expected else { return };
        *self.confusion.entry((expected.as_str(), given.as_str())).or_default() += 1;
        if let Some(class) = class {
            let class = self.classes.entry((class.to_owned(), expected.as_str())).or_default();
            class.rows += 1;
            class.wrong += u64::from(given != expected);
        }
    }

    /// The summary as text; the time is what the whole file took, reading and writing included.
    pub fn told(&self, took: Duration) -> String {
        let rows = self.matches + self.reviews;
        let mut told = format!(
            "{rows} compared in {:.1} s: {} match, {} review\n",
            took.as_secs_f64(),
            self.matches,
            self.reviews
        );
        if self.confusion.is_empty() {
            return told;
        }
        let count = |expected, given| self.confusion.get(&(expected, given)).copied().unwrap_or_default();
        let (accepted, missed) = (count("match", "match"), count("match", "review"));
        let (strangers, refused) = (count("review", "match"), count("review", "review"));
        let share = |part: u64, rest: u64| match part + rest {
            0 => "none".to_owned(),
            all => format!("{}.{:02} %", part * 100 / all, part * 10_000 / all % 100),
        };
        let _ = write!(
            told,
            "\n                     match    review\n\
             expected match   {accepted:>9} {missed:>9}    {} of the true matches accepted\n\
             expected review  {strangers:>9} {refused:>9}    {strangers} accepted that should not be\n",
            share(accepted, missed)
        );
        let wrong: Vec<_> = self.classes.iter().filter(|(_, class)| class.wrong > 0).collect();
        if !wrong.is_empty() {
            told.push_str("\nnot as expected, by reason in the file\n");
            for ((name, expected), class) in wrong {
                let _ = writeln!(
                    told,
                    "  {name:<38} {} of {}, expected {expected}",
                    class.wrong, class.rows
                );
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_expectations_it_tells_only_what_came_out() {
        let mut summary = Summary::default();
        summary.count(Verdict::Match, None, Some("x"));
        assert_eq!(
            summary.told(Duration::from_millis(1234)),
            "1 compared in 1.2 s: 1 match, 0 review\n"
        );
    }

    #[test]
    fn with_expectations_it_tells_what_was_wrong_and_where() {
        let mut summary = Summary::default();
        for (given, expected, class, times) in [
            (Verdict::Match, Verdict::Match, "case_only", 2),
            (Verdict::Review, Verdict::Match, "case_only", 1),
            (Verdict::Review, Verdict::Review, "acronym", 4),
        ] {
            for _ in 0..times {
                summary.count(given, Some(expected), Some(class));
            }
        }
        insta::assert_snapshot!("match-summary", summary.told(Duration::ZERO));
    }

    #[test]
    fn an_expectation_is_one_of_two_words() {
        assert_eq!(expected(Some(" match ")), Ok(Some(Verdict::Match)));
        assert_eq!(expected(Some("")), Ok(None));
        assert!(expected(Some("maybe")).is_err());
    }
}
