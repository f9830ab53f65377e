//! The digest to support: how much waits for a decision, since when and why. Nobody's name, account or address is in it:
//! it leaves the house by e-mail.

use std::collections::BTreeMap;

use eencent_matching::{Language, Reason, ReasonCode};
use serde_json::json;

use super::pending::NewEmail;
use super::{Desk, GIVE_UP_AFTER};
use crate::clock::Timestamp;
use crate::ledger::Work;
use crate::personal::EmailAddress;
use crate::refused::DeskError;
use crate::state::EmailKind;
use crate::store::{json, maybe_instant, number, text};
use crate::views::ReasonView;

/// To whom the digest goes, and how.
#[derive(Debug, Clone)]
pub struct Digest {
    /// Each gets one; none: there is no digest.
    pub to: Vec<EmailAddress>,
    /// `nl` or `en`.
    pub language: String,
    /// The address of the console; empty: none is told.
    pub console: String,
}

impl Desk {
    /// Writes the digest of this moment, one e-mail for each address, if anything waits for a decision; how many were
    /// written. `fire_at` is the time of the schedule: for one of them there is one digest, however often it is asked.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn write_digest(&self, digest: &Digest, fire_at: Timestamp) -> Result<usize, DeskError> {
        let now = self.now();
        let mut work = self.begin().await?;
        let rows = sqlx::query(
            "SELECT a.state, a.reasons, (SELECT MAX(h.at) FROM history h WHERE h.activation_id = a.id \
             AND h.to_state = 'under_review' AND h.from_state <> 'under_review') AS since \
             FROM activations a WHERE a.state IN ('under_review', 'information_requested')",
        )
        .fetch_all(&mut *work.tx)
        .await?;
        let row = sqlx::query("SELECT COUNT(*) AS many FROM payments WHERE standing = 'unallocated'")
            .fetch_one(&mut *work.tx)
            .await?;
        let unallocated = number(&row, "many")?;
        let (mut waiting, mut asked, mut oldest) = (0_u64, 0_u64, None::<Timestamp>);
        let mut reasons: BTreeMap<String, (ReasonView, u64)> = BTreeMap::new();
        for row in &rows {
            if text(row, "state")? == "information_requested" {
                asked += 1;
                continue;
            }
            waiting += 1;
            oldest = oldest.into_iter().chain(maybe_instant(row, "since")?).min();
            for reason in json::<Vec<ReasonView>>(row, "reasons")? {
                reasons.entry(reason.code.clone()).or_insert((reason, 0)).1 += 1;
            }
        }
        if waiting == 0 && unallocated == 0 {
            return Ok(0);
        }
        let mut counted: Vec<(ReasonView, u64)> = reasons.into_values().collect();
        counted.sort_by_key(|(_, many)| std::cmp::Reverse(*many));
        let dutch = digest.language == "nl";
        let counted: Vec<_> = counted
            .iter()
            .map(|(reason, many)| {
                json!({ "code": reason.code, "text": in_general(reason, dutch), "many": many.to_string() })
            })
            .collect();
        let data = json!({
            "waiting": waiting.to_string(),
            "asked": asked.to_string(),
            "unallocated": unallocated.to_string(),
            "oldest_local": oldest.map(|at| self.local_words(at, dutch)).unwrap_or_default(),
            "oldest_age": oldest.map(|at| age(now, at, dutch)).unwrap_or_default(),
            "reasons": counted,
            "console": digest.console,
        });
        let mut written = 0;
        for (place, to) in digest.to.iter().enumerate() {
            let key = format!("house/{}/{}/{place}", EmailKind::ReviewDigest, fire_at.unix_seconds());
            let there = sqlx::query("SELECT 1 FROM emails WHERE email_key = $1")
                .bind(key.as_str())
                .fetch_optional(&mut *work.tx)
                .await?;
            if there.is_some() {
                continue;
            }
            let id = self.new_id("eml")?;
            work.will_wait(Work::Email, &id);
            work.pending.emails.push(NewEmail {
                id,
                activation_id: None,
                number: None,
                kind: EmailKind::ReviewDigest.as_str(),
                language: digest.language.clone(),
                recipient: to.as_str().to_owned(),
                recipient_name: String::new(),
                data: data.to_string(),
                link: None,
                message_id: format!("<{}@{}>", key.replace('/', "."), self.mail_domain()),
                key,
                created_at: now,
                give_up_at: now.plus(GIVE_UP_AFTER),
                traceparent: None,
            });
            written += 1;
        }
        self.wrote(&mut work).await?;
        self.commit(work).await?;
        Ok(written)
    }
}

/// Codes whose words are the same for everybody.
const SAME_FOR_ALL: [&str; 10] = [
    "told_twice",
    "nothing_paid",
    "sampled",
    "office_hours_end",
    "name_missing",
    "name_not_proven",
    "names_entered",
    "register_ended",
    "register_unknown",
    "register_silent",
];

/// A reason in words that fit every activation which has it: those on the activation name names, payments and amounts.
fn in_general(reason: &ReasonView, dutch: bool) -> String {
    let code = reason.code.as_str();
    if let Some(code) = ReasonCode::ALL.iter().find(|one| one.as_str() == code) {
        let language = if dutch { Language::Dutch } else { Language::English };
        let detail = Vec::new();
        // Where the words that it is about would stand there are dots.
        return Reason { code: *code, detail }.text(language).replace(": ….", ".");
    }
    let (english, nl) = match code {
        _ if SAME_FOR_ALL.contains(&code) => (reason.text.as_str(), reason.text_nl.as_str()),
        "amount_differs" | "amount_unknown" | "currency_differs" | "paid_in_part" => (
            "Another amount than asked was paid, or it isn't known how much.",
            "Er is een ander bedrag betaald dan gevraagd, of het is niet bekend hoeveel.",
        ),
        "payment_reversed" => (
            "A payment was refunded or charged back.",
            "Een betaling is terugbetaald of teruggeboekt.",
        ),
        "notifications_conflict" | "mode_doubted" => (
            "Notifications about one payment contradict each other.",
            "Notificaties over één betaling spreken elkaar tegen.",
        ),
        "identifier_active" => (
            "Another organisation with the same identifier is active already.",
            "Een andere organisatie met dezelfde identifier is al actief.",
        ),
        _ => (code, code),
    };
    if dutch { nl } else { english }.to_owned()
}

/// How long ago, in whole days or hours: `3 dagen`.
fn age(now: Timestamp, at: Timestamp, dutch: bool) -> String {
    let hours = now.since(at).as_secs() / 3_600;
    let (many, one, more) = match (hours, dutch) {
        (48.., true) => (hours / 24, "dag", "dagen"),
        (48.., false) => (hours / 24, "day", "days"),
        (_, true) => (hours, "uur", "uur"),
        (_, false) => (hours, "hour", "hours"),
    };
    format!("{many} {}", if many == 1 { one } else { more })
}
