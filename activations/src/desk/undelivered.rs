//! E-mails that don't arrive: why not, in words; which they are; and sending one again.

use std::fmt;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::letters::{WORDS, page_of};
use super::moves::GIVE_UP_AFTER;
use super::{Desk, Desking};
use crate::clock::Timestamp;
use crate::ledger::Work;
use crate::links::Page;
use crate::personal::EmailAddress;
use crate::refused::{DeskError, Kind, Refused};
use crate::state::{EmailKind, State};
use crate::store::{StoreError, instant, json, maybe_instant, maybe_number, maybe_text, named, number, text};
use crate::trace;
use crate::views::{CreatorView, EmailView, ReasonView};

/// Why an e-mail isn't delivered, as it stands on its row: the code, then what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The mail server refused the recipient for good.
    AddressRefused,
    /// The mail server refused the message for good.
    MessageRefused,
    /// The mail server put it off.
    PutOff,
    /// The mail server can't be reached.
    Unreachable,
    /// The mail server doesn't let us send: login, sender, encryption.
    NotLetIn,
    /// It was handed over and no answer came.
    NoAnswer,
    /// It can't be written: a template, a key or a folder.
    NotWritten,
    /// Its time was over before it could be handed over.
    TooLate,
}

impl Trouble {
    const ALL: [Self; 8] = [
        Self::AddressRefused,
        Self::MessageRefused,
        Self::PutOff,
        Self::Unreachable,
        Self::NotLetIn,
        Self::NoAnswer,
        Self::NotWritten,
        Self::TooLate,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AddressRefused => "address_refused",
            Self::MessageRefused => "message_refused",
            Self::PutOff => "put_off",
            Self::Unreachable => "unreachable",
            Self::NotLetIn => "not_let_in",
            Self::NoAnswer => "no_answer",
            Self::NotWritten => "not_written",
            Self::TooLate => "too_late",
        }
    }

    /// In English and in Dutch.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AddressRefused => (
                "The mail server refused the address for good: it is misspelt, or its owner has left. Ask the creator for another one.",
                "De mailserver weigert het adres definitief: het is verkeerd gespeld, of de eigenaar is weg. Vraag de aanmaker om een ander adres.",
            ),
            Self::MessageRefused => (
                "The mail server refused the message for good, as some do with what they take for spam. An operator has to look at it.",
                "De mailserver weigert het bericht definitief, zoals soms met wat voor spam wordt gehouden. Een beheerder moet ernaar kijken.",
            ),
            Self::PutOff => (
                "The mail server put it off: the mailbox is full, or it asks to come back later.",
                "De mailserver stelt het uit: de mailbox is vol, of de server vraagt later terug te komen.",
            ),
            Self::Unreachable => (
                "The mail server could not be reached.",
                "De mailserver is niet bereikbaar.",
            ),
            Self::NotLetIn => (
                "The mail server does not let us send: login, sender or encryption is not as it wants. An operator has to look at the settings.",
                "De mailserver laat ons niet verzenden: login, afzender of versleuteling is niet zoals de server wil. Een beheerder moet naar de instellingen kijken.",
            ),
            Self::NoAnswer => (
                "It was handed over and the mail server gave no answer: it may have arrived.",
                "Het is aangeboden en de mailserver gaf geen antwoord: misschien is het aangekomen.",
            ),
            Self::NotWritten => (
                "It could not be written: a template, a key or a folder is not right. An operator has to look at it.",
                "Het kon niet worden gemaakt: een sjabloon, sleutel of map is niet goed. Een beheerder moet ernaar kijken.",
            ),
            Self::TooLate => (
                "It could not be delivered within its time.",
                "Het kon niet binnen de tijd worden bezorgd.",
            ),
        }
    }

    /// What goes onto the row: the code, and what was said.
    pub fn told(self, said: impl fmt::Display) -> String {
        format!("{}: {said}", self.code())
    }

    /// Reads what stands on a row; what stood there before there were codes, as it is.
    fn read(told: &str) -> (Option<Self>, &str) {
        let coded = told
            .split_once(": ")
            .and_then(|(code, said)| Some((Self::ALL.into_iter().find(|one| one.code() == code)?, said)));
        coded.map_or((None, told), |(trouble, said)| (Some(trouble), said))
    }
}

/// An e-mail, and the activation that it is of.
#[derive(Debug, Clone)]
pub struct EmailOf {
    /// The activation's id; none where the e-mail is to the house.
    pub activation: Option<String>,
    /// The e-mail.
    pub email: EmailView,
}

pub(super) const EMAILS: &str = "SELECT id, activation_id, kind, recipient, message_id, state, created_at, sent_at, maybe_sent, attempts, next_attempt_at, \
     last_error FROM emails";

pub(super) fn view(row: &AnyRow) -> Result<EmailView, StoreError> {
    let state = text(row, "state")?;
    let told = maybe_text(row, "last_error")?;
    let (trouble, said) = told.as_deref().map_or((None, None), |told| {
        let (trouble, said) = Trouble::read(told);
        (trouble, Some(said))
    });
    let problem = trouble.map(|trouble| {
        let (text, text_nl) = trouble.words();
        ReasonView::new(trouble.code(), text, text_nl)
    });
    Ok(EmailView {
        id: text(row, "id")?,
        kind: named(row, "kind", EmailKind::parse)?,
        // Purged after its time.
        recipient_masked: EmailAddress::parse(&text(row, "recipient")?)
            .ok()
            .map(|address| address.masked()),
        message_id: text(row, "message_id")?,
        created_at: instant(row, "created_at")?,
        sent_at: maybe_instant(row, "sent_at")?,
        maybe_sent: number(row, "maybe_sent")? == 1,
        // The one that it was sent by is counted on the row.
        attempts: number(row, "attempts")? - i64::from(state == "sent"),
        next_attempt_at: maybe_instant(row, "next_attempt_at")?.filter(|_| state == "waiting"),
        state,
        problem,
        last_error: said.map(str::to_owned),
    })
}

impl Desk {
    /// E-mails since an instant that are in a state (`waiting`, `sent`, `failed`, `withdrawn`; all when `None`), the
    /// newest first, at most `limit`.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn emails_since(
        &self,
        state: Option<&str>,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<EmailOf>, DeskError> {
        let sql = format!(
            "{EMAILS} WHERE created_at >= $1 AND ($2 = '' OR state = $2) ORDER BY created_at DESC, id DESC LIMIT {limit}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(since.micros())
            .bind(state.unwrap_or_default())
            .fetch_all(self.store.reader())
            .await?;
        let one = |row| -> Result<EmailOf, StoreError> {
            Ok(EmailOf {
                activation: maybe_text(row, "activation_id")?,
                email: view(row)?,
            })
        };
        Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
    }

    /// Sends an e-mail again, to the creator's address as it is now (or the house's as it was), with the same words and
    /// with its whole time. One that was given up keeps its `Message-ID`; of one to a creator that was sent, and perhaps
    /// lost, a copy goes, which is an e-mail of its own. Who asks for it and why goes into the audit.
    ///
    /// # Errors
    /// Refused when there is none with this id, it waits or was withdrawn, it was sent within the last minute or a copy is on
    /// its way (somebody else was first), or what it says doesn't hold any more: its link has ended, or its text was purged.
    pub async fn send_again(&self, id: &str, (by, reason): (&str, &str)) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        if !self.copy_in(&mut work, id).await? {
            self.send_again_in(&mut work, id).await?;
        }
        self.note_by(&mut work, by, ("email_sent_again", id), reason)?;
        self.commit(work).await
    }

    /// Writes a copy of an e-mail to a creator that was sent; whether it is one.
    async fn copy_in(&self, work: &mut Desking, id: &str) -> Result<bool, DeskError> {
        let sql = format!(
            "SELECT e.activation_id, e.number, e.kind, e.link, e.recipient, a.links, a.asked, a.state AS stands, o.creator \
             FROM emails e JOIN activations a ON a.id = e.activation_id JOIN organisations o ON o.id = a.organisation_id \
             WHERE e.id = $1 AND e.state = 'sent' AND e.dropped_at IS NULL{}",
            self.store.held("e")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&mut *work.tx)
            .await?;
        let Some(row) = row else {
            return Ok(false);
        };
        if text(&row, "recipient")?.is_empty() {
            return Err(purged().into());
        }
        holds(&row)?;
        let now = self.now();
        let (activation, kind, line) = (
            text(&row, "activation_id")?,
            text(&row, "kind")?,
            number(&row, "number")?,
        );
        let of_its_move = sqlx::query(
            "SELECT COUNT(*) AS many, COUNT(CASE WHEN state = 'waiting' THEN 1 END) AS on_their_way, \
             MAX(COALESCE(sent_at, created_at)) AS newest FROM emails WHERE activation_id = $1 AND number = $2 AND kind = $3",
        )
        .bind(activation.as_str())
        .bind(line)
        .bind(kind.as_str())
        .fetch_one(&mut *work.tx)
        .await?;
        if number(&of_its_move, "on_their_way")? > 0 || instant(&of_its_move, "newest")? > now.minus(JUST_NOW) {
            return Err(sent_just_now().into());
        }
        let creator: CreatorView = json(&row, "creator")?;
        let copy = self.new_id("eml")?;
        // The same for all who ask for this copy at once, of whichever of its predecessors: the index lets one through.
        let key = format!("{activation}/{kind}/{line}/again/{}", number(&of_its_move, "many")?);
        let written = sqlx::query(
            "INSERT INTO emails (id, email_key, activation_id, number, kind, language, recipient, recipient_name, data, link, rendered, \
             message_id, created_at, give_up_at, state, traceparent) \
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), activation_id, number, kind, language, CAST($3 AS TEXT), CAST($4 AS TEXT), data, \
             link, NULL, CAST($5 AS TEXT), CAST($6 AS BIGINT), CAST($7 AS BIGINT), 'waiting', CAST($8 AS TEXT) FROM emails WHERE id = $9 \
             ON CONFLICT (email_key) DO NOTHING",
        )
        .bind(copy.as_str())
        .bind(key.as_str())
        .bind(creator.email)
        .bind(creator.name)
        .bind(format!("<{}@{}>", key.replace('/', "."), self.mail_domain()))
        .bind(now.micros())
        .bind(now.plus(GIVE_UP_AFTER).micros())
        .bind(trace::here())
        .bind(id)
        .execute(&mut *work.tx)
        .await?;
        if written.rows_affected() == 0 {
            return Err(sent_just_now().into());
        }
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO renderings (email_id, words) SELECT CAST($1 AS TEXT), {WORDS} FROM emails WHERE id = $2 AND {WORDS} IS NOT NULL",
        )))
        .bind(copy.as_str())
        .bind(id)
        .execute(&mut *work.tx)
        .await?;
        work.will_wait(Work::Email, &copy);
        Ok(true)
    }

    /// Of one that was given up, within a transaction, without a line in the audit.
    pub(super) async fn send_again_in(&self, work: &mut Desking, id: &str) -> Result<(), DeskError> {
        let now = self.now();
        let sql = format!(
            "SELECT e.state, e.dropped_at, e.kind, e.link, e.recipient, a.links, a.asked, a.state AS stands, o.creator FROM emails e \
             LEFT JOIN activations a ON a.id = e.activation_id LEFT JOIN organisations o ON o.id = a.organisation_id \
             WHERE e.id = $1{}",
            self.store.held("e")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&mut *work.tx)
            .await?
            .ok_or_else(no_such_email)?;
        let state = text(&row, "state")?;
        if state != "failed" && maybe_number(&row, "dropped_at")?.is_none() {
            return Err(not_given_up(&state).into());
        }
        if text(&row, "recipient")?.is_empty() {
            return Err(purged().into());
        }
        let (to, name) = match maybe_text(&row, "creator")? {
            Some(_) => {
                holds(&row)?;
                let creator: CreatorView = json(&row, "creator")?;
                (creator.email, creator.name)
            }
            None => (text(&row, "recipient")?, String::new()),
        };
        sqlx::query(
            "UPDATE emails SET state = 'waiting', recipient = $1, recipient_name = $2, attempts = 0, starts = 0, \
             next_attempt_at = NULL, last_error = NULL, dropped_at = NULL, give_up_at = $3 WHERE id = $4",
        )
        .bind(to)
        .bind(name)
        .bind(now.plus(GIVE_UP_AFTER).micros())
        .bind(id)
        .execute(&mut *work.tx)
        .await?;
        work.will_wait(Work::Email, id);
        Ok(())
    }
}

/// Whoever asks within this is the second of two who did.
const JUST_NOW: Duration = Duration::from_secs(60);

/// What an e-mail to a creator says holds still: its link opens what it did.
fn holds(row: &AnyRow) -> Result<(), DeskError> {
    let link = maybe_number(row, "link")?;
    let stands = named(row, "stands", State::parse)?;
    let lives = match page_of(named(row, "kind", EmailKind::parse)?) {
        Page::RoundOff => stands == State::AwaitingConfirmation && link == Some(number(row, "links")?),
        Page::Information => stands == State::InformationRequested && link == maybe_number(row, "asked")?,
        // A document stays what it is, and its page says how it stands.
        Page::Invoice => true,
    };
    if link.is_some() && !lives {
        return Err(link_ended().into());
    }
    Ok(())
}

fn no_such_email() -> Refused {
    Refused::new(
        Kind::NotFound,
        "email_unknown",
        "There is no e-mail with this id: `eencent mail list` shows those there are.".to_owned(),
        "Er is geen e-mail met dit id: `eencent mail list` toont welke er zijn.".to_owned(),
    )
}

fn not_given_up(state: &str) -> Refused {
    Refused::new(
        Kind::Conflict,
        "email_not_given_up",
        format!("This e-mail is {state}; one that was given up (failed), or was sent to a creator, can be sent again."),
        format!(
            "Deze e-mail is {state}; een die is opgegeven (failed) of aan een aanmaker is verzonden, kan opnieuw worden verzonden."
        ),
    )
}

fn sent_just_now() -> Refused {
    Refused::new(
        Kind::Conflict,
        "email_sent_just_now",
        "This e-mail was sent less than a minute ago, or is on its way: somebody else may have sent it again. Look at the activation's e-mails."
            .to_owned(),
        "Deze e-mail is minder dan een minuut geleden verzonden, of is onderweg: misschien heeft iemand anders hem opnieuw verzonden. Bekijk de e-mails van de activering."
            .to_owned(),
    )
}

fn purged() -> Refused {
    Refused::new(
        Kind::Conflict,
        "email_purged",
        "The text of this e-mail has been purged (retention.email_days): write to the creator yourself.".to_owned(),
        "De tekst van deze e-mail is gewist (retention.email_days): schrijf de aanmaker zelf.".to_owned(),
    )
}

fn link_ended() -> Refused {
    Refused::new(
        Kind::Conflict,
        "email_link_ended",
        "The link in this e-mail has ended: send a fresh one instead, as long as the activation waits for it (POST /v1/activations/{id}/resend)."
            .to_owned(),
        "De link in deze e-mail werkt niet meer: stuur een nieuwe, zolang de activering erop wacht (POST /v1/activations/{id}/resend)."
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_a_row_is_read_back() {
        for trouble in Trouble::ALL {
            let told = trouble.told("the mail server said: 550 no");
            assert_eq!(Trouble::read(&told), (Some(trouble), "the mail server said: 550 no"));
        }
        let old = "the mail server refused the recipient: 550";
        assert_eq!(Trouble::read(old), (None, old));
    }
}
