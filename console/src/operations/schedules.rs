//! A schedule that runs now, beside its own times.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use eencent_activations::desk::operations::Order;
use eencent_activations::people::Permission;
use minijinja::context;
use serde::Deserialize;

use super::Upcoming;
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

fn known(console: &Console, named: &str) -> Result<Upcoming, Trouble> {
    let timetable = console.machinery.timetable(console.clock.now());
    let known = timetable.into_iter().find(|one| one.schedule == named);
    known.ok_or(Trouble::NotFound)
}

pub(super) async fn asked(
    State(console): State<Console>,
    visitor: Visitor,
    Path(named): Path<String>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let schedule = known(&console, &named)?;
    let with = context! {
        act => "run",
        to => format!("/schedules/{}", schedule.schedule),
        back => "/",
        schedule,
        report => (),
    };
    Ok(console.page(&visitor, "overview", "operations/act.html", &with))
}

#[derive(Deserialize)]
pub(super) struct Reason {
    reason: String,
}

pub(super) async fn runs(
    State(console): State<Console>,
    Path(named): Path<String>,
    Sent { visitor, form }: Sent<Reason>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let schedule = known(&console, &named)?;
    let actor = visitor.actor();
    let order = Order {
        actor: &actor,
        reason: form.reason.trim(),
    };
    console.desk.ask_schedule(&schedule.schedule, order).await?;
    Ok(Redirect::to("/").into_response())
}
