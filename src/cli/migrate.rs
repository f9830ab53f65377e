//! `eencent migrate`

use std::process::ExitCode;

use eencent_activations::store;

use crate::compose;
use crate::settings::Settings;

/// Brings the database up to date.
///
/// # Errors
/// When it can't be opened, is newer than this program, or a migration fails (nothing is changed then).
pub async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    let store = compose::store(&settings).await?;
    store.migrate().await?;
    store.close().await;
    println!(
        "The database is up to date: {}",
        store::without_password(&settings.database.url)
    );
    Ok(ExitCode::SUCCESS)
}
