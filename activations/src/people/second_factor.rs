//! The codes of an authenticator app (TOTP, RFC 6238: six digits of SHA-1 every thirty seconds, which is what all apps
//! take), and how their secret is kept.
//!
//! The secret is sealed with a key that is derived from the links' key, which is not in the database: a copy of it makes
//! no codes. Sealed to its account: moved to another row it opens nothing.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use totp_rs::{Algorithm, Secret, TOTP};

use crate::clock::Timestamp;
use crate::entropy::{Entropy, NoEntropy};
use crate::links::LinksKey;

/// Seconds that a code lasts.
const STEP: u64 = 30;

/// Whose codes they are, as apps show it.
const ISSUER: &str = "Eencent";

/// For what the key is derived; never to be changed.
const LABEL: &str = "second factors";

/// The secret that codes are made of: 20 bytes.
#[derive(Clone)]
pub struct SecondFactor([u8; 20]);

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecondFactor(***)")
    }
}

impl SecondFactor {
    /// A new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0_u8; 20];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// One that an invitation's page shows until it is confirmed: the same each time that link is opened, so that
    /// nothing has to be kept of somebody who hasn't confirmed.
    pub fn of_invitation(key: &LinksKey, token: &str) -> Self {
        let derived = key.derived(&format!("second factor of invitation {token}"));
        let mut bytes = [0_u8; 20];
        for (to, from) in bytes.iter_mut().zip(derived) {
            *to = from;
        }
        Self(bytes)
    }

    /// As apps take it typed: 32 letters and digits in base 32.
    pub fn typed(&self) -> String {
        Secret::Raw(self.0.to_vec()).to_encoded().to_string()
    }

    /// As apps scan it: an `otpauth://` address.
    pub fn address(&self, email: &str) -> String {
        self.totp(email).map_or_else(String::new, |totp| totp.get_url())
    }

    /// The step of a code that is right at this instant, or thirty seconds before or after; none of a wrong one.
    /// Whoever takes it notes the step: no code is taken twice.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let totp = self.totp("").filter(|_| digits.len() == 6)?;
        let seconds = u64::try_from(now.micros() / 1_000_000).ok()?;
        let step = seconds / STEP;
        let mut found = None;
        // All three are compared, whichever is right.
        for near in [step.saturating_sub(1), step, step + 1] {
            let right = totp.generate(near * STEP);
            if bool::from(subtle::ConstantTimeEq::ct_eq(right.as_bytes(), digits.as_bytes())) {
                found = i64::try_from(near).ok();
            }
        }
        found
    }

    /// The code at an instant, as an app shows it.
    pub fn code(&self, now: Timestamp) -> String {
        let seconds = u64::try_from(now.micros() / 1_000_000).unwrap_or(0);
        self.totp("").map_or_else(String::new, |totp| totp.generate(seconds))
    }

    fn totp(&self, email: &str) -> Option<TOTP> {
        // A colon would end the issuer's name.
        let account = email.replace(':', " ");
        TOTP::new(
            Algorithm::SHA1,
            6,
            1,
            STEP,
            self.0.to_vec(),
            Some(ISSUER.to_owned()),
            account,
        )
        .ok()
    }

    /// Sealed for the row of an account.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn sealed(&self, key: &LinksKey, account: &str, entropy: &dyn Entropy) -> Result<Vec<u8>, NoEntropy> {
        let mut nonce = [0_u8; NONCE_LEN];
        entropy.fill(&mut nonce)?;
        let mut sealed = self.0.to_vec();
        let cipher = cipher(key).ok_or(NoEntropy)?;
        cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(account.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| NoEntropy)?;
        Ok([nonce.to_vec(), sealed].concat())
    }

    /// What was sealed for this account with this key; `None` for anything else.
    pub fn open(sealed: &[u8], key: &LinksKey, account: &str) -> Option<Self> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let opened = cipher(key)?
            .open_in_place(nonce, Aad::from(account.as_bytes()), &mut rest)
            .ok()?;
        Some(Self((&*opened).try_into().ok()?))
    }
}

fn cipher(key: &LinksKey) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, &key.derived(LABEL))
        .ok()
        .map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::entropy::OsEntropy;

    /// RFC 6238, appendix B, SHA-1, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let factor = SecondFactor(*b"12345678901234567890");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let now = Timestamp::from_micros(seconds * 1_000_000);
            assert_eq!(factor.code(now), code);
            assert_eq!(factor.step_of(code, now), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_right_for_a_minute_and_a_half_and_then_no_more() {
        let factor = SecondFactor::generate(&OsEntropy).unwrap();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let code = factor.code(now);
        let (first, last) = code.split_at(3);
        let at = |seconds: i64| factor.step_of(&code, Timestamp::from_micros(now.micros() + seconds * 1_000_000));
        let step = Some(now.micros() / 30_000_000);
        assert_eq!((at(-30), at(0), at(30)), (step, step, step));
        assert_eq!((at(-60), at(60)), (None, None));
        assert_eq!(factor.step_of("", now), None);
        assert_eq!(
            factor.step_of(&format!(" {first} {last} "), now),
            step,
            "as apps show it"
        );
    }

    #[test]
    fn what_is_sealed_opens_for_its_account_and_with_its_key_only() {
        let (key, other) = (
            LinksKey::generate(&OsEntropy).unwrap(),
            LinksKey::generate(&OsEntropy).unwrap(),
        );
        let factor = SecondFactor::generate(&OsEntropy).unwrap();
        let sealed = factor.sealed(&key, "acc_1", &OsEntropy).unwrap();
        assert_eq!(SecondFactor::open(&sealed, &key, "acc_1").unwrap().0, factor.0);
        assert!(SecondFactor::open(&sealed, &key, "acc_2").is_none());
        assert!(SecondFactor::open(&sealed, &other, "acc_1").is_none());
        assert!(SecondFactor::open(b"short", &key, "acc_1").is_none());
    }
}
