//! What commands beside the server work with: the same store and desk, no listeners, no workers.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use eencent_activations::clock::SystemClock;
use eencent_activations::desk::Desk;
use eencent_activations::entropy::OsEntropy;
use eencent_activations::ledger::NoNudge;
use eencent_activations::store::{self, Store};

use crate::compose;
use crate::settings::Settings;

/// The same for a command that only asks: a database that isn't there isn't made, since it would hold
/// nothing to tell of, and the right one is elsewhere.
///
/// # Errors
/// When there is no database, or it or the key beside it can't be used.
pub async fn desk_of_existing(settings: &Settings) -> anyhow::Result<(Store, Desk)> {
    must_exist(settings)?;
    desk(settings).await
}

/// Refuses where the settings name a file that isn't there.
///
/// # Errors
/// Then.
pub fn must_exist(settings: &Settings) -> anyhow::Result<()> {
    store::file_of(&settings.database.url).map_or(Ok(()), |file| must_exist_at(&file))
}

/// Refuses where there is no such database file.
///
/// # Errors
/// Then.
pub fn must_exist_at(file: &Path) -> anyhow::Result<()> {
    if !file.exists() {
        let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        anyhow::bail!(
            "There is no database at {}; run this where the server runs, or set database.url",
            path.display()
        );
    }
    Ok(())
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
