//! Section `[register]` of the settings. `config/default.toml` documents and gives every key.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use eencent_activations::identifier::Scheme;
use eencent_activations::rules::Refetching;
use serde::Deserialize;

/// The section as it is written.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The key to the KvK's API; empty: that register isn't set up.
    pub kvk_key: String,
    /// Where the KvK's API is.
    pub kvk_url: String,
    /// A file of certificates (PEM) that are trusted beside the system's; empty: none.
    pub ca_file: String,
    /// Minutes that what a register said is used again.
    pub cache_minutes: u32,
    /// Questions a second to a register, at most.
    pub a_second: u32,
    /// Hours after which names are fetched again before a decision.
    pub refetch_hours: u32,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("kvk_url", &self.kvk_url)
            .field("a_second", &self.a_second)
            .finish_non_exhaustive()
    }
}

/// The section, checked.
#[derive(Debug, Clone)]
pub struct Checked {
    pub(crate) kvk: Option<Access>,
    pub(crate) cache_age: Duration,
    refetch_age: Duration,
}

/// How one register is reached.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) key: String,
    /// Without a slash at its end.
    pub(crate) url: String,
    /// What is in the file of certificates.
    pub(crate) trusted: Vec<u8>,
    pub(crate) a_second: u32,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({})", self.url)
    }
}

impl Settings {
    /// Checks the section.
    ///
    /// # Errors
    /// Every problem there is, each a sentence that names its key. None repeats the key to a register.
    pub fn validate(&self) -> Result<Checked, Vec<String>> {
        let mut problems = Vec::new();
        if self.kvk_key.chars().any(|c| !c.is_ascii_graphic()) {
            problems.push(
                "`register.kvk_key` has characters that no key has: copy it again, without quotes or spaces."
                    .to_owned(),
            );
        }
        let url = self.kvk_url.trim_end_matches('/').to_owned();
        if !is_base(&url) {
            problems.push(
                "`register.kvk_url` must be an address that begins with https://, such as https://api.kvk.nl/api; the key goes with each question."
                    .to_owned(),
            );
        }
        let mut trusted = Vec::new();
        if !self.ca_file.is_empty() {
            match std::fs::read(PathBuf::from(&self.ca_file)) {
                Ok(pem) => match reqwest::Certificate::from_pem_bundle(&pem) {
                    Ok(certificates) if !certificates.is_empty() => trusted = pem,
                    _ => problems.push(
                        "`register.ca_file` holds no certificates: write the path of a file with -----BEGIN CERTIFICATE----- in it."
                            .to_owned(),
                    ),
                },
                Err(error) => problems.push(format!(
                    "`register.ca_file` can't be read ({error}): mend its path or its rights, or leave it empty."
                )),
            }
        }
        for (key, value, least, most) in [
            ("cache_minutes", self.cache_minutes, 0, 7 * 24 * 60),
            ("a_second", self.a_second, 1, 100),
            ("refetch_hours", self.refetch_hours, 1, 24 * 365),
        ] {
            if !(least..=most).contains(&value) {
                problems.push(format!("`register.{key}` must be between {least} and {most}."));
            }
        }
        if u64::from(self.cache_minutes) >= 60 * u64::from(self.refetch_hours) {
            problems.push(
                "`register.cache_minutes` must be less than `register.refetch_hours`: names from the cache would be as old as those that are to be fetched again."
                    .to_owned(),
            );
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Checked {
            kvk: (!self.kvk_key.is_empty()).then(|| Access {
                key: self.kvk_key.clone(),
                url,
                trusted,
                a_second: self.a_second,
            }),
            cache_age: Duration::from_secs(60 * u64::from(self.cache_minutes)),
            refetch_age: Duration::from_secs(60 * 60 * u64::from(self.refetch_hours)),
        })
    }
}

impl Checked {
    /// Which names are fetched again before a decision; `None` when no register is set up.
    pub fn refetching(&self) -> Option<Refetching> {
        self.kvk.as_ref().map(|_| Refetching {
            age: self.refetch_age,
            schemes: vec![Scheme::Kvk.to_string()],
        })
    }

    /// Where the KvK is asked, for people; `None` when it isn't set up.
    pub fn kvk_url(&self) -> Option<&str> {
        self.kvk.as_ref().map(|kvk| kvk.url.as_str())
    }
}

/// The key is sent along: in the clear only to this machine, where a test or a proxy listens.
fn is_base(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let local = url
        .host_str()
        .is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host));
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    plain && url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && local))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    fn settings() -> Settings {
        Settings {
            kvk_key: "l7xx-geheim".to_owned(),
            kvk_url: "https://api.kvk.nl/api/".to_owned(),
            ca_file: String::new(),
            cache_minutes: 60,
            a_second: 10,
            refetch_hours: 24,
        }
    }

    #[test]
    fn an_empty_key_is_no_register_and_a_key_is_never_shown() {
        let checked = settings().validate().unwrap();
        assert_eq!(checked.kvk_url(), Some("https://api.kvk.nl/api"));
        assert_eq!(checked.refetching().unwrap().age, Duration::from_secs(86_400));
        assert!(!format!("{checked:?} {:?}", settings()).contains("geheim"));
        let none = Settings {
            kvk_key: String::new(),
            ..settings()
        };
        let none = none.validate().unwrap();
        assert!(none.kvk_url().is_none() && none.refetching().is_none());
    }

    #[test]
    fn fault_71_all_that_is_wrong_is_told_at_once_and_no_key() {
        let wrong = Settings {
            kvk_key: "ge heim".to_owned(),
            kvk_url: "http://api.kvk.nl/api".to_owned(),
            ca_file: "/nowhere/at/all.pem".to_owned(),
            cache_minutes: 24 * 60,
            a_second: 0,
            refetch_hours: 24,
        };
        let told = wrong.validate().unwrap_err();
        let keys: Vec<&str> = told.iter().filter_map(|one| one.split('`').nth(1)).collect();
        assert_eq!(
            keys,
            [
                "register.kvk_key",
                "register.kvk_url",
                "register.ca_file",
                "register.a_second",
                "register.cache_minutes"
            ]
        );
        assert!(!format!("{told:?}").contains("heim"));
        for url in [
            "",
            "api.kvk.nl",
            "ftp://x/",
            "https://u:p@x/",
            "https://x/?a",
            "http://127.0.0.1.example.nl",
        ] {
            let wrong = Settings {
                kvk_url: url.to_owned(),
                ..settings()
            };
            assert!(wrong.validate().is_err(), "{url}");
        }
    }
}
