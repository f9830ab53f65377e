//! Retry or drop all that a filter finds: a page that counts them first, and one that tells what came of it.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::operations::mending::{Counted, Mend};
use eencent_activations::people::Permission;
use minijinja::context;
use serde::Deserialize;

use super::filter::Filter;
use super::going_on::waited_for;
use super::row::mend_of;
use super::{WORK, kind};
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

const fn act(mend: Mend) -> &'static str {
    match mend {
        Mend::Retry => "retry",
        Mend::Drop => "drop",
    }
}

pub(super) async fn counted(
    State(console): State<Console>,
    visitor: Visitor,
    Path((named, mend)): Path<(String, String)>,
    Query(filter): Query<Filter>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let (work, mend) = (kind(&named)?, mend_of(&mend)?);
    let counted = console.desk.count_work(work, &filter.sought(&console)?).await?;
    let with = context! {
        act => act(mend),
        kind => work.as_str(),
        to => format!("/queue/{work}/{}", act(mend)),
        back => filter.address(&format!("/queue/{work}"), None),
        many => counted.many,
        at => counted.at,
        filter,
        report => (),
    };
    Ok(console.page(&visitor, WORK, "operations/act.html", &with))
}

#[derive(Deserialize)]
pub(super) struct Meant {
    count: String,
    at: String,
    reason: String,
    #[serde(flatten)]
    filter: Filter,
}

pub(super) async fn done(
    State(console): State<Console>,
    Path((named, mend)): Path<(String, String)>,
    Sent { visitor, form }: Sent<Meant>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let (work, mend) = (kind(&named)?, mend_of(&mend)?);
    let sought = form.filter.sought(&console)?;
    let counted = Counted {
        many: form.count.parse().map_err(|_| Trouble::Unreadable)?,
        at: Timestamp::parse_rfc3339(&form.at).ok_or(Trouble::Unreadable)?,
    };
    let (desk, actor, reason) = (console.desk.clone(), visitor.actor(), form.reason.trim().to_owned());
    let mended = waited_for(async move {
        let order = Order {
            actor: &actor,
            reason: &reason,
        };
        desk.mend_all(mend, (work, &sought), counted, order, |_| {}).await
    })
    .await?;
    let with = context! {
        act => act(mend),
        kind => work.as_str(),
        back => form.filter.address(&format!("/queue/{work}"), None),
        report => context! { mended },
    };
    Ok(console.page(&visitor, WORK, "operations/act.html", &with))
}
