//! Which rows are a person's.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::words::Words;
use super::{By, Whose};
use crate::desk::Desk;
use crate::refused::DeskError;
use crate::state::State;
use crate::store::many::{Columns, Many};
use crate::store::{StoreError, json, maybe_text, named, text};
use crate::views::CreatorView;

/// So many messages are looked through by one statement.
const PAGE: u32 = 200;

/// An organisation that they registered.
pub(super) struct OrganisationOf {
    pub id: String,
    pub language: String,
    /// Its names are those of a natural person, or may be.
    pub personal: bool,
}

/// An activation.
#[derive(Clone)]
pub(super) struct ActivationOf {
    pub id: String,
    pub organisation: String,
    pub reference: String,
    pub state: State,
}

/// A payment.
#[derive(Clone)]
pub(super) struct PaymentOf {
    pub id: String,
    pub account: String,
    pub payment_id: String,
    pub standing: String,
    /// That it is, or was, for.
    pub activation: Option<String>,
}

/// What a message told.
#[derive(Clone)]
pub(super) struct EventOf {
    pub id: String,
    pub account: String,
    pub payment_id: Option<String>,
    pub message: String,
    /// It is still to be processed.
    pub waits: bool,
}

/// All of it.
pub(super) struct Concerned {
    pub words: Words,
    pub organisations: Vec<OrganisationOf>,
    /// Those that are theirs as a whole.
    pub activations: Vec<ActivationOf>,
    /// Those of others, which they paid for.
    pub paid_for: Vec<ActivationOf>,
    /// By our id.
    pub payments: BTreeMap<String, PaymentOf>,
    /// By our id.
    pub events: BTreeMap<String, EventOf>,
    /// Messages whose body is still there; `true`: it tells of others as well.
    pub messages: BTreeMap<String, bool>,
}

impl Concerned {
    pub(super) fn is_nothing(&self) -> bool {
        self.organisations.is_empty() && self.payments.is_empty() && self.events.is_empty() && self.messages.is_empty()
    }

    /// The provider's ids of their payments.
    pub(super) fn payment_ids(&self) -> Vec<String> {
        self.payments
            .values()
            .map(|payment| payment.payment_id.clone())
            .collect()
    }
}

/// Legal forms, as registers word them, under which an organisation is a legal person, whose names are nobody's
/// personal data. Any other form, and none, counts as a person's.
const LEGAL_PERSONS: &[&str] = &[
    "besloten vennootschap",
    "naamloze vennootschap",
    "stichting",
    "vereniging",
    "coöperatie",
    "cooperatie",
    "onderlinge waarborg",
    "kerkgenootschap",
    "publiekrechtelijk",
    "europese vennootschap",
    "société anonyme",
    "société à responsabilité limitée",
];

fn is_personal(form: Option<&str>, names_source: &str) -> bool {
    let form = form.unwrap_or_default().to_lowercase();
    names_source != "register" || !LEGAL_PERSONS.iter().any(|legal| form.contains(legal))
}

/// Rows of `tail` for each of these, which it reads as `asked.row_id`.
pub(super) async fn of_each(
    connection: &mut AnyConnection,
    tail: &str,
    ids: &[&str],
) -> Result<Vec<AnyRow>, StoreError> {
    let tail = format!(") {tail}");
    let asking = Many {
        head: "WITH asked (row_id) AS (",
        columns: Columns::Typed(&["TEXT"]),
        tail: &tail,
    };
    asking.fetch(connection, ids, |query, id| query.bind(*id)).await
}

const ACTIVATIONS: &str = "SELECT a.id, a.organisation_id, a.reference, a.state FROM asked JOIN activations a ON a.";
const PAYMENTS: &str =
    "SELECT p.id, p.account, p.payment_id, p.standing, COALESCE(p.activation_id, p.suggested) AS activation FROM";
const EVENTS: &str = "SELECT e.id, e.account, e.payment_id, e.notification_id, e.state, \
     (SELECT COUNT(*) FROM rereads r WHERE r.event = e.id AND r.state = 'waiting') AS rereads, e.told FROM";

impl Desk {
    /// Finds everything of a person, also in messages that nobody could read.
    pub(super) async fn concerned(&self, whose: &Whose) -> Result<Concerned, DeskError> {
        // Rows from before there were hashes, or from under another key, have theirs first.
        while self.fill_in().await? {}
        let mut connection = self.store.reader().acquire().await?;
        let mut all = Concerned {
            words: whose.words(),
            organisations: Vec::new(),
            activations: Vec::new(),
            paid_for: Vec::new(),
            payments: BTreeMap::new(),
            events: BTreeMap::new(),
            messages: BTreeMap::new(),
        };
        let hash = self.hash_of_person(whose);
        match &whose.by {
            By::Email(_) => all.of_creator(&mut connection, &hash).await?,
            By::Iban(_) => all.of_account(&mut connection, &hash).await?,
        }
        all.events_of_payments(&mut connection).await?;
        all.events_that_mention(&mut connection).await?;
        all.bodies(&mut connection).await?;
        Ok(all)
    }
}

impl Concerned {
    async fn of_creator(&mut self, connection: &mut AnyConnection, hash: &str) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "SELECT id, legal_name, trade_names, legal_form, names_source, creator FROM organisations WHERE creator_hash = $1 ORDER BY id",
        )
        .bind(hash)
        .fetch_all(&mut *connection)
        .await?;
        for row in &rows {
            let creator: CreatorView = json(row, "creator")?;
            let personal = is_personal(maybe_text(row, "legal_form")?.as_deref(), &text(row, "names_source")?);
            self.words.name(&creator.name);
            if personal {
                self.words.name(&text(row, "legal_name")?);
                let trade_names: Vec<String> = json(row, "trade_names")?;
                trade_names.iter().for_each(|name| self.words.name(name));
            }
            self.organisations.push(OrganisationOf {
                id: text(row, "id")?,
                language: creator.language,
                personal,
            });
        }
        let ids: Vec<&str> = self.organisations.iter().map(|one| one.id.as_str()).collect();
        let sql = format!("{ACTIVATIONS}organisation_id = asked.row_id ORDER BY a.id");
        let rows = of_each(connection, &sql, &ids).await?;
        self.activations = rows.iter().map(activation).collect::<Result<_, _>>()?;
        let ids: Vec<&str> = self.activations.iter().map(|one| one.id.as_str()).collect();
        for column in ["activation_id", "suggested"] {
            let sql = format!("{PAYMENTS} asked JOIN payments p ON p.{column} = asked.row_id ORDER BY p.id");
            for row in of_each(connection, &sql, &ids).await? {
                self.payments.insert(text(&row, "id")?, payment(&row)?);
            }
        }
        self.holders(connection).await
    }

    async fn of_account(&mut self, connection: &mut AnyConnection, hash: &str) -> Result<(), StoreError> {
        let sql = format!("{PAYMENTS} payments p WHERE p.account_hash = $1 ORDER BY p.id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            self.payments.insert(text(row, "id")?, payment(row)?);
        }
        let of: BTreeSet<&str> = self
            .payments
            .values()
            .filter_map(|one| one.activation.as_deref())
            .collect();
        let of: Vec<&str> = of.into_iter().collect();
        let rows = of_each(
            connection,
            &format!("{ACTIVATIONS}id = asked.row_id ORDER BY a.id"),
            &of,
        )
        .await?;
        self.paid_for = rows.iter().map(activation).collect::<Result<_, _>>()?;
        self.holders(connection).await
    }

    /// Whoever paid is called so; unless that is what a legal person is called which they paid for: what names it is
    /// about nobody.
    async fn holders(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let activations = self.activations.iter().chain(&self.paid_for);
        let of: BTreeSet<&str> = activations.map(|one| one.organisation.as_str()).collect();
        let of: Vec<&str> = of.into_iter().collect();
        let sql = "SELECT o.legal_name, o.trade_names, o.legal_form, o.names_source FROM asked JOIN organisations o ON o.id = asked.row_id";
        let mut nobodys = BTreeSet::new();
        for row in of_each(connection, sql, &of).await? {
            if is_personal(maybe_text(&row, "legal_form")?.as_deref(), &text(&row, "names_source")?) {
                continue;
            }
            let mut names: Vec<String> = json(&row, "trade_names")?;
            names.push(text(&row, "legal_name")?);
            nobodys.extend(names.iter().map(|name| name.to_lowercase()));
        }
        let ids: Vec<&str> = self.payments.keys().map(String::as_str).collect();
        let sql =
            "SELECT p.holder_name FROM asked JOIN payments p ON p.id = asked.row_id WHERE p.holder_name IS NOT NULL";
        for row in of_each(connection, sql, &ids).await? {
            let holder = text(&row, "holder_name")?;
            if !nobodys.contains(&holder.to_lowercase()) {
                self.words.name(&holder);
            }
        }
        Ok(())
    }

    async fn events_of_payments(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let sql = format!(
            ") {EVENTS} asked JOIN events e ON e.payment_id = asked.payment_id AND e.account = asked.account ORDER BY e.id"
        );
        let asking = Many {
            head: "WITH asked (payment_id, account) AS (",
            columns: Columns::Typed(&["TEXT", "TEXT"]),
            tail: &sql,
        };
        let payments: Vec<&PaymentOf> = self.payments.values().collect();
        let rows = asking
            .fetch(connection, &payments, |query, one| {
                query.bind(one.payment_id.as_str()).bind(one.account.as_str())
            })
            .await?;
        for row in &rows {
            self.events.insert(text(row, "id")?, event(row)?);
        }
        Ok(())
    }

    /// Also what was set apart, ignored, or is of a payment whose picture is gone.
    async fn events_that_mention(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let sql = format!("{EVENTS} events e WHERE REPLACE(LOWER(e.told), ' ', '') LIKE $1 ESCAPE '\\' ORDER BY e.id");
        for pattern in self.words.everywhere() {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
                .bind(pattern)
                .fetch_all(&mut *connection)
                .await?;
            for row in &rows {
                if self.words.surely_in(&text(row, "told")?) {
                    self.events.insert(text(row, "id")?, event(row)?);
                }
            }
        }
        Ok(())
    }

    /// The messages of these events, and those whose body mentions the person though no event of it does.
    async fn bodies(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let mut found: BTreeSet<String> = self.events.values().map(|one| one.message.clone()).collect();
        let mut at = String::new();
        loop {
            let sql = format!(
                "SELECT id, body, headers FROM notifications WHERE emptied_at IS NULL AND id > $1 ORDER BY id LIMIT {PAGE}"
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(at.as_str())
                .fetch_all(&mut *connection)
                .await?;
            let Some(last) = rows.last() else { break };
            at = text(last, "id")?;
            for row in &rows {
                let id = text(row, "id")?;
                let body: Vec<u8> = row.try_get("body")?;
                if self.words.surely_in(&String::from_utf8_lossy(&body)) || self.words.surely_in(&text(row, "headers")?)
                {
                    found.insert(id);
                }
            }
        }
        let ids: Vec<&str> = found.iter().map(String::as_str).collect();
        let sql = "SELECT n.id, e.id AS event FROM asked JOIN notifications n ON n.id = asked.row_id \
             LEFT JOIN events e ON e.notification_id = n.id WHERE n.emptied_at IS NULL";
        for row in of_each(connection, sql, &ids).await? {
            let event = maybe_text(&row, "event")?;
            let others = event.is_some_and(|event| !self.events.contains_key(&event));
            *self.messages.entry(text(&row, "id")?).or_default() |= others;
        }
        Ok(())
    }
}

fn activation(row: &AnyRow) -> Result<ActivationOf, StoreError> {
    Ok(ActivationOf {
        id: text(row, "id")?,
        organisation: text(row, "organisation_id")?,
        reference: text(row, "reference")?,
        state: named(row, "state", State::parse)?,
    })
}

fn payment(row: &AnyRow) -> Result<PaymentOf, StoreError> {
    Ok(PaymentOf {
        id: text(row, "id")?,
        account: text(row, "account")?,
        payment_id: text(row, "payment_id")?,
        standing: text(row, "standing")?,
        activation: maybe_text(row, "activation")?,
    })
}

fn event(row: &AnyRow) -> Result<EventOf, StoreError> {
    Ok(EventOf {
        id: text(row, "id")?,
        account: text(row, "account")?,
        payment_id: maybe_text(row, "payment_id")?,
        message: text(row, "notification_id")?,
        waits: text(row, "state")? == "waiting" || row.try_get::<i64, _>("rereads")? > 0,
    })
}
