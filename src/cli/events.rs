//! `eencent events list|resend`

use std::process::ExitCode;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use eencent_activations::clock::{Clock as _, SystemClock, Timestamp};
use eencent_activations::desk::Desk;

use super::offline;
use crate::settings::Settings;

/// What to do with events for the platform.
#[derive(Subcommand)]
pub enum Act {
    /// List deliveries, the newest first.
    List {
        /// Only those that stand so.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// How many days back.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Deliver one event again, or all that were given up.
    Resend {
        /// The event's id, as `webhook-id` had it; without it, all that were given up.
        event: Option<String>,
        /// To this endpoint only; by default to all that are in the settings.
        #[arg(long)]
        endpoint: Option<String>,
        /// How many days back, where all are delivered again.
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// Who asks for it; goes into the audit.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why; goes into the audit.
        #[arg(long)]
        reason: String,
    },
}

/// How a delivery stands.
#[derive(Clone, Copy, ValueEnum)]
pub enum State {
    /// It is tried, or will be.
    Waiting,
    /// The platform has it.
    Delivered,
    /// It was given up.
    Failed,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// Does it.
///
/// # Errors
/// When the database can't be used, or there is nothing to deliver again.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = act_on(act, &desk).await;
    store.close().await;
    done
}

fn days_ago(days: u32) -> Timestamp {
    let back = Duration::from_secs(u64::from(days) * 86_400);
    let micros = i64::try_from(back.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(SystemClock.now().micros().saturating_sub(micros))
}

async fn act_on(act: Act, desk: &Desk) -> anyhow::Result<ExitCode> {
    match act {
        Act::List { state, days, limit } => {
            let found = desk.deliveries(state.map(State::as_str), days_ago(days), limit).await?;
            if found.is_empty() {
                println!("There are no such deliveries in the last {days} days.");
            }
            for one in found {
                let more = match (one.delivered_at, one.next_attempt_at, one.last_error) {
                    (Some(at), ..) => format!(" {at}"),
                    (None, Some(at), Some(error)) => format!(", again {at}: {error}"),
                    (None, _, Some(error)) => format!(": {error}"),
                    (None, _, None) => String::new(),
                };
                println!(
                    "{}  {}  {}  to {}  {}{more}",
                    one.event, one.kind, one.activation, one.endpoint, one.state
                );
            }
        }
        Act::Resend {
            event,
            endpoint,
            days,
            by,
            reason,
        } => {
            let wanted = event.as_deref();
            let many = desk
                .deliver_again(wanted, endpoint.as_deref(), days_ago(days), (&by, &reason))
                .await?;
            if many == 0 {
                anyhow::bail!(
                    "there is nothing to deliver again: no such event, none that was given up, or no endpoint of [events] that wants it; `eencent events list` shows what there is"
                );
            }
            println!("{many} to be delivered again, by a server or worker that runs.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
