//! `eencent match`: one comparison, or a file of many.

mod many;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eencent_matching::{Evidence, Language, RegisteredNames, compare};

/// What to compare.
#[derive(Args)]
pub struct MatchArgs {
    /// The account holder, as the bank reports it.
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "input",
        requires = "name",
        allow_hyphen_values = true
    )]
    account_name: Option<String>,
    /// The organisation's statutory name.
    #[arg(long, value_name = "NAME", requires = "account_name", allow_hyphen_values = true)]
    name: Option<String>,
    /// A registered trade name; more than once for more.
    #[arg(
        long = "trade-name",
        value_name = "NAME",
        requires = "account_name",
        allow_hyphen_values = true
    )]
    trade_names: Vec<String>,
    /// The legal form, in the register's own words.
    #[arg(long, value_name = "FORM", requires = "account_name")]
    legal_form: Option<String>,
    /// Print all of the evidence as JSON.
    #[arg(long, conflicts_with = "input")]
    json: bool,
    /// A CSV file of many.
    #[arg(long, value_name = "FILE", requires = "output", conflicts_with = "account_name")]
    input: Option<PathBuf>,
    /// Where their verdicts go.
    #[arg(long, value_name = "FILE", requires = "input")]
    output: Option<PathBuf>,
}

/// Compares.
///
/// # Errors
/// When a file can't be read or written, or a row of it got no verdict.
pub fn run(args: &MatchArgs) -> anyhow::Result<ExitCode> {
    if let (Some(input), Some(output)) = (&args.input, &args.output) {
        return many::run(input, output);
    }
    let account_name = args.account_name.as_deref().unwrap_or_default();
    let legal_name = args.name.as_deref().unwrap_or_default();
    let names = RegisteredNames {
        legal_name,
        trade_names: &args.trade_names,
        legal_form: args.legal_form.as_deref(),
    };
    let evidence = compare(account_name, &names);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&evidence)?);
    } else {
        print!("{}", told(&evidence, legal_name, &args.trade_names));
    }
    Ok(ExitCode::SUCCESS)
}

fn told(evidence: &Evidence, legal_name: &str, trade_names: &[String]) -> String {
    let mut lines = vec![
        format!("account holder   {}", evidence.account_name_shown),
        format!("statutory name   {legal_name}"),
    ];
    lines.extend(trade_names.iter().map(|name| format!("trade name       {name}")));
    if let Some(name) = &evidence.matched_name {
        lines.push(format!("closest          {name}"));
    }
    lines.push(String::new());
    lines.extend(
        evidence
            .reasons
            .iter()
            .map(|reason| format!("- {}", reason.text(Language::English))),
    );
    lines.push(String::new());
    lines.push(format!(
        "{} (score {} of 100)",
        evidence.verdict.as_str(),
        evidence.score
    ));
    lines.join("\n") + "\n"
}
