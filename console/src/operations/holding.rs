//! Kinds of work, held back and let go; that of e-mails is the stop of all mail.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use eencent_activations::desk::operations::Order;
use eencent_activations::people::Permission;
use minijinja::context;
use serde::Deserialize;

use super::{WORK, kind};
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

pub(super) async fn pausing(
    State(console): State<Console>,
    visitor: Visitor,
    Path(named): Path<String>,
) -> Result<Response, Trouble> {
    asked(&console, &visitor, &named, "pause")
}

pub(super) async fn resuming(
    State(console): State<Console>,
    visitor: Visitor,
    Path(named): Path<String>,
) -> Result<Response, Trouble> {
    asked(&console, &visitor, &named, "resume")
}

fn asked(console: &Console, visitor: &Visitor, named: &str, act: &str) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let work = kind(named)?;
    let with = context! {
        act,
        kind => work.as_str(),
        to => format!("/queue/{work}/{act}"),
        back => "/",
        report => (),
    };
    Ok(console.page(visitor, WORK, "operations/act.html", &with))
}

#[derive(Deserialize)]
pub(super) struct Reason {
    reason: String,
}

pub(super) async fn paused(
    State(console): State<Console>,
    Path(named): Path<String>,
    Sent { visitor, form }: Sent<Reason>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let actor = visitor.actor();
    let order = Order {
        actor: &actor,
        reason: form.reason.trim(),
    };
    // Where somebody was first, the front page tells who.
    console.desk.pause_work(kind(&named)?, order).await?;
    Ok(Redirect::to("/").into_response())
}

pub(super) async fn resumed(
    State(console): State<Console>,
    Path(named): Path<String>,
    Sent { visitor, form }: Sent<Reason>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let actor = visitor.actor();
    let order = Order {
        actor: &actor,
        reason: form.reason.trim(),
    };
    console.desk.resume_work(kind(&named)?, order).await?;
    Ok(Redirect::to("/").into_response())
}
