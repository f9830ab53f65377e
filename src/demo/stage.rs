//! Where it is played: a fresh folder, free ports, a clock of its own, and the whole program.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use eencent_activations::clock::{Clock as _, ManualClock, Timestamp};
use tokio_util::sync::CancellationToken;

use super::providers;
use super::told::Endpoint;
use crate::metrics::Metrics;
use crate::serve::{self, Role, Running, Surroundings};
use crate::settings;

/// Tuesday 10 March 2026, 10:00 in Amsterdam: the office is open.
const TUESDAY: &str = "2026-03-10T09:00:00Z";

/// How often the clock goes on.
const TICK: Duration = Duration::from_millis(50);

/// The stage.
#[derive(Clone)]
pub struct Stage {
    /// Everything of it is in here; it stays when the demonstration has ended.
    pub folder: PathBuf,
    /// The clock that everything looks at.
    pub clock: ManualClock,
    /// The public listener.
    pub public: SocketAddr,
    /// The key to the platform API; of this demonstration alone.
    pub key: String,
    /// Ends it.
    pub stop: CancellationToken,
    /// What the platform is told.
    pub platform: Endpoint,
    addresses: [(&'static str, String); 3],
}

impl Stage {
    /// Sets it and starts the program.
    ///
    /// # Errors
    /// When the folder or the program can't be had.
    pub async fn set() -> anyhow::Result<(Self, Running)> {
        let folder = tempfile::Builder::new()
            .prefix("eencent-demo-")
            .tempdir()
            .context("no folder can be made for it; is the disk full?")?
            .keep();
        let key = "demo-key-with-all-scopes-for-this-demonstration-only".to_owned();
        let own = [
            (
                "EENCENT__DATABASE__URL",
                format!("sqlite://{}", folder.join("eencent.db").display()),
            ),
            (
                "EENCENT__QUEUE__URL",
                format!("sqlite://{}", folder.join("queue.db").display()),
            ),
            ("EENCENT__MAIL__URL", format!("file:{}", folder.join("mail").display())),
            ("EENCENT__LISTEN__PUBLIC", "127.0.0.1:0".to_owned()),
            ("EENCENT__LISTEN__STAFF", "127.0.0.1:0".to_owned()),
            ("EENCENT__LISTEN__OPERATIONS", "127.0.0.1:0".to_owned()),
            ("EENCENT__API__KEYS", key.clone()),
            ("EENCENT__ORGANISATIONS__FREE", "100000".to_owned()),
            ("EENCENT__INVOICE__IBAN", "NL91ABNA0417164300".to_owned()),
            ("EENCENT__INVOICE__SELLER_NAME", "Eencent B.V.".to_owned()),
            ("EENCENT__INVOICE__SELLER_STREET", "Keizersgracht 1".to_owned()),
            ("EENCENT__INVOICE__SELLER_POSTCODE", "1015 CJ".to_owned()),
            ("EENCENT__INVOICE__SELLER_CITY", "Amsterdam".to_owned()),
            ("EENCENT__INVOICE__SELLER_KVK", "68750110".to_owned()),
            ("EENCENT__INVOICE__SELLER_VAT", "NL822010690B01".to_owned()),
            ("EENCENT__INVOICE__NUMBER_PREFIX", "EC-".to_owned()),
        ];
        let stop = CancellationToken::new();
        let platform = Endpoint::open(stop.clone()).await?;
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let settings = settings::load_from(None, own.chain(providers::settings()).chain(platform.settings()))?;
        let clock = ManualClock::at(Timestamp::parse_rfc3339(TUESDAY).context("the clock can't be set")?);
        let around = Surroundings {
            clock: Arc::new(clock.clone()),
            metrics: Metrics::start()?,
        };
        let running = serve::start(Role::Serve, &settings, around, stop.clone()).await?;
        let public = running
            .public
            .as_deref()
            .unwrap_or_default()
            .trim_start_matches("http://");
        let public = public.parse().context("the public listener has no address")?;
        let ticking = (clock.clone(), stop.clone());
        tokio::spawn(async move {
            let (clock, stop) = ticking;
            while !stop.is_cancelled() {
                tokio::time::sleep(TICK).await;
                clock.advance(TICK);
            }
        });
        let of = |url: &Option<String>| url.clone().unwrap_or_default();
        let addresses = [
            ("public", of(&running.public)),
            ("staff", of(&running.staff)),
            ("operations", running.operations.clone()),
        ];
        let stage = Self {
            folder,
            clock,
            public,
            key,
            stop,
            platform,
            addresses,
        };
        Ok((stage, running))
    }

    /// The folder of e-mails.
    pub fn mail(&self) -> PathBuf {
        self.folder.join("mail")
    }

    /// The database, as a setting.
    pub fn database(&self) -> String {
        format!("sqlite://{}", self.folder.join("eencent.db").display())
    }

    /// What time it is here.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Turns the clock.
    ///
    /// # Errors
    /// When the text isn't a time.
    pub fn turn_to(&self, at: &str) -> anyhow::Result<()> {
        self.clock
            .set(Timestamp::parse_rfc3339(at).context("the clock can't be set")?);
        Ok(())
    }

    /// Where it listens.
    pub fn addresses(&self) -> [(&'static str, String); 3] {
        self.addresses.clone()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
