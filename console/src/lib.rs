//! The consoles: the pages on which support decides and operations keeps the queues healthy.
//!
//! # Map
//! - [`Console`]: what pages work with, and the routers of both listeners.
//! - Support's pages: `support`, a file for each; [`download`]: files of strangers.
//! - Who: [`visitor`] (a session, and what its person may), [`sign_in`], [`identity_provider`] (signing in through one),
//!   [`invitation`], [`people`] (who else may).
//! - What a page passes through: [`guard`] (where requests come from, and the headers of answers), [`sent`] (forms and
//!   their token), [`trouble`] (everything that goes wrong, as a page).
//! - Operations: [`mod@operations`].
//! - How it looks: [`pages`] (templates, style, script), [`words`] (times and ages as people tell them).
//!
//! # Arrows
//! Rows and rules are `activations`'; this crate has the pages and nothing else. The program hands it what it needs of
//! others. Templates, style and script stand in `config/console/` and are compiled in.

pub mod download;
pub mod guard;
pub mod identity_provider;
pub mod invitation;
pub mod operations;
pub mod pages;
pub mod people;
pub mod sent;
mod settings;
pub mod sign_in;
mod support;
pub mod trouble;
pub mod visitor;
pub mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use eencent_activations::clock::Clock;
use eencent_activations::desk::support::Pen;
use eencent_activations::desk::{Desk, SessionLimits};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

pub use settings::{Checked, Settings};

/// The longest that a page may take.
const LONGEST: Duration = Duration::from_secs(30);

/// On which listener a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Support's.
    Staff,
    /// Operations'.
    Operations,
}

/// From whose address a request comes, where trusted proxies pass it on; nobody knows where one of them doesn't say.
pub type Whose = Arc<dyn Fn(IpAddr, &HeaderMap) -> Option<IpAddr> + Send + Sync>;

/// What pages work with. Clones share everything.
#[derive(Clone)]
pub struct Console {
    /// Where everything happens.
    pub desk: Desk,
    /// Ages are counted by it.
    pub clock: Arc<dyn Clock>,
    /// The templates.
    pub pages: Arc<pages::Pages>,
    /// Writes e-mails as they will be sent, to be shown before they are.
    pub pen: Arc<dyn Pen>,
    /// How long sessions last, and where the consoles are.
    pub settings: Checked,
    /// From whose address requests come.
    pub whose: Whose,
    /// On which listener it stands.
    pub side: Side,
    /// Whom people sign in through, where there is one.
    pub identity_provider: Option<Arc<identity_provider::IdentityProvider>>,
    /// How often addresses tried to sign in, on both listeners.
    pub attempts: Arc<sign_in::Attempts>,
    /// The timetable and the providers, for operations' pages.
    pub machinery: Arc<dyn operations::Machinery>,
}

impl Console {
    /// The same for the other listener.
    #[must_use]
    pub fn on(&self, side: Side) -> Self {
        Self { side, ..self.clone() }
    }

    /// Whether people may sign in with password and code.
    pub(crate) fn is_local(&self) -> bool {
        self.settings
            .identity_provider
            .as_ref()
            .is_none_or(|provider| provider.local)
    }

    /// Counts an attempt to sign in; `false` when it is one too many. Where a proxy doesn't say for whom it speaks, one
    /// who tries often would keep everybody out: then nobody is counted.
    pub(crate) fn may_try(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        (self.whose)(peer, headers).is_none_or(|from| self.attempts.may(from, self.clock.now()))
    }

    pub(crate) fn limits(&self) -> SessionLimits {
        self.settings.limits
    }
}

/// What support's listener answers.
pub fn staff(console: &Console) -> Router {
    let console = console.on(Side::Staff);
    let router = Router::new().merge(support::router()).merge(people::router());
    guarded(router, console)
}

/// What operations' listener answers to people. Health and measurements are the program's.
pub fn operations(console: &Console) -> Router {
    guarded(operations::router(), console.on(Side::Operations))
}

/// Everything that both have, and what all of it passes through.
fn guarded(router: Router<Console>, console: Console) -> Router {
    router
        .merge(sign_in::router())
        .merge(people::own())
        .merge(identity_provider::router())
        .merge(invitation::router())
        .merge(pages::assets())
        .fallback(async || trouble::Trouble::NotFound)
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST))
        .layer(middleware::from_fn_with_state(console.clone(), trouble::written))
        .layer(middleware::from_fn(guard::from_here))
        .layer(middleware::from_fn(guard::headers))
        .with_state(console)
}
