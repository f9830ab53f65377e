//! Section `[console]` of the settings.

use std::time::Duration;

use eencent_activations::desk::SessionLimits;
use serde::Deserialize;

/// The section as it is written; see `config/default.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// The base of links to support's console; empty: the staff listener's address.
    pub url: String,
    /// Minutes that a session lasts without being used.
    pub idle_minutes: u32,
    /// Hours that a session lasts in all.
    pub session_hours: u32,
}

/// The section, checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The base of links, without a slash at its end; may be empty.
    pub url: String,
    /// How long sessions last.
    pub limits: SessionLimits,
}

impl Settings {
    /// Checks the section.
    ///
    /// # Errors
    /// A sentence for everything that is wrong.
    pub fn validate(&self) -> Result<Checked, Vec<String>> {
        let mut problems = Vec::new();
        let url = self.url.trim_end_matches('/').to_owned();
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let is_base = rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?', '#', '@', ' ']));
        if !url.is_empty() && !is_base {
            problems.push(
                "`console.url` must be empty or the address of support's console, such as https://support.example.nl, without a path.".to_owned(),
            );
        }
        for (key, value, most) in [
            ("idle_minutes", self.idle_minutes, 24 * 60),
            ("session_hours", self.session_hours, 24 * 7),
        ] {
            if !(1..=most).contains(&value) {
                problems.push(format!("`console.{key}` must be 1 to {most}."));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Checked {
            url,
            limits: SessionLimits {
                idle: Duration::from_secs(u64::from(self.idle_minutes) * 60),
                longest: Duration::from_secs(u64::from(self.session_hours) * 3_600),
            },
        })
    }
}
