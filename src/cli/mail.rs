//! `eencent mail stop|start|status|list|resend|preview`

mod preview;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use eencent_activations::clock::{Clock as _, SystemClock, Timestamp};
use eencent_activations::desk::{Desk, EmailOf};
use eencent_activations::store::Store;

use super::offline;
use crate::settings::Settings;

/// What to do with e-mails.
#[derive(Subcommand)]
pub enum Act {
    /// Hold all e-mails back, on all machines, until `start`.
    Stop(Who),
    /// Let them go again.
    Start(Who),
    /// Tell whether they are held back, and how many wait.
    Status,
    /// List e-mails, the newest first.
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
    /// Send an e-mail once more, given up or sent, to the creator's address as it is now.
    Resend {
        /// Its id, as `list` and `eencent explain` show it.
        id: String,
        #[command(flatten)]
        who: Who,
    },
    /// Show e-mails with sample data, by the templates that are set; without arguments, which there are.
    Preview(preview::PreviewArgs),
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

/// How an e-mail stands.
#[derive(Clone, Copy, ValueEnum)]
pub enum State {
    /// It is tried, or will be.
    Waiting,
    /// The mail server has it.
    Sent,
    /// It was given up.
    Failed,
    /// Its link ended before it was sent.
    Withdrawn,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Does it.
///
/// # Errors
/// When the database can't be used, or the e-mail can't be sent again.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    if let Act::Preview(args) = act {
        return preview::run(&args, &settings);
    }
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = act_on(act, &settings, &store, &desk).await;
    store.close().await;
    done
}

async fn act_on(act: Act, settings: &Settings, store: &Store, desk: &Desk) -> anyhow::Result<ExitCode> {
    match act {
        Act::Stop(who) => {
            if desk.stop_mail(&who.by, &who.reason).await? {
                println!(
                    "No e-mail is begun any more; `eencent mail start` lets them go. Those under way may still arrive."
                );
            } else {
                println!("They are held back already; `eencent mail status` tells by whom.");
            }
        }
        Act::Start(who) => {
            if desk.start_mail(&who.by, &who.reason).await? {
                println!("E-mails go again; what waited is sent within seconds by a server or worker that runs.");
            } else {
                println!("They are not held back.");
            }
        }
        Act::Status => {
            match store.mail_stop().await? {
                Some(stop) => println!(
                    "E-mails are held back by {} since {}: {}",
                    stop.by, stop.at, stop.reason
                ),
                None => match settings.jobs.most_emails_a_minute() {
                    0 => println!("E-mails go."),
                    most => println!("E-mails go, at most {most} a minute."),
                },
            }
            let waiting = store.waiting(SystemClock.now()).await?;
            let emails = waiting.iter().find(|row| row.what == "email");
            println!("{} wait.", emails.map_or(0, |row| row.count));
        }
        Act::List { state, days, limit } => {
            let found = desk
                .emails_since(state.map(State::as_str), days_ago(days), limit)
                .await?;
            if found.is_empty() {
                println!("There are no such e-mails in the last {days} days.");
            }
            for one in &found {
                println!("{}", line(one));
            }
        }
        Act::Resend { id, who } => {
            desk.send_again(&id, (&who.by, &who.reason)).await?;
            println!("It is sent again by a server or worker that runs.");
        }
        Act::Preview(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn line(one: &EmailOf) -> String {
    let email = &one.email;
    let more = match (email.sent_at, &email.problem, &email.last_error) {
        (Some(at), ..) => format!(" {at}"),
        (None, problem, Some(said)) => {
            let words = problem.as_ref().map(|problem| format!("{} ", problem.text));
            let again = email.next_attempt_at.map(|at| format!(", again {at}"));
            format!("{}: {}({said})", again.unwrap_or_default(), words.unwrap_or_default())
        }
        _ => String::new(),
    };
    format!(
        "{}  {}  {}  to {}  {}{more}",
        email.id,
        email.kind,
        one.activation.as_deref().unwrap_or("(to the house)"),
        email.recipient_masked.as_deref().unwrap_or("(purged)"),
        email.state
    )
}

fn days_ago(days: u32) -> Timestamp {
    let back = Duration::from_secs(u64::from(days) * 86_400);
    let micros = i64::try_from(back.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(SystemClock.now().micros().saturating_sub(micros))
}
