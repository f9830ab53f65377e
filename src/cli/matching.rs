//! `eencent match`: one comparison, or a file of many.

mod many;
mod summary;

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
    /// The country of the register, as two letters; the Netherlands when left out.
    #[arg(long, value_name = "COUNTRY", requires = "account_name")]
    country: Option<String>,
    /// Tell the reasons in this language.
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = ["en", "nl"], conflicts_with = "input")]
    language: String,
    /// Print all of the evidence as JSON.
    #[arg(long, conflicts_with = "input")]
    json: bool,
    /// A CSV file of many; a summary is printed, with a confusion table when the file says what is expected.
    #[arg(long, value_name = "FILE", conflicts_with = "account_name")]
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
    if let Some(input) = &args.input {
        return many::run(input, args.output.as_deref());
    }
    let account_name = args.account_name.as_deref().unwrap_or_default();
    let legal_name = args.name.as_deref().unwrap_or_default();
    let names = RegisteredNames {
        legal_name,
        trade_names: &args.trade_names,
        legal_form: args.legal_form.as_deref(),
        country: args.country.as_deref(),
    };
    let evidence = compare(account_name, &names);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&evidence)?);
    } else {
        let language = if args.language == "nl" {
            Language::Dutch
        } else {
            Language::English
        };
        print!("{}", told(&evidence, legal_name, &args.trade_names, language));
    }
    Ok(ExitCode::SUCCESS)
}

/// The evidence for people: the names, the words beside each other, what was folded, why, and the verdict.
fn told(evidence: &Evidence, legal_name: &str, trade_names: &[String], language: Language) -> String {
    let word = |english, dutch| match language {
        Language::English => english,
        Language::Dutch => dutch,
    };
    let mut lines = Vec::new();
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<16} {value}"));
    line(word("account holder", "rekeninghouder"), &evidence.account_name_shown);
    line(word("statutory name", "statutaire naam"), legal_name);
    for name in trade_names {
        line(word("trade name", "handelsnaam"), name);
    }
    if let Some(name) = &evidence.matched_name {
        line(word("closest", "dichtstbij"), name);
    }
    if !evidence.words.is_empty() {
        line("", "");
    }
    for pair in &evidence.words {
        let registered = match pair.registered.as_str() {
            "" => word("(joins the names)", "(verbindt de namen)"),
            registered => registered,
        };
        let account = if pair.account.is_empty() { "-" } else { &pair.account };
        line(account, &format!("= {registered}"));
    }
    for (name, left) in [
        (word("only on account", "alleen rekening"), &evidence.left_over_account),
        (
            word("only registered", "alleen register"),
            &evidence.left_over_registered,
        ),
    ] {
        if !left.is_empty() {
            line(name, &left.join(", "));
        }
    }
    if !evidence.folded.is_empty() {
        let folded: Vec<&str> = evidence.folded.iter().map(|folding| folding.text(language)).collect();
        line(word("folded", "gelijkgesteld"), &folded.join(", "));
    }
    line("", "");
    lines.extend(
        evidence
            .reasons
            .iter()
            .map(|reason| format!("- {}", reason.text(language))),
    );
    lines.push(String::new());
    lines.push(format!(
        "{} ({} {} {} 100)",
        evidence.verdict.as_str(),
        word("score", "score"),
        evidence.score,
        word("of", "van")
    ));
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(account: &str, language: Language) -> String {
        let trade = vec!["De Blauwe Zeewolf".to_owned()];
        let names = RegisteredNames {
            legal_name: "Stichting Meeuw & Kwal",
            trade_names: &trade,
            legal_form: Some("Stichting"),
            country: None,
        };
        told(&compare(account, &names), names.legal_name, &trade, language)
    }

    #[test]
    fn a_match_shows_the_words_beside_each_other() {
        insta::assert_snapshot!(
            "match-evidence-en",
            asked("STG MEEUW EN KWAL h.o.d.n. DE BLAUWE ZEE WOLF", Language::English)
        );
    }

    #[test]
    fn a_review_shows_what_is_left_over_in_dutch_too() {
        insta::assert_snapshot!(
            "match-evidence-nl",
            asked("Stichting Vrienden van Meeuw en Kwal", Language::Dutch)
        );
    }
}
