//! The front page: how things are.

use axum::extract::State;
use axum::response::Response;
use eencent_activations::people::Permission;
use minijinja::context;

use super::bars;
use crate::Console;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

pub(super) async fn shown(State(console): State<Console>, visitor: Visitor) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadOperations)?;
    let overview = console.desk.overview().await?;
    let asked = console.desk.asked_schedules().await?;
    let ran = console.desk.schedules_ran().await?;
    let timetable = console.machinery.timetable(console.clock.now());
    let schedules: Vec<_> = timetable
        .into_iter()
        .map(|one| {
            let last = ran.iter().find(|(name, _)| *name == one.schedule).map(|(_, at)| *at);
            let now = asked.iter().find(|asked| asked.schedule == one.schedule).cloned();
            context! { name => one.schedule, setting => one.setting, next => one.next, last, now }
        })
        .collect();
    let failed: i64 = overview.work.iter().map(|kind| kind.failed).sum();
    let waiting: i64 = overview.work.iter().map(|kind| kind.due + kind.later).sum();
    let paused: Vec<_> = overview.work.iter().filter_map(|kind| kind.paused.as_ref()).collect();
    let kinds: Vec<&str> = overview.work.iter().map(|kind| kind.kind).collect();
    // Of work there is a table of its own.
    let activations: Vec<_> = overview
        .waiting
        .iter()
        .filter(|waits| !kinds.contains(&waits.what.as_str()))
        .collect();
    let alive = overview.machines.iter().filter(|machine| machine.alive).count();
    let with = context! {
        figures => bars::all(&overview.hours),
        failed, waiting, paused, activations, alive, schedules, overview,
    };
    Ok(console.page(&visitor, "overview", "operations/overview.html", &with))
}
