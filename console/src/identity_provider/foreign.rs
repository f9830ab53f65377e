//! What the provider writes, before anything is done with it: addresses to go to, and words for the log.

use std::net::IpAddr;

use axum::http::Uri;

/// The longest address to send somebody to.
const LONGEST_ADDRESS: usize = 2_000;

/// An address to which secrets and people may be sent: encrypted, or on this machine.
pub(super) fn is_safe(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let encrypted = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => here,
        _ => false,
    };
    let bare = !uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    encrypted && bare && !host.is_empty() && !address.contains('#') && address.len() <= LONGEST_ADDRESS
}

/// What somebody else wrote, for the log: without what would make lines of its own.
pub(super) fn plain(text: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || "-_.:/ ".contains(*c);
    text.chars().filter(kept).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_an_encrypted_way_or_stay_on_this_machine() {
        for safe in [
            "https://login.example.nl/token",
            "http://127.0.0.1:8080/token",
            "http://[::1]:8080/",
            "http://localhost/x?y=z",
        ] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_one in [
            "http://login.example.nl/",
            "http://127.0.0.1@evil.example/",
            "https://user@login.example.nl/",
            "https://login.example.nl/#x",
            "ftp://login.example.nl/",
            "javascript:alert(1)",
            "/token",
            "http://localhost.evil.example/",
            "",
        ] {
            assert!(!is_safe(unsafe_one), "{unsafe_one}");
        }
    }

    #[test]
    fn what_a_provider_writes_makes_no_lines_of_its_own_in_the_log() {
        assert_eq!(plain("invalid_client\r\nERROR <b>"), "invalid_clientERROR b");
    }
}
