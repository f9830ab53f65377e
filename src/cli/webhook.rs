//! `eencent webhook`: a recorded request, verified at leisure; a signed example, sent.

mod send;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use eencent_activations::clock::{Clock as _, SystemClock, Timestamp};
use eencent_webhooks::Secret;
use eencent_webhooks::endpoint::EndpointSettings;
use eencent_webhooks::providers::{ALL, Provider};
use eencent_webhooks::vectors;
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
        eencent webhook verify --vectors vectors.json\n\n\
        The headers file has one `Name: value` a line. The answer is {\"authentic\", \"reason\", \"notifications\"}. \
        With --vectors it is a line {\"id\", \"authentic\", \"reason\"} for each vector, and 1 is the exit status when \
        any differs from what the file expects. \
        The exit status is 2 when the question can't be asked: a file can't be read, a secret can't be decoded.")]
    Verify(VerifyArgs),
    /// Post a signed example to any address; tries a deployment before its provider is connected.
    #[command(after_long_help = "Examples:\n  \
        eencent webhook send --provider mollie --secret S --reference RF48K7M29QTX4BCD http://127.0.0.1:8080/webhooks/mollie\n  \
        eencent webhook send --provider worldline --key KEY-ID=S https://pay.example.nl/webhooks/worldline\n  \
        eencent webhook send --provider adyen --secret HEX --basic-auth u:p https://pay.example.nl/webhooks/adyen\n  \
        eencent webhook send --provider bunq --private-key test.pem http://127.0.0.1:8080/webhooks/bunq\n\n\
        It prints what the receiver answers; the exit status is 1 when that isn't a success. It says of live money that \
        it came in: whoever has the secret could do the same, so send it to your own deployment, with a reference of your own.")]
    Send(send::SendArgs),
}

/// A recorded request, and what to verify it with.
#[derive(Args, Default)]
pub struct VerifyArgs {
    /// Judge every vector of a file, each by its own scheme and keys, and print a line for each.
    #[arg(long, value_name = "FILE", exclusive = true)]
    vectors: Option<PathBuf>,
    /// Who signed it.
    #[arg(long, required_unless_present = "vectors", value_parser = providers())]
    provider: Option<String>,
    /// The webhook's secret, or the sender's public key in PEM; more than once to try several.
    #[arg(long = "secret", value_name = "SECRET", allow_hyphen_values = true)]
    secrets: Vec<String>,
    /// The same by the id of the key that messages name (worldline, paynl).
    #[arg(long = "key", value_name = "ID=SECRET", value_parser = key_of_id)]
    keys: Vec<(String, String)>,
    /// File with the public keys that the provider publishes (ponto, rabo_v3).
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Who has to have issued its token (ponto).
    #[arg(long)]
    issuer: Option<String>,
    /// The hash function of a form push (buckaroo): sha1, sha256 or sha512.
    #[arg(long)]
    algorithm: Option<String>,
    /// File with its headers, one `Name: value` a line.
    #[arg(long, value_name = "FILE", required_unless_present = "vectors")]
    headers: Option<PathBuf>,
    /// File with its body, byte for byte.
    #[arg(long, value_name = "FILE", required_unless_present = "vectors")]
    body: Option<PathBuf>,
    /// The address that it was posted to, as the provider knows it.
    #[arg(long)]
    url: Option<String>,
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
    let args = match question {
        Question::Send(args) => return super::wait_for(send::run(args)),
        Question::Verify(args) => args,
    };
    let outcome = match &args.vectors {
        Some(file) => judge(file),
        None => answer(args).map(|(authentic, json)| {
            println!("{json}");
            authentic
        }),
    };
    Ok(match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("eencent: {why}");
            ExitCode::from(UNUSABLE)
        }
    })
}

/// The names of all providers, for the argument that takes one.
/// The names of all providers.
pub fn providers() -> PossibleValuesParser {
    PossibleValuesParser::new(ALL.map(Provider::name).into_iter().chain(["svix"]))
}

fn key_of_id(text: &str) -> Result<(String, String), String> {
    let pair = text
        .split_once('=')
        .filter(|(id, secret)| !id.is_empty() && !secret.is_empty());
    pair.map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        .ok_or_else(|| "write ID=SECRET".to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("can't read {} ({error}); check its path and rights", path.display()))
}

/// Judges a file of vectors; whether all are what they should be.
fn judge(file: &Path) -> Result<bool, String> {
    let vectors = vectors::read(&read(file)?).map_err(|why| format!("{} {why}", file.display()))?;
    let now = SystemClock.now();
    let (mut right, mut differing) = (0_usize, Vec::new());
    for vector in &vectors {
        let verdict = vector.judge(now);
        println!(
            "{}",
            serde_json::to_string(&verdict).map_err(|error| error.to_string())?
        );
        if vector.expects(&verdict) {
            right += 1;
        } else {
            differing.push(format!(
                "{} should be {}",
                vector.id,
                if vector.valid { "authentic" } else { "refused" }
            ));
        }
    }
    let unconfirmed = vectors.iter().filter(|vector| vector.unconfirmed).count();
    eprintln!(
        "{} vectors: {right} as expected ({unconfirmed} of them unconfirmed, where either is), {} not.",
        vectors.len(),
        differing.len()
    );
    for told in &differing {
        eprintln!("  {told}");
    }
    Ok(differing.is_empty())
}

fn answer(args: VerifyArgs) -> Result<(bool, String), String> {
    let (Some(provider), Some(headers_file), Some(body)) = (args.provider, args.headers, args.body) else {
        return Err("say --provider, --headers and --body, or --vectors".to_owned());
    };
    let headers = String::from_utf8_lossy(&read(&headers_file)?).into_owned();
    let headers = read_headers(&headers).map_err(|why| format!("{}: {why}", headers_file.display()))?;
    let body = read(&body)?;
    let jwks = args.jwks.as_deref().map(read).transpose()?;
    let endpoint = EndpointSettings {
        provider,
        account: args.account,
        mode: args.mode,
        secrets: args.secrets.into_iter().map(Secret::from).collect(),
        keys: args
            .keys
            .into_iter()
            .map(|(id, secret)| (id, Secret::from(secret)))
            .collect(),
        jwks: jwks.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        issuer: args.issuer,
        algorithm: args.algorithm,
        url: args.url.clone(),
        username: args.username,
        password: args.password.map(Secret::from),
        ..EndpointSettings::default()
    };
    let mut verification = verify_offline(&Recorded {
        endpoint: &endpoint,
        method: &args.method.to_uppercase(),
        url: args.url.as_deref().unwrap_or("/"),
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
        .replace("webhooks.offline.keys", "--key")
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
                provider: Some(provider.to_owned()),
                secrets: vec![secret.to_owned()],
                headers: Some(headers.clone()),
                body: Some(body.clone()),
                method: "POST".to_owned(),
                ..VerifyArgs::default()
            })
            .unwrap_err();
            assert!(told.contains(argument), "{told}");
            assert!(!told.contains("offline"), "{told}");
        }
    }
}
