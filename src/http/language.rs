//! Which language a caller prefers.

use axum::http::{HeaderMap, header};

pub use eencent_activations::language::{Language, Sentence};

/// The first of ours in its `Accept-Language`.
pub fn preferred(headers: &HeaderMap) -> Language {
    let asked = headers.get(header::ACCEPT_LANGUAGE);
    Language::preferred(asked.and_then(|value| value.to_str().ok()))
}
