//! `eencent bench load`: signed notifications, as many as are wanted, and how they were answered.
//!
//! Closed loop: each connection sends its next message when the last one is answered; that shows what the
//! receiver can do at most. Open loop: messages are due at a fixed rate, whether or not earlier ones are answered, and
//! latency counts from the moment that a message was due: a receiver that stalls can't hide it by
//! holding the sender up.

mod answers;
mod connection;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::Uri;
use clap::Args;
use eencent_activations::clock::{Clock as _, SystemClock};
use eencent_activations::entropy::{OsEntropy, new_id};
use eencent_activations::money::Money;
use eencent_webhooks::examples::{self, Example, Sender, Signed};
use tokio::time::Instant;

use self::answers::{Answers, Settled};
use self::connection::Connection;
use crate::cli::webhook::providers;

/// What to send, how fast, and where to.
#[derive(Args)]
pub struct LoadArgs {
    /// Whose messages.
    #[arg(long, value_parser = providers(), default_value = "standard_webhooks")]
    provider: String,
    /// The secret that the receiver has.
    #[arg(long, allow_hyphen_values = true)]
    secret: String,
    /// Open loop: so many messages a second. Without it each connection sends as soon as it has its answer.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// How many connections; each has one message under way at a time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    connections: u16,
    /// For how long answers are counted.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// For how long messages are sent before that.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=600))]
    warmup: u32,
    /// File as `bench seed` takes it: the activations that are paid, in turn, by who the bank reports.
    #[arg(long, value_name = "FILE")]
    activations: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Send to an address that isn't this machine's own.
    #[arg(long)]
    remote: bool,
    /// The address, such as http://127.0.0.1:8080/webhooks/bank.
    url: Uri,
}

/// Sends, and prints how it was answered.
///
/// # Errors
/// When nothing can be sent, or nothing was answered well.
pub async fn run(args: LoadArgs) -> anyhow::Result<ExitCode> {
    let address = address(&args).await?;
    let load = Arc::new(Load::of(&args)?);
    let senders: Vec<_> = (0..args.connections)
        .map(|_| tokio::spawn(send(Arc::clone(&load), address)))
        .collect();
    let mut answers = Answers::default();
    for sender in senders {
        answers.add(sender.await.context("a connection ended before its time")?);
    }
    let report = answers.report(Duration::from_secs(args.seconds.into()));
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.accepted > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where to send: this machine, unless it was said that another is meant. Load on a receiver that isn't one's own is an attack.
async fn address(args: &LoadArgs) -> anyhow::Result<SocketAddr> {
    let Some(host) = args.url.host().filter(|_| args.url.scheme_str() == Some("http")) else {
        bail!(
            "{} is not an address to send to; write http://127.0.0.1:8080/webhooks/NAME",
            args.url
        );
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, args.url.port_u16().unwrap_or(80))).await;
    let mut found = found.with_context(|| format!("{host} has no address"))?;
    let address = found.next().with_context(|| format!("{host} has no address"))?;
    if !address.ip().is_loopback() && !args.remote {
        bail!("{address} is not this machine; say --remote if it is yours to put under load");
    }
    Ok(address)
}

/// What all connections share.
struct Load {
    provider: String,
    sender: Sender,
    host: String,
    path: String,
    /// Reference and account holder.
    activations: Vec<(String, String)>,
    /// Makes the ids of this run its own.
    run: String,
    amount: Money,
    rate: Option<f64>,
    begun: Instant,
    counted_from: Instant,
    ends: Instant,
    sent: AtomicU64,
}

impl Load {
    fn of(args: &LoadArgs) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let counted_from = begun + Duration::from_secs(args.warmup.into());
        let mut activations = vec![("EXAMPLE-0001".to_owned(), "Bakkerij De Korenaar B.V.".to_owned())];
        if let Some(file) = &args.activations {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("can't read {} as text", file.display()))?;
            activations = text.lines().filter_map(activation).collect();
            if activations.is_empty() {
                bail!(
                    "{} holds no activations; `eencent bench seed --help` tells how",
                    file.display()
                );
            }
        }
        let id = new_id("load", SystemClock.now(), &OsEntropy)?;
        Ok(Self {
            provider: args.provider.clone(),
            sender: Sender {
                secret: args.secret.clone(),
                key_id: "example".to_owned(),
                url: args.url.to_string(),
                ..Sender::default()
            },
            host: args.url.authority().map(ToString::to_string).unwrap_or_default(),
            path: args.url.path().to_owned(),
            activations,
            run: id.trim_start_matches("load_").to_owned(),
            amount: Money::parse("0.01", "EUR")?,
            rate: args.rate.map(f64::from),
            begun,
            counted_from,
            ends: counted_from + Duration::from_secs(args.seconds.into()),
            sent: AtomicU64::new(0),
        })
    }

    /// The number of the next message and when it is due; `None` when the time is up.
    fn next(&self) -> Option<(u64, Instant)> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let due = match self.rate {
            Some(rate) => self.begun + Duration::from_secs_f64(number as f64 / rate),
            None => Instant::now(),
        };
        (due < self.ends).then_some((number, due))
    }

    fn message(&self, number: u64) -> Option<Signed> {
        let many = u64::try_from(self.activations.len()).unwrap_or(1);
        let (reference, holder) = self.activations.get(usize::try_from(number % many).ok()?)?;
        let example = Example {
            id: format!("{}{number}", self.run),
            reference: reference.clone(),
            holder: holder.clone(),
            amount: self.amount,
            at: SystemClock.now(),
        };
        examples::signed(&self.provider, &self.sender, &example)
    }
}

/// Reference and account holder of a line as `bench seed` takes it.
fn activation(line: &str) -> Option<(String, String)> {
    let mut columns = line.split('\t');
    Some((columns.next()?.to_owned(), columns.nth(2)?.to_owned()))
}

/// One connection's share.
async fn send(load: Arc<Load>, address: SocketAddr) -> Answers {
    let mut answers = Answers::default();
    let mut connection = Connection::to(address);
    while let Some((number, due)) = load.next() {
        tokio::time::sleep_until(due).await;
        let Some(message) = load.message(number) else {
            break;
        };
        let status = connection.post(&load.host, &load.path, message).await;
        if due >= load.counted_from {
            let settled = status.map_or(Settled::Unanswered, Settled::from_status);
            answers.count(settled, due.elapsed());
        }
        if status.is_none() {
            // A receiver that is away isn't asked thousands of times a second whether it is back.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    answers
}
