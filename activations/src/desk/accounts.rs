//! Accounts of the consoles: added, given roles, invited, disabled. Each act is somebody's, and in the audit.
//!
//! Nobody gets a password from us: whoever is added gets a link, with which they choose a password and a second factor
//! of their own. Inviting again is also how a lost phone is replaced: what there was stops working at once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::any::AnyRow;

use super::{Actor, Desk, Desking, SessionLimits};
use crate::clock::Timestamp;
use crate::language::Language;
use crate::links::hash_of;
use crate::people::second_factor::SecondFactor;
use crate::people::{AccountView, Role, SessionView, password, roles};
use crate::personal::EmailAddress;
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{StoreError, instant, maybe_instant, number, text};

/// How long somebody has to choose.
const INVITED_FOR: Duration = Duration::from_secs(72 * 3_600);

/// Somebody to be added.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What they will sign in with.
    pub email: String,
    /// As others know them.
    pub name: String,
    /// What they are there for; at least one.
    pub roles: Vec<Role>,
    /// In which they read.
    pub language: Language,
}

/// A link for somebody to choose with; shown once, and not kept.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The account's id.
    pub account: String,
    /// The last part of its address.
    pub token: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Who holds an invitation that works.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The account's id.
    pub account: String,
    /// What they sign in with.
    pub email: String,
    /// As others know them.
    pub name: String,
    /// In which they read.
    pub language: Language,
    /// The second factor that they are to put in their app.
    pub second_factor: SecondFactor,
}

const ACCOUNTS: &str = "SELECT id, email, name, roles, language, CASE WHEN subject IS NOT NULL THEN 'provider' WHEN password_hash IS NOT NULL THEN \
     'password' ELSE 'invited' END AS signs_in_by, created_at, disabled_at, locked_until, signed_in_at FROM accounts";

impl Desk {
    /// Adds an account, and invites its person.
    ///
    /// # Errors
    /// Refused when a field is wrong, or there is an account with this address.
    pub async fn add_account(&self, actor: &Actor, new: &NewAccount, reason: &str) -> Result<Invitation, DeskError> {
        let email = address(&new.email)?;
        let name = named(&new.name)?;
        some_role(&new.roles)?;
        let id = self.new_id("acc")?;
        let mut work = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO accounts (id, email, name, roles, language, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(email.as_str())
        .bind(name)
        .bind(joined(&new.roles))
        .bind(new.language.code())
        .bind(self.now().micros())
        .execute(&mut *work.tx)
        .await
        .map_err(StoreError::from);
        match inserted {
            Err(error) if error.is_unique_violation() => {
                return Err(Refused::new(
                    Kind::Conflict,
                    "account_exists",
                    format!("There is an account of {email} already; change its roles, or invite its person again."),
                    format!("Er is al een account van {email}; wijzig de rollen, of nodig de persoon opnieuw uit."),
                )
                .into());
            }
            other => other?,
        };
        let invitation = self.invite(&mut work, &id).await?;
        self.note(
            &mut work,
            actor,
            "account_added",
            &id,
            &told(&joined(&new.roles), reason),
        )
        .await?;
        self.commit(work).await?;
        Ok(invitation)
    }

    /// Invites the person of an account again: password, second factor and sessions end at once.
    ///
    /// # Errors
    /// Refused when there is no such account, or its person signs in through the identity provider.
    pub async fn invite_again(&self, actor: &Actor, id: &str, reason: &str) -> Result<Invitation, DeskError> {
        let mut work = self.begin().await?;
        self.account_held(&mut work, id).await?;
        self.not_the_providers(&mut work, id).await?;
        sqlx::query(
            "UPDATE accounts SET password_hash = NULL, second_factor = NULL, last_step = NULL, failures = 0, \
             locked_until = NULL WHERE id = $1",
        )
        .bind(id)
        .execute(&mut *work.tx)
        .await?;
        self.end_all(&mut work, id).await?;
        let invitation = self.invite(&mut work, id).await?;
        self.note(&mut work, actor, "account_invited", id, reason).await?;
        self.commit(work).await?;
        Ok(invitation)
    }

    /// Changes what somebody is there for. It holds from their next request on.
    ///
    /// # Errors
    /// Refused when there is no such account, no role is given, roles follow the identity provider, or nobody would be
    /// left who may add people.
    pub async fn change_roles(&self, actor: &Actor, id: &str, roles: &[Role], reason: &str) -> Result<(), DeskError> {
        some_role(roles)?;
        let mut work = self.begin().await?;
        self.account_held(&mut work, id).await?;
        self.not_the_providers(&mut work, id).await?;
        if !roles.contains(&Role::Administrator) {
            self.not_the_last(&mut work, id).await?;
        }
        sqlx::query("UPDATE accounts SET roles = $1 WHERE id = $2")
            .bind(joined(roles))
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        self.note(&mut work, actor, "roles_changed", id, &told(&joined(roles), reason))
            .await?;
        self.commit(work).await
    }

    /// Keeps somebody out, and ends their sessions at once. What they did stays theirs.
    ///
    /// # Errors
    /// Refused when there is no such account, or nobody would be left who may add people.
    pub async fn disable_account(&self, actor: &Actor, id: &str, reason: &str) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        self.account_held(&mut work, id).await?;
        self.not_the_last(&mut work, id).await?;
        sqlx::query("UPDATE accounts SET disabled_at = $1 WHERE id = $2 AND disabled_at IS NULL")
            .bind(self.now().micros())
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        self.end_all(&mut work, id).await?;
        self.note(&mut work, actor, "account_disabled", id, reason).await?;
        self.commit(work).await
    }

    /// Lets somebody in again, and takes a lock off.
    ///
    /// # Errors
    /// Refused when there is no such account.
    pub async fn enable_account(&self, actor: &Actor, id: &str, reason: &str) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        self.account_held(&mut work, id).await?;
        sqlx::query("UPDATE accounts SET disabled_at = NULL, failures = 0, locked_until = NULL WHERE id = $1")
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        self.note(&mut work, actor, "account_enabled", id, reason).await?;
        self.commit(work).await
    }

    /// Ends all sessions of somebody.
    ///
    /// # Errors
    /// Refused when there is no such account.
    pub async fn end_sessions(&self, actor: &Actor, id: &str, reason: &str) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        self.account_held(&mut work, id).await?;
        self.end_all(&mut work, id).await?;
        self.note(&mut work, actor, "sessions_ended", id, reason).await?;
        self.commit(work).await
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn accounts(&self) -> Result<Vec<AccountView>, DeskError> {
        let sql = format!("{ACCOUNTS} ORDER BY name, id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(self.store.reader())
            .await?;
        Ok(rows.iter().map(view).collect::<Result<_, _>>()?)
    }

    /// An account, by its id or address.
    ///
    /// # Errors
    /// Refused when there is none.
    pub async fn account(&self, id_or_email: &str) -> Result<AccountView, DeskError> {
        let sql = format!("{ACCOUNTS} WHERE id = $1 OR email = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id_or_email)
            .bind(id_or_email.trim().to_lowercase())
            .fetch_optional(self.store.reader())
            .await?;
        Ok(view(&row.ok_or_else(no_account)?)?)
    }

    /// Where somebody is signed in, the latest first.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn sessions_of(&self, id: &str) -> Result<Vec<SessionView>, DeskError> {
        let rows = sqlx::query(
            "SELECT created_at, seen_at, expires_at, agent FROM sessions WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2 \
             ORDER BY seen_at DESC",
        )
        .bind(id)
        .bind(self.now().micros())
        .fetch_all(self.store.reader())
        .await?;
        let one = |row: &AnyRow| -> Result<SessionView, StoreError> {
            Ok(SessionView {
                created_at: instant(row, "created_at")?,
                seen_at: instant(row, "seen_at")?,
                expires_at: instant(row, "expires_at")?,
                agent: text(row, "agent")?,
            })
        };
        Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
    }

    /// Who holds this invitation; nobody where it is unknown, used, replaced or too old.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn invited(&self, token: &str) -> Result<Option<Invited>, DeskError> {
        let row = sqlx::query(
            "SELECT a.id, a.email, a.name, a.language FROM invitations i JOIN accounts a ON a.id = i.account_id \
             WHERE i.token_hash = $1 AND i.used_at IS NULL AND i.expires_at > $2 AND a.disabled_at IS NULL AND a.subject IS NULL",
        )
        .bind(hash_of(token))
        .bind(self.now().micros())
        .fetch_optional(self.store.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Invited {
            account: text(&row, "id")?,
            email: text(&row, "email")?,
            name: text(&row, "name")?,
            language: Language::of_code(&text(&row, "language")?),
            second_factor: SecondFactor::of_invitation(&self.rules.links_key, token),
        }))
    }

    /// Somebody chooses a password, and shows that their app makes the codes. The invitation is used with it, and they
    /// are signed in: the answer is the secret of the session.
    ///
    /// # Errors
    /// Refused when the invitation doesn't work (any more), the password won't do, or the code is wrong.
    pub async fn accept_invitation(
        &self,
        token: &str,
        (chosen, code): (&str, &str),
        agent: &str,
        limits: SessionLimits,
    ) -> Result<String, DeskError> {
        let invited = self.invited(token).await?.ok_or_else(no_invitation)?;
        password::check(chosen, &invited.email, &invited.name)?;
        let now = self.now();
        let step = invited.second_factor.step_of(code, now).ok_or_else(wrong_code)?;
        let hash = self.hashed(chosen).await?;
        let sealed = invited
            .second_factor
            .sealed(&self.rules.links_key, &invited.account, self.entropy.as_ref())?;
        let mut work = self.begin().await?;
        let used = sqlx::query(
            "UPDATE invitations SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $1",
        )
        .bind(now.micros())
        .bind(hash_of(token))
        .execute(&mut *work.tx)
        .await?;
        if used.rows_affected() == 0 {
            return Err(no_invitation().into());
        }
        sqlx::query(
            "UPDATE accounts SET password_hash = $1, second_factor = $2, last_step = $3, failures = 0, locked_until = NULL, \
             signed_in_at = $5 WHERE id = $4",
        )
        .bind(hash)
        .bind(sealed)
        .bind(step)
        .bind(invited.account.as_str())
        .bind(now.micros())
        .execute(&mut *work.tx)
        .await?;
        let session = self.open_session(&mut work, &invited.account, agent, limits).await?;
        let actor = Actor::console().as_person(&format!("{} <{}>", invited.name, invited.email));
        self.note(&mut work, &actor, "invitation_accepted", &invited.account, "")
            .await?;
        self.commit(work).await?;
        Ok(session)
    }

    async fn hashed(&self, chosen: &str) -> Result<String, DeskError> {
        let (chosen, entropy) = (chosen.to_owned(), std::sync::Arc::clone(&self.entropy));
        // Some tens of milliseconds of one core: not among what answers others.
        let hash = tokio::task::spawn_blocking(move || password::hash(&chosen, entropy.as_ref())).await;
        match hash {
            Ok(Ok(hash)) => Ok(hash),
            Ok(Err(error)) => Err(StoreError::Unreadable(error.to_string()).into()),
            Err(_) => Err(StoreError::Unreadable("hashing a password was broken off".to_owned()).into()),
        }
    }

    pub(super) async fn invite(&self, work: &mut Desking, id: &str) -> Result<Invitation, DeskError> {
        let now = self.now();
        let mut bytes = [0_u8; 32];
        self.entropy.fill(&mut bytes)?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let expires_at = now.plus(INVITED_FOR);
        // Only the newest one works.
        sqlx::query("DELETE FROM invitations WHERE account_id = $1")
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        sqlx::query("INSERT INTO invitations (token_hash, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(hash_of(&token))
            .bind(id)
            .bind(now.micros())
            .bind(expires_at.micros())
            .execute(&mut *work.tx)
            .await?;
        Ok(Invitation {
            account: id.to_owned(),
            token,
            expires_at,
        })
    }

    pub(super) async fn account_held(&self, work: &mut Desking, id: &str) -> Result<(), DeskError> {
        let sql = format!("SELECT a.id FROM accounts a WHERE a.id = $1{}", self.store.held("a"));
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&mut *work.tx)
            .await?
            .ok_or_else(no_account)?;
        Ok(())
    }

    pub(super) async fn end_all(&self, work: &mut Desking, id: &str) -> Result<(), DeskError> {
        sqlx::query("UPDATE sessions SET ended_at = $1 WHERE account_id = $2 AND ended_at IS NULL")
            .bind(self.now().micros())
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        Ok(())
    }

    /// Somebody else is left who may add people.
    async fn not_the_last(&self, work: &mut Desking, id: &str) -> Result<(), DeskError> {
        self.store.alone(&mut work.tx, "administrators").await?;
        let row = sqlx::query(
            "SELECT COUNT(*) AS others, CAST(COALESCE(SUM(CASE WHEN id = $1 THEN 1 ELSE 0 END), 0) AS BIGINT) AS itself FROM accounts \
             WHERE disabled_at IS NULL AND ' ' || roles || ' ' LIKE '% administrator %'",
        )
        .bind(id)
        .fetch_one(&mut *work.tx)
        .await?;
        let (all, itself) = (number(&row, "others")?, number(&row, "itself")?);
        if itself > 0 && all == itself {
            return Err(Refused::new(
                Kind::Conflict,
                "last_administrator",
                "Nobody would be left who may add people: make somebody else an administrator first.",
                "Er zou niemand overblijven die mensen kan toevoegen: maak eerst iemand anders beheerder.",
            )
            .into());
        }
        Ok(())
    }
}

fn view(row: &AnyRow) -> Result<AccountView, StoreError> {
    Ok(AccountView {
        id: text(row, "id")?,
        email: text(row, "email")?,
        name: text(row, "name")?,
        roles: roles(&text(row, "roles")?),
        language: text(row, "language")?,
        signs_in_by: match text(row, "signs_in_by")?.as_str() {
            "provider" => "identity_provider",
            "password" => "password",
            _ => "invited",
        },
        created_at: instant(row, "created_at")?,
        disabled_at: maybe_instant(row, "disabled_at")?,
        locked_until: maybe_instant(row, "locked_until")?,
        signed_in_at: maybe_instant(row, "signed_in_at")?,
    })
}

pub(super) fn joined(roles: &[Role]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for role in roles {
        if !names.contains(&role.as_str()) {
            names.push(role.as_str());
        }
    }
    names.join(" ")
}

fn told(what: &str, reason: &str) -> String {
    if reason.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {reason}")
    }
}

pub(super) fn address(written: &str) -> Result<String, Refused> {
    EmailAddress::parse(written.trim())
        .map(|address| address.as_str().to_lowercase())
        .map_err(|_| {
            Refused::new(
                Kind::Invalid,
                "account_email",
                "Give an e-mail address, such as m.jansen@example.nl.",
                "Geef een e-mailadres, zoals m.jansen@example.nl.",
            )
        })
}

pub(super) fn named(written: &str) -> Result<&str, Refused> {
    let name = written.trim();
    let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(|c| c.is_control() || "<>".contains(c));
    fits.then_some(name).ok_or_else(|| {
        Refused::new(
            Kind::Invalid,
            "account_name",
            "Give the person's name: 1 to 100 characters, without < and >.",
            "Geef de naam van de persoon: 1 tot 100 tekens, zonder < en >.",
        )
    })
}

fn some_role(roles: &[Role]) -> Result<(), Refused> {
    if roles.is_empty() {
        return Err(Refused::new(
            Kind::Invalid,
            "account_roles",
            "Give at least one role: support, lead, operations, administrator or read_only.",
            "Geef minstens één rol: support, lead, operations, administrator of read_only.",
        ));
    }
    Ok(())
}

fn no_account() -> Refused {
    Refused::new(
        Kind::NotFound,
        "account_unknown",
        "There is no such account: `eencent user list` shows those there are.",
        "Zo'n account is er niet: `eencent user list` toont welke er zijn.",
    )
}

fn no_invitation() -> Refused {
    Refused::new(
        Kind::NotFound,
        "invitation_ended",
        "This invitation does not work (any more): it was used, replaced by a newer one, or is older than three days. Ask an administrator for another.",
        "Deze uitnodiging werkt niet (meer): zij is gebruikt, vervangen door een nieuwere, of ouder dan drie dagen. Vraag een beheerder om een nieuwe.",
    )
}

fn wrong_code() -> Refused {
    Refused::new(
        Kind::Invalid,
        "code_wrong",
        "The code is not the one that the app shows now. Check that the clock of your phone is right, and type the newest code.",
        "De code is niet die de app nu toont. Controleer of de klok van uw telefoon gelijkloopt, en typ de nieuwste code.",
    )
}
