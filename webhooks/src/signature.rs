//! What all schemes share: codes over bytes, comparison, bounded headers, bounded time.

use std::time::Duration;

use eencent_activations::clock::Timestamp;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::refused::{Code, Refused};

/// SHA-256, or HMAC-SHA-256.
pub(crate) type Sum = [u8; 32];

/// Most signatures that one request may carry. A rotation of secrets needs two, some senders add
/// one of another scheme; thousands are an attempt to keep us busy.
pub(crate) const MAX_SIGNATURES: usize = 16;

/// Most bytes of signature headers that are looked at.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> Sum {
    Sha256::digest(bytes).into()
}

/// HMAC-SHA-256 over the parts, one after the other. HMAC takes keys of any length, so there is
/// always one; the type can't say so.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<Sum> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// Which of the keys made one of the given codes over the parts: its number from 1. The codes are
/// compared as bytes in constant time.
pub(crate) fn made_by<'k>(
    keys: impl IntoIterator<Item = (usize, &'k [u8])>,
    parts: &[&[u8]],
    given: &[Sum],
) -> Option<usize> {
    keys.into_iter().find_map(|(number, key)| {
        let expected = hmac(key, parts)?;
        let same = given.iter().fold(Choice::from(0), |so_far, code| {
            so_far | expected.as_slice().ct_eq(code.as_slice())
        });
        bool::from(same).then_some(number)
    })
}

/// Lower-case hexadecimal of exactly 32 bytes. Upper case is refused: no provider sends it, and
/// their own libraries, which compare text, refuse it too.
pub(crate) fn lower_hex(text: &str) -> Option<Sum> {
    let mut sum = [0; 32];
    let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (lower && hex::decode_to_slice(text, &mut sum).is_ok()).then_some(sum)
}

/// All values of a header, joined by `separator`; `None` when it is absent.
///
/// # Errors
/// Refused when it is longer than any honest one, or isn't ASCII.
pub(crate) fn header(headers: &HeaderMap, name: &'static str, separator: char) -> Result<Option<String>, Refused> {
    let mut joined: Option<String> = None;
    for value in headers.get_all(name) {
        let longer = joined.as_ref().map_or(0, |so_far| so_far.len() + 1) + value.len();
        if longer > MAX_HEADER_BYTES {
            return Err(too_many(name));
        }
        let text = value.to_str().map_err(|_| {
            Refused::new(
                Code::MalformedSignature,
                format!("The header {name} holds bytes that aren't visible ASCII. A proxy or a client of one's own wrote it."),
            )
        })?;
        match &mut joined {
            Some(so_far) => {
                so_far.push(separator);
                so_far.push_str(text);
            }
            None => joined = Some(text.to_owned()),
        }
    }
    Ok(joined)
}

/// A header that must be there, once, and not be empty.
///
/// # Errors
/// Refused as missing or malformed, naming the header as people write it and who should have sent it.
pub(crate) fn single(headers: &HeaderMap, name: &'static str, shown: &str, sender: &str) -> Result<String, Refused> {
    if headers.get_all(name).iter().nth(1).is_some() {
        return Err(Refused::new(
            Code::MalformedSignature,
            format!("The header {shown} is there more than once, which {sender} never does."),
        ));
    }
    match header(headers, name, ',')? {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(Refused::new(
            Code::MissingSignature,
            format!("The header {shown} is missing. This isn't {sender}, or a proxy removed the header."),
        )),
    }
}

/// The items of a list in a header, without white space around them; at most [`MAX_SIGNATURES`].
///
/// # Errors
/// Refused when there are more.
pub(crate) fn items<'h>(joined: &'h str, separator: char, name: &'static str) -> Result<Vec<&'h str>, Refused> {
    let mut found = Vec::new();
    for item in joined.split(separator).map(str::trim).filter(|item| !item.is_empty()) {
        if found.len() == MAX_SIGNATURES {
            return Err(too_many(name));
        }
        found.push(item);
    }
    Ok(found)
}

fn too_many(name: &str) -> Refused {
    Refused::new(
        Code::TooManySignatures,
        format!(
            "The header {name} is longer than {MAX_HEADER_BYTES} bytes or lists more than {MAX_SIGNATURES} signatures. A rotation of secrets needs two: this isn't the provider."
        ),
    )
}

/// Whole seconds since 1970 written in digits alone: no sign, no point, no space, within `i64`.
pub(crate) fn unix_seconds(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// That a rightly signed message was signed within `tolerance` of now, before or after.
///
/// # Errors
/// [`Code::Stale`] or [`Code::FromTheFuture`].
pub(crate) fn check_time(signed_at: i64, now: Timestamp, tolerance: Duration) -> Result<(), Refused> {
    let age = now.unix_seconds().saturating_sub(signed_at);
    let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
    if age > tolerance {
        return Err(Refused::new(
            Code::Stale,
            format!(
                "Rightly signed, but {age} seconds ago; {tolerance} are allowed. A replay, a proxy that holds requests back, or this machine's clock is ahead (compare it with the Date header of a well-known site)."
            ),
        ));
    }
    if age < tolerance.saturating_neg() {
        return Err(Refused::new(
            Code::FromTheFuture,
            format!(
                "Rightly signed, but at a time {} seconds from now; {tolerance} are allowed. The sender's clock is ahead or this machine's is behind (compare it with the Date header of a well-known site).",
                age.saturating_neg()
            ),
        ));
    }
    Ok(())
}

/// That no secret of the endpoint made the signature.
pub(crate) fn mismatch(secrets: usize, header: &str) -> Refused {
    Refused::new(
        Code::SignatureMismatch,
        format!(
            "None of the endpoint's {secrets} secret(s) made the signature in {header}. Usual causes: the secret of another endpoint, account or mode; a secret that was changed at the provider and not here; a proxy that rewrites the body; or a forgery."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fault_06_only_plain_seconds_are_a_time() {
        assert_eq!(unix_seconds("1763630133"), Some(1_763_630_133));
        for weird in [
            "",
            "-1",
            "+1",
            "1.0",
            " 1",
            "1 ",
            "1e9",
            "0x1",
            "١",
            "18446744073709551616",
            "9223372036854775808",
        ] {
            assert_eq!(unix_seconds(weird), None, "{weird:?}");
        }
    }

    proptest! {
        #[test]
        fn fault_06_no_time_overflows(signed_at: i64, now: i64, tolerance: u64) {
            let _ = check_time(signed_at, Timestamp::from_micros(now), Duration::from_secs(tolerance));
        }

        #[test]
        fn fault_06_five_minutes_both_ways_and_not_a_second_more(now in 0_i64..4_000_000_000, away in -400_i64..400) {
            let outcome = check_time(now + away, Timestamp::from_unix_seconds(now), Duration::from_secs(300));
            prop_assert_eq!(outcome.is_ok(), away.abs() <= 300);
        }
    }
}
