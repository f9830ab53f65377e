//! Tying accounts to persons at the identity provider, and taking them back. Only administrators of the machine do.

use super::provider::subject_key;
use super::{Actor, Desk, Desking, Invitation};
use crate::refused::{DeskError, Kind, Refused};

impl Desk {
    /// From now on the person of an account signs in through the provider, as this subject: password, second factor,
    /// invitations and sessions end.
    ///
    /// # Errors
    /// Refused when there is no such account, the subject can't be one, or is another account's.
    pub async fn link_account(
        &self,
        actor: &Actor,
        id: &str,
        issuer: &str,
        subject: &str,
        reason: &str,
    ) -> Result<(), DeskError> {
        let key = subject_key(issuer, subject)?;
        let mut work = self.begin().await?;
        self.store.alone(&mut work.tx, "accounts of the provider").await?;
        self.account_held(&mut work, id).await?;
        if let Some(other) = self.known_there(&mut work, &key).await?
            && other.id != id
        {
            return Err(Refused::new(
                Kind::Conflict,
                "subject_linked",
                format!(
                    "This subject is that of the account of {} already: `eencent user unlink` it first.",
                    other.email
                ),
                format!(
                    "Dit subject is al dat van het account van {}: maak dat eerst los met `eencent user unlink`.",
                    other.email
                ),
            )
            .into());
        }
        sqlx::query(
            "UPDATE accounts SET subject = $1, password_hash = NULL, second_factor = NULL, last_step = NULL, failures = 0, \
             locked_until = NULL WHERE id = $2",
        )
        .bind(key)
        .bind(id)
        .execute(&mut *work.tx)
        .await?;
        sqlx::query("DELETE FROM invitations WHERE account_id = $1")
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        self.end_all(&mut work, id).await?;
        self.note(&mut work, actor, "account_linked", id, reason).await?;
        self.commit(work).await
    }

    /// The person of an account no longer signs in through the provider, and is invited to choose a password instead.
    ///
    /// # Errors
    /// Refused when there is no such account, or it isn't the provider's.
    pub async fn unlink_account(&self, actor: &Actor, id: &str, reason: &str) -> Result<Invitation, DeskError> {
        let mut work = self.begin().await?;
        self.account_held(&mut work, id).await?;
        let unlinked = sqlx::query("UPDATE accounts SET subject = NULL WHERE id = $1 AND subject IS NOT NULL")
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        if unlinked.rows_affected() == 0 {
            return Err(Refused::new(
                Kind::Conflict,
                "account_not_linked",
                "This account isn't the identity provider's: invite its person again instead.",
                "Dit account is niet van de identity provider: nodig de persoon opnieuw uit.",
            )
            .into());
        }
        self.end_all(&mut work, id).await?;
        let invitation = self.invite(&mut work, id).await?;
        self.note(&mut work, actor, "account_unlinked", id, reason).await?;
        self.commit(work).await?;
        Ok(invitation)
    }

    /// What the provider says of somebody isn't changed here: it would be back at the next signing in.
    pub(super) async fn not_the_providers(&self, work: &mut Desking, id: &str) -> Result<(), DeskError> {
        let linked = sqlx::query("SELECT id FROM accounts WHERE id = $1 AND subject IS NOT NULL")
            .bind(id)
            .fetch_optional(&mut *work.tx)
            .await?;
        if linked.is_none() {
            return Ok(());
        }
        Err(Refused::new(
            Kind::Conflict,
            "account_follows_provider",
            "This account follows the identity provider: change the person's groups there. Here it can be disabled, or taken back with `eencent user unlink`.",
            "Dit account volgt de identity provider: wijzig daar de groepen van de persoon. Hier kan het worden uitgeschakeld, of teruggenomen met `eencent user unlink`.",
        )
        .into())
    }
}
