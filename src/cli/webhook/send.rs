//! `eencent webhook send`: a signed example, posted to any address.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eencent_activations::clock::{Clock as _, SystemClock};
use eencent_activations::entropy::{OsEntropy, new_id};
use eencent_activations::money::Money;
use eencent_activations::reread::{ApiRequest, Method};
use eencent_jobs::ApiClient;
use eencent_webhooks::examples::{self, Example, Sender};

use super::{UNUSABLE, key_of_id, providers, read};

/// Whom to play, and where to.
#[derive(Args)]
pub struct SendArgs {
    /// Whose message.
    #[arg(long, value_parser = providers())]
    provider: String,
    /// The secret that the receiver has.
    #[arg(long, allow_hyphen_values = true, conflicts_with_all = ["key", "private_key"])]
    secret: Option<String>,
    /// The secret with the id of its key (worldline, paynl).
    #[arg(long, value_name = "ID=SECRET", value_parser = key_of_id)]
    key: Option<(String, String)>,
    /// File with the private key, in PEM, of which the receiver has the public half (bunq, ponto, rabo_v3,
    /// worldline_ideal2).
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,
    /// The id that the private key goes by.
    #[arg(long, value_name = "ID", default_value = "example")]
    key_id: String,
    /// The account that is signed: Buckaroo's website key, Ponto's application.
    #[arg(long, default_value = "")]
    account: String,
    /// The reference of the activation that it pays.
    #[arg(long, default_value = "EXAMPLE-0001")]
    reference: String,
    /// The account's holder.
    #[arg(long, default_value = "Bakkerij De Korenaar B.V.")]
    name: String,
    /// How much, in euros.
    #[arg(long, default_value = "0.01")]
    amount: String,
    /// User name and password of Basic auth, if the receiver asks it.
    #[arg(long, value_name = "USER:PASSWORD")]
    basic_auth: Option<String>,
    /// The address, such as http://127.0.0.1:8080/webhooks/mollie.
    url: String,
}

/// Posts it, and prints what the receiver answers.
///
/// # Errors
/// When there is no randomness.
pub async fn run(args: SendArgs) -> anyhow::Result<ExitCode> {
    match post(args).await {
        Ok((status, body)) => {
            println!("{status} {body}");
            Ok(if (200..300).contains(&status) {
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

async fn post(args: SendArgs) -> Result<(u16, String), String> {
    let amount =
        Money::parse(&args.amount, "EUR").map_err(|_| "--amount isn't an amount of euros; write 0.01".to_owned())?;
    let private = args.private_key.as_deref().map(read).transpose()?;
    let private = private.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (key_id, secret) = match (args.key, private.or(args.secret)) {
        (Some((id, secret)), _) => (id, secret),
        (None, Some(secret)) => (args.key_id, secret),
        (None, None) if matches!(args.provider.as_str(), "mollie_classic" | "bunq") => (args.key_id, String::new()),
        (None, None) => return Err("say with what it is signed: --secret, --key or --private-key".to_owned()),
    };
    let now = SystemClock.now();
    let id = new_id("x", now, &OsEntropy).map_err(|error| error.to_string())?;
    let example = Example {
        id: id.trim_start_matches("x_").to_owned(),
        reference: args.reference,
        holder: args.name,
        amount,
        at: now,
    };
    let sender = Sender {
        secret,
        key_id,
        account: args.account,
        url: args.url.clone(),
    };
    let signed = examples::signed(&args.provider, &sender, &example);
    let (mut headers, body) = signed.ok_or_else(|| "there is no example of this provider".to_owned())?;
    if let Some(pair) = args.basic_auth {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        headers.push(("authorization", format!("Basic {pair}")));
    }
    let request = ApiRequest {
        method: Method::Post,
        url: args.url,
        headers,
        body,
    };
    let answer = ApiClient::new()
        .ask(&request)
        .await
        .map_err(|unanswered| unanswered.to_string().replace("the provider's API", "the address"))?;
    Ok((answer.status, String::from_utf8_lossy(&answer.body).trim().to_owned()))
}
