//! What a process is made of: store, rules, desk, inbox, workers.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use axum::Router;
use eencent_activations::clock::Clock;
use eencent_activations::desk::Desk;
use eencent_activations::entropy::Entropy;
use eencent_activations::inbox::Inbox;
use eencent_activations::notification::{Receipt, Refusal};
use eencent_activations::reread::{Answer, ApiRequest};
use eencent_activations::rules::Rules;
use eencent_activations::store::{Store, StoreError};
use eencent_console::identity_provider::{Asks, IdentityProvider};
use eencent_console::pages::Pages;
use eencent_console::{Console, Side};
use eencent_jobs::ApiClient;
use eencent_webhooks::receiver::{self, Allowance, Limits, Remote, Sink, Unavailable};

use crate::links_key;
use crate::machinery::BySettings;
use crate::settings::{Problems, Settings};

/// Opens the database. A folder that has to be made for it is for its owner alone: it will hold names
/// and keys.
///
/// # Errors
/// When it can't be opened.
pub async fn store(settings: &Settings) -> Result<Store, StoreError> {
    let url = &settings.database.url;
    let path = url.strip_prefix("sqlite://").and_then(|path| path.split('?').next());
    if let Some(folder) = path.and_then(|path| Path::new(path).parent()) {
        // Where it can't be made, opening says so.
        DirBuilder::new().recursive(true).mode(0o700).create(folder).ok();
    }
    Store::open(url).await
}

/// The rules of the subject, with the key of the settings, or the one that stands beside the database.
///
/// # Errors
/// When the key can't be had, or the settings don't hold (which was checked when they were read, at
/// another moment).
pub fn rules(
    settings: &Settings,
    store: &Store,
    public_url: &str,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> anyhow::Result<Rules> {
    let key = match (&settings.links.key, store.file()) {
        (Some(key), _) => key.clone(),
        (None, Some(file)) => links_key::beside(file, entropy)?,
        (None, None) => anyhow::bail!("`links.key` is missing; make one with `openssl rand -hex 32`"),
    };
    let rules = settings
        .subject
        .validate(key, public_url, clock.now())
        .map_err(|told| {
            let mut problems = Problems::default();
            problems.extend(told);
            problems
        })?;
    let rules = rules.refetching(settings.register.refetching());
    Ok(rules.telling(settings.jobs.listeners()))
}

/// The receiver of notifications, with the inbox behind it.
pub fn receiver(settings: &Settings, inbox: &Inbox, clock: &Arc<dyn Clock>, entropy: &Arc<dyn Entropy>) -> Router {
    let sink = Arc::new(Committed(inbox.clone()));
    receiver::router(
        settings.webhooks.clone(),
        sink,
        Arc::clone(clock),
        Arc::clone(entropy),
        Limits {
            unproven: Allowance {
                at_once: settings.listen.refusals_at_once,
                a_minute: settings.listen.refusals_a_minute,
            },
            ..Limits::default()
        },
    )
}

/// The consoles, over this desk. `staff` and `operations` are where they listen, for links where the settings say nothing.
///
/// # Errors
/// When the pages can't be made.
pub fn console(
    settings: &Settings,
    desk: &Desk,
    clock: &Arc<dyn Clock>,
    staff: Option<String>,
    operations: String,
) -> anyhow::Result<Console> {
    let mut checked = settings.console.clone();
    if checked.url.is_empty() {
        checked.url = staff.unwrap_or_else(|| format!("http://{}", settings.listen.staff));
    }
    if checked.operations_url.is_empty() {
        checked.operations_url = operations;
    }
    let proxies = Arc::clone(&settings.listen.proxies);
    Ok(Console {
        desk: desk.clone(),
        clock: Arc::clone(clock),
        pages: Arc::new(Pages::new(desk.rules().hours(), clock).context("the consoles' pages can't be made")?),
        pen: settings.jobs.pen().map_err(|told| anyhow::anyhow!(told.join("\n")))?,
        settings: checked,
        whose: Arc::new(move |peer, headers| match proxies.client(peer, headers) {
            Remote::Client(address) => Some(address),
            Remote::Proxy(_) | Remote::Unknown => None,
        }),
        side: Side::Staff,
        attempts: Arc::default(),
        machinery: Arc::new(BySettings::new(settings)),
        identity_provider: identity_provider(&settings.console).map(Arc::new),
    })
}

/// Whom people sign in through, where one is set.
pub fn identity_provider(settings: &eencent_console::Checked) -> Option<IdentityProvider> {
    let provider = settings.identity_provider.clone()?;
    Some(IdentityProvider::new(provider, Arc::new(Client(ApiClient::new()))))
}

/// The jobs' way out over HTTP, as the consoles see it.
struct Client(ApiClient);

#[async_trait]
impl Asks for Client {
    async fn ask(&self, request: &ApiRequest) -> Result<Answer, String> {
        self.0.ask(request).await.map_err(|unanswered| unanswered.to_string())
    }
}

/// The inbox, as the receiver sees it.
struct Committed(Inbox);

#[async_trait]
impl Sink for Committed {
    async fn commit(&self, receipt: Receipt) -> Result<(), Unavailable> {
        self.0.commit(receipt).await.map_err(Unavailable::from_error)
    }

    fn refused(&self, refusal: Refusal) {
        self.0.refused(refusal);
    }
}
