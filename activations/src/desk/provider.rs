//! Signing in through an identity provider, and which account is whose there.
//!
//! An account is known by issuer and subject, never by an address: addresses change hands, and a provider may let people
//! write their own. One that exists with the same address is therefore not taken over; an administrator ties it
//! ([`Desk::link_account`]). Roles follow the provider's groups at each signing in, and whoever is in none of them is out.

use sqlx::any::AnyRow;

use super::accounts::{address, joined, named};
use super::{Actor, Desk, Desking, SessionLimits};
use crate::language::Language;
use crate::links::hash_of;
use crate::people::Role;
use crate::people::trip::{self, Trip};
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, maybe_instant, text};

/// The longest subject, as its standard has it.
const LONGEST_SUBJECT: usize = 255;

/// Somebody for whom the provider vouches.
#[derive(Debug, Clone)]
pub struct ProviderPerson {
    /// The provider.
    pub issuer: String,
    /// The person, there; never somebody else's.
    pub subject: String,
    /// Their address, unless the provider says that it isn't proven.
    pub email: Option<String>,
    /// Their name, where it tells one.
    pub name: Option<String>,
    /// What their groups give.
    pub roles: Vec<Role>,
    /// In which they read, at first.
    pub language: Language,
}

/// What stands on their account.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) email: String,
    name: String,
    roles: String,
    disabled: bool,
}

impl Known {
    fn of(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: text(row, "id")?,
            email: text(row, "email")?,
            name: text(row, "name")?,
            roles: text(row, "roles")?,
            disabled: maybe_instant(row, "disabled_at")?.is_some(),
        })
    }

    fn signature(&self) -> String {
        format!("{} <{}>", self.name, self.email)
    }
}

impl Desk {
    /// A browser sets off for the provider.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn begin_trip(&self, next: &str) -> Result<Trip, DeskError> {
        Ok(Trip::begin(
            &self.rules.links_key,
            self.now(),
            self.entropy.as_ref(),
            next,
        )?)
    }

    /// It comes back. `None` where it isn't the one that set off, it took too long, or this answer was taken before.
    ///
    /// # Errors
    /// When the store doesn't answer: nobody gets in then.
    pub async fn end_trip(&self, cookie: &str, state: &str) -> Result<Option<Trip>, DeskError> {
        let now = self.now();
        let Some(trip) = Trip::end(&self.rules.links_key, now, cookie, state) else {
            return Ok(None);
        };
        let before = sqlx::query("SELECT state_hash FROM provider_answers WHERE state_hash = $1")
            .bind(hash_of(state))
            .fetch_optional(self.store.reader())
            .await?;
        if before.is_some() {
            // Looked at first: whoever comes back again and again keeps no writer busy.
            return Ok(None);
        }
        let mut work = self.begin().await?;
        // Twice as long: another machine's clock may be behind.
        sqlx::query("DELETE FROM provider_answers WHERE taken_at < $1")
            .bind(now.minus(trip::LONGEST * 2).micros())
            .execute(&mut *work.tx)
            .await?;
        let taken = sqlx::query(
            "INSERT INTO provider_answers (state_hash, taken_at) VALUES ($1, $2) ON CONFLICT (state_hash) DO NOTHING",
        )
        .bind(hash_of(state))
        .bind(now.micros())
        .execute(&mut *work.tx)
        .await?;
        self.commit(work).await?;
        Ok((taken.rows_affected() == 1).then_some(trip))
    }

    /// Signs in somebody for whom the provider vouches; the first time with a new account. The answer is the secret of
    /// the session.
    ///
    /// # Errors
    /// Refused when no group of theirs gives a role (whoever had one loses it, and is signed out everywhere), their
    /// account is disabled, the provider vouches for no address, or there is a local account of it.
    pub async fn sign_in_by_provider(
        &self,
        came: &ProviderPerson,
        agent: &str,
        limits: SessionLimits,
    ) -> Result<String, DeskError> {
        let key = subject_key(&came.issuer, &came.subject)?;
        let mut work = self.begin().await?;
        // Who comes twice at once for the first time gets one account.
        self.store.alone(&mut work.tx, "accounts of the provider").await?;
        let known = self.known_there(&mut work, &key).await?;
        if known.as_ref().is_some_and(|known| known.disabled) {
            return Err(Refused::new(
                Kind::Forbidden,
                "account_disabled",
                "Your account is disabled: ask an administrator of the console to let you in again.",
                "Uw account is uitgeschakeld: vraag een beheerder van de console u weer toe te laten.",
            )
            .into());
        }
        if came.roles.is_empty() {
            if let Some(known) = known {
                self.out(work, &known).await?;
            }
            return Err(Refused::new(
                Kind::Forbidden,
                "provider_no_group",
                "None of your groups at the identity provider gives access here: ask whoever manages the groups to put you into the right one, and sign in again.",
                "Geen van uw groepen bij de identity provider geeft hier toegang: vraag wie de groepen beheert u in de juiste te zetten, en log opnieuw in.",
            )
            .into());
        }
        let account = match known {
            Some(known) => self.follow(&mut work, &known, came).await?,
            None => {
                let email = came.email.as_deref().and_then(|email| address(email).ok());
                let email = email.ok_or_else(no_address)?;
                if let Some(local) = self.of_address(&mut work, &email).await? {
                    return self.not_taken_over(work, &local, &came.subject).await;
                }
                self.add_known(&mut work, &key, email, came).await?
            }
        };
        sqlx::query("UPDATE accounts SET signed_in_at = $1 WHERE id = $2")
            .bind(self.now().micros())
            .bind(account.id.as_str())
            .execute(&mut *work.tx)
            .await?;
        let session = self.open_session(&mut work, &account.id, agent, limits).await?;
        let actor = Actor::console().as_person(&account.signature());
        self.note(
            &mut work,
            &actor,
            "signed_in",
            &account.id,
            "through the identity provider",
        )
        .await?;
        self.commit(work).await?;
        Ok(session)
    }

    pub(super) async fn known_there(&self, work: &mut Desking, key: &str) -> Result<Option<Known>, DeskError> {
        let sql = format!(
            "SELECT a.id, a.email, a.name, a.roles, a.disabled_at FROM accounts a WHERE a.subject = $1{}",
            self.store.held("a")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(key)
            .fetch_optional(&mut *work.tx)
            .await?;
        Ok(row.as_ref().map(Known::of).transpose()?)
    }

    async fn of_address(&self, work: &mut Desking, email: &str) -> Result<Option<Known>, DeskError> {
        let row = sqlx::query("SELECT id, email, name, roles, disabled_at FROM accounts WHERE email = $1")
            .bind(email)
            .fetch_optional(&mut *work.tx)
            .await?;
        Ok(row.as_ref().map(Known::of).transpose()?)
    }

    /// In no group any more: what the person may ends now, not when their sessions would.
    async fn out(&self, mut work: Desking, known: &Known) -> Result<(), DeskError> {
        self.end_all(&mut work, &known.id).await?;
        if !known.roles.is_empty() {
            sqlx::query("UPDATE accounts SET roles = '' WHERE id = $1")
                .bind(known.id.as_str())
                .execute(&mut *work.tx)
                .await?;
            let told = format!("none, was {}: in no group that gives one", known.roles);
            self.note(
                &mut work,
                &Actor::identity_provider(),
                "roles_changed",
                &known.id,
                &told,
            )
            .await?;
        }
        self.commit(work).await
    }

    /// Roles, name and address as the provider has them now.
    async fn follow(&self, work: &mut Desking, known: &Known, came: &ProviderPerson) -> Result<Known, DeskError> {
        let roles = joined(&came.roles);
        let name = came.name.as_deref().and_then(|name| named(name).ok());
        let mut email = came.email.as_deref().and_then(|email| address(email).ok());
        if let Some(new) = &email
            && self.of_address(work, new).await?.is_some()
        {
            // Theirs already, or another account's, which keeps it.
            email = None;
        }
        let now = Known {
            id: known.id.clone(),
            email: email.unwrap_or_else(|| known.email.clone()),
            name: name.unwrap_or(&known.name).to_owned(),
            roles,
            disabled: false,
        };
        let by = Actor::identity_provider();
        if now.roles != known.roles {
            let told = format!("{}, was {}", now.roles, or_none(&known.roles));
            self.note(work, &by, "roles_changed", &known.id, &told).await?;
        }
        if now.signature() != known.signature() {
            let told = format!("{}, was {}", now.signature(), known.signature());
            self.note(work, &by, "account_renamed", &known.id, &told).await?;
        }
        sqlx::query("UPDATE accounts SET roles = $1, name = $2, email = $3 WHERE id = $4")
            .bind(now.roles.as_str())
            .bind(now.name.as_str())
            .bind(now.email.as_str())
            .bind(now.id.as_str())
            .execute(&mut *work.tx)
            .await?;
        Ok(now)
    }

    async fn add_known(
        &self,
        work: &mut Desking,
        key: &str,
        email: String,
        came: &ProviderPerson,
    ) -> Result<Known, DeskError> {
        let name = came.name.as_deref().and_then(|name| named(name).ok());
        let before_at = email.split('@').next().unwrap_or_default();
        let new = Known {
            id: self.new_id("acc")?,
            name: name.unwrap_or(before_at).chars().take(100).collect(),
            email,
            roles: joined(&came.roles),
            disabled: false,
        };
        sqlx::query(
            "INSERT INTO accounts (id, email, name, roles, language, subject, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.id.as_str())
        .bind(new.email.as_str())
        .bind(new.name.as_str())
        .bind(new.roles.as_str())
        .bind(came.language.code())
        .bind(key)
        .bind(self.now().micros())
        .execute(&mut *work.tx)
        .await?;
        self.note(work, &Actor::identity_provider(), "account_added", &new.id, &new.roles)
            .await?;
        Ok(new)
    }

    /// Said to whoever came, and kept for the administrator who decides.
    async fn not_taken_over(&self, mut work: Desking, local: &Known, subject: &str) -> Result<String, DeskError> {
        let told = format!("the address is that of subject {subject}, to which the account isn't linked");
        self.note(
            &mut work,
            &Actor::identity_provider(),
            "sign_in_refused",
            &local.id,
            &told,
        )
        .await?;
        self.commit(work).await?;
        let command = format!("eencent user link {} --subject '{subject}'", local.email);
        Err(Refused::new(
            Kind::Conflict,
            "provider_account_exists",
            format!("There is an account with your address that isn't tied to the identity provider. If it is yours, ask an administrator to tie it: `{command}`."),
            format!("Er is een account met uw adres dat niet aan de identity provider is gekoppeld. Is het van u, vraag dan een beheerder het te koppelen: `{command}`."),
        )
        .into())
    }
}

/// How a row knows somebody: an issuer is an address and holds no space.
pub(super) fn subject_key(issuer: &str, subject: &str) -> Result<String, Refused> {
    let fits = (1..=LONGEST_SUBJECT).contains(&subject.len()) && subject.chars().all(|c| !c.is_control() && c != '\'');
    if !fits || issuer.is_empty() {
        return Err(Refused::new(
            Kind::Invalid,
            "subject_invalid",
            "The subject is the text by which the identity provider knows a person: 1 to 255 characters. The page that refused the person shows it.",
            "Het subject is de tekst waaronder de identity provider iemand kent: 1 tot 255 tekens. De pagina die de persoon weigerde, toont het.",
        ));
    }
    Ok(format!("{issuer} {subject}"))
}

fn or_none(roles: &str) -> &str {
    if roles.is_empty() { "none" } else { roles }
}

fn no_address() -> Refused {
    Refused::new(
        Kind::Forbidden,
        "provider_email",
        "The identity provider vouches for no e-mail address of yours: have it proven there, and sign in again. If it was proven long since, the scope or claim is missing: docs/sign-in.md says which.",
        "De identity provider staat voor geen e-mailadres van u in: laat het daar bevestigen, en log opnieuw in. Is het allang bevestigd, dan ontbreekt de scope of claim: docs/sign-in.md zegt welke.",
    )
}
