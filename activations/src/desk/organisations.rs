//! Registering, changing and deleting organisations.

use std::collections::HashMap;

use serde::Deserialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::checks::{Problems, administrator};
use super::listing::Wanted;
use super::{Actor, Desk, Desking};
use crate::clock::Timestamp;
use crate::identifier::Identifier;
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{self, StoreError, instant, maybe_instant, maybe_text, text, to_json};
use crate::views::OrganisationView;

/// An identifier as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewIdentifier {
    /// Such as `NL:KVK`.
    #[serde(default)]
    pub scheme: String,
    /// Such as `12345678`.
    #[serde(default)]
    pub value: String,
}

/// Who registers, as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewCreator {
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// `nl` (the default) or `en`.
    pub language: Option<String>,
    /// Role in the environment: `administrator`, or anything else.
    pub role: Option<String>,
}

/// Where it is, as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewAddress {
    /// Street and number.
    pub street: Option<String>,
    /// Postcode.
    pub postcode: Option<String>,
    /// City.
    pub city: Option<String>,
}

/// An organisation to register, as it was typed: nothing is checked yet.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewOrganisation {
    /// The platform's tenant.
    pub environment: Option<String>,
    /// Statutory name.
    pub legal_name: Option<String>,
    /// All registered trade names.
    #[serde(default)]
    pub trade_names: Vec<String>,
    /// The register's own wording; free text.
    pub legal_form: Option<String>,
    /// Where it is; may be left out.
    pub address: Option<NewAddress>,
    /// Two letters.
    pub country: Option<String>,
    /// `register` or `entered` (the default).
    pub names_source: Option<String>,
    /// By what it can be recognised.
    #[serde(default)]
    pub identifiers: Vec<NewIdentifier>,
    /// Who registers it.
    pub creator: Option<NewCreator>,
    /// A number in the trade register, from which everything else about the organisation is to come.
    pub kvk: Option<String>,
}

/// What to change; what isn't named stays.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OrganisationChange {
    /// Statutory name.
    pub legal_name: Option<String>,
    /// All registered trade names.
    pub trade_names: Option<Vec<String>>,
    /// The register's own wording; empty text takes it away.
    pub legal_form: Option<String>,
    /// Where it is; may be left out.
    pub address: Option<NewAddress>,
    /// Two letters.
    pub country: Option<String>,
    /// `register` or `entered`.
    pub names_source: Option<String>,
    /// By what it can be recognised.
    pub identifiers: Option<Vec<NewIdentifier>>,
    /// Who gets the e-mails.
    pub creator: Option<NewCreator>,
}

/// Which organisations to list.
#[derive(Debug, Clone, Default)]
pub struct OrganisationFilter {
    /// Only of this environment.
    pub environment: Option<String>,
    /// Only those with this identifier.
    pub identifier: Option<Identifier>,
    /// Only those that are active, or that aren't.
    pub active: Option<bool>,
    /// At most so many; 1 to 500.
    pub limit: u32,
    /// After the organisation with this id, in the order of registering.
    pub after: Option<String>,
}

impl Desk {
    /// Registers an organisation.
    ///
    /// # Errors
    /// Refused when a field is wrong (all are told at once), when the creator is no administrator, or
    /// when the environment has as many as it may.
    pub async fn register(&self, actor: &Actor, new: NewOrganisation) -> Result<OrganisationView, DeskError> {
        let now = self.now();
        self.register_as_of(actor, new, now, "").await
    }

    /// Registers what is typed; names that are said to be a register's are from `names_at`.
    pub(super) async fn register_as_of(
        &self,
        actor: &Actor,
        new: NewOrganisation,
        names_at: Timestamp,
        why: &str,
    ) -> Result<OrganisationView, DeskError> {
        let now = self.now();
        let mut problems = Problems::default();
        let environment = problems.text("environment", new.environment.as_deref(), 200);
        let legal_name = problems.name("legal_name", new.legal_name.as_deref());
        let trade_names = problems.trade_names(&new.trade_names);
        let legal_form = given(&mut problems, new.legal_form.as_deref());
        let address = problems.address(new.address.as_ref());
        let country = problems.country(new.country.as_deref());
        let names_source = problems.names_source(new.names_source.as_deref());
        let identifiers = problems.identifiers(&new.identifiers);
        let creator = problems.creator(new.creator.as_ref());
        problems.done()?;
        let (Some(environment), Some(legal_name), Some(country), Some(names_source), Some(creator)) =
            (environment, legal_name, country, names_source, creator)
        else {
            return Err(StoreError::Unreadable("a field that was checked is missing".into()).into());
        };
        administrator(&creator)?;
        let organisation = OrganisationView {
            id: self.new_id("org")?,
            environment,
            legal_name,
            trade_names,
            legal_form,
            address,
            country,
            names_at: (names_source == "register").then_some(names_at),
            names_source,
            identifiers,
            creator,
            active: false,
            activated_at: None,
            created_at: now,
        };
        let mut work = self.begin().await?;
        self.alone_in(&mut work, &organisation.environment).await?;
        self.within_limit(&mut work, &organisation.environment).await?;
        insert(&mut work, &organisation).await?;
        self.make_findable(&mut work, &organisation).await?;
        work.subject = Some(organisation.id.clone());
        self.note(&mut work, actor, "organisation registered", &organisation.id, why)
            .await?;
        self.commit(work).await?;
        Ok(organisation)
    }

    /// One organisation.
    ///
    /// # Errors
    /// Refused when there is none with this id, or it was deleted.
    pub async fn organisation(&self, id: &str) -> Result<OrganisationView, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        let row = sqlx::query(ONE).bind(id).fetch_optional(&mut *connection).await?;
        let row = row.ok_or_else(Refused::no_organisation)?;
        let identifiers =
            sqlx::query("SELECT scheme, value FROM identifiers WHERE organisation_id = $1 ORDER BY position")
                .bind(id)
                .fetch_all(&mut *connection)
                .await?;
        Ok(view(&row, &identifiers)?)
    }

    /// Organisations that aren't deleted, in the order of registering.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn organisations(&self, filter: &OrganisationFilter) -> Result<Vec<OrganisationView>, DeskError> {
        let mut wanted = Wanted::default();
        wanted.those_of("environment = ?", filter.environment.as_deref());
        if let Some(identifier) = &filter.identifier {
            wanted.those(
                "id IN (SELECT organisation_id FROM identifiers WHERE scheme = ? AND value = ?)",
                &[identifier.scheme().as_str(), identifier.value()],
            );
        }
        if let Some(active) = filter.active {
            wanted.those(if active { "active = 1" } else { "active = 0" }, &[]);
        }
        wanted.those_of("id > ?", filter.after.as_deref());
        let those = format!(
            "WHERE deleted_at IS NULL AND {} ORDER BY id LIMIT {}",
            wanted.sql(),
            filter.limit.clamp(1, 500)
        );
        let mut connection = self.store.reader().acquire().await?;
        let rows = wanted.fetch(&mut connection, &format!("{COLUMNS} {those}")).await?;
        let sql = format!(
            "SELECT organisation_id, scheme, value FROM identifiers WHERE organisation_id IN (SELECT id FROM organisations {those}) \
             ORDER BY organisation_id, position"
        );
        let mut identifiers: HashMap<String, Vec<AnyRow>> = HashMap::new();
        for row in wanted.fetch(&mut connection, &sql).await? {
            identifiers.entry(text(&row, "organisation_id")?).or_default().push(row);
        }
        let of = |row: &AnyRow| {
            let id = text(row, "id")?;
            view(row, identifiers.get(&id).map(Vec::as_slice).unwrap_or_default())
        };
        Ok(rows.iter().map(of).collect::<Result<_, _>>()?)
    }

    /// Changes an organisation that isn't active yet.
    ///
    /// # Errors
    /// Refused when a field is wrong, when it is active, or when names or identifiers would change
    /// under an open activation.
    pub async fn change(
        &self,
        actor: &Actor,
        id: &str,
        change: OrganisationChange,
    ) -> Result<OrganisationView, DeskError> {
        let mut work = self.begin().await?;
        self.alone_with(&mut work, id).await?;
        self.hold_activations_of(&mut work, id).await?;
        let before = find(&mut work, id).await?.ok_or_else(Refused::no_organisation)?;
        may_change(&before)?;
        let mut after = changed(&before, &change)?;
        if after.names_source != "register" {
            after.names_at = None;
        } else if change.names_source.is_some() {
            // Whoever says that they are a register's has just taken them from it.
            after.names_at = Some(self.now());
        }
        let names_change = (
            &after.legal_name,
            &after.trade_names,
            &after.legal_form,
            &after.names_source,
            &after.identifiers,
            &after.country,
        ) != (
            &before.legal_name,
            &before.trade_names,
            &before.legal_form,
            &before.names_source,
            &before.identifiers,
            &before.country,
        );
        if names_change && open_activation(&mut work, id).await?.is_some() {
            return Err(Refused::new(
                Kind::Conflict,
                "activation_open",
                "Names, country and identifiers can't change while an activation is open; cancel the activation first.",
                "Namen, land en identifiers kunnen niet veranderen zolang een activering openstaat; trek de activering eerst in.",
            )
            .into());
        }
        update(&mut work, &after, self.now()).await?;
        self.make_findable(&mut work, &after).await?;
        self.note(&mut work, actor, "organisation changed", id, "").await?;
        self.commit(work).await?;
        Ok(after)
    }

    /// Deletes an organisation that isn't active and has no open activation. What happened to it stays.
    ///
    /// # Errors
    /// Refused when it is active or an activation is open.
    pub async fn delete(&self, actor: &Actor, id: &str) -> Result<(), DeskError> {
        let mut work = self.begin().await?;
        self.alone_with(&mut work, id).await?;
        self.hold_activations_of(&mut work, id).await?;
        let before = find(&mut work, id).await?.ok_or_else(Refused::no_organisation)?;
        may_change(&before)?;
        if open_activation(&mut work, id).await?.is_some() {
            return Err(Refused::new(
                Kind::Conflict,
                "activation_open",
                "An activation of this organisation is open; cancel it first.",
                "Er staat een activering van deze organisatie open; trek die eerst in.",
            )
            .into());
        }
        sqlx::query("UPDATE organisations SET deleted_at = $1 WHERE id = $2")
            .bind(self.now().micros())
            .bind(id)
            .execute(&mut *work.tx)
            .await?;
        self.note(&mut work, actor, "organisation deleted", id, "").await?;
        self.commit(work).await
    }

    /// Holds the activations of an organisation until the end of the transaction, so that none of them makes it active
    /// meanwhile.
    async fn hold_activations_of(&self, work: &mut Desking, organisation: &str) -> Result<(), StoreError> {
        self.store
            .hold_all(&mut work.tx, "activations", "organisation_id", organisation)
            .await
    }

    /// Nobody else starts for, changes or deletes this organisation before this transaction has ended.
    pub(super) async fn alone_with(&self, work: &mut Desking, organisation: &str) -> Result<(), StoreError> {
        self.store
            .alone(&mut work.tx, &format!("organisation/{organisation}"))
            .await
    }
}

fn given(problems: &mut Problems, legal_form: Option<&str>) -> Option<String> {
    let legal_form = legal_form.map(str::trim).filter(|text| !text.is_empty())?;
    problems.text("legal_form", Some(legal_form), 200)
}

fn may_change(organisation: &OrganisationView) -> Result<(), Refused> {
    if !organisation.active {
        return Ok(());
    }
    Err(Refused::new(
        Kind::Conflict,
        "organisation_active",
        "This organisation is active and can't be changed or deleted here; contact support.",
        "Deze organisatie is actief en kan hier niet worden gewijzigd of verwijderd; neem contact op met support.",
    ))
}

fn changed(before: &OrganisationView, change: &OrganisationChange) -> Result<OrganisationView, Refused> {
    let mut after = before.clone();
    let mut problems = Problems::default();
    if let Some(name) = &change.legal_name {
        after.legal_name = problems.name("legal_name", Some(name)).unwrap_or_default();
    }
    if let Some(names) = &change.trade_names {
        after.trade_names = problems.trade_names(names);
    }
    if let Some(form) = &change.legal_form {
        after.legal_form = given(&mut problems, Some(form));
    }
    if let Some(address) = &change.address {
        after.address = problems.address(Some(address));
    }
    if let Some(country) = &change.country {
        after.country = problems.country(Some(country)).unwrap_or_default();
    }
    if let Some(source) = &change.names_source {
        after.names_source = problems.names_source(Some(source)).unwrap_or_default();
    } else if (&after.legal_name, &after.trade_names, &after.legal_form)
        != (&before.legal_name, &before.trade_names, &before.legal_form)
    {
        // Names that somebody changed are entered, unless the change says that they are a register's.
        after.names_source = "entered".to_owned();
    }
    if let Some(identifiers) = &change.identifiers {
        after.identifiers = problems.identifiers(identifiers);
        // The names were a register's for the number that stood there, not for another.
        if change.names_source.is_none() && after.identifiers.iter().any(|new| !before.identifiers.contains(new)) {
            after.names_source = "entered".to_owned();
        }
    }
    if let Some(creator) = &change.creator {
        let whole = NewCreator {
            name: creator.name.clone().or_else(|| Some(before.creator.name.clone())),
            email: creator.email.clone().or_else(|| Some(before.creator.email.clone())),
            language: creator
                .language
                .clone()
                .or_else(|| Some(before.creator.language.clone())),
            role: creator.role.clone().or_else(|| Some(before.creator.role.clone())),
        };
        if let Some(creator) = problems.creator(Some(&whole)) {
            administrator(&creator)?;
            after.creator = creator;
        }
    }
    problems.done()?;
    Ok(after)
}

const COLUMNS: &str = "SELECT id, environment, legal_name, trade_names, legal_form, country, names_source, names_at, creator, active, activated_at, address, \
     created_at FROM organisations";

const ONE: &str = "SELECT id, environment, legal_name, trade_names, legal_form, country, names_source, names_at, creator, active, activated_at, address, \
     created_at FROM organisations WHERE id = $1 AND deleted_at IS NULL";

pub(super) async fn find(work: &mut Desking, id: &str) -> Result<Option<OrganisationView>, StoreError> {
    let row = sqlx::query(ONE).bind(id).fetch_optional(&mut *work.tx).await?;
    let Some(row) = row else { return Ok(None) };
    let identifiers = sqlx::query("SELECT scheme, value FROM identifiers WHERE organisation_id = $1 ORDER BY position")
        .bind(id)
        .fetch_all(&mut *work.tx)
        .await?;
    Ok(Some(view(&row, &identifiers)?))
}

/// The open activation of an organisation, if there is one.
pub(super) async fn open_activation(work: &mut Desking, organisation: &str) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM activations WHERE organisation_id = $1 AND state NOT IN ('activated', 'rejected', 'expired', 'cancelled')",
    )
    .bind(organisation)
    .fetch_optional(&mut *work.tx)
    .await?;
    row.map(|row| text(&row, "id")).transpose()
}

fn view(row: &AnyRow, identifiers: &[AnyRow]) -> Result<OrganisationView, StoreError> {
    let identifier = |row: &AnyRow| -> Result<Identifier, StoreError> {
        let (scheme, value) = (text(row, "scheme")?, text(row, "value")?);
        Identifier::stored(&scheme, value).map_err(|error| StoreError::Unreadable(format!("identifier: {error}")))
    };
    Ok(OrganisationView {
        id: text(row, "id")?,
        environment: text(row, "environment")?,
        legal_name: text(row, "legal_name")?,
        trade_names: store::json(row, "trade_names")?,
        legal_form: maybe_text(row, "legal_form")?,
        address: maybe_text(row, "address")?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| StoreError::Unreadable(error.to_string()))?,
        country: text(row, "country")?,
        names_source: text(row, "names_source")?,
        names_at: maybe_instant(row, "names_at")?,
        identifiers: identifiers.iter().map(identifier).collect::<Result<_, _>>()?,
        creator: store::json(row, "creator")?,
        active: row.try_get::<i64, _>("active")? == 1,
        activated_at: maybe_instant(row, "activated_at")?,
        created_at: instant(row, "created_at")?,
    })
}

async fn insert(work: &mut Desking, o: &OrganisationView) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO organisations (id, environment, legal_name, trade_names, legal_form, country, names_source, creator, language, created_at, changed_at, names_at, address) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)",
    )
    .bind(o.id.as_str())
    .bind(o.environment.as_str())
    .bind(o.legal_name.as_str())
    .bind(to_json(&o.trade_names)?)
    .bind(o.legal_form.as_deref())
    .bind(o.country.as_str())
    .bind(o.names_source.as_str())
    .bind(to_json(&o.creator)?)
    .bind(o.creator.language.as_str())
    .bind(o.created_at.micros())
    .bind(o.names_at.map(Timestamp::micros))
    .bind(o.address.as_ref().map(to_json).transpose()?)
    .execute(&mut *work.tx)
    .await?;
    insert_identifiers(work, o).await
}

async fn insert_identifiers(work: &mut Desking, o: &OrganisationView) -> Result<(), StoreError> {
    for (position, identifier) in o.identifiers.iter().enumerate() {
        sqlx::query("INSERT INTO identifiers (organisation_id, position, scheme, value) VALUES ($1, $2, $3, $4)")
            .bind(o.id.as_str())
            .bind(i64::try_from(position).unwrap_or(i64::MAX))
            .bind(identifier.scheme().to_string())
            .bind(identifier.value())
            .execute(&mut *work.tx)
            .await?;
    }
    Ok(())
}

pub(super) async fn update(work: &mut Desking, o: &OrganisationView, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE organisations SET legal_name = $1, trade_names = $2, legal_form = $3, country = $4, names_source = $5, \
         creator = $6, language = $7, changed_at = $8, names_at = $9, address = $10 WHERE id = $11",
    )
    .bind(o.legal_name.as_str())
    .bind(to_json(&o.trade_names)?)
    .bind(o.legal_form.as_deref())
    .bind(o.country.as_str())
    .bind(o.names_source.as_str())
    .bind(to_json(&o.creator)?)
    .bind(o.creator.language.as_str())
    .bind(now.micros())
    .bind(o.names_at.map(Timestamp::micros))
    .bind(o.address.as_ref().map(to_json).transpose()?)
    .bind(o.id.as_str())
    .execute(&mut *work.tx)
    .await?;
    sqlx::query("DELETE FROM identifiers WHERE organisation_id = $1")
        .bind(o.id.as_str())
        .execute(&mut *work.tx)
        .await?;
    insert_identifiers(work, o).await
}
