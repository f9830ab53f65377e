//! Lists, a page at a time: how many, after which, and where the next page is.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// How many a page holds, unless asked otherwise, and at most.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

/// A page that is asked for, of a list at `path`.
pub struct Page {
    path: &'static str,
    size: u32,
    /// What the next page is asked for with, beside its place.
    query: Vec<(&'static str, String)>,
}

impl Page {
    /// Of so many; 50 unless asked.
    ///
    /// # Errors
    /// When that isn't a number from 1 to 200.
    pub fn of(path: &'static str, limit: Option<&str>) -> Result<Self, Problem> {
        let size = match limit {
            None => PAGE,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
                .ok_or_else(|| {
                    Problem::invalid_parameter(
                        "limit",
                        Sentence::new(
                            "`limit` must be a whole number from 1 to 200.",
                            "`limit` moet een geheel getal van 1 tot en met 200 zijn.",
                        ),
                    )
                })?,
        };
        let query = vec![("limit", size.to_string())];
        Ok(Self { path, size, query })
    }

    /// A value of the query; none where it isn't there. The next page is asked for with it too.
    ///
    /// # Errors
    /// When it is empty, longer than anything that can be found, or has control characters.
    pub fn asked(&mut self, name: &'static str, value: Option<String>) -> Result<Option<String>, Problem> {
        let Some(value) = plain(name, value)? else {
            return Ok(None);
        };
        self.query.push((name, value.clone()));
        Ok(Some(value))
    }

    /// How many to look for: one more than the page holds tells whether there is a next one.
    pub const fn to_look_for(&self) -> u32 {
        self.size + 1
    }

    /// What is found, cut to the page, and the header that names the next one.
    pub fn cut<T>(mut self, mut found: Vec<T>, id: impl Fn(&T) -> &str) -> (HeaderMap, Vec<T>) {
        let mut headers = HeaderMap::new();
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if found.len() > size {
            found.truncate(size);
            if let Some(last) = found.last() {
                self.query.push(("after", id(last).to_owned()));
            }
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&self.query)
                .finish();
            let next = format!("<{}?{query}>; rel=\"next\"", self.path);
            if let Ok(next) = HeaderValue::try_from(next) {
                headers.insert(header::LINK, next);
            }
        }
        (headers, found)
    }
}

/// A value of the query that can be looked for.
///
/// # Errors
/// When it is empty, longer than anything that can be found, or has control characters.
pub fn plain(name: &'static str, value: Option<String>) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) => {
            Err(Problem::invalid_parameter(
                name,
                Sentence::new(
                    format!("Leave `{name}` out, or write 1 to 200 characters, without control characters."),
                    format!("Laat `{name}` weg, of schrijf 1 tot 200 tekens, zonder besturingstekens."),
                ),
            ))
        }
        value => Ok(value),
    }
}
