//! `eencent check`: everything that is wrong with settings and connections, at once.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use eencent_activations::clock::{Clock as _, SystemClock};
use eencent_activations::entropy::OsEntropy;
use eencent_activations::identifier::Identifier;
use eencent_activations::register::{Lookup as _, NoEntry};
use eencent_jobs::ApiClient;
use eencent_registers::Registers;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::compose;
use crate::http::accept::Listener;
use crate::lock::{LockError, WorkerLock};
use crate::settings::{self, Settings};

/// What to check.
#[derive(Args)]
pub struct CheckArgs {
    /// Print every setting with its default and its explanation, and nothing else.
    #[arg(long)]
    defaults: bool,
}

/// What was found.
#[derive(Default)]
struct Findings {
    problems: Vec<String>,
    notes: Vec<String>,
}

/// Checks.
///
/// # Errors
/// When the checks can't be run.
pub fn run(args: &CheckArgs, config: Option<&Path>) -> anyhow::Result<ExitCode> {
    if args.defaults {
        print!("{}", settings::DEFAULT);
        return Ok(ExitCode::SUCCESS);
    }
    let settings = match settings::load(config) {
        Ok(settings) => settings,
        Err(problems) => {
            println!("{problems}");
            println!("Connections are checked when the settings are right.");
            return Ok(ExitCode::FAILURE);
        }
    };
    super::wait_for(async move {
        let mut findings = Findings::default();
        if let Some(config) = config {
            file(config, &mut findings);
        }
        let serving = database(&settings, &mut findings).await;
        listeners(&settings, serving, &mut findings).await;
        let found = eencent_jobs::check(&settings.jobs).await;
        findings.problems.extend(found.problems);
        findings.notes.extend(found.notes);
        public(&settings, &mut findings);
        if settings.subject.invoice.iban.is_empty() {
            findings
                .notes
                .push("invoice.iban is not set: there are no invoices, and method invoice is refused".to_owned());
        }
        endpoints(&settings, &mut findings);
        register(&settings, &mut findings).await;
        identity_provider(&settings, &mut findings).await;
        findings.notes.push(events_go(&settings));
        traces(&settings, &mut findings).await;
        Ok(findings.told())
    })
}

/// A number that every trade register has: the KvK's own.
const KVK_OF_THE_KVK: &str = "59581883";

/// Whether the register answers, takes the key, and lets us read by it; two questions that the KvK charges for.
async fn register(settings: &Settings, findings: &mut Findings) {
    let Some(url) = settings.register.kvk_url() else {
        findings.notes.push(
            "register.kvk_key is not set: organisations are entered by hand, or come from a platform's own register"
                .to_owned(),
        );
        return;
    };
    let registers = Registers::new(&settings.register, Arc::new(SystemClock));
    let found = match Identifier::parse("NL:KVK", KVK_OF_THE_KVK) {
        Ok(number) => registers.entry(&number).await,
        Err(_) => return,
    };
    match found {
        Ok(entry) => findings.notes.push(format!(
            "the trade register answers at {url}: {KVK_OF_THE_KVK} is {}",
            entry.legal_name
        )),
        Err(NoEntry::Unknown) => findings.notes.push(format!(
            "the trade register answers at {url} and takes the key, but doesn't know {KVK_OF_THE_KVK}: that is a test environment, of made-up organisations"
        )),
        Err(error) => findings.problems.push(format!("the trade register at {url}: {error}")),
    }
}

/// Whether people could sign in through their provider.
async fn identity_provider(settings: &Settings, findings: &mut Findings) {
    let Some(provider) = compose::identity_provider(&settings.console) else {
        return;
    };
    let issuer = settings
        .console
        .identity_provider
        .as_ref()
        .map_or("", |set| set.issuer.as_str());
    match provider.check(SystemClock.now()).await {
        Ok(keys) => findings.notes.push(format!(
            "people sign in through {issuer}, which answers and has {keys} key{}",
            if keys == 1 { "" } else { "s" }
        )),
        Err(why) => findings.problems.push(format!(
            "nobody can sign in through {issuer} (console.identity_provider.issuer): {why}"
        )),
    }
}

/// Where the platform hears of events.
fn events_go(settings: &Settings) -> String {
    let listeners = settings.jobs.listeners();
    let names: Vec<&str> = listeners.iter().map(|one| one.endpoint.as_str()).collect();
    if names.is_empty() {
        return "[events] names no endpoint: the platform is told nothing by itself".to_owned();
    }
    format!("events go to {}", names.join(", "))
}

/// Whether the collector would take spans; asked with a batch of none.
async fn traces(settings: &Settings, findings: &mut Findings) {
    let Some(collector) = &settings.traces.collector else {
        return;
    };
    let address = collector.shown();
    match collector
        .takes(&ApiClient::new(), &ExportTraceServiceRequest::default())
        .await
    {
        Ok(_) => findings.notes.push(format!("traces go to {address}")),
        Err(error) => findings.problems.push(format!("traces.endpoint, {address}: {error}")),
    }
}

impl Findings {
    fn told(&self) -> ExitCode {
        for note in &self.notes {
            println!("note     {note}");
        }
        for problem in &self.problems {
            println!("problem  {problem}");
        }
        if self.problems.is_empty() {
            println!("Everything is in order.");
            return ExitCode::SUCCESS;
        }
        println!("{} to solve.", self.problems.len());
        ExitCode::FAILURE
    }
}

fn file(config: &Path, findings: &mut Findings) {
    let open = std::fs::metadata(config).is_ok_and(|data| data.permissions().mode() & 0o004 != 0);
    if open {
        findings.notes.push(format!(
            "{0} can be read by everybody on this machine; if it holds secrets, run `chmod 640 {0}`",
            config.display()
        ));
    }
}

/// Answers whether another process of ours works on the database.
async fn database(settings: &Settings, findings: &mut Findings) -> bool {
    let store = match compose::store(settings).await {
        Ok(store) => store,
        Err(error) => {
            findings.problems.push(told(&error));
            return false;
        }
    };
    let serving = match store.file().map(WorkerLock::take) {
        Some(Err(LockError::Taken(_))) => true,
        Some(Err(error)) => {
            findings.problems.push(told(&error));
            false
        }
        _ => false,
    };
    if serving {
        findings
            .notes
            .push("another eencent process is at work on this database".to_owned());
    }
    let rules = compose::rules(settings, &store, &settings.public.url, &SystemClock, &OsEntropy);
    match rules {
        Ok(rules) if rules.hours().holidays_end_soon(SystemClock.now()) => findings
            .notes
            .push("office.hours: the calendar of public holidays ends soon; update this program".to_owned()),
        Ok(_) => {}
        Err(error) => findings.problems.push(format!("{error:#}")),
    }
    if store.ping().await.is_err() {
        findings
            .notes
            .push("the database is new or not up to date; `serve` and `migrate` bring it up to date".to_owned());
    }
    store.close().await;
    serving
}

async fn listeners(settings: &Settings, serving: bool, findings: &mut Findings) {
    let listen = &settings.listen;
    for (name, address) in [
        ("public", &listen.public),
        ("staff", &listen.staff),
        ("operations", &listen.operations),
    ] {
        if let Err(error) = Listener::bind(name, address).await {
            if serving {
                findings.notes.push(format!(
                    "listen.{name} is in use, by the process that is at work or by another"
                ));
            } else {
                findings.problems.push(told(&error));
            }
        }
    }
}

fn public(settings: &Settings, findings: &mut Findings) {
    let url = &settings.public.url;
    let local = ["http://localhost", "http://127.", "http://[::1]"]
        .iter()
        .any(|start| url.starts_with(start));
    if url.is_empty() {
        findings
            .notes
            .push("public.url is not set: links in e-mails work on this machine only".to_owned());
    } else if url.starts_with("http://") && !local {
        findings
            .notes
            .push("public.url is not https: links in e-mails can be read on their way".to_owned());
    }
    if settings.api.keys.is_empty() {
        findings
            .notes
            .push("api.keys is empty: only keys made with `eencent api-key make` are let in".to_owned());
    } else {
        findings.notes.push(
            "api.keys holds keys with all scopes: for production, make keys with `eencent api-key make`".to_owned(),
        );
    }
}

fn endpoints(settings: &Settings, findings: &mut Findings) {
    if settings.webhooks.is_empty() {
        findings
            .notes
            .push("[webhooks] has no endpoint: nobody can post notifications".to_owned());
    }
    findings.notes.extend(settings.webhooks.advice());
    let cents = &settings.subject.activation.ideal_amount;
    for endpoint in settings
        .webhooks
        .iter()
        .filter(|endpoint| endpoint.provider().name() == "stripe")
    {
        if cents.starts_with("0.") && cents.as_str() < "0.50" {
            findings.notes.push(format!(
                "webhooks.{}: Stripe takes no payment under EUR 0.50, so method ideal (activation.ideal_amount) can't be paid there; bank transfers can",
                endpoint.name()
            ));
        }
    }
}

fn told(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        told.push_str(&format!(" ({deeper})"));
        cause = deeper.source();
    }
    told
}
