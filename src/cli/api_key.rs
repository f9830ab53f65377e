//! `eencent api-key make|revoke|list`

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use eencent_activations::desk;

use super::offline;
use crate::settings::Settings;

/// What to do with keys.
#[derive(Subcommand)]
pub enum Act {
    /// Make a key; it is shown once.
    Make {
        /// Under which name history and audit will know what it did.
        #[arg(long)]
        name: String,
        /// What it may do; more than once for more.
        #[arg(long = "scope", required = true, value_enum)]
        scopes: Vec<Scope>,
    },
    /// Revoke a key, at once.
    Revoke {
        /// Its name.
        name: String,
    },
    /// List all keys, revoked ones too.
    List,
}

/// What a key may do.
#[derive(Clone, Copy, ValueEnum)]
pub enum Scope {
    /// Register, start, cancel, resend, read.
    Platform,
    /// Decide, read, explain.
    Review,
    /// Grant environments more organisations, read.
    Operator,
}

impl From<Scope> for desk::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Platform => Self::Platform,
            Scope::Review => Self::Review,
            Scope::Operator => Self::Operator,
        }
    }
}

/// Does it.
///
/// # Errors
/// When the database can't be used, the name is taken, or there is no such key.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = match act {
        // The first key may be made before the server's first start.
        Act::Make { .. } => offline::desk(&settings).await?,
        Act::Revoke { .. } | Act::List => offline::desk_of_existing(&settings).await?,
    };
    let done = act_on(act, &desk).await;
    store.close().await;
    done
}

async fn act_on(act: Act, desk: &desk::Desk) -> anyhow::Result<ExitCode> {
    match act {
        Act::Make { name, scopes } => {
            let mut wanted: Vec<desk::Scope> = Vec::new();
            for scope in scopes.into_iter().map(desk::Scope::from) {
                if !wanted.contains(&scope) {
                    wanted.push(scope);
                }
            }
            let secret = desk.make_key(&name, &wanted).await?;
            eprintln!("The key of {name}; keep it well, it is not shown again:");
            println!("{secret}");
        }
        Act::Revoke { name } => {
            if !desk.revoke_key(&name).await? {
                anyhow::bail!("there is no key {name} to revoke; `eencent api-key list` shows all");
            }
            println!("The key {name} is revoked.");
        }
        Act::List => {
            let keys = desk.keys().await?;
            if keys.is_empty() {
                println!("There are no keys; `eencent api-key make` makes one.");
            }
            for key in keys {
                let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
                let until = key.revoked_at.map_or_else(String::new, |at| format!(", revoked {at}"));
                println!("{}  {}  made {}{until}", key.name, scopes.join(", "), key.created_at);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
