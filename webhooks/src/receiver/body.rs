//! Reading a body within its limits.

use axum::body::Body;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::Limits;

/// Why a body wasn't read.
pub(super) enum Unread {
    /// It is longer than the limit, or says it will be.
    TooLarge,
    /// It didn't come in time.
    TooSlow,
    /// It ended early, or its framing is broken.
    BrokenOff,
}

/// Reads a body, never holding more than the limit of it, nor going on after `answer_by`.
pub(super) async fn read(
    body: Body,
    headers: &HeaderMap,
    limits: &Limits,
    answer_by: Instant,
) -> Result<Vec<u8>, Unread> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limits.body_bytes) {
        return Err(Unread::TooLarge);
    }
    let read_by = answer_by.min(Instant::now() + limits.body_time);
    tokio::time::timeout_at(read_by, collect(body, limits.body_bytes))
        .await
        .unwrap_or(Err(Unread::TooSlow))
}

async fn collect(mut body: Body, most: usize) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::BrokenOff)?;
        // Trailers are read past.
        if let Ok(data) = frame.into_data() {
            if data.len() > most - bytes.len() {
                return Err(Unread::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}
