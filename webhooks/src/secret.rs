//! Secrets, which print as stars.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A secret as the settings hold it. `Debug` shows that there is one and nothing more.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one place that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(empty)" } else { "***" })
    }
}

/// Reads one secret, or a list of them.
pub(crate) fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Secret>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a secret as text, or a list of them")]
    enum Written {
        One(Secret),
        Several(Vec<Secret>),
    }
    Ok(match Written::deserialize(from)? {
        Written::One(secret) => vec![secret],
        Written::Several(secrets) => secrets,
    })
}
