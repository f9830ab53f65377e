//! A browser's trip to the identity provider and back, when somebody signs in through it.
//!
//! What binds the way back to the way out is in a cookie: random bytes, when it began, and where to go on, with a code
//! over all of it that only we can make. State, nonce and the proof of the code's owner (PKCE) are derived from it with a
//! key that is not in the browser, nor in the database. So whoever sets off costs us nothing, and an answer that was
//! made for another browser fits none here.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::clock::Timestamp;
use crate::entropy::{Entropy, NoEntropy};
use crate::links::LinksKey;

/// How long somebody may take at the provider.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);

/// The longest address to go on at.
const LONGEST_NEXT: usize = 500;

/// For what the key is derived; never to be changed.
const LABEL: &str = "trips to the identity provider";

/// One trip.
#[derive(Clone)]
pub struct Trip {
    key: [u8; 32],
    /// 32 random bytes, encoded.
    random: String,
    /// In seconds.
    began: i64,
    next: String,
}

impl std::fmt::Debug for Trip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trip(***)")
    }
}

impl Trip {
    /// Sets off. Where one goes on afterwards is forgotten when it is too long.
    ///
    /// # Errors
    /// When there is no randomness.
    pub(crate) fn begin(key: &LinksKey, now: Timestamp, entropy: &dyn Entropy, next: &str) -> Result<Self, NoEntropy> {
        let mut bytes = [0_u8; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self {
            key: key.derived(LABEL),
            random: URL_SAFE_NO_PAD.encode(bytes),
            began: now.unix_seconds(),
            next: if next.len() <= LONGEST_NEXT { next } else { "" }.to_owned(),
        })
    }

    /// The trip of a browser that comes back with this state; none where it is another's, or it took too long.
    pub(crate) fn end(key: &LinksKey, now: Timestamp, cookie: &str, state: &str) -> Option<Self> {
        let (said, code) = cookie.rsplit_once('.')?;
        let mut parts = said.split('.');
        let (began, random, next) = (parts.next()?, parts.next()?, parts.next()?);
        let trip = Self {
            key: key.derived(LABEL),
            random: random.to_owned(),
            began: began.parse().ok()?,
            next: String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?,
        };
        let ours: bool = trip.derived("cookie", said).as_bytes().ct_eq(code.as_bytes()).into();
        let same: bool = trip.state().as_bytes().ct_eq(state.as_bytes()).into();
        let took = now.unix_seconds().saturating_sub(trip.began);
        let in_time = (0..=i64::try_from(LONGEST.as_secs()).unwrap_or(0)).contains(&took);
        (ours && same && in_time).then_some(trip)
    }

    /// What the browser keeps meanwhile.
    pub fn cookie(&self) -> String {
        let said = format!(
            "{}.{}.{}",
            self.began,
            self.random,
            URL_SAFE_NO_PAD.encode(self.next.as_bytes())
        );
        let code = self.derived("cookie", &said);
        format!("{said}.{code}")
    }

    /// What the provider hands back with its answer.
    pub fn state(&self) -> String {
        self.derived("state", &self.random)
    }

    /// What the provider puts into the token.
    pub fn nonce(&self) -> String {
        self.derived("nonce", &self.random)
    }

    /// What proves that a code was asked for by us (RFC 7636).
    pub fn verifier(&self) -> String {
        self.derived("verifier", &self.random)
    }

    /// What is told of it beforehand (S256).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier().as_bytes()))
    }

    /// Where to go on afterwards; may be empty.
    pub fn next(&self) -> &str {
        &self.next
    }

    fn derived(&self, use_of_it: &str, from: &str) -> String {
        Hmac::<Sha256>::new_from_slice(&self.key).map_or_else(
            // A key of any length will do: this can't occur, and what is empty is refused by every provider.
            |_| String::new(),
            |mut mac| {
                mac.update(use_of_it.as_bytes());
                mac.update(b"\0");
                mac.update(from.as_bytes());
                URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use crate::entropy::CountedEntropy;

    const AT: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn key(of: &str) -> LinksKey {
        LinksKey::from_hex(&of.repeat(64)).unwrap()
    }

    #[test]
    fn one_comes_back_with_the_cookie_and_the_state_of_the_same_trip_in_time_or_not_at_all() {
        let (ours, entropy) = (key("1"), CountedEntropy::default());
        let trip = Trip::begin(&ours, AT, &entropy, "/people?x=y").unwrap();
        let other = Trip::begin(&ours, AT, &entropy, "").unwrap();
        let later = AT.plus(Duration::from_secs(599));
        let back = Trip::end(&ours, later, &trip.cookie(), &trip.state()).unwrap();
        assert_eq!(
            (back.next(), back.nonce(), back.verifier()),
            ("/people?x=y", trip.nonce(), trip.verifier())
        );
        assert!(
            Trip::end(&ours, later, &trip.cookie(), &other.state()).is_none(),
            "another trip"
        );
        assert!(Trip::end(&ours, later, &trip.cookie(), "").is_none(), "no state");
        assert!(
            Trip::end(&key("2"), later, &trip.cookie(), &trip.state()).is_none(),
            "not ours"
        );
        let late = AT.plus(Duration::from_secs(601));
        assert!(
            Trip::end(&ours, late, &trip.cookie(), &trip.state()).is_none(),
            "too late"
        );
        // Neither when it began nor where it leads can be changed.
        let lengthened = trip.cookie().replacen("1800000000", "1800009000", 1);
        assert!(Trip::end(&ours, late.plus(Duration::from_secs(8_900)), &lengthened, &trip.state()).is_none());
        let elsewhere = trip.cookie().replace(
            &URL_SAFE_NO_PAD.encode("/people?x=y"),
            &URL_SAFE_NO_PAD.encode("//evil.example"),
        );
        assert!(Trip::end(&ours, later, &elsewhere, &trip.state()).is_none());
    }

    #[test]
    fn what_is_derived_differs_and_fits_what_the_standards_ask() {
        let trip = Trip::begin(&key("1"), AT, &CountedEntropy::default(), "").unwrap();
        let all = [trip.state(), trip.nonce(), trip.verifier(), trip.challenge()];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 43);
            assert!(all.iter().skip(i + 1).all(|other| other != one));
        }
        assert!(!trip.cookie().contains(&trip.verifier()) && !trip.cookie().contains(&trip.nonce()));
    }
}
