//! The sections, read and checked. Each crate has a type for its own; the rest stands here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use eencent_activations::clock::{Clock as _, SystemClock};
use eencent_activations::links::LinksKey;
use eencent_activations::rules;
use eencent_activations::store;
use eencent_webhooks::endpoint::{self, Endpoints};
use figment::Figment;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problems::Problems;
use super::same_file;
use crate::http::proxies::{self, Header, Proxies};
use crate::logging;
use crate::traces::handing_over::Collector;

/// The shortest API key that may stand in the settings.
const SHORTEST_KEY: usize = 32;

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Section `[database]`.
    pub database: Database,
    /// Section `[links]`.
    pub links: Links,
    /// Section `[listen]`.
    pub listen: Listen,
    /// Section `[public]`.
    pub public: Public,
    /// Section `[api]`.
    pub api: Api,
    /// Section `[log]`.
    pub log: Log,
    /// Section `[traces]`.
    pub traces: Traces,
    /// Section `[console]`.
    pub console: eencent_console::Checked,
    /// Section `[statements]`.
    pub statements: Statements,
    /// Section `[webhooks]`.
    pub webhooks: Endpoints,
    /// Section `[register]`.
    pub register: eencent_registers::Checked,
    /// The sections of the subject.
    pub subject: rules::Settings,
    /// The sections of queue, jobs and mail.
    pub jobs: eencent_jobs::Checked,
}

/// Section `[database]`.
#[derive(Clone, Deserialize)]
pub struct Database {
    /// Where the truth is.
    pub url: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&store::without_password(&self.url))
    }
}

/// Section `[links]`.
#[derive(Debug, Clone, Deserialize)]
pub struct Links {
    /// The key as it is written; may be empty.
    #[serde(rename = "key")]
    written: Secret,
    /// The same, read.
    #[serde(skip)]
    pub key: Option<LinksKey>,
}

/// Text that never shows.
#[derive(Clone, Deserialize)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Section `[listen]`.
#[derive(Debug, Clone, Deserialize)]
pub struct Listen {
    /// Address of the public listener.
    pub public: String,
    /// Address of support's console.
    pub staff: String,
    /// Address of health and metrics.
    pub operations: String,
    /// How many connections the public listener holds at once.
    pub connections: usize,
    /// How many of them one address may have.
    pub connections_per_address: usize,
    /// The proxies as they are written.
    trusted_proxies: Vec<String>,
    /// The header as it is written.
    proxy_header: String,
    /// The same, read.
    #[serde(skip)]
    pub proxies: Arc<Proxies>,
    /// Refusals that one address may cause at one endpoint at once.
    pub refusals_at_once: u32,
    /// How many are forgotten in a minute.
    pub refusals_a_minute: u32,
    /// Seconds for the head of a request, and between two on one connection.
    pub head_seconds: u64,
}

/// Section `[statements]`.
#[derive(Debug, Clone, Deserialize)]
pub struct Statements {
    /// The folder that is watched for bank statements; empty: none.
    pub folder: String,
}

/// Section `[public]`.
#[derive(Debug, Clone, Deserialize)]
pub struct Public {
    /// The base of links; empty: the public listener.
    pub url: String,
}

/// Section `[api]`.
#[derive(Clone, Deserialize)]
pub struct Api {
    /// Keys with all scopes.
    pub keys: Vec<String>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({} keys)", self.keys.len())
    }
}

/// Section `[log]`.
#[derive(Debug, Clone, Deserialize)]
pub struct Log {
    /// What is logged, such as `info` or `info,eencent=debug`.
    pub level: String,
    /// In which form.
    #[serde(rename = "format")]
    form: String,
    /// The same, read.
    #[serde(skip)]
    pub format: LogFormat,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// Section `[traces]`.
#[derive(Clone, Deserialize)]
pub struct Traces {
    /// The collector as it is written; empty: no traces.
    endpoint: String,
    /// The same, read.
    #[serde(skip)]
    pub collector: Option<Collector>,
    /// What it knows us by.
    pub service: String,
    /// One in so many traces is put out.
    pub one_in: u32,
}

impl fmt::Debug for Traces {
    /// Without the address as it is written, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces")
            .field("collector", &self.collector)
            .field("service", &self.service)
            .field("one_in", &self.one_in)
            .finish_non_exhaustive()
    }
}

/// What is this crate's own.
#[derive(Deserialize)]
struct Own {
    database: Database,
    links: Links,
    listen: Listen,
    public: Public,
    api: Api,
    log: Log,
    traces: Traces,
    statements: Statements,
}

/// For the comparison with `[database]`, also when something else in its sections is wrong.
#[derive(Deserialize)]
struct Queue {
    queue: QueueAddress,
}

#[derive(Deserialize)]
struct QueueAddress {
    url: String,
}

#[derive(Deserialize)]
struct Register {
    register: eencent_registers::Settings,
}

#[derive(Deserialize)]
struct Console {
    console: eencent_console::Settings,
}

#[derive(Deserialize)]
struct Webhooks {
    webhooks: endpoint::Settings,
}

/// Reads and checks every section; tells everything that is wrong.
pub fn read(merged: &Figment, problems: &mut Problems) -> Option<Settings> {
    let own: Option<Own> = section(merged, problems);
    let webhooks: Option<Webhooks> = section(merged, problems);
    let register: Option<Register> = section(merged, problems);
    let console: Option<Console> = section(merged, problems);
    let subject: Option<rules::Settings> = section(merged, problems);
    let jobs = jobs(merged, problems);
    if let (Some(own), Ok(Queue { queue })) = (&own, merged.extract())
        && same_file::same(&own.database.url, &queue.url)
    {
        problems.add(
            "`queue.url` and `database.url` are the same file: give the queue a file of its own, such as sqlite://eencent-data/queue.db.",
        );
    }

    let own = own.map(|mut own| {
        check(&mut own, problems);
        own
    });
    let webhooks = webhooks.and_then(|section| {
        Endpoints::from_settings(&section.webhooks)
            .map_err(|told| problems.extend(told))
            .ok()
    });
    let register = register.and_then(|section| section.register.validate().map_err(|told| problems.extend(told)).ok());
    let console = console.and_then(|section| section.console.validate().map_err(|told| problems.extend(told)).ok());
    if let Some(subject) = &subject {
        // The real key comes with the database; what is checked here doesn't depend on it.
        let stand_in = LinksKey::from_hex(&"0".repeat(64))?;
        if let Err(told) = subject.validate(stand_in, "", SystemClock.now()) {
            problems.extend(told);
        }
    }
    if let (Some(subject), Some(webhooks)) = (&subject, &webhooks) {
        checkout(&subject.checkout.endpoint, webhooks, problems);
    }
    let (own, console) = (own?, console?);
    Some(Settings {
        database: own.database,
        links: own.links,
        listen: own.listen,
        public: own.public,
        api: own.api,
        log: own.log,
        traces: own.traces,
        statements: own.statements,
        webhooks: webhooks?,
        register: register?,
        subject: subject?,
        jobs: jobs?.leading_to(&console.url),
        console,
    })
}

/// That the endpoint which payments are made at can make them.
fn checkout(name: &str, webhooks: &Endpoints, problems: &mut Problems) {
    if name.is_empty() {
        return;
    }
    match webhooks.get(name) {
        None => problems.add(format!("`checkout.endpoint` names {name}, which is no endpoint of [webhooks].")),
        Some(endpoint) if endpoint.provider().name() == "stripe" => problems.add(
            "`checkout.endpoint` is an endpoint of Stripe's, which takes no payment under EUR 0.50: let Mollie or Adyen make payments of one cent.".to_owned(),
        ),
        Some(endpoint) if !endpoint.provider().makes_payments() => problems.add(format!(
            "`checkout.endpoint`: payments can't be made at {} from here; name an endpoint of mollie, mollie_classic or adyen.",
            endpoint.provider().name()
        )),
        Some(endpoint) if endpoint.provider().name() == "adyen" && endpoint.named_account().is_none() => problems.add(
            format!("`webhooks.{name}.account` is missing: it is the merchant account that payments are made for (checkout.endpoint)."),
        ),
        Some(endpoint) if !endpoint.has_api_key() => problems.add(format!(
            "`webhooks.{name}.api_key` is missing: payments are made with it (checkout.endpoint)."
        )),
        Some(_) => {}
    }
}

/// The sections of the jobs' crate, checked.
fn jobs(merged: &Figment, problems: &mut Problems) -> Option<eencent_jobs::Checked> {
    #[derive(Deserialize)]
    struct Sections {
        mail: eencent_jobs::MailSettings,
        queue: eencent_jobs::QueueSettings,
        jobs: eencent_jobs::JobsSettings,
        events: BTreeMap<String, eencent_jobs::EndpointSettings>,
        retention: eencent_activations::desk::retention::Retention,
        support: eencent_jobs::SupportSettings,
    }
    let Sections {
        mail,
        queue,
        jobs,
        events,
        retention,
        support,
    } = section(merged, problems)?;
    let settings = eencent_jobs::Settings {
        mail,
        queue,
        jobs,
        events,
        retention,
        support,
    };
    settings.validate().map_err(|told| problems.extend(told)).ok()
}

fn section<T: DeserializeOwned>(merged: &Figment, problems: &mut Problems) -> Option<T> {
    merged
        .extract()
        .map_err(|errors: figment::Error| {
            for error in errors {
                // The value isn't repeated: a mail address holds a password.
                let what = match error.kind {
                    figment::error::Kind::InvalidType(_, expected) => format!("must be {expected}"),
                    figment::error::Kind::MissingField(field) => format!("lacks `{field}`"),
                    _ => "has a value that can't be used; see config/default.toml".to_owned(),
                };
                problems.add(format!("`{}` {what}.", error.path.join(".")));
            }
        })
        .ok()
}

fn check(own: &mut Own, problems: &mut Problems) {
    let url = &own.database.url;
    if !store::is_file(url) && !store::is_server(url) {
        problems.add(
            "`database.url` must be sqlite://PATH, such as sqlite://eencent-data/eencent.db, or postgres://user:password@host/database.",
        );
    }
    match own.links.written.0.as_str() {
        "" if store::is_server(url) => problems.add(
            "`links.key` is missing: on PostgreSQL every machine needs the same key for the links in e-mails; make one with `openssl rand -hex 32`.",
        ),
        "" => {}
        written => {
            own.links.key = LinksKey::from_hex(written);
            if own.links.key.is_none() {
                problems.add("`links.key` must be 64 hexadecimal digits: make one with `openssl rand -hex 32`.");
            }
        }
    }
    let listen = &own.listen;
    let addresses = [
        ("public", &listen.public),
        ("staff", &listen.staff),
        ("operations", &listen.operations),
    ];
    for (name, address) in addresses {
        let port = address
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty())
            .map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(0)) => {}
            Some(Ok(_)) => {
                if let Some((other, _)) = addresses
                    .iter()
                    .find(|(other, same)| *same == address && *other != name)
                {
                    problems.add(format!(
                        "`listen.{name}` and `listen.{other}` are the same address: give each listener one of its own."
                    ));
                }
            }
            _ => problems.add(format!(
                "`listen.{name}` must be ADDRESS:PORT, such as 127.0.0.1:8080; port 0 takes a free one."
            )),
        }
    }
    for (key, value) in [
        ("connections", listen.connections as u64),
        ("connections_per_address", listen.connections_per_address as u64),
        ("head_seconds", listen.head_seconds),
        ("refusals_at_once", u64::from(listen.refusals_at_once)),
        ("refusals_a_minute", u64::from(listen.refusals_a_minute)),
    ] {
        if value == 0 {
            problems.add(format!("`listen.{key}` must be 1 or more."));
        }
    }
    own.listen.proxies = Arc::new(proxies(listen, problems));
    let url = own.public.url.trim_end_matches('/').to_owned();
    if !url.is_empty() && !is_base(&url) {
        problems.add(
            "`public.url` must be empty or a base for links, such as https://activate.example.nl, without a query.",
        );
    }
    own.public.url = url;
    for (place, key) in own.api.keys.iter().enumerate() {
        let fits = key.chars().count() >= SHORTEST_KEY && !key.contains(char::is_whitespace) && key.is_ascii();
        if !fits {
            problems.add(format!(
                "`api.keys` number {} must be {SHORTEST_KEY} characters or more, without spaces: make one with `openssl rand -hex 32`.",
                place + 1
            ));
        }
    }
    own.log.format = match own.log.form.as_str() {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => {
            problems.add("`log.format` must be text or json.");
            LogFormat::Text
        }
    };
    if !logging::is_level(&own.log.level) {
        problems.add("`log.level` must be error, warn, info, debug or trace, or say it by part: info,eencent=debug.");
    }
    traces(&mut own.traces, problems);
}

fn traces(traces: &mut Traces, problems: &mut Problems) {
    if !traces.endpoint.is_empty() {
        traces.collector = Collector::at(&traces.endpoint);
        if traces.collector.is_none() {
            problems.add("`traces.endpoint` must be empty or the address of a collector that takes OTLP over HTTP, such as http://localhost:4318.");
        }
    }
    if traces.service.is_empty() {
        problems.add("`traces.service` is empty: name what the collector is to know this program by, such as eencent.");
    }
    if traces.one_in == 0 {
        problems.add("`traces.one_in` must be 1 (all) or more.");
    }
}

/// The proxies that are believed, without those that are written wrongly.
fn proxies(listen: &Listen, problems: &mut Problems) -> Proxies {
    let mut networks = Vec::new();
    for (place, written) in listen.trusted_proxies.iter().enumerate() {
        match proxies::network(written) {
            Some(network) if network.prefix_len() == 0 => problems.add(format!(
                "`listen.trusted_proxies` number {} is every address there is: then anybody could write where he comes from. Name your proxies' addresses.",
                place + 1
            )),
            Some(network) => networks.push(network),
            None => problems.add(format!(
                "`listen.trusted_proxies` number {} must be an address or a network, such as 192.0.2.10 or 10.0.0.0/8; names are not looked up.",
                place + 1
            )),
        }
    }
    let header = Header::parse(&listen.proxy_header).unwrap_or_else(|| {
        problems.add("`listen.proxy_header` must be x-forwarded-for or forwarded: the one that your proxy writes.");
        Header::XForwardedFor
    });
    Proxies::new(networks, header)
}

fn is_base(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let host = rest.split('/').next().unwrap_or_default();
    !host.is_empty() && !host.contains('@') && rest.chars().all(|c| c.is_ascii_graphic() && !"?#\"<>\\".contains(c))
}
