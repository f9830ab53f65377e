//! What support does with an activation. First it is shown what will happen, and to whom what is written; then it is
//! confirmed. Nothing is changed in between, and what is confirmed carries the version of what was looked at.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::post;
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::support::{Foreseen, Intended};
use eencent_activations::desk::{Act, When};
use eencent_activations::language::Language;
use eencent_activations::people::Permission;
use eencent_activations::refused::{DeskError, Kind, Refused};
use minijinja::{Value, context};
use serde::Deserialize;

use super::case;
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/activations/{id}/foresee", post(foresee))
        .route("/activations/{id}/acts", post(act))
        .route("/activations/{id}/proposal", post(proposal))
        .route("/activations/{id}/link", post(link_again))
}

/// An act as its form has it.
#[derive(Deserialize)]
struct Meant {
    act: String,
    reason: String,
    version: i64,
}

impl Meant {
    fn intended(&self) -> Result<Intended, Trouble> {
        Ok(match self.act.as_str() {
            "approve" => Intended::Approve(When::OfficeHours),
            "approve_now" => Intended::Approve(When::Now),
            "reject" => Intended::Reject(self.reason.clone()),
            "ask" => Intended::Ask(self.reason.clone()),
            "resume" => Intended::Resume,
            "take_back" => Intended::WithdrawApproval,
            "run_now" => Intended::RunNow,
            _ => return Err(Trouble::Unreadable),
        })
    }

    fn act(&self, visitor: &Visitor) -> Act {
        Act {
            version: self.version,
            actor: visitor.person.signature(),
            // A browser sends lines as CR LF.
            reason: self.reason.replace("\r\n", "\n"),
        }
    }
}

async fn foresee(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Meant>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    if form.reason.trim().is_empty() {
        let wrong = match visitor.language() {
            Language::English => "Say why: it is kept with the activation.",
            Language::Dutch => "Zeg waarom: het wordt bij de activering bewaard.",
        };
        let more = context! { wrong, typed => context! { act => form.act, reason => "" } };
        return case::shown(&console, &visitor, &id, StatusCode::UNPROCESSABLE_ENTITY, more).await;
    }
    let foreseen = match console.desk.foresee_act(&id, &form.intended()?).await {
        Ok(foreseen) => foreseen,
        Err(DeskError::Refused(refused)) => return told(&console, &visitor, &id, &form, &refused).await,
        Err(error) => return Err(error.into()),
    };
    let activation = console.desk.activation(&id).await?;
    let organisation = console.desk.organisation(&activation.organisation).await?;
    let with = context! {
        id,
        act => form.act,
        reason => form.reason,
        // What was looked at, not what it is by now: whoever comes second is told so when confirming.
        version => form.version,
        changed => form.version != foreseen.version,
        organisation => organisation.legal_name,
        reference => activation.reference,
        from => activation.state,
        letters => letters(&console, &foreseen),
        foreseen,
    };
    Ok(console.page(&visitor, "queue", "support/foreseen.html", &with))
}

/// The e-mails that will be written, as they will read.
fn letters(console: &Console, foreseen: &Foreseen) -> Vec<Value> {
    let written = foreseen.emails.iter().map(|email| {
        let rendered = console.pen.write(email);
        let rendered = rendered.map(|rendered| console.desk.without_secrets(email.kind, &rendered));
        context! {
            kind => email.kind,
            at => email.at,
            to => email.recipient_name,
            subject => rendered.as_ref().ok().map(|rendered| rendered.subject.clone()),
            text => rendered.as_ref().ok().map(|rendered| rendered.text.clone()),
            trouble => rendered.err(),
        }
    });
    written.collect()
}

async fn act(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Meant>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    let (desk, actor, act) = (&console.desk, visitor.actor(), form.act(&visitor));
    let done = match form.intended()? {
        Intended::Approve(when) => {
            let two = desk.case(&id).await?.takes_two;
            if two {
                desk.propose_approval(&actor, &id, act, when).await
            } else {
                desk.approve(&actor, &id, act, when).await
            }
        }
        Intended::Reject(_) => desk.reject(&actor, &id, act).await,
        Intended::Ask(_) => desk.request_information(&actor, &id, act).await,
        Intended::Resume => desk.resume(&actor, &id, act).await,
        Intended::WithdrawApproval => desk.withdraw_approval(&actor, &id, act).await,
        Intended::RunNow => desk.run_now(&actor, &id, act).await,
    };
    match done {
        Ok(_) => Ok(back(&id)),
        Err(DeskError::Refused(refused)) => told(&console, &visitor, &id, &form, &refused).await,
        Err(error) => Err(error.into()),
    }
}

/// The page as things stand, with why it wasn't done, and what had been filled in.
async fn told(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    form: &Meant,
    refused: &Refused,
) -> Result<Response, Trouble> {
    if refused.kind == Kind::NotFound {
        return Err(Trouble::Refused(Box::new(refused.clone())));
    }
    let wrong = visitor.told(refused);
    let status = if refused.kind == Kind::Invalid {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::CONFLICT
    };
    let more = context! { wrong, typed => context! { act => form.act, reason => form.reason } };
    case::shown(console, visitor, id, status, more).await
}

async fn proposal(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<Meant>,
) -> Result<Response, Trouble> {
    let (desk, actor) = (&console.desk, visitor.actor());
    let done = match form.act.as_str() {
        "confirm" => {
            visitor.must(Permission::Confirm)?;
            desk.confirm_approval(&actor, &id, form.act(&visitor)).await.map(drop)
        }
        "drop" => {
            visitor.must(Permission::Decide)?;
            let order = Order {
                actor: &actor,
                reason: &form.reason,
            };
            desk.drop_proposal(order, &id).await
        }
        _ => return Err(Trouble::Unreadable),
    };
    match done {
        Ok(()) => Ok(back(&id)),
        Err(DeskError::Refused(refused)) => told(&console, &visitor, &id, &form, &refused).await,
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
struct Nothing {}

/// Sends the link to round off again.
async fn link_again(
    State(console): State<Console>,
    Path(id): Path<String>,
    Sent { visitor, .. }: Sent<Nothing>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    console.desk.resend(&visitor.actor(), &id).await?;
    Ok(back(&id))
}

pub(super) fn back(id: &str) -> Response {
    Redirect::to(&format!("/activations/{id}")).into_response()
}
