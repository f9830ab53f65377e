//! What support does with an activation: approve, reject, ask, go on.
//!
//! Every act carries the version of what was looked at: whoever comes second is told how it is now.

use axum::Json;
use eencent_activations::desk::{Act, When};
use eencent_activations::views::ActivationView;
use serde::Deserialize;
use serde_json::Value;

use super::body::{Body, Id, whole};
use super::callers::{By, Review};
use super::{failures, shapes};
use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// An act as it was sent. The fields are read one by one, so that all that is missing or wrong is
/// told at once.
#[derive(Deserialize)]
pub struct Sent {
    version: Option<Value>,
    actor: Option<Value>,
    reason: Option<Value>,
    when: Option<Value>,
}

/// What is wrong with a field: its name, a code, and what to do.
type Wrong = (&'static str, &'static str, Sentence);

impl Sent {
    /// The act, without the moment at which it takes effect.
    pub(super) fn act(self) -> Result<Act, Problem> {
        let mut wrong = Vec::new();
        let act = self.read(&mut wrong);
        act.ok_or_else(|| Problem::invalid_fields(wrong))
    }

    fn act_and_moment(self) -> Result<(Act, When), Problem> {
        let mut wrong = Vec::new();
        let when = match &self.when {
            None => Some(When::OfficeHours),
            Some(when) => match when.as_str() {
                Some("office_hours") => Some(When::OfficeHours),
                Some("now") => Some(When::Now),
                _ => None,
            },
        };
        let act = self.read(&mut wrong);
        if when.is_none() {
            let sentence = Sentence::new(
                "`when` must be `office_hours` or `now`.",
                "`when` moet `office_hours` of `now` zijn.",
            );
            wrong.push(("when", "invalid", sentence));
        }
        act.zip(when).ok_or_else(|| Problem::invalid_fields(wrong))
    }

    fn read(self, wrong: &mut Vec<Wrong>) -> Option<Act> {
        let version = match self.version {
            None => {
                let sentence = Sentence::new(
                    "Send the `version` that you looked at.",
                    "Stuur de `version` mee waarnaar u hebt gekeken.",
                );
                wrong.push(("version", "required", sentence));
                None
            }
            Some(version) => whole(&version).or_else(|| {
                let sentence = Sentence::new("`version` is a whole number.", "`version` is een geheel getal.");
                wrong.push(("version", "wrong_type", sentence));
                None
            }),
        };
        let actor = text(
            "actor",
            self.actor,
            Sentence::new("Say who acts.", "Vermeld wie handelt."),
            wrong,
        );
        let reason = text(
            "reason",
            self.reason,
            Sentence::new("Say why.", "Vermeld waarom."),
            wrong,
        );
        Some(Act {
            version: version?,
            actor: actor?,
            reason: reason?,
        })
    }
}

fn text(name: &'static str, sent: Option<Value>, lacking: Sentence, wrong: &mut Vec<Wrong>) -> Option<String> {
    let problem = match sent {
        Some(Value::String(text)) if !text.trim().is_empty() => return Some(text),
        None | Some(Value::String(_)) => (name, "required", lacking),
        Some(_) => {
            let sentence = Sentence::new(format!("`{name}` is text."), format!("`{name}` is tekst."));
            (name, "wrong_type", sentence)
        }
    };
    wrong.push(problem);
    None
}

/// Approve: within office hours (at once if the office is open, else when it opens), or now.
#[utoipa::path(
    post, path = "/v1/activations/{id}/approve", operation_id = "approveActivation",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Approval,
    responses(
        (status = 200, description = "Approved.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn approve(by: By<Review>, Id(id): Id, Body(sent): Body<Sent>) -> Result<Json<ActivationView>, Problem> {
    let (act, when) = sent.act_and_moment()?;
    Ok(Json(by.desk.approve(&by.actor, &id, act, when).await?))
}

/// Reject; the reason is told to the creator.
#[utoipa::path(
    post, path = "/v1/activations/{id}/reject", operation_id = "rejectActivation",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Act,
    responses(
        (status = 200, description = "Rejected.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn reject(by: By<Review>, Id(id): Id, Body(sent): Body<Sent>) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(by.desk.reject(&by.actor, &id, sent.act()?).await?))
}

/// Ask the creator for information; the reason is the question, and is sent to the creator.
#[utoipa::path(
    post, path = "/v1/activations/{id}/request-information", operation_id = "requestInformation",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Act,
    responses(
        (status = 200, description = "Asked.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn request_information(
    by: By<Review>,
    Id(id): Id,
    Body(sent): Body<Sent>,
) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(by.desk.request_information(&by.actor, &id, sent.act()?).await?))
}

/// Go on with the review: the information has come, or isn't waited for any longer.
#[utoipa::path(
    post, path = "/v1/activations/{id}/resume", operation_id = "resumeReview",
    tag = "review",
    params(("id" = String, Path, description = "The activation's id.")),
    request_body = shapes::Act,
    responses(
        (status = 200, description = "Under review again.", body = shapes::Activation),
        failures::Failures, failures::Missing, failures::Unreadable, failures::Stale,
    )
)]
pub async fn resume(by: By<Review>, Id(id): Id, Body(sent): Body<Sent>) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(by.desk.resume(&by.actor, &id, sent.act()?).await?))
}
