//! Rounding off: the link from the e-mail, and the one click that activates.

use serde::Serialize;
use sqlx::AnyConnection;

use super::Desk;
use super::moves::{Activation, Line, SELECT};
use crate::clock::Timestamp;
use crate::links::hash_of;
use crate::refused::DeskError;
use crate::state::{Happening, State};
use crate::store::{StoreError, instant, maybe_instant, number};

/// From old links, so many fresh ones are sent within [`FRESH_WITHIN`].
const FRESH_AT_MOST: i64 = 3;
const FRESH_WITHIN: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStanding {
    /// One click will activate.
    Ready,
    /// This click has just activated.
    Activated,
    /// It was used before; the organisation is active.
    Used,
    /// A newer link was sent.
    Replaced,
    /// Its time is up.
    Expired,
    /// The approval was taken back, or the activation withdrawn.
    Withdrawn,
    /// There is no such link.
    Unknown,
}

/// What the page shows.
#[derive(Debug, Clone, Serialize)]
pub struct RoundOff {
    /// How the link stands.
    pub standing: LinkStanding,
    /// Whose activation it is.
    pub organisation: Option<String>,
    /// `nl` or `en`: the creator's.
    pub language: String,
    /// Until when the link works.
    pub expires_at: Option<Timestamp>,
    /// The same, as people say it.
    pub expires_local: Option<String>,
    /// Where the activation stands.
    pub state: Option<State>,
    /// A fresh link can be sent to the creator's address.
    pub can_send_again: bool,
    /// A fresh link was sent just now.
    pub sent_again: bool,
}

struct Link {
    number: i64,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    activation: Activation,
}

impl Desk {
    /// What a link opens. Changes nothing: mail programs and scanners open links too.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn round_off(&self, token: &str) -> Result<RoundOff, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        let link = self.link(&mut connection, token, "").await?;
        Ok(self.page(link.as_ref()))
    }

    /// The click: activates, at any hour, once.
    ///
    /// # Errors
    /// When the store doesn't answer; nothing was changed then.
    pub async fn confirm(&self, token: &str) -> Result<RoundOff, DeskError> {
        let mut work = self.begin().await?;
        let Some(mut link) = self.link(&mut work.tx, token, &self.store.held("a")).await? else {
            return Ok(self.page(None));
        };
        if self.standing(&link) != LinkStanding::Ready {
            return Ok(self.page(Some(&link)));
        }
        if self.held_by_another(&mut work, &link.activation).await? {
            self.identifier_taken(&mut work, &mut link.activation).await?;
            self.commit(work).await?;
            return Ok(self.page(Some(&link)));
        }
        self.set_active(&mut work, &link.activation).await?;
        sqlx::query("UPDATE links SET used_at = $1 WHERE activation_id = $2 AND number = $3")
            .bind(self.now().micros())
            .bind(link.activation.id.as_str())
            .bind(link.number)
            .execute(&mut *work.tx)
            .await?;
        self.void_link(&mut work, &link.activation).await?;
        let line = Line {
            happening: Happening::Confirmed,
            actor: "creator",
            reason: "rounded off by the link",
            email: self.next_steps(),
        };
        self.make(&mut work, &mut link.activation, line).await?;
        self.commit(work).await?;
        Ok(RoundOff {
            standing: LinkStanding::Activated,
            ..self.page(Some(&link))
        })
    }

    /// Sends a fresh link to the creator's address, as it is known now, from an old link, where one can still
    /// be sent; a few times an hour.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn fresh_link(&self, token: &str) -> Result<RoundOff, DeskError> {
        let mut work = self.begin().await?;
        let Some(mut link) = self.link(&mut work.tx, token, &self.store.held("a")).await? else {
            return Ok(self.page(None));
        };
        if !self.page(Some(&link)).can_send_again {
            return Ok(self.page(Some(&link)));
        }
        // Whoever holds an old link can ask: a few times, or it fills a mailbox and every link is void
        // before it is read. The newest one has been sent then; that is what the page says.
        let asked = sqlx::query(
            "SELECT COUNT(*) AS many FROM history WHERE activation_id = $1 AND happening = 'link_resent' AND actor = 'creator' AND at > $2",
        )
        .bind(link.activation.id.as_str())
        .bind(self.now().minus(FRESH_WITHIN).micros())
        .fetch_one(&mut *work.tx)
        .await?;
        if number(&asked, "many")? >= FRESH_AT_MOST {
            return Ok(RoundOff {
                sent_again: true,
                can_send_again: false,
                ..self.page(Some(&link))
            });
        }
        let why = "the creator asked for a fresh link";
        self.send_link(&mut work, &mut link.activation, Happening::LinkResent, "creator", why)
            .await?;
        self.commit(work).await?;
        Ok(RoundOff {
            sent_again: true,
            can_send_again: false,
            ..self.page(Some(&link))
        })
    }

    /// `held`: what stands behind the query, so that the activation is ours to change.
    async fn link(&self, connection: &mut AnyConnection, token: &str, held: &str) -> Result<Option<Link>, DeskError> {
        let row = sqlx::query("SELECT activation_id, number, expires_at, used_at FROM links WHERE token_hash = $1")
            .bind(hash_of(token))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sql = format!("{SELECT} WHERE a.id = $1{held}");
        let activation = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(crate::store::text(&row, "activation_id")?)
            .fetch_one(&mut *connection)
            .await
            .map_err(StoreError::from)?;
        Ok(Some(Link {
            number: number(&row, "number")?,
            expires_at: instant(&row, "expires_at")?,
            used_at: maybe_instant(&row, "used_at")?,
            activation: Activation::read(&activation)?,
        }))
    }

    fn standing(&self, link: &Link) -> LinkStanding {
        match link.activation.state {
            State::AwaitingConfirmation if link.number != link.activation.links => LinkStanding::Replaced,
            State::AwaitingConfirmation if link.expires_at <= self.now() => LinkStanding::Expired,
            State::AwaitingConfirmation => LinkStanding::Ready,
            State::Activated => LinkStanding::Used,
            State::Expired => LinkStanding::Expired,
            _ if link.used_at.is_some() => LinkStanding::Used,
            _ => LinkStanding::Withdrawn,
        }
    }

    fn page(&self, link: Option<&Link>) -> RoundOff {
        let Some(link) = link else {
            return RoundOff {
                standing: LinkStanding::Unknown,
                organisation: None,
                language: "nl".to_owned(),
                expires_at: None,
                expires_local: None,
                state: None,
                can_send_again: false,
                sent_again: false,
            };
        };
        let standing = self.standing(link);
        let creator = &link.activation.organisation.creator;
        RoundOff {
            standing,
            organisation: Some(link.activation.organisation.legal_name.clone()),
            language: creator.language.clone(),
            expires_at: Some(link.expires_at),
            expires_local: Some(self.local_words(link.expires_at, creator.language == "nl")),
            state: Some(link.activation.state),
            can_send_again: link.activation.state == State::AwaitingConfirmation
                && matches!(standing, LinkStanding::Replaced | LinkStanding::Expired),
            sent_again: false,
        }
    }
}
