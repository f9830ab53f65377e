//! Starting an activation, withdrawing it, and sending its link again.

use serde_json::json;

use super::moves::{Activation, Line, OrganisationPart};
use super::{Actor, Desk, Desking, organisations};
use crate::clock::Timestamp;
use crate::identifier::Identifier;
use crate::invoicing::Invoicing;
use crate::reference::Reference;
use crate::refused::{DeskError, Kind, Refused};
use crate::state::{Happening, Method, State};
use crate::store::{StoreError, text};
use crate::trace::TraceParent;
use crate::views::{ActivationView, OrganisationView};

impl Desk {
    /// Starts an activation of an organisation by `ideal` or `invoice`.
    ///
    /// # Errors
    /// Refused when the country can't be activated, when not exactly one identifier is filled in, when
    /// the organisation or its identifier is active already, when an activation is open, or when there are no
    /// invoices here.
    pub async fn start(&self, actor: &Actor, organisation_id: &str, method: &str) -> Result<ActivationView, DeskError> {
        let Some(method) = Method::parse(method) else {
            return Err(Refused::new(
                Kind::Invalid,
                "method_unknown",
                "Write method `ideal` or `invoice`.",
                "Schrijf methode `ideal` of `invoice`.",
            )
            .into());
        };
        let reference = match method {
            Method::Invoice if self.rules.dutch_references => {
                Reference::generate_betalingskenmerk(self.entropy.as_ref())?
            }
            Method::Ideal | Method::Invoice => Reference::generate(self.entropy.as_ref())?,
        };
        let mut work = self.begin().await?;
        self.alone_with(&mut work, organisation_id).await?;
        let organisation = organisations::find(&mut work, organisation_id)
            .await?
            .ok_or_else(Refused::no_organisation)?;
        let id = self
            .start_in(&mut work, actor, &organisation, method, reference.as_str())
            .await?;
        self.commit(work).await?;
        self.activation(&id).await
    }

    async fn start_in(
        &self,
        work: &mut Desking,
        actor: &Actor,
        o: &OrganisationView,
        method: Method,
        reference: &str,
    ) -> Result<String, DeskError> {
        self.activatable(o)?;
        let identifier = the_one_identifier(o)?;
        if identifier.scheme().country() != o.country {
            return Err(Refused::new(
                Kind::Invalid,
                "identifier_foreign",
                format!(
                    "{identifier} is not a number of the country {}; mend the country or the identifier.",
                    o.country
                ),
                format!(
                    "{identifier} is geen nummer uit het land {}; herstel het land of de identifier.",
                    o.country
                ),
            )
            .into());
        }
        if let Some(open) = organisations::open_activation(work, &o.id).await? {
            return Err(Refused::new(
                Kind::Conflict,
                "activation_open",
                format!("An activation of this organisation is open already ({open}); finish or cancel that one."),
                format!("Er staat al een activering van deze organisatie open ({open}); rond die af of trek die in."),
            )
            .into());
        }
        if let Some(holder) = active_holder(work, identifier).await? {
            return Err(self.already_active(o, identifier, &holder).into());
        }
        let now = self.now();
        let rules = self.rules.method(method);
        let mut activation = Activation {
            id: self.new_id("act")?,
            organisation_id: o.id.clone(),
            method,
            reference: reference.to_owned(),
            amount: rules.amount,
            completion: rules.completion,
            identifier: (identifier.scheme().to_string(), identifier.value().to_owned()),
            state: State::AwaitingPayment,
            version: 1,
            created_at: now,
            expires_at: None,
            remind_at: None,
            due_at: None,
            made_at: None,
            decided_at: None,
            reasons: Vec::new(),
            flags: Vec::new(),
            lacks_only_the_name: false,
            touched: false,
            question: None,
            links: 0,
            asked: None,
            invoice: None,
            credit_note: None,
            traceparent: TraceParent::here(),
            organisation: OrganisationPart {
                legal_name: o.legal_name.clone(),
                trade_names: o.trade_names.clone(),
                legal_form: o.legal_form.clone(),
                names_from_register: o.names_source == "register",
                names_at: o.names_at,
                creator: o.creator.clone(),
                environment: o.environment.clone(),
            },
        };
        self.set_end(&mut activation, now);
        if method == Method::Invoice {
            activation.invoice = Some(self.reserve_invoice(work).await?);
        }
        insert(work, &activation, &actor.to_string()).await?;
        self.issue(work, &activation, o).await?;
        let happening = match method {
            Method::Ideal => Happening::StartedIdeal,
            Method::Invoice => Happening::StartedInvoice,
        };
        let due = activation.expires_at.unwrap_or(now);
        let email = json!({
            "iban": self.rules.invoicing.as_ref().map(Invoicing::iban).unwrap_or_default(),
            "beneficiary": self.rules.invoicing.as_ref().map(Invoicing::beneficiary).unwrap_or_default(),
            "due_local": self.local_words(due, o.creator.language == "nl"),
        });
        let line = Line {
            happening,
            actor: &actor.to_string(),
            reason: "",
            email,
        };
        self.make_start(work, &activation, line).await?;
        if method == Method::Ideal {
            self.wants_checkout(work, &activation.id).await?;
        }
        Ok(activation.id)
    }

    fn already_active(&self, o: &OrganisationView, identifier: &Identifier, holder: &str) -> Refused {
        if holder == o.id {
            return Refused::new(
                Kind::Conflict,
                "identifier_active",
                format!(
                    "This organisation is active already, with identifier {identifier}; there is nothing left to do."
                ),
                format!("Deze organisatie is al actief, met identifier {identifier}; er hoeft niets meer te gebeuren."),
            );
        }
        let at = self.at_support();
        Refused::new(
            Kind::Conflict,
            "identifier_active",
            format!(
                "Another organisation with identifier {identifier} is active already; contact support{at} if that is not right."
            ),
            format!(
                "Een andere organisatie met identifier {identifier} is al actief; neem contact op met support{at} als dat niet klopt."
            ),
        )
    }

    /// Where support is found, in brackets; nothing where the settings don't say.
    fn at_support(&self) -> String {
        let contact = &self.rules.contact;
        let address = [&contact.support_email, &contact.support_url]
            .into_iter()
            .find(|text| !text.is_empty());
        address.map(|text| format!(" ({text})")).unwrap_or_default()
    }

    fn activatable(&self, o: &OrganisationView) -> Result<(), Refused> {
        let contact = &self.rules.contact;
        match o.country.as_str() {
            "NL" => Ok(()),
            "BE" => {
                let page = if contact.belgium_url.is_empty() {
                    "the page for Belgian organisations"
                } else {
                    &contact.belgium_url
                };
                let page_nl = if contact.belgium_url.is_empty() {
                    "de pagina voor Belgische organisaties"
                } else {
                    &contact.belgium_url
                };
                Err(Refused::new(
                    Kind::Invalid,
                    "country_belgium",
                    format!("A Belgian organisation can be saved but not yet activated here; see {page}."),
                    format!(
                        "Een Belgische organisatie kan wel worden bewaard maar hier nog niet worden geactiveerd; zie {page_nl}."
                    ),
                ))
            }
            _ => {
                let at = self.at_support();
                Err(Refused::new(
                    Kind::Invalid,
                    "country_not_supported",
                    format!(
                        "An organisation from {} can be saved but not activated here; contact support{at}.",
                        o.country
                    ),
                    format!(
                        "Een organisatie uit {} kan wel worden bewaard maar hier niet worden geactiveerd; neem contact op met support{at}.",
                        o.country
                    ),
                ))
            }
        }
    }

    /// Withdraws an activation that isn't final.
    ///
    /// # Errors
    /// Refused when it is final.
    pub async fn cancel(&self, actor: &Actor, id: &str, reason: &str) -> Result<ActivationView, DeskError> {
        let mut work = self.begin().await?;
        self.hold_payments_of(&mut work, id).await?;
        let mut activation = self.load(&mut work, id).await?.ok_or_else(Refused::no_activation)?;
        if activation.state.is_final() {
            return Err(over(&activation).into());
        }
        self.void_link(&mut work, &activation).await?;
        self.let_go(&mut work, &activation).await?;
        self.credit(&mut work, &mut activation).await?;
        let actor = actor.to_string();
        let reason: String = reason.chars().filter(|c| *c != '\0').take(4_000).collect();
        let line = Line {
            happening: Happening::Withdrawn,
            actor: &actor,
            reason: &reason,
            email: json!({}),
        };
        self.make(&mut work, &mut activation, line).await?;
        self.commit(work).await?;
        self.activation(id).await
    }

    /// Sends the link to round off again: a new one, which takes the place of the one before.
    ///
    /// # Errors
    /// Refused when the activation isn't waiting for its click.
    pub async fn resend(&self, actor: &Actor, id: &str) -> Result<ActivationView, DeskError> {
        let mut work = self.begin().await?;
        let mut activation = self.load(&mut work, id).await?.ok_or_else(Refused::no_activation)?;
        if activation.state != State::AwaitingConfirmation {
            return Err(Refused::new(
                Kind::Conflict,
                "no_link_to_send",
                format!("This activation is {}; a link can be sent again only while it is awaiting_confirmation.", activation.state),
                format!("Deze activering is {}; een link kan alleen opnieuw worden gestuurd zolang zij awaiting_confirmation is.", activation.state),
            )
            .into());
        }
        let actor = actor.to_string();
        self.send_link(
            &mut work,
            &mut activation,
            Happening::LinkResent,
            &actor,
            "the link was asked for again",
        )
        .await?;
        self.commit(work).await?;
        self.activation(id).await
    }
}

pub(super) fn over(activation: &Activation) -> Refused {
    Refused::new(
        Kind::Conflict,
        "activation_over",
        format!("This activation is {} and can't change any more.", activation.state),
        format!("Deze activering is {} en kan niet meer veranderen.", activation.state),
    )
}

fn the_one_identifier(o: &OrganisationView) -> Result<&Identifier, Refused> {
    match o.identifiers.as_slice() {
        [one] => Ok(one),
        [] => Err(Refused::new(
            Kind::Invalid,
            "identifier_missing",
            "Fill in exactly one identifier before activating, preferably the KvK number (NL:KVK).",
            "Vul precies één identifier in voordat u activeert, bij voorkeur het KvK-nummer (NL:KVK).",
        )),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            let names = names.join(", ");
            Err(Refused::new(
                Kind::Invalid,
                "identifiers_several",
                format!("Keep exactly one identifier, preferably the KvK number; filled in are {names}."),
                format!("Houd precies één identifier over, bij voorkeur het KvK-nummer; ingevuld zijn {names}."),
            ))
        }
    }
}

/// Which organisation an identifier is active for.
async fn active_holder(work: &mut Desking, identifier: &Identifier) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT organisation_id FROM identifiers WHERE scheme = $1 AND value = $2 AND active = 1")
        .bind(identifier.scheme().to_string())
        .bind(identifier.value())
        .fetch_optional(&mut *work.tx)
        .await?;
    row.map(|row| text(&row, "organisation_id")).transpose()
}

async fn insert(work: &mut Desking, a: &Activation, started_by: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO activations (id, organisation_id, method, reference, amount_minor, currency, completion, identifier_scheme, identifier_value, \
         started_by, state, version, created_at, expires_at, remind_at, invoice, traceparent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(a.id.as_str())
    .bind(a.organisation_id.as_str())
    .bind(a.method.as_str())
    .bind(a.reference.as_str())
    .bind(a.amount.minor)
    .bind(a.amount.currency.as_str())
    .bind(a.completion.as_str())
    .bind(a.identifier.0.as_str())
    .bind(a.identifier.1.as_str())
    .bind(started_by)
    .bind(a.state.as_str())
    .bind(a.version)
    .bind(a.created_at.micros())
    .bind(a.expires_at.map(Timestamp::micros))
    .bind(a.remind_at.map(Timestamp::micros))
    .bind(a.invoice)
    .bind(a.trace())
    .execute(&mut *work.tx)
    .await?;
    Ok(())
}
