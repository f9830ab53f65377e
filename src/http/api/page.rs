//! How long a page of a list is.

use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// How many a page of a list holds, unless asked otherwise, and at most.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

/// The number that was asked for.
pub fn limit(asked: Option<&str>) -> Result<u32, Problem> {
    let Some(text) = asked else { return Ok(PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    limit.ok_or_else(|| {
        Problem::invalid_parameter(
            "limit",
            Sentence::new(
                "`limit` must be a whole number from 1 to 200.",
                "`limit` moet een geheel getal van 1 tot en met 200 zijn.",
            ),
        )
    })
}
