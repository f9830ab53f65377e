//! `eencent explain`

use std::process::ExitCode;

use clap::Args;

use super::offline;
use crate::settings::Settings;

/// What to explain.
#[derive(Args)]
pub struct ExplainArgs {
    /// An activation's id or payment reference, a provider's event or payment, an `X-Request-Id`, or an endpoint.
    #[arg(value_name = "ACTIVATION|EVENT|REFERENCE")]
    what: String,
    /// Print the record as JSON.
    #[arg(long)]
    json: bool,
}

/// Explains.
///
/// # Errors
/// When the database can't be used, or nothing is known of what is asked.
pub async fn run(args: ExplainArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let explained = desk.explain(&args.what).await;
    let zone = desk.rules().hours().clone();
    store.close().await;
    let Some(explained) = explained? else {
        eprintln!(
            "Nothing is known of {}.\n\n\
             What can be asked: an activation's id (act_…) or payment reference (RF…), a provider's event or payment \
             as it names it, the X-Request-Id of an answer, or the name of an endpoint for its last refusals. \
             Refused requests are recorded in samples, without their bodies.",
            args.what
        );
        return Ok(ExitCode::FAILURE);
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&explained)?);
    } else {
        print!("{}", crate::explain::page(&explained, &zone));
    }
    Ok(ExitCode::SUCCESS)
}
