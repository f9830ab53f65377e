//! Who else may: administrators add people, change what they are there for, invite them again, keep them out. And the
//! page on which everybody sees where they are signed in.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use eencent_activations::desk::{Invitation, NewAccount};
use eencent_activations::language::Language;
use eencent_activations::people::{Permission, Role};
use eencent_activations::refused::{DeskError, Kind};
use minijinja::{Value, context};
use serde::Deserialize;

use crate::Console;
use crate::sent::Sent;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

const SECTION: &str = "people";

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/people", get(list).post(add))
        .route("/people/{id}", get(one))
        .route("/people/{id}/{act}", post(act))
}

/// On both listeners: where somebody is signed in.
pub(crate) fn own() -> Router<Console> {
    Router::new()
        .route("/account", get(account))
        .route("/account/sign-out-everywhere", post(sign_out_everywhere))
}

async fn list(State(console): State<Console>, visitor: Visitor) -> Result<Response, Trouble> {
    visitor.must(Permission::Administer)?;
    shown(
        &console,
        &visitor,
        StatusCode::OK,
        context! { wrong => (), given => () },
    )
    .await
}

async fn shown(console: &Console, visitor: &Visitor, status: StatusCode, with: Value) -> Result<Response, Trouble> {
    let accounts = console.desk.accounts().await?;
    let with = context! { accounts, roles => all_roles(), ..with };
    Ok(console.page_with_status(status, visitor, SECTION, "people.html", &with))
}

/// Roles are boxes to tick: a field for each.
#[derive(Deserialize, Default)]
struct Ticked {
    support: Option<String>,
    lead: Option<String>,
    operations: Option<String>,
    administrator: Option<String>,
    read_only: Option<String>,
}

impl Ticked {
    fn roles(&self) -> Vec<Role> {
        let ticked = |role: &Role| match role {
            Role::Support => self.support.is_some(),
            Role::Lead => self.lead.is_some(),
            Role::Operations => self.operations.is_some(),
            Role::Administrator => self.administrator.is_some(),
            Role::ReadOnly => self.read_only.is_some(),
        };
        Role::ALL.iter().copied().filter(ticked).collect()
    }
}

#[derive(Deserialize)]
struct New {
    email: String,
    name: String,
    language: String,
    reason: String,
    #[serde(flatten)]
    ticked: Ticked,
}

async fn add(State(console): State<Console>, Sent { visitor, form }: Sent<New>) -> Result<Response, Trouble> {
    visitor.must(Permission::Administer)?;
    if !console.is_local() {
        return Err(Trouble::NotFound);
    }
    let new = NewAccount {
        email: form.email.clone(),
        name: form.name.clone(),
        roles: form.ticked.roles(),
        language: Language::of_code(&form.language),
    };
    match console
        .desk
        .add_account(&visitor.actor(), &new, form.reason.trim())
        .await
    {
        Ok(invitation) => invited(&console, &visitor, &invitation).await,
        Err(DeskError::Refused(refused)) if refused.kind != Kind::NotFound => {
            let wrong = visitor.told(&refused);
            let given = context! { email => form.email, name => form.name, language => form.language, roles => names(&new.roles) };
            shown(
                &console,
                &visitor,
                StatusCode::UNPROCESSABLE_ENTITY,
                context! { wrong, given },
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

async fn one(State(console): State<Console>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    visitor.must(Permission::Administer)?;
    detail(&console, &visitor, &id, None).await
}

async fn detail(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    link: Option<(&Invitation, String)>,
) -> Result<Response, Trouble> {
    let account = console.desk.account(id).await?;
    let sessions = console.desk.sessions_of(&account.id).await?;
    let with = context! {
        has => names(&account.roles),
        account, sessions,
        roles => all_roles(),
        link => link.as_ref().map(|(_, address)| address),
        until => link.as_ref().map(|(invitation, _)| invitation.expires_at),
    };
    Ok(console.page(visitor, SECTION, "person.html", &with))
}

/// The link is shown once, to whoever invited, who hands it on.
async fn invited(console: &Console, visitor: &Visitor, invitation: &Invitation) -> Result<Response, Trouble> {
    let address = format!("{}/invitation/{}", console.settings.url, invitation.token);
    detail(console, visitor, &invitation.account, Some((invitation, address))).await
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
    #[serde(flatten)]
    ticked: Ticked,
}

async fn act(
    State(console): State<Console>,
    Path((id, act)): Path<(String, String)>,
    Sent { visitor, form }: Sent<Reason>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::Administer)?;
    let (desk, actor, reason) = (&console.desk, visitor.actor(), form.reason.trim());
    match act.as_str() {
        "roles" => desk.change_roles(&actor, &id, &form.ticked.roles(), reason).await?,
        "disable" => desk.disable_account(&actor, &id, reason).await?,
        "enable" => desk.enable_account(&actor, &id, reason).await?,
        "end-sessions" => desk.end_sessions(&actor, &id, reason).await?,
        "invite" if console.is_local() => {
            let invitation = desk.invite_again(&actor, &id, reason).await?;
            return invited(&console, &visitor, &invitation).await;
        }
        _ => return Err(Trouble::NotFound),
    }
    Ok(Redirect::to(&format!("/people/{id}")).into_response())
}

async fn account(State(console): State<Console>, visitor: Visitor) -> Result<Response, Trouble> {
    let sessions = console.desk.sessions_of(&visitor.person.account).await?;
    let account = console.desk.account(&visitor.person.account).await?;
    let with = context! { sessions, signs_in_by => account.signs_in_by, has => names(&visitor.person.roles) };
    Ok(console.page(&visitor, "account", "account.html", &with))
}

#[derive(Deserialize)]
struct Nothing {}

async fn sign_out_everywhere(State(console): State<Console>, sent: Sent<Nothing>) -> Result<Redirect, Trouble> {
    let visitor = sent.visitor;
    console
        .desk
        .end_sessions(&visitor.actor(), &visitor.person.account, "signed out everywhere")
        .await?;
    Ok(Redirect::to("/sign-in"))
}

fn names(roles: &[Role]) -> Vec<&'static str> {
    roles.iter().map(|role| role.as_str()).collect()
}

fn all_roles() -> Vec<&'static str> {
    names(Role::ALL)
}
