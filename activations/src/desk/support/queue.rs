//! What waits for a decision, oldest first.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::assigning::Assignee;
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::listing::Wanted;
use crate::money::{Currency, Money};
use crate::refused::DeskError;
use crate::state::{Method, State};
use crate::store::{self, StoreError, instant, maybe_text, named, number, text};
use crate::views::ReasonView;

/// Whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's yet.
    Nobodys,
    /// Of this account.
    Of(String),
}

/// Which of those that wait to list.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// Those for whose answer support waits, rather than those that wait for support.
    pub information_requested: bool,
    /// Only those with this reason among theirs, by its code.
    pub reason: Option<String>,
    /// Only those by this method.
    pub method: Option<Method>,
    /// Only those whose last payment came through this provider.
    pub provider: Option<String>,
    /// Only nobody's, or somebody's.
    pub whose: Option<Whose>,
    /// Only those that came into review before this.
    pub before: Option<Timestamp>,
    /// After the row at which the page before ended, as that told it.
    pub after: Option<String>,
    /// At most so many; 1 to 200.
    pub limit: u32,
}

/// One that waits.
#[derive(Debug, Clone, Serialize)]
pub struct QueueRow {
    /// The activation.
    pub activation: String,
    /// Its reference.
    pub reference: String,
    /// The organisation's statutory name.
    pub organisation: String,
    /// Its identifier, such as `NL:KVK 12345678`.
    pub identifier: String,
    /// By which method.
    pub method: Method,
    /// What is asked.
    pub asked: Money,
    /// What has come in, in cents of the currency that is asked.
    pub paid_minor: i64,
    /// The account holder as the bank reported it last.
    pub holder: Option<String>,
    /// The provider of the payment that came last; empty when none did.
    pub provider: String,
    /// When it came into review.
    pub since: Timestamp,
    /// Why.
    pub reasons: Vec<ReasonView>,
    /// Who looks at it.
    pub assignee: Option<Assignee>,
    /// Somebody proposed to approve it, and it takes two.
    pub proposed: bool,
    /// What an act on it has to carry.
    pub version: i64,
}

/// A page of the queue.
#[derive(Debug, Clone, Serialize)]
pub struct QueuePage {
    /// Oldest first.
    pub rows: Vec<QueueRow>,
    /// What to ask for after this page; none when it is the last.
    pub next: Option<String>,
}

/// How many of something there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Of what: a code, a method, a provider, an account.
    pub of: String,
    /// As people read it, where that isn't the same: the name of who has the account.
    pub name: Option<String>,
    /// So many.
    pub many: i64,
}

/// How many wait, and of which kinds. Of each kind those are counted that choosing it would show: with all other
/// filters as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QueueCounts {
    /// All that wait for support, whatever the filter.
    pub under_review: i64,
    /// All for whose answer support waits, whatever the filter.
    pub information_requested: i64,
    /// Since when the oldest of those that wait for support does.
    pub oldest: Option<Timestamp>,
    /// With the filter.
    pub shown: i64,
    /// By reason.
    pub reasons: Vec<Counted>,
    /// By method.
    pub methods: Vec<Counted>,
    /// By provider.
    pub providers: Vec<Counted>,
    /// By who has them.
    pub assignees: Vec<Counted>,
    /// That nobody has.
    pub nobodys: i64,
}

impl QueueFilter {
    const fn state(&self) -> State {
        if self.information_requested {
            State::InformationRequested
        } else {
            State::UnderReview
        }
    }

    /// All conditions on the rows of `r`, which stand for themselves in a statement's `WHERE`.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        wanted.those("r.state = ?", &[self.state().as_str()]);
        wanted.those_of("r.method = ?", self.method.map(Method::as_str));
        wanted.those_of("r.provider = ?", self.provider.as_deref());
        if let Some(reason) = &self.reason {
            // A code holds no sign that LIKE knows but the underscore, which stands for itself too.
            wanted.those("r.codes LIKE ?", &[&format!("% {} %", plain(reason))]);
        }
        match &self.whose {
            None => {}
            Some(Whose::Nobodys) => wanted.those("r.assignee IS NULL", &[]),
            Some(Whose::Of(account)) => wanted.those("r.assignee = ?", &[account]),
        }
        if let Some(before) = self.before {
            wanted.those(&format!("r.since < {}", before.micros()), &[]);
        }
        wanted
    }

    fn page(&self) -> Wanted {
        let mut wanted = self.wanted();
        if let Some((since, id)) = self.after.as_deref().and_then(read_place) {
            wanted.those(
                &format!("r.since >= {since} AND (r.since > {since} OR r.activation_id > ?)"),
                &[id],
            );
        }
        wanted
    }

    fn statement(&self) -> (String, Wanted) {
        let wanted = self.page();
        // Taken from the small table first, so that nothing is read of rows that aren't shown.
        let sql = format!(
            "SELECT r.activation_id, r.since, r.provider, r.assignee, c.name AS assignee_name, r.assigned_at, a.reference, a.method, \
             a.amount_minor, a.currency, a.identifier_scheme, a.identifier_value, a.reasons, a.version, o.legal_name, \
             CAST(COALESCE((SELECT SUM(p.amount_minor) FROM payments p WHERE p.activation_id = a.id AND p.standing = 'counts' \
               AND p.currency = a.currency), 0) AS BIGINT) AS paid, \
             (SELECT p.holder_name FROM payments p WHERE p.activation_id = a.id AND p.holder_name IS NOT NULL \
               ORDER BY p.received_at DESC, p.id DESC LIMIT 1) AS holder, \
             (SELECT COUNT(*) FROM proposals s WHERE s.activation_id = a.id AND s.version = a.version) AS proposed \
             FROM (SELECT r.activation_id, r.since, r.provider, r.assignee, r.assigned_at FROM reviews r WHERE {} \
               ORDER BY r.since, r.activation_id LIMIT {}) r \
             JOIN activations a ON a.id = r.activation_id JOIN organisations o ON o.id = a.organisation_id \
             LEFT JOIN accounts c ON c.id = r.assignee ORDER BY r.since, r.activation_id",
            wanted.sql(),
            self.limit.clamp(1, 200) + 1
        );
        (sql, wanted)
    }
}

/// A code as it can stand in a pattern: everything else can't be one.
fn plain(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

fn read_place(place: &str) -> Option<(i64, &str)> {
    let (since, id) = place.split_once('.')?;
    Some((since.parse().ok()?, id))
}

impl Desk {
    /// What waits, oldest first by when it came into review.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn queue(&self, filter: &QueueFilter) -> Result<QueuePage, DeskError> {
        let (sql, wanted) = filter.statement();
        let mut connection = self.store.reader().acquire().await?;
        let rows = wanted.fetch(&mut connection, &sql).await?;
        let limit = filter.limit.clamp(1, 200) as usize;
        let mut all = rows.iter().take(limit).map(row).collect::<Result<Vec<_>, _>>()?;
        let more = rows.len() > limit;
        let next = all
            .last()
            .filter(|_| more)
            .map(|last| format!("{}.{}", last.since.micros(), last.activation));
        all.shrink_to_fit();
        Ok(QueuePage { rows: all, next })
    }

    /// How many wait, of each kind that can be filtered by.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn queue_counts(&self, filter: &QueueFilter) -> Result<QueueCounts, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        let rows = sqlx::query("SELECT state, COUNT(*) AS many, MIN(since) AS oldest FROM reviews GROUP BY state")
            .fetch_all(&mut *connection)
            .await?;
        let mut counts = QueueCounts::default();
        for row in &rows {
            let many = number(row, "many")?;
            if text(row, "state")? == State::UnderReview.as_str() {
                (counts.under_review, counts.oldest) = (many, Some(instant(row, "oldest")?));
            } else {
                counts.information_requested = many;
            }
        }
        let before = filter.before.map_or(i64::MAX, Timestamp::micros);
        // Few kinds in all: which of them a filter shows is told here, once for each of its parts.
        let rows = sqlx::query(AssertSqlSafe(KINDS))
            .bind(filter.state().as_str())
            .bind(before)
            .fetch_all(&mut *connection)
            .await?;
        let kinds = rows.iter().map(Kind::read).collect::<Result<Vec<_>, _>>()?;
        counts.take(&kinds, filter);
        Ok(counts)
    }
}

const KINDS: &str = "SELECT r.method, r.provider, r.assignee, MIN(c.name) AS name, r.codes, COUNT(*) AS many FROM reviews r \
     LEFT JOIN accounts c ON c.id = r.assignee WHERE r.state = $1 AND r.since < $2 GROUP BY r.method, r.provider, r.assignee, r.codes";

/// So many rows that no filter tells apart.
struct Kind {
    method: String,
    provider: String,
    assignee: Option<String>,
    name: Option<String>,
    codes: String,
    many: i64,
}

impl Kind {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            method: text(row, "method")?,
            provider: text(row, "provider")?,
            assignee: maybe_text(row, "assignee")?,
            name: maybe_text(row, "name")?,
            codes: text(row, "codes")?,
            many: number(row, "many")?,
        })
    }

    fn by_reason(&self, filter: &QueueFilter) -> bool {
        let has = |reason: &String| self.codes.contains(&format!(" {} ", plain(reason)));
        filter.reason.as_ref().is_none_or(has)
    }

    fn by_method(&self, filter: &QueueFilter) -> bool {
        filter.method.is_none_or(|method| method.as_str() == self.method)
    }

    fn by_provider(&self, filter: &QueueFilter) -> bool {
        filter
            .provider
            .as_ref()
            .is_none_or(|provider| *provider == self.provider)
    }

    fn by_whose(&self, filter: &QueueFilter) -> bool {
        match &filter.whose {
            None => true,
            Some(Whose::Nobodys) => self.assignee.is_none(),
            Some(Whose::Of(account)) => self.assignee.as_ref() == Some(account),
        }
    }
}

impl QueueCounts {
    fn take(&mut self, kinds: &[Kind], filter: &QueueFilter) {
        let (mut reasons, mut methods, mut providers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut assignees: BTreeMap<String, (Option<String>, i64)> = BTreeMap::new();
        for kind in kinds {
            let reason = kind.by_reason(filter);
            let method = kind.by_method(filter);
            let provider = kind.by_provider(filter);
            let whose = kind.by_whose(filter);
            if reason && method && provider && whose {
                self.shown += kind.many;
            }
            if method && provider && whose {
                for code in kind.codes.split(' ').filter(|code| !code.is_empty()) {
                    *reasons.entry(code.to_owned()).or_insert(0) += kind.many;
                }
            }
            if reason && provider && whose {
                *methods.entry(kind.method.clone()).or_insert(0) += kind.many;
            }
            if reason && method && whose && !kind.provider.is_empty() {
                *providers.entry(kind.provider.clone()).or_insert(0) += kind.many;
            }
            if reason && method && provider {
                match &kind.assignee {
                    None => self.nobodys += kind.many,
                    Some(account) => {
                        let counted = assignees.entry(account.clone()).or_default();
                        counted.0.clone_from(&kind.name);
                        counted.1 += kind.many;
                    }
                }
            }
        }
        let plainly = |counted: BTreeMap<String, i64>| -> Vec<Counted> {
            let mut all: Vec<Counted> = counted
                .into_iter()
                .map(|(of, many)| Counted { of, name: None, many })
                .collect();
            all.sort_by_key(|one| std::cmp::Reverse(one.many));
            all
        };
        self.reasons = plainly(reasons);
        self.methods = plainly(methods);
        self.providers = plainly(providers);
        self.assignees = assignees
            .into_iter()
            .map(|(of, (name, many))| Counted { of, name, many })
            .collect();
    }
}

fn row(row: &AnyRow) -> Result<QueueRow, StoreError> {
    let currency = named(row, "currency", Currency::parse)?;
    Ok(QueueRow {
        activation: text(row, "activation_id")?,
        reference: text(row, "reference")?,
        organisation: text(row, "legal_name")?,
        identifier: format!("{} {}", text(row, "identifier_scheme")?, text(row, "identifier_value")?),
        method: named(row, "method", Method::parse)?,
        asked: Money::new(number(row, "amount_minor")?, currency),
        paid_minor: number(row, "paid")?,
        holder: maybe_text(row, "holder")?,
        provider: text(row, "provider")?,
        since: instant(row, "since")?,
        reasons: store::json(row, "reasons")?,
        assignee: Assignee::read(row)?,
        proposed: number(row, "proposed")? > 0,
        version: number(row, "version")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::plans;
    use super::*;

    #[tokio::test]
    async fn the_queue_is_read_in_its_order_by_its_index() {
        let filter = QueueFilter {
            method: Some(Method::Ideal),
            whose: Some(Whose::Nobodys),
            after: Some("12.act_1".to_owned()),
            limit: 50,
            ..QueueFilter::default()
        };
        let (sql, _) = filter.statement();
        let steps = plans::of(&sql, &["under_review", "ideal", "act_1"]).await;
        assert!(
            steps
                .iter()
                .any(|step| step.contains("r USING INDEX reviews_in_order (state=? AND since>")),
            "{steps:#?}"
        );
        plans::no_walks(&steps);
        let steps = plans::of(KINDS, &["under_review", "1"]).await;
        assert!(steps.iter().any(|step| step.contains("reviews_in_order")), "{steps:#?}");
    }
}
