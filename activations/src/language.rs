//! The languages that people are spoken to in.

use std::fmt;

/// A language that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Dutch.
    Dutch,
}

impl Language {
    /// The first of ours in an `Accept-Language` by weight; English when there is none.
    pub fn preferred(asked: Option<&str>) -> Self {
        let weight_of = |language: &str| {
            asked.unwrap_or_default().split(',').find_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let primary = parts.next()?.split('-').next()?;
                let weight = parts
                    .find_map(|part| part.strip_prefix("q="))
                    .map_or(Some(1.0), |q| q.parse::<f32>().ok());
                primary.eq_ignore_ascii_case(language).then_some(weight).flatten()
            })
        };
        if weight_of("nl").unwrap_or(0.0) > weight_of("en").unwrap_or(0.0) {
            Self::Dutch
        } else {
            Self::English
        }
    }

    /// By its code, `nl` or anything else.
    pub fn of_code(code: &str) -> Self {
        if code == "nl" { Self::Dutch } else { Self::English }
    }

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    en: String,
    nl: String,
}

impl Sentence {
    /// The same thing said twice.
    pub fn new(en: impl Into<String>, nl: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            nl: nl.into(),
        }
    }

    /// What it says in a language.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Dutch => &self.nl,
        }
    }
}
