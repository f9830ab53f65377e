//! What commands beside the server work with: the same store and desk, no listeners, no workers.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use eencent_activations::clock::SystemClock;
use eencent_activations::desk::Desk;
use eencent_activations::entropy::OsEntropy;
use eencent_activations::ledger::NoNudge;
use eencent_activations::store::Store;

use crate::compose;
use crate::settings::Settings;

/// The same for a command that only asks: a database that isn't there isn't made, since it would hold
/// nothing to tell of, and the right one is elsewhere.
///
/// # Errors
/// When there is no database, or it or the key beside it can't be used.
pub async fn desk_of_existing(settings: &Settings) -> anyhow::Result<(Store, Desk)> {
    let url = &settings.database.url;
    let rest = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    if let Some(path) = rest.and_then(|rest| rest.split('?').next())
        && !Path::new(path).exists()
    {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        anyhow::bail!(
            "There is no database at {}; run this where the server runs, or set database.url",
            path.display()
        );
    }
    desk(settings).await
}

/// Opens the database, brought up to date, and a desk over it. A running server finds what a command
/// leaves to be done by its sweep.
///
/// # Errors
/// When the database, or the key beside it, can't be used.
pub async fn desk(settings: &Settings) -> anyhow::Result<(Store, Desk)> {
    let store = compose::store(settings).await?;
    store.migrate().await?;
    let clock = Arc::new(SystemClock);
    let entropy = Arc::new(OsEntropy);
    let rules = compose::rules(settings, &store, &settings.public.url, clock.as_ref(), entropy.as_ref())
        .context("the rules can't be set up")?;
    let desk = Desk::new(store.clone(), clock, entropy, Arc::new(NoNudge), Arc::new(rules));
    Ok((store, desk))
}
