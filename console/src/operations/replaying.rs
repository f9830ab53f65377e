//! Stored messages since a time, read again by today's program: counted first, with what would come of it where they are
//! not too many to try.

use axum::extract::{Query, State};
use axum::response::Response;
use eencent_activations::desk::operations::{Order, Replay, Replayed};
use eencent_activations::people::Permission;
use minijinja::context;
use serde::{Deserialize, Serialize};

use super::filter::instant;
use super::going_on::waited_for;
use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

/// Up to so many are tried before it is asked whether they should be.
const TRIED: i64 = 1_000;

/// Which messages, as the form has them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Meant {
    since: String,
    until: String,
    endpoint: String,
    all: String,
}

impl Meant {
    fn replay(&self, console: &Console) -> Result<Option<Replay>, Trouble> {
        let Some(since) = instant(&self.since, console)? else {
            return Ok(None);
        };
        let endpoint = Some(self.endpoint.clone()).filter(|endpoint| !endpoint.is_empty());
        if endpoint
            .as_ref()
            .is_some_and(|named| !console.machinery.endpoints().contains(named))
        {
            return Err(Trouble::Unreadable);
        }
        Ok(Some(Replay {
            since,
            until: instant(&self.until, console)?,
            endpoint,
            all: !self.all.is_empty(),
            dry_run: false,
        }))
    }
}

pub(super) async fn counted(
    State(console): State<Console>,
    visitor: Visitor,
    Query(meant): Query<Meant>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let (mut many, mut would) = (None, None);
    if let Some(replay) = meant.replay(&console)? {
        let counted = console.desk.count_messages(&replay).await?;
        many = Some(counted);
        if (1..=TRIED).contains(&counted) {
            let dry_run = Replay {
                dry_run: true,
                ..replay
            };
            would = ordered(&console, &visitor, dry_run, "only looked".to_owned()).await?;
        }
    }
    let with = context! {
        meant, many,
        endpoints => console.machinery.endpoints(),
        would => would.as_ref().map(told),
        report => (),
    };
    Ok(console.page(&visitor, "notifications", "operations/replay.html", &with))
}

#[derive(Deserialize)]
pub(super) struct Ordered {
    reason: String,
    #[serde(flatten)]
    meant: Meant,
}

pub(super) async fn done(
    State(console): State<Console>,
    Sent { visitor, form }: Sent<Ordered>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Operate)?;
    let replay = form.meant.replay(&console)?.ok_or(Trouble::Unreadable)?;
    let replayed = ordered(&console, &visitor, replay, form.reason.trim().to_owned()).await?;
    let with = context! { report => context! { done => replayed.as_ref().map(told) } };
    Ok(console.page(&visitor, "notifications", "operations/replay.html", &with))
}

async fn ordered(
    console: &Console,
    visitor: &Visitor,
    replay: Replay,
    reason: String,
) -> Result<Option<Replayed>, Trouble> {
    let (desk, machinery, actor) = (console.desk.clone(), console.machinery.clone(), visitor.actor());
    waited_for(async move {
        let translator = machinery.translator().await;
        let order = Order {
            actor: &actor,
            reason: &reason,
        };
        desk.replay(&replay, translator.as_ref(), order, |_| {}).await
    })
    .await
}

fn told(replayed: &Replayed) -> minijinja::Value {
    let events: Vec<_> = replayed
        .events
        .iter()
        .map(|(reading, many)| context! { reading, many })
        .collect();
    context! {
        messages => replayed.messages,
        left => replayed.left,
        why => replayed.why,
        waiting => replayed.waiting(),
        events,
    }
}
