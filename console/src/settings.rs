//! Section `[console]` of the settings.

use std::time::Duration;

use eencent_activations::desk::SessionLimits;
use serde::Deserialize;

use crate::identity_provider::settings as identity_provider;

/// As long as a question may be.
const LONGEST_QUESTION: usize = 4_000;

/// The section as it is written; see `config/default.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// The base of links to support's console; empty: the staff listener's address.
    pub url: String,
    /// The base of addresses of operations' console; empty: the operations listener's address.
    pub operations_url: String,
    /// Minutes that a session lasts without being used.
    pub idle_minutes: u32,
    /// Hours that a session lasts in all.
    pub session_hours: u32,
    /// What is asked of creators most, to begin with, in Dutch.
    pub questions_nl: Vec<String>,
    /// The same in English.
    pub questions_en: Vec<String>,
    /// Section `[console.identity_provider]`.
    pub identity_provider: identity_provider::Settings,
}

/// The section, checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The base of links, without a slash at its end; may be empty.
    pub url: String,
    /// The same of operations' console.
    pub operations_url: String,
    /// How long sessions last.
    pub limits: SessionLimits,
    /// What is asked of creators most, to begin with, in Dutch.
    pub questions_nl: Vec<String>,
    /// The same in English.
    pub questions_en: Vec<String>,
    /// Whom people sign in through, where there is one.
    pub identity_provider: Option<identity_provider::Checked>,
}

impl Settings {
    /// Checks the section.
    ///
    /// # Errors
    /// A sentence for everything that is wrong.
    pub fn validate(&self) -> Result<Checked, Vec<String>> {
        let mut problems = Vec::new();
        let url = base("url", &self.url, "support", &mut problems);
        let operations_url = base("operations_url", &self.operations_url, "operations", &mut problems);
        for (key, value, most) in [
            ("idle_minutes", self.idle_minutes, 24 * 60),
            ("session_hours", self.session_hours, 24 * 7),
        ] {
            if !(1..=most).contains(&value) {
                problems.push(format!("`console.{key}` must be 1 to {most}."));
            }
        }
        for (key, questions) in [
            ("questions_nl", &self.questions_nl),
            ("questions_en", &self.questions_en),
        ] {
            let fits = |text: &String| (1..=LONGEST_QUESTION).contains(&text.trim().chars().count());
            if !questions.iter().all(fits) {
                problems.push(format!(
                    "`console.{key}` must be a list of texts of 1 to {LONGEST_QUESTION} characters."
                ));
            }
        }
        let identity_provider = self.identity_provider.validate(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Checked {
            url,
            operations_url,
            identity_provider,
            questions_nl: self.questions_nl.clone(),
            questions_en: self.questions_en.clone(),
            limits: SessionLimits {
                idle: Duration::from_secs(u64::from(self.idle_minutes) * 60),
                longest: Duration::from_secs(u64::from(self.session_hours) * 3_600),
            },
        })
    }
}

/// The base of addresses of a console, without a slash at its end.
fn base(key: &str, written: &str, whose: &str, problems: &mut Vec<String>) -> String {
    let url = written.trim_end_matches('/').to_owned();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_base = rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '@', ' ']));
    if !url.is_empty() && !is_base {
        problems.push(format!(
            "`console.{key}` must be empty or the address of {whose}'s console, such as https://{whose}.example.nl, without a path."
        ));
    }
    url
}
