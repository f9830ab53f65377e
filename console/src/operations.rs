//! What operations sees and does: queues, messages, refusals, the audit; retry, drop, pause, replay.
//!
//! | file | what it holds |
//! |---|---|
//! | `overview`, `bars` | the front page, and the bars on it |
//! | `filter` | what a list is asked for, in its address: the same everywhere |
//! | `lists` | rows of work, notifications, refused requests, the audit; and what was set apart of all kinds |
//! | `row` | one row or message with all attempts, and what is done to it |
//! | `bulk` | retry or drop all that a filter finds: counted first, told afterwards |
//! | `holding` | kinds of work and mail, held back and let go |
//! | `schedules` | a schedule that runs now |
//! | `replaying` | stored messages, read again |
//! | `going_on` | what takes longer than somebody waits for |
//!
//! Whoever may see ([`Permission::ReadOperations`]) sees all of it; only [`Permission::Operate`] has the forms. All of it
//! is what `eencent queue`, `replay`, `schedules` and `mail` do too, by the same methods of the desk.

mod bars;
mod bulk;
mod filter;
mod going_on;
mod holding;
mod lists;
mod overview;
mod replaying;
mod row;
mod schedules;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::operations::Retranslating;
use eencent_activations::ledger::Work;
#[cfg(doc)]
use eencent_activations::people::Permission;
use serde::Serialize;

use crate::Console;
use crate::pages::Template;
use crate::trouble::Trouble;

pub(crate) const TEMPLATES: [Template; 15] = [
    (
        "operations/told.html",
        include_str!("../../config/console/operations/told.html"),
    ),
    (
        "operations/overview.html",
        include_str!("../../config/console/operations/overview.html"),
    ),
    (
        "operations/figures.html",
        include_str!("../../config/console/operations/figures.html"),
    ),
    (
        "operations/filter.html",
        include_str!("../../config/console/operations/filter.html"),
    ),
    (
        "operations/further.html",
        include_str!("../../config/console/operations/further.html"),
    ),
    (
        "operations/work.html",
        include_str!("../../config/console/operations/work.html"),
    ),
    (
        "operations/rows.html",
        include_str!("../../config/console/operations/rows.html"),
    ),
    (
        "operations/apart.html",
        include_str!("../../config/console/operations/apart.html"),
    ),
    (
        "operations/notifications.html",
        include_str!("../../config/console/operations/notifications.html"),
    ),
    (
        "operations/refusals.html",
        include_str!("../../config/console/operations/refusals.html"),
    ),
    (
        "operations/audit.html",
        include_str!("../../config/console/operations/audit.html"),
    ),
    (
        "operations/row.html",
        include_str!("../../config/console/operations/row.html"),
    ),
    (
        "operations/notification.html",
        include_str!("../../config/console/operations/notification.html"),
    ),
    (
        "operations/act.html",
        include_str!("../../config/console/operations/act.html"),
    ),
    (
        "operations/replay.html",
        include_str!("../../config/console/operations/replay.html"),
    ),
];

/// What these pages need of others: the timetable, and the providers.
#[async_trait]
pub trait Machinery: Send + Sync {
    /// When each schedule happens next.
    fn timetable(&self, now: Timestamp) -> Vec<Upcoming>;

    /// The endpoints of the settings, by name.
    fn endpoints(&self) -> Vec<String>;

    /// Who translates stored messages, made ready to prove them: keys that providers publish are here then, or can't be had.
    async fn translator(&self) -> Arc<dyn Retranslating>;
}

/// When a schedule happens next.
#[derive(Debug, Clone, Serialize)]
pub struct Upcoming {
    /// Its name.
    pub schedule: String,
    /// The key of the settings that says when.
    pub setting: String,
    /// When it happens next.
    pub next: Option<Timestamp>,
}

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/", get(overview::shown))
        .route("/apart", get(lists::apart))
        .route("/queue", get(async || Redirect::to("/queue/event")))
        .route("/queue/{kind}", get(lists::work))
        .route("/queue/{kind}/pause", get(holding::pausing).post(holding::paused))
        .route("/queue/{kind}/resume", get(holding::resuming).post(holding::resumed))
        .route("/queue/{kind}/{mend}", get(bulk::counted).post(bulk::done))
        .route("/row/{id}", get(row::work))
        .route("/row/{id}/{mend}", post(row::mended))
        .route("/notifications", get(lists::notifications))
        .route("/notifications/{id}", get(row::notification))
        .route("/refusals", get(lists::refusals))
        .route("/audit", get(lists::audit))
        .route("/schedules/{schedule}", get(schedules::asked).post(schedules::runs))
        .route("/replay", get(replaying::counted).post(replaying::done))
}

/// The kind of work that an address names.
fn kind(named: &str) -> Result<Work, Trouble> {
    Work::parse(named).ok_or(Trouble::NotFound)
}

/// The entry of the menu for all kinds of work.
const WORK: &str = "work";
