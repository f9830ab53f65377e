//! `eencent bench`: measuring an installation, with activations and load made for it.

mod load;
mod seed;

use std::process::ExitCode;

use clap::Subcommand;

use crate::settings::Settings;

/// What to do.
#[derive(Subcommand)]
pub enum Act {
    /// Load activations with references and names from a file, into a database for the measurement alone.
    #[command(after_long_help = "Examples:\n  \
        eencent bench seed activations.tsv\n\n\
        A line an activation, its columns separated by tabs: reference, organisation name, e-mail, and the name that \
        the bank will report, which is not looked at here. References are taken as they are; names count as a register's. \
        All lines are loaded, or none. A database with organisations of another origin is refused.")]
    Seed(seed::SeedArgs),
    /// Send signed notifications to a running server, and tell how it answered.
    #[command(after_long_help = "Examples:\n  \
        eencent bench load --secret whsec_… http://127.0.0.1:8080/webhooks/bank               as fast as it goes\n  \
        eencent bench load --secret whsec_… --rate 500 http://127.0.0.1:8080/webhooks/bank    500 a second, due at fixed times\n  \
        eencent bench load --provider stripe --secret S --activations activations.tsv http://127.0.0.1:8080/webhooks/stripe\n\n\
        With --rate, latency counts from when a message was due, not from when a connection was free to send it. \
        The messages say that money came in: send them to an installation that is there to be measured. \
        An address of another machine is refused without --remote.")]
    Load(load::LoadArgs),
}

/// Does it.
///
/// # Errors
/// What went wrong, as a sentence that says what to do.
pub async fn run(act: Act, settings: impl FnOnce() -> anyhow::Result<Settings>) -> anyhow::Result<ExitCode> {
    match act {
        Act::Seed(args) => seed::run(args, settings()?).await,
        Act::Load(args) => load::run(args).await,
    }
}
