//! `eencent queue status|list|show|retry|drop|pause|resume`

mod listing;

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use eencent_activations::clock::{Clock as _, SystemClock, Timestamp};
use eencent_activations::desk::operations::mending::{Counted, Mend};
use eencent_activations::desk::operations::{Order, Sought, Standing};
use eencent_activations::desk::{Actor, Desk};
use eencent_activations::ledger::Work;
use indicatif::{ProgressBar, ProgressStyle};

use super::{moment, offline};
use crate::settings::Settings;

/// What to do with work.
#[derive(Subcommand)]
pub enum Act {
    /// Tell how much of each kind waits, since when, and what failed or is paused.
    Status {
        /// The whole overview as JSON: the flow of the last day, latency, workers, endpoints.
        #[arg(long)]
        json: bool,
    },
    /// List rows, the newest first.
    List {
        /// What to list; without it every kind of work.
        #[arg(long, value_enum)]
        kind: Option<Listed>,
        #[command(flatten)]
        filter: Filter,
        /// The oldest first.
        #[arg(long)]
        oldest: bool,
        /// At most so many of each kind.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Go on behind this row, as the end of a list tells.
        #[arg(long, value_name = "ROW")]
        after: Option<String>,
        /// Print rows as JSON, one a line.
        #[arg(long)]
        json: bool,
    },
    /// Show one row with every attempt, or one message with its body masked.
    Show {
        /// Its id, as `list` shows it.
        id: String,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Try one row again at once, or all that a filter finds.
    Retry(Mending),
    /// Never try one row again, or all that a filter finds; they stay visible, with the reason.
    Drop(Mending),
    /// Hold a kind of work back, on all machines; what is begun goes on.
    Pause {
        /// Which kind.
        #[arg(value_enum)]
        kind: Kind,
        #[command(flatten)]
        who: Who,
    },
    /// Let a kind of work go on.
    Resume {
        /// Which kind.
        #[arg(value_enum)]
        kind: Kind,
        #[command(flatten)]
        who: Who,
    },
}

/// Which rows.
#[derive(Args)]
pub struct Filter {
    /// Only those that stand so.
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only of this endpoint, provider, kind of e-mail, method, actor or code, as the list shows it.
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// Only what came from then on.
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    since: Option<Timestamp>,
    /// Only what came before.
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    until: Option<Timestamp>,
    /// Only what this names: an id of ours or of the provider, or a payment reference.
    #[arg(long, value_name = "ID|REFERENCE")]
    named: Option<String>,
}

/// What is retried or dropped.
#[derive(Args)]
pub struct Mending {
    /// One row, by its id; without it, all that the filter finds.
    id: Option<String>,
    /// Which kind, where a filter is used.
    #[arg(long, value_enum, conflicts_with = "id")]
    kind: Option<Kind>,
    #[command(flatten)]
    filter: Filter,
    /// Do it to so many, as they were counted before; without it they are only counted.
    #[arg(long, value_name = "MANY", conflicts_with = "id")]
    count: Option<usize>,
    /// Who asks for it; goes into the audit.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why; goes into the audit.
    #[arg(long)]
    reason: Option<String>,
}

/// Who does it.
#[derive(Args)]
pub struct Who {
    /// Who asks for it; goes into the audit.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why; goes into the audit.
    #[arg(long)]
    reason: String,
}

/// A kind of work.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// A notification to decide on.
    Event,
    /// An approval to carry out.
    Approval,
    /// An e-mail to hand over.
    Email,
    /// Something to read from a provider's API.
    Reread,
    /// A payment to make at a provider.
    Checkout,
    /// A delivery of an event to the platform.
    Delivery,
    /// Names to fetch from their register.
    Names,
}

impl Kind {
    const fn work(self) -> Work {
        match self {
            Self::Event => Work::Event,
            Self::Approval => Work::Approval,
            Self::Email => Work::Email,
            Self::Reread => Work::Reread,
            Self::Checkout => Work::Checkout,
            Self::Delivery => Work::Delivery,
            Self::Names => Work::Names,
        }
    }
}

/// What can be listed.
#[derive(Clone, Copy, ValueEnum)]
pub enum Listed {
    /// Notifications that are decided on.
    Event,
    /// Approvals to carry out.
    Approval,
    /// E-mails.
    Email,
    /// What is read from providers' APIs.
    Reread,
    /// Payments that are made at providers.
    Checkout,
    /// Deliveries of events to the platform.
    Delivery,
    /// Names that are fetched from their register.
    Names,
    /// Messages as they came in, with their events.
    Notification,
    /// Requests that were not believed, in samples.
    Refusal,
    /// Acts of persons, keys and the system.
    Audit,
}

/// How a row stands.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum State {
    /// It waits for its turn.
    Waiting,
    /// It waits, and has failed before.
    PutOff,
    /// It was set apart, or given up.
    Failed,
    /// A person dropped it.
    Dropped,
    /// It is done with.
    Done,
}

impl Filter {
    fn sought(self) -> Sought {
        Sought {
            standing: self.state.map(|state| match state {
                State::Waiting => Standing::Waiting,
                State::PutOff => Standing::PutOff,
                State::Failed => Standing::Failed,
                State::Dropped => Standing::Dropped,
                State::Done => Standing::Done,
            }),
            of: self.of,
            since: self.since,
            until: self.until,
            text: self.named,
            ..Sought::default()
        }
    }
}

/// Does it.
///
/// # Errors
/// When the database can't be used, or what is asked can't be done; the sentence says what to do.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = act_on(act, &desk).await;
    store.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

async fn act_on(act: Act, desk: &Desk) -> anyhow::Result<()> {
    match act {
        Act::Status { json } => listing::status(desk, json).await,
        Act::List {
            kind,
            filter,
            oldest,
            limit,
            after,
            json,
        } => {
            let sought = Sought {
                oldest_first: oldest,
                limit,
                after,
                ..filter.sought()
            };
            listing::list(desk, kind, &sought, json).await
        }
        Act::Show { id, json } => listing::show(desk, &id, json).await,
        Act::Retry(mending) => mend(desk, Mend::Retry, mending).await,
        Act::Drop(mending) => mend(desk, Mend::Drop, mending).await,
        Act::Pause { kind, who } => {
            let actor = Actor::command_line().as_person(&who.by);
            let order = Order {
                actor: &actor,
                reason: &who.reason,
            };
            if desk.pause_work(kind.work(), order).await? {
                println!(
                    "Nothing of kind {0} is begun any more, on any machine; `eencent queue resume {0}` lets it go on.",
                    kind.work()
                );
            } else {
                println!("It is paused already; `eencent queue status` tells by whom.");
            }
            Ok(())
        }
        Act::Resume { kind, who } => {
            let actor = Actor::command_line().as_person(&who.by);
            let order = Order {
                actor: &actor,
                reason: &who.reason,
            };
            if desk.resume_work(kind.work(), order).await? {
                println!("It goes on; what waited is done by a server or worker that runs.");
            } else {
                println!("It is not paused.");
            }
            Ok(())
        }
    }
}

async fn mend(desk: &Desk, mend: Mend, mending: Mending) -> anyhow::Result<()> {
    let Mending {
        id,
        kind,
        filter,
        count,
        by,
        reason,
    } = mending;
    let word = match mend {
        Mend::Retry => "retry",
        Mend::Drop => "drop",
    };
    let said = || -> anyhow::Result<(Actor, String)> {
        match (by, reason) {
            (Some(by), Some(reason)) => Ok((Actor::command_line().as_person(&by), reason)),
            _ => anyhow::bail!("say who and why: --by NAME --reason TEXT; both go into the audit"),
        }
    };
    if let Some(id) = id {
        let (actor, reason) = said()?;
        let order = Order {
            actor: &actor,
            reason: &reason,
        };
        desk.mend(mend, &id, order).await?;
        println!("Done: {word} {id}. `eencent queue show {id}` tells how it goes.");
        return Ok(());
    }
    let Some(kind) = kind else {
        anyhow::bail!("name one row by its id, or a filter: --kind KIND --state STATE");
    };
    let (work, sought) = (kind.work(), filter.sought());
    let found = desk.count_work(work, &sought).await?;
    let Some(count) = count else {
        println!("{} of kind {work} are found. Nothing was changed.", found.many);
        if found.many > 0 {
            println!(
                "To {word} them: the same with --count {} --by NAME --reason TEXT",
                found.many
            );
        }
        return Ok(());
    };
    let (actor, reason) = said()?;
    let order = Order {
        actor: &actor,
        reason: &reason,
    };
    let counted = Counted {
        many: count,
        at: SystemClock.now(),
    };
    let bar = progress(u64::try_from(count.min(found.many)).unwrap_or(0), "rows");
    let mended = desk
        .mend_all(mend, (work, &sought), counted, order, |so_far| {
            bar.set_position(u64::try_from(so_far.done + so_far.skipped).unwrap_or(0));
        })
        .await;
    bar.finish_and_clear();
    let mended = mended?;
    println!("{} done, {} skipped.", mended.done, mended.skipped);
    if mended.skipped > 0 {
        println!("Skipped were those that changed meanwhile, are being worked on, or can't be tried again.");
    }
    if found.many > count {
        println!(
            "{} more are found than were counted; look at them first.",
            found.many - count
        );
    }
    Ok(())
}

/// Shows how far something long is.
pub fn progress(all: u64, of_what: &str) -> ProgressBar {
    let bar = ProgressBar::new(all);
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}} of {{len}} {of_what}, {{eta}} to go"))
    {
        bar.set_style(style);
    }
    bar
}
