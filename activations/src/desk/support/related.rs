//! What else there is of the same organisation, creator or account, and what support should know of it. A warning is
//! for the eyes of a person: it never changes a verdict.

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::moves::Activation;
use crate::refused::DeskError;
use crate::state::{Method, State};
use crate::store::{self, StoreError, instant, named, number, text};
use crate::views::ReasonView;

/// So many of each are shown, newest first.
const MOST: usize = 20;

/// So many payments from an account are looked at: one that pays for thousands is told as such all the same.
const LOOKED_AT: usize = 500;

/// From so many tries on they are worth a word.
const MANY_TRIES: i64 = 3;

/// More organisations of one creator than this are worth a word.
const MANY_ORGANISATIONS: i64 = 3;

/// Another activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RelatedActivation {
    /// Its id.
    pub activation: String,
    /// Its reference.
    pub reference: String,
    /// The organisation that it is of.
    pub organisation_id: String,
    /// That organisation's statutory name.
    pub organisation: String,
    /// Its identifier, such as `NL:KVK 12345678`.
    pub identifier: String,
    /// By which method.
    pub method: Method,
    /// Where it stands.
    pub state: State,
    /// When it was started.
    pub created_at: Timestamp,
    /// What support should know of it.
    pub flags: Vec<ReasonView>,
}

/// Others of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RelatedList {
    /// Newest first.
    pub activations: Vec<RelatedActivation>,
    /// There are more.
    pub more: bool,
}

/// All others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Of the same organisation, or of one with the same identifier.
    pub of_organisation: RelatedList,
    /// Of other organisations that the same creator registered.
    pub of_creator: RelatedList,
    /// Paid from the same account.
    pub of_account: RelatedList,
}

impl Desk {
    /// What else there is, and the warnings that follow from it.
    pub(super) async fn related(
        &self,
        connection: &mut AnyConnection,
        a: &Activation,
    ) -> Result<(Related, Vec<ReasonView>), DeskError> {
        let creator = self.creator_hash(&a.organisation.creator.email);
        let related = Related {
            of_organisation: list(
                connection,
                OF_ORGANISATION,
                &[&a.id, &a.organisation_id, &a.identifier.0, &a.identifier.1],
            )
            .await?,
            of_creator: list(connection, OF_CREATOR, &[&a.id, &a.organisation_id, &creator]).await?,
            of_account: list(connection, &of_account(), &[&a.id]).await?,
        };
        let mut warnings = Vec::new();
        warnings.extend(same_account(a, &related.of_account));
        warnings.extend(many_tries(&counted(connection, TRIES, &[&a.id]).await?, &related));
        warnings.extend(reversed_after(a, &related));
        let organisations = counted(connection, ORGANISATIONS, &[&creator]).await?;
        warnings.extend(many_organisations(organisations));
        Ok((related, warnings))
    }
}

const RELATED: &str = "SELECT a.id, a.reference, a.organisation_id, a.method, a.state, a.created_at, a.flags, a.identifier_scheme, \
     a.identifier_value, o.legal_name FROM activations a JOIN organisations o ON o.id = a.organisation_id";

const OF_ORGANISATION: &str = "WHERE a.id <> $1 AND a.organisation_id IN (SELECT $2 AS id UNION \
     SELECT i.organisation_id FROM identifiers i WHERE i.scheme = $3 AND i.value = $4)";

const OF_CREATOR: &str = "WHERE a.id <> $1 AND a.organisation_id IN \
     (SELECT c.id FROM organisations c WHERE c.creator_hash = $3 AND c.id <> $2)";

fn of_account() -> String {
    format!(
        "WHERE a.id <> $1 AND a.id IN (SELECT COALESCE(s.activation_id, s.suggested) FROM \
         (SELECT p.activation_id, p.suggested FROM payments p WHERE p.account_hash IN \
           (SELECT q.account_hash FROM payments q WHERE q.activation_id = $1 AND q.account_hash IS NOT NULL) LIMIT {LOOKED_AT}) s)"
    )
}

const TRIES: &str =
    "SELECT COUNT(*) AS many FROM history h WHERE h.activation_id = $1 AND h.happening = 'payment_not_completed'";

const ORGANISATIONS: &str =
    "SELECT COUNT(*) AS many FROM organisations o WHERE o.creator_hash = $1 AND o.deleted_at IS NULL";

async fn list(connection: &mut AnyConnection, those: &str, values: &[&str]) -> Result<RelatedList, StoreError> {
    let sql = format!("{RELATED} {those} ORDER BY a.id DESC LIMIT {}", MOST + 1);
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = query.bind((*value).to_owned());
    }
    let rows = query.fetch_all(&mut *connection).await?;
    Ok(RelatedList {
        activations: rows.iter().take(MOST).map(one).collect::<Result<_, _>>()?,
        more: rows.len() > MOST,
    })
}

async fn counted(connection: &mut AnyConnection, sql: &'static str, values: &[&str]) -> Result<i64, StoreError> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = query.bind((*value).to_owned());
    }
    number(&query.fetch_one(&mut *connection).await?, "many")
}

fn one(row: &AnyRow) -> Result<RelatedActivation, StoreError> {
    Ok(RelatedActivation {
        activation: text(row, "id")?,
        reference: text(row, "reference")?,
        organisation_id: text(row, "organisation_id")?,
        organisation: text(row, "legal_name")?,
        identifier: format!("{} {}", text(row, "identifier_scheme")?, text(row, "identifier_value")?),
        method: named(row, "method", Method::parse)?,
        state: named(row, "state", State::parse)?,
        created_at: instant(row, "created_at")?,
        flags: store::json(row, "flags")?,
    })
}

fn same_account(a: &Activation, of_account: &RelatedList) -> Option<ReasonView> {
    let mut others: Vec<&str> = Vec::new();
    for one in &of_account.activations {
        let another = one.organisation_id != a.organisation_id
            && one.identifier != format!("{} {}", a.identifier.0, a.identifier.1);
        if another && !others.contains(&one.organisation.as_str()) {
            others.push(&one.organisation);
        }
    }
    if others.is_empty() {
        return None;
    }
    let names = others.join(", ");
    // "B.V." brings its own.
    let end = match (of_account.more, names.ends_with('.')) {
        (true, _) => ", ….",
        (false, true) => "",
        (false, false) => ".",
    };
    Some(ReasonView::new(
        "same_account",
        format!("The same account paid for other organisations: {names}{end}"),
        format!("Dezelfde rekening betaalde voor andere organisaties: {names}{end}"),
    ))
}

fn many_tries(broken_off: &i64, related: &Related) -> Option<ReasonView> {
    let earlier = related
        .of_organisation
        .activations
        .iter()
        .filter(|one| matches!(one.state, State::Rejected | State::Expired | State::Cancelled))
        .count();
    let ended = i64::try_from(earlier).unwrap_or(i64::MAX);
    if *broken_off < MANY_TRIES && ended < MANY_TRIES {
        return None;
    }
    Some(ReasonView::new(
        "many_tries",
        format!("Many tries: {broken_off} payments were broken off, and {ended} earlier activations came to nothing."),
        format!(
            "Veel pogingen: {broken_off} betalingen zijn afgebroken en {ended} eerdere activeringen liepen op niets uit."
        ),
    ))
}

fn reversed_after(a: &Activation, related: &Related) -> Option<ReasonView> {
    let reversed = |flags: &[ReasonView]| flags.iter().any(|flag| flag.code == "payment_reversed");
    let of = [&related.of_organisation, &related.of_creator, &related.of_account];
    let mut others: Vec<&str> = of
        .into_iter()
        .flat_map(|list| &list.activations)
        .filter(|one| reversed(&one.flags))
        .map(|one| one.reference.as_str())
        .collect();
    others.sort_unstable();
    others.dedup();
    if !reversed(&a.flags) && others.is_empty() {
        return None;
    }
    if reversed(&a.flags) {
        others.insert(0, &a.reference);
    }
    let which = others.join(", ");
    Some(ReasonView::new(
        "reversed_after_activation",
        format!("A payment was taken back after the organisation had been activated: {which}."),
        format!("Een betaling is teruggehaald nadat de organisatie was geactiveerd: {which}."),
    ))
}

fn many_organisations(many: i64) -> Option<ReasonView> {
    (many > MANY_ORGANISATIONS).then(|| {
        ReasonView::new(
            "creator_of_many",
            format!("The creator's address registered {many} organisations."),
            format!("Met het adres van de aanmaker zijn {many} organisaties geregistreerd."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::plans;
    use super::*;

    #[tokio::test]
    async fn what_is_related_is_found_by_an_index() {
        let order = "ORDER BY a.id DESC LIMIT 21";
        let of_account = of_account();
        for (those, values) in [
            (OF_ORGANISATION, vec!["act", "org", "NL:KVK", "12345678"]),
            (OF_CREATOR, vec!["act", "org", "hash"]),
            (of_account.as_str(), vec!["act"]),
        ] {
            plans::no_walks(&plans::of(&format!("{RELATED} {those} {order}"), &values).await);
        }
        for sql in [TRIES, ORGANISATIONS] {
            plans::no_walks(&plans::of(sql, &["x"]).await);
        }
    }
}
