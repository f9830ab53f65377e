//! A request that its sender may send again: done once, and answered as it was the first time.
//!
//! The platform sends a key with a request (`Idempotency-Key`). What the request does and the row that says so are one
//! transaction, and the key is the row's primary key: however often the request comes, and whatever dies in between, it
//! is done once or not at all. The answer is added to the row before it is given. If we crash between the two, nobody
//! has had an answer, and it is made anew of what was done ([`Kept::subject`]).
//!
//! A refusal changes nothing and is not kept: sent again under the same key, the request is judged anew.

use std::sync::Arc;
use std::time::Duration;

use super::{Actor, Desk, Desking};
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, maybe_number, maybe_text, text};

/// How long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A request with the key that its sender gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    caller: String,
    key: String,
    digest: String,
}

impl KeyedRequest {
    /// Of a caller; keys of different callers have nothing to do with each other. `digest` tells requests apart.
    pub fn new(caller: &Actor, key: &str, digest: &str) -> Self {
        Self {
            caller: caller.to_string(),
            key: key.to_owned(),
            digest: digest.to_owned(),
        }
    }

    /// Who sent it, and the key: what may be under way once at a time.
    pub fn who_and_key(&self) -> (&str, &str) {
        (&self.caller, &self.key)
    }

    /// What tells it from other requests.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// What was done under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What tells the request from others.
    pub digest: String,
    /// The id of what was made or acted on.
    pub subject: String,
    /// What was answered; none was given where it is lacking.
    pub answer: Option<KeptAnswer>,
}

/// An answer as it was given.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Where what was made can be read.
    pub location: Option<String>,
    /// The body, to the byte.
    pub body: String,
}

impl std::fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptAnswer({} with {} bytes)", self.status, self.body.len())
    }
}

impl Desk {
    /// The same desk, working on this request: what it does is done once.
    #[must_use]
    pub fn on_request(&self, request: Arc<KeyedRequest>) -> Self {
        Self {
            request: Some(request),
            ..self.clone()
        }
    }

    /// What was done under the request's key within [`KEPT_FOR`], be it by this request or another.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn kept(&self, request: &KeyedRequest) -> Result<Option<Kept>, DeskError> {
        let row = sqlx::query(
            "SELECT request, subject, status, location, body FROM kept_answers \
             WHERE caller = $1 AND idempotency_key = $2 AND done_at > $3",
        )
        .bind(request.caller.as_str())
        .bind(request.key.as_str())
        .bind(self.now().minus(KEPT_FOR).micros())
        .fetch_optional(self.store.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let status = maybe_number(&row, "status")?.map(|status| u16::try_from(status).unwrap_or(200));
        let answer = status.zip(maybe_text(&row, "body")?);
        let location = maybe_text(&row, "location")?;
        Ok(Some(Kept {
            digest: text(&row, "request")?,
            subject: text(&row, "subject")?,
            answer: answer.map(|(status, body)| KeptAnswer { status, location, body }),
        }))
    }

    /// Keeps the answer of a request that was done, unless there is one; false when nothing was done under its key.
    ///
    /// # Errors
    /// When the store doesn't answer: then it must not be given either.
    pub async fn keep_answer(&self, request: &KeyedRequest, answer: &KeptAnswer) -> Result<bool, DeskError> {
        let mut work = self.begin().await?;
        let kept = sqlx::query(
            "UPDATE kept_answers SET status = COALESCE(status, $1), location = COALESCE(location, $2), body = COALESCE(body, $3) \
             WHERE caller = $4 AND idempotency_key = $5",
        )
        .bind(i64::from(answer.status))
        .bind(answer.location.as_deref())
        .bind(answer.body.as_str())
        .bind(request.caller.as_str())
        .bind(request.key.as_str())
        .execute(&mut *work.tx)
        .await?;
        self.commit(work).await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Notes, in the transaction of what is done, that it was done under its request's key; false where there is none.
    pub(super) async fn note_request(&self, work: &mut Desking) -> Result<bool, DeskError> {
        let (Some(request), Some(subject)) = (&self.request, work.subject.take()) else {
            return Ok(false);
        };
        let now = self.now();
        sqlx::query("DELETE FROM kept_answers WHERE caller = $1 AND idempotency_key = $2 AND done_at <= $3")
            .bind(request.caller.as_str())
            .bind(request.key.as_str())
            .bind(now.minus(KEPT_FOR).micros())
            .execute(&mut *work.tx)
            .await?;
        let noted = sqlx::query(
            "INSERT INTO kept_answers (caller, idempotency_key, request, subject, done_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(request.caller.as_str())
        .bind(request.key.as_str())
        .bind(request.digest.as_str())
        .bind(subject)
        .bind(now.micros())
        .execute(&mut *work.tx)
        .await
        .map_err(StoreError::from);
        match noted {
            // Another process was first with this key, between our look and now: nothing of ours is kept.
            Err(error) if error.is_unique_violation() => Err(under_way().into()),
            other => Ok(other.map(|_| true)?),
        }
    }
}

/// A request with this key is being worked on.
pub fn under_way() -> Refused {
    Refused::new(
        Kind::Conflict,
        "idempotency_key_in_use",
        "A request with this Idempotency-Key is being worked on: send it again in a moment to get its answer.",
        "Een verzoek met deze Idempotency-Key wordt op dit moment behandeld: stuur het zo dadelijk opnieuw om het antwoord te krijgen.",
    )
}
