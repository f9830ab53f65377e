//! What commands beside the server work with: the same store and desk, no listeners, no workers.

use std::sync::Arc;

use anyhow::Context as _;
use eencent_activations::clock::SystemClock;
use eencent_activations::desk::Desk;
use eencent_activations::entropy::OsEntropy;
use eencent_activations::ledger::NoNudge;
use eencent_activations::store::Store;

use crate::compose;
use crate::settings::Settings;

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
