//! What a password must be, and what is kept of it: argon2id with OWASP's parameters (19 MiB, two passes, one lane).
//!
//! Length counts, not kinds of characters (NIST SP 800-63B): twelve or more, none of those that are tried first, and
//! nothing that stands in the account itself.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::entropy::{Entropy, NoEntropy};
use crate::refused::{Kind, Refused};

/// The shortest, in characters.
pub const SHORTEST: usize = 12;

/// The longest, in characters: what takes longer to type is a mistake, or an attempt to keep us busy.
pub const LONGEST: usize = 200;

/// Parts that passwords of twelve characters are commonly made of; one that is little more than such a part is refused.
const COMMON: [&str; 18] = [
    "password",
    "wachtwoord",
    "welkom",
    "welcome",
    "qwerty",
    "azerty",
    "letmein",
    "eencent",
    "factuur",
    "123456",
    "abcdef",
    "admin",
    "geheim",
    "secret",
    "iloveyou",
    "zomer",
    "winter",
    "amsterdam",
];

/// The hash that stands in for one that isn't there, so that an unknown address takes as long as a known one.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

/// Checks a password that somebody chose.
///
/// # Errors
/// Refused, with what to do.
pub fn check(password: &str, email: &str, name: &str) -> Result<(), Refused> {
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(Refused::new(
            Kind::Invalid,
            "password_length",
            format!("Choose a password of {SHORTEST} to {LONGEST} characters; a sentence is good."),
            format!("Kies een wachtwoord van {SHORTEST} tot {LONGEST} tekens; een zin is goed."),
        ));
    }
    let folded = password.to_lowercase();
    let account = email.split(['@', '.', '-', '_', '+']).chain(name.split_whitespace());
    let account = account.filter(|part| part.chars().count() >= 4).map(str::to_lowercase);
    let mut rest = folded.clone();
    for part in COMMON.iter().map(|part| (*part).to_owned()).chain(account) {
        rest = rest.replace(&part, "");
    }
    let mut kinds: Vec<char> = rest.chars().filter(|c| c.is_alphabetic()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() < 4 {
        return Err(Refused::new(
            Kind::Invalid,
            "password_guessable",
            "This password is easily guessed: it is little more than common words, digits, or your own name. A sentence of your own is better.",
            "Dit wachtwoord is makkelijk te raden: het is weinig meer dan gangbare woorden, cijfers of uw eigen naam. Een zin van uzelf is beter.",
        ));
    }
    Ok(())
}

/// What is kept of a password. Takes some tens of milliseconds of one core, on purpose.
///
/// # Errors
/// When there is no randomness, or the machine has no memory for it.
pub fn hash(password: &str, entropy: &dyn Entropy) -> Result<String, HashError> {
    let mut salt = [0_u8; 16];
    entropy.fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt)?;
    Ok(hasher()?.hash_password(password.as_bytes(), &salt)?.to_string())
}

/// Whether it is the password of this hash; of none where there is no hash, which takes as long.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODYS)) else {
        return false;
    };
    // Parameters come from the hash: those that were made by an earlier version go on.
    let fits = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    fits && hash.is_some()
}

fn hasher() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(argon2::password_hash::Error::from)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A password can't be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// There is no randomness for the salt.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The function failed.
    #[error("the password could not be hashed")]
    Argon2(#[from] argon2::password_hash::Error),
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn what_is_kept_verifies_that_password_and_no_other() {
        let kept = hash("een zin van mijzelf", &OsEntropy).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("een zin van mijzelf", Some(&kept)));
        assert!(!verify("een zin van mijzelf ", Some(&kept)));
        assert!(!verify("een zin van mijzelf", None));
        assert!(!verify("een zin van mijzelf", Some("")));
        assert!(PasswordHash::new(NOBODYS).is_ok(), "an unknown address takes as long");
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        let of = |password: &str| check(password, "m.jansen@bakkerij.nl", "Marja Jansen").map_err(|no| no.code);
        assert_eq!(of("kort"), Err("password_length"));
        assert_eq!(of(&"x".repeat(201)), Err("password_length"));
        for guessable in [
            "Welkom123456!",
            "wachtwoord2026",
            "JansenBakkerij1",
            "111111111111",
            "aaaaaaaaaaaa",
        ] {
            assert_eq!(of(guessable), Err("password_guessable"), "{guessable}");
        }
        assert_eq!(of("de fiets staat buiten"), Ok(()));
        assert_eq!(of("xK8#pQz!mW2r"), Ok(()));
    }
}
