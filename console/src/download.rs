//! Files that strangers sent, to be saved and not to be shown.

use axum::http::header::{self, HeaderName};
use axum::response::{IntoResponse as _, Response};

/// Nothing in it runs, wherever it is opened.
const LOCKED_UP: &str = "default-src 'none'; sandbox";

/// A download: of its type, under its name, never shown in the page's place.
pub fn download(media_type: &str, name: &str, content: Vec<u8>) -> Response {
    let headers: [(HeaderName, String); 5] = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, attachment(name)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, LOCKED_UP.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, content).into_response()
}

/// The name for a program that knows only ASCII, and for the others (RFC 6266).
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii() && !c.is_control() && !"\"\\".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_outside_ascii_is_told_in_both_ways() {
        assert_eq!(
            attachment("Überzicht (1).pdf"),
            "attachment; filename=\"_berzicht (1).pdf\"; filename*=UTF-8''%C3%9Cberzicht%20%281%29.pdf"
        );
    }
}
