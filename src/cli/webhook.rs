//! `eencent webhook verify`: a recorded request, verified at leisure.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use eencent_activations::clock::{Clock as _, SystemClock, Timestamp};
use eencent_webhooks::Secret;
use eencent_webhooks::endpoint::EndpointSettings;
use eencent_webhooks::verify::{Question as Recorded, read_headers, verify_offline};

/// The question can't be asked: as clap exits on unusable arguments.
const UNUSABLE: u8 = 2;

/// What can be asked.
#[derive(Subcommand)]
pub enum Question {
    /// Is this request authentic, and what does it say? Prints JSON; exits 0 if it is, 1 if not.
    #[command(after_long_help = "Examples:\n  \
        eencent webhook verify --provider mollie --secret S --headers headers.txt --body body.json\n  \
        eencent webhook verify --provider stripe --secret whsec_… --headers h.txt --body b.json --at 1763630133\n  \
        eencent webhook verify --provider adyen --secret HEX --username u --password p --headers h.txt --body b.json\n\n\
        The headers file has one `Name: value` a line. The answer is {\"authentic\", \"reason\", \"notifications\"}. \
        The exit status is 2 when the question can't be asked: a file can't be read, a secret can't be decoded.")]
    Verify(VerifyArgs),
}

/// A recorded request, and what to verify it with.
#[derive(Args)]
pub struct VerifyArgs {
    /// Who signed it: mollie, adyen, stripe or standard_webhooks.
    #[arg(long)]
    provider: String,
    /// The webhook's secret; more than once to try several.
    #[arg(long = "secret", value_name = "SECRET", required = true, allow_hyphen_values = true)]
    secrets: Vec<String>,
    /// File with its headers, one `Name: value` a line.
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// File with its body, byte for byte.
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The address that it was posted to.
    #[arg(long, default_value = "https://localhost/")]
    url: String,
    /// The method that it came with.
    #[arg(long, default_value = "POST")]
    method: String,
    /// The moment to judge it at, in seconds since 1970; by default now.
    #[arg(long, value_name = "UNIX", allow_hyphen_values = true)]
    at: Option<i64>,
    /// User name of Basic auth, if the endpoint asks it.
    #[arg(long)]
    username: Option<String>,
    /// Password of Basic auth, if the endpoint asks it.
    #[arg(long)]
    password: Option<String>,
    /// The account that it must be for.
    #[arg(long)]
    account: Option<String>,
    /// Which money counts: live or test.
    #[arg(long)]
    mode: Option<String>,
}

/// Asks.
///
/// # Errors
/// When the answer can't be written.
pub fn run(question: Question) -> anyhow::Result<ExitCode> {
    let Question::Verify(args) = question;
    match answer(args) {
        Ok((authentic, json)) => {
            println!("{json}");
            Ok(if authentic {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Err(why) => {
            eprintln!("eencent: {why}");
            Ok(ExitCode::from(UNUSABLE))
        }
    }
}

fn answer(args: VerifyArgs) -> Result<(bool, String), String> {
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|error| format!("can't read {} ({error}); check its path and rights", path.display()))
    };
    let headers = String::from_utf8_lossy(&read(&args.headers)?).into_owned();
    let headers = read_headers(&headers).map_err(|why| format!("{}: {why}", args.headers.display()))?;
    let body = read(&args.body)?;
    let endpoint = EndpointSettings {
        provider: args.provider,
        account: args.account,
        mode: args.mode,
        secrets: args.secrets.into_iter().map(Secret::from).collect(),
        username: args.username,
        password: args.password.map(Secret::from),
        ..EndpointSettings::default()
    };
    let mut verification = verify_offline(&Recorded {
        endpoint: &endpoint,
        method: &args.method.to_uppercase(),
        url: &args.url,
        headers: &headers,
        body: &body,
        now: args.at.map_or_else(|| SystemClock.now(), Timestamp::from_unix_seconds),
    })
    .map_err(|why| in_arguments(&why))?;
    verification.reason = in_arguments(&verification.reason);
    let json = serde_json::to_string_pretty(&verification).map_err(|error| error.to_string())?;
    Ok((verification.authentic, json))
}

/// What is wrong is told by settings' keys; here it was said by arguments.
fn in_arguments(told: &str) -> String {
    told.replace("webhooks.offline.secrets", "--secret")
        .replace("webhooks.offline.", "--")
        .replace("EENCENT__WEBHOOKS__OFFLINE__SECRETS", "--secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_by_argument() {
        let folder = tempfile::tempdir().unwrap();
        let (headers, body) = (folder.path().join("h"), folder.path().join("b"));
        std::fs::write(&headers, "").unwrap();
        std::fs::write(&body, "{}").unwrap();
        for (provider, secret, argument) in [("moly", "x", "--provider"), ("adyen", "no hex", "--secret")] {
            let told = answer(VerifyArgs {
                provider: provider.to_owned(),
                secrets: vec![secret.to_owned()],
                headers: headers.clone(),
                body: body.clone(),
                url: "https://localhost/".to_owned(),
                method: "POST".to_owned(),
                at: None,
                username: None,
                password: None,
                account: None,
                mode: None,
            })
            .unwrap_err();
            assert!(told.contains(argument), "{told}");
            assert!(!told.contains("offline"), "{told}");
        }
    }
}
