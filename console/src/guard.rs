//! What every request and every answer of a console passes through.
//!
//! A request that changes something has to come from one of our own pages: browsers say where it comes from
//! (`Sec-Fetch-Site`, and `Origin` where that is lacking), and a foreign page can't make them say otherwise. The token in
//! the form ([`crate::sent`]) is the second lock on the same door.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::trouble::Trouble;

/// Headers of each answer, where the page doesn't say otherwise. ASVS 5.0, 3.4.
const HEADERS: [(HeaderName, &str); 9] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=()",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// Puts the headers on.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Lets only our own pages change something.
pub async fn from_here(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || is_from_here(request.headers()) {
        next.run(request).await
    } else {
        Trouble::Elsewhere.into_response()
    }
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (of("sec-fetch-site"), of("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == of("host")
        }
        // A browser says one of them with every form. What isn't one holds no session that could be misused.
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    fn of(headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        is_from_here(&map)
    }

    #[test]
    fn fault_62_a_form_on_a_foreign_page_changes_nothing() {
        let host = ("host", "console.example.nl");
        assert!(of(&[host, ("sec-fetch-site", "same-origin")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(
                !of(&[host, ("sec-fetch-site", site), ("origin", "https://console.example.nl")]),
                "{site}"
            );
        }
        assert!(of(&[host, ("origin", "https://console.example.nl")]));
        for origin in [
            "https://evil.example",
            "null",
            "https://console.example.nl.evil.example",
        ] {
            assert!(!of(&[host, ("origin", origin)]), "{origin}");
        }
    }
}
