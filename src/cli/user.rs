//! `eencent user add|list|invite|roles|disable|enable|link|unlink`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use eencent_activations::desk::{Actor, Desk, Invitation, NewAccount};
use eencent_activations::language::Language;
use eencent_activations::people;

use super::offline;
use crate::settings::Settings;

/// What to do with people.
#[derive(Subcommand)]
pub enum Act {
    /// Add somebody; prints a link, with which they choose a password and set up their codes.
    Add {
        /// What they will sign in with.
        #[arg(long)]
        email: String,
        /// As others know them.
        #[arg(long)]
        name: String,
        /// What they are there for; more than once for more.
        #[arg(long = "role", required = true, value_enum)]
        roles: Vec<Role>,
        /// In which they read.
        #[arg(long, value_enum, default_value = "nl")]
        language: Spoken,
    },
    /// List everybody.
    List,
    /// Invite somebody again, who lost password or phone: what there was stops working.
    Invite {
        /// Who, by address or id.
        account: String,
        #[command(flatten)]
        order: Order,
    },
    /// Change what somebody is there for.
    Roles {
        /// Who, by address or id.
        account: String,
        /// All roles that they have from now on.
        #[arg(long = "role", required = true, value_enum)]
        roles: Vec<Role>,
        #[command(flatten)]
        order: Order,
    },
    /// Keep somebody out, and sign them out everywhere.
    Disable {
        /// Who, by address or id.
        account: String,
        #[command(flatten)]
        order: Order,
    },
    /// Let somebody in again, and take a lock off.
    Enable {
        /// Who, by address or id.
        account: String,
        #[command(flatten)]
        order: Order,
    },
    /// Have somebody sign in through the identity provider from now on: their password stops working.
    Link {
        /// Who, by address or id.
        account: String,
        /// The person at the provider, as the page that refused them shows it.
        #[arg(long)]
        subject: String,
        #[command(flatten)]
        order: Order,
    },
    /// Have somebody sign in with a password again; prints a link, with which they choose one.
    Unlink {
        /// Who, by address or id.
        account: String,
        #[command(flatten)]
        order: Order,
    },
}

/// Who asks for it, and why.
#[derive(Args)]
pub struct Order {
    /// Who asks for it; goes into the audit.
    #[arg(long)]
    by: String,
    /// Why; goes into the audit.
    #[arg(long)]
    reason: String,
}

/// What somebody is there for.
#[derive(Clone, Copy, ValueEnum)]
pub enum Role {
    /// Decides on activations under review.
    Support,
    /// The same, and confirms what takes two persons.
    Lead,
    /// Keeps the queues healthy.
    Operations,
    /// Says who else may.
    Administrator,
    /// Looks, and does nothing.
    ReadOnly,
}

impl From<Role> for people::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Support => Self::Support,
            Role::Lead => Self::Lead,
            Role::Operations => Self::Operations,
            Role::Administrator => Self::Administrator,
            Role::ReadOnly => Self::ReadOnly,
        }
    }
}

/// A language.
#[derive(Clone, Copy, ValueEnum)]
pub enum Spoken {
    /// Dutch.
    Nl,
    /// English.
    En,
}

/// Does it.
///
/// # Errors
/// When the database can't be used, or what is asked is refused.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = match act {
        // The first person may be added before the server's first start.
        Act::Add { .. } => offline::desk(&settings).await?,
        _ => offline::desk_of_existing(&settings).await?,
    };
    let base = match settings.console.url.as_str() {
        "" => format!("http://{}", settings.listen.staff),
        url => url.to_owned(),
    };
    let provider = settings.console.identity_provider.as_ref();
    let issuer = provider.map(|provider| provider.issuer.as_str());
    let done = act_on(act, &desk, &base, issuer).await;
    store.close().await;
    done
}

async fn act_on(act: Act, desk: &Desk, base: &str, issuer: Option<&str>) -> anyhow::Result<ExitCode> {
    match act {
        Act::Add {
            email,
            name,
            roles,
            language,
        } => {
            let language = match language {
                Spoken::Nl => Language::Dutch,
                Spoken::En => Language::English,
            };
            let new = NewAccount {
                email,
                name,
                roles: roles.into_iter().map(Into::into).collect(),
                language,
            };
            let invitation = desk.add_account(&Actor::command_line(), &new, "").await?;
            hand_on(&invitation, base);
        }
        Act::List => list(desk).await?,
        Act::Invite { account, order } => {
            let id = desk.account(&account).await?.id;
            let invitation = desk.invite_again(&by(&order), &id, &order.reason).await?;
            hand_on(&invitation, base);
        }
        Act::Roles { account, roles, order } => {
            let id = desk.account(&account).await?.id;
            let roles: Vec<people::Role> = roles.into_iter().map(Into::into).collect();
            desk.change_roles(&by(&order), &id, &roles, &order.reason).await?;
            println!("Done: it holds from their next request on.");
        }
        Act::Disable { account, order } => {
            let id = desk.account(&account).await?.id;
            desk.disable_account(&by(&order), &id, &order.reason).await?;
            println!("{account} is kept out, and signed out everywhere.");
        }
        Act::Enable { account, order } => {
            let id = desk.account(&account).await?.id;
            desk.enable_account(&by(&order), &id, &order.reason).await?;
            println!("{account} can sign in again.");
        }
        Act::Link {
            account,
            subject,
            order,
        } => {
            let issuer = issuer.context("no identity provider is set: console.identity_provider.issuer says which")?;
            let id = desk.account(&account).await?.id;
            desk.link_account(&by(&order), &id, issuer, &subject, &order.reason)
                .await?;
            println!("{account} signs in through the identity provider from now on.");
        }
        Act::Unlink { account, order } => {
            let id = desk.account(&account).await?.id;
            let invitation = desk.unlink_account(&by(&order), &id, &order.reason).await?;
            hand_on(&invitation, base);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn by(order: &Order) -> Actor {
    Actor::command_line().as_person(order.by.trim())
}

/// The link goes to standard output by itself, so that a script can send it on.
fn hand_on(invitation: &Invitation, base: &str) {
    eprintln!(
        "Hand this link on; it works once, until {}, and whoever has it chooses the password:",
        invitation.expires_at
    );
    println!("{base}/invitation/{}", invitation.token);
}

async fn list(desk: &Desk) -> anyhow::Result<()> {
    let accounts = desk.accounts().await?;
    if accounts.is_empty() {
        println!("There is nobody yet; `eencent user add` adds the first person.");
    }
    for account in accounts {
        let roles: Vec<&str> = account.roles.iter().map(|role| role.as_str()).collect();
        let stands = match (account.disabled_at, account.signed_in_at) {
            (Some(at), _) => format!("disabled {at}"),
            (None, _) if account.signs_in_by == "invited" => "invited".to_owned(),
            (None, Some(at)) => format!("signed in {at}"),
            (None, None) => "never signed in".to_owned(),
        };
        println!("{}  {}  {}  {stands}", account.email, account.name, roles.join(", "));
    }
    Ok(())
}
