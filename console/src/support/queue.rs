//! What waits for a decision, oldest first; and taking the next one.

use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use eencent_activations::desk::operations::Order;
use eencent_activations::desk::support::{QueueFilter, Whose};
use eencent_activations::people::Permission;
use eencent_activations::state::Method;
use minijinja::context;
use serde::{Deserialize, Serialize};

use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

/// Rows of a page.
const ROWS: u32 = 50;

/// How long something may wait before it is marked: an office day.
const TARGET: Duration = Duration::from_secs(8 * 3_600);

pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/queue", get(list))
        .route("/queue/next", post(next))
}

/// What was chosen; empty is all.
#[derive(Deserialize, Serialize, Default, Clone)]
struct Chosen {
    #[serde(default)]
    asked: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    provider: String,
    /// `me`, `nobody`, or an account.
    #[serde(default)]
    whose: String,
    /// Hours.
    #[serde(default)]
    older: String,
    #[serde(default)]
    after: String,
}

impl Chosen {
    fn filter(&self, console: &Console, visitor: &Visitor) -> QueueFilter {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        QueueFilter {
            information_requested: self.asked == "yes",
            reason: some(&self.reason),
            method: Method::parse(&self.method),
            provider: some(&self.provider),
            whose: match self.whose.as_str() {
                "" => None,
                "nobody" => Some(Whose::Nobodys),
                "me" => Some(Whose::Of(visitor.person.account.clone())),
                account => Some(Whose::Of(account.to_owned())),
            },
            before: self
                .older
                .parse()
                .ok()
                .map(|hours: u32| console.clock.now().minus(Duration::from_secs(u64::from(hours) * 3_600))),
            after: some(&self.after),
            limit: ROWS,
        }
    }

    /// The same with another page, as an address.
    fn address(&self, after: &str) -> String {
        let asked = Self {
            after: after.to_owned(),
            ..self.clone()
        };
        format!("/queue?{}", serde_urlencoded::to_string(asked).unwrap_or_default())
    }
}

async fn list(
    State(console): State<Console>,
    visitor: Visitor,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let filter = chosen.filter(&console, &visitor);
    let (page, counts) = tokio::try_join!(console.desk.queue(&filter), console.desk.queue_counts(&filter))?;
    let with = context! {
        more => page.next.as_deref().map(|next| chosen.address(next)),
        rows => page.rows,
        overdue => console.clock.now().minus(TARGET),
        counts, chosen,
        filtered => !(chosen.reason.is_empty() && chosen.method.is_empty() && chosen.provider.is_empty()
            && chosen.whose.is_empty() && chosen.older.is_empty()),
    };
    Ok(console.page(&visitor, "queue", "support/queue.html", &with))
}

async fn next(State(console): State<Console>, Sent { visitor, form }: Sent<Chosen>) -> Result<Response, Trouble> {
    visitor.must(Permission::Decide)?;
    let filter = QueueFilter {
        after: None,
        ..form.filter(&console, &visitor)
    };
    let actor = visitor.actor();
    let order = Order {
        actor: &actor,
        reason: "next",
    };
    let claimed = console.desk.claim_next(order, &visitor.person.account, &filter).await?;
    let there = claimed.map_or_else(|| form.address(""), |id| format!("/activations/{id}"));
    Ok(Redirect::to(&there).into_response())
}
