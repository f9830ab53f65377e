//! UBL 2.1 as Peppol BIS Billing 3.0 has it, with the rules of the Netherlands (NL-R-001 to NL-R-009).
//!
//! The order of elements is the schema's. Nothing empty is written (PEPPOL-EN16931-R008).

use crate::amount::Amount;
use crate::identifiers::Country;
use crate::invoice::{BuyersReference, Document, Facts, Invoice, Language, Line, VatTotal};
use crate::party::{Buyer, Schemed, Seller};
use crate::payment::Payment;
use crate::text::Text;
use crate::xml::Element;

const CUSTOMIZATION: &str = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
const PROFILE: &str = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0";

/// One of something (UN/ECE Recommendation 20).
const ONE: &str = "C62";

/// The document as UBL: an `Invoice` (type 380) or a `CreditNote` (type 381).
///
/// Valid by EN 16931 always, and by Peppol BIS Billing 3.0 where [`Invoice::peppol_gaps`] is empty.
pub fn ubl(invoice: &Invoice) -> String {
    let facts = invoice.facts();
    let root = match &facts.document {
        Document::Invoice { due, .. } => head("Invoice", facts)
            .text_child("cbc:IssueDate", &facts.issued.to_string())
            .text_child("cbc:DueDate", &due.to_string())
            .text_child("cbc:InvoiceTypeCode", "380"),
        Document::CreditNote { .. } => head("CreditNote", facts)
            .text_child("cbc:IssueDate", &facts.issued.to_string())
            .text_child("cbc:CreditNoteTypeCode", "381"),
    };
    let root = root
        .text_child("cbc:DocumentCurrencyCode", facts.currency.code())
        .child(buyers_reference(&facts.reference))
        .children(billing_reference(&facts.document))
        .child(Element::new("cac:AccountingSupplierParty").child(seller(&facts.seller)))
        .child(Element::new("cac:AccountingCustomerParty").child(buyer(&facts.buyer)))
        .children(invoice.payment().map(payment_means))
        .children(terms(facts))
        .child(tax_total(invoice))
        .child(monetary_total(invoice))
        .children(
            (1..)
                .zip(&facts.lines)
                .map(|(number, line)| self::line(invoice, number, line)),
        );
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}")
}

fn head(root: &'static str, facts: &Facts) -> Element {
    Element::new(root)
        .attribute(
            "xmlns",
            &format!("urn:oasis:names:specification:ubl:schema:xsd:{root}-2"),
        )
        .attribute(
            "xmlns:cac",
            "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
        )
        .attribute(
            "xmlns:cbc",
            "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
        )
        .text_child("cbc:CustomizationID", CUSTOMIZATION)
        .text_child("cbc:ProfileID", PROFILE)
        .text_child("cbc:ID", facts.number.as_str())
}

fn buyers_reference(reference: &BuyersReference) -> Element {
    match reference {
        BuyersReference::Buyer(text) => Element::of_text("cbc:BuyerReference", text.as_str()),
        BuyersReference::Order(text) => Element::new("cac:OrderReference").text_child("cbc:ID", text.as_str()),
    }
}

/// The invoice that a credit note takes back (NL-R-001).
fn billing_reference(document: &Document) -> Option<Element> {
    let Document::CreditNote {
        invoice,
        invoice_issued,
    } = document
    else {
        return None;
    };
    let reference = Element::new("cac:InvoiceDocumentReference")
        .text_child("cbc:ID", invoice.as_str())
        .text_child("cbc:IssueDate", &invoice_issued.to_string());
    Some(Element::new("cac:BillingReference").child(reference))
}

fn schemed(name: &'static str, id: Schemed<'_>) -> Element {
    Element::of_text(name, id.number).attribute("schemeID", id.scheme)
}

fn seller(seller: &Seller) -> Element {
    let address = &seller.address;
    let company = seller.company.schemed();
    let contact = [("cbc:Telephone", &seller.phone), ("cbc:ElectronicMail", &seller.email)];
    Element::new("cac:Party")
        .child(schemed("cbc:EndpointID", company))
        .child(party_name(&seller.name))
        .child(postal_address(
            Some(&address.street),
            Some(&address.city),
            Some(&address.postcode),
            address.country,
        ))
        .child(tax_scheme(seller.vat.as_str()))
        .child(legal_entity(&seller.name, Some(company)))
        .children(self::contact(contact.map(|(name, text)| (name, text.as_ref()))))
}

fn buyer(buyer: &Buyer) -> Element {
    let address = &buyer.address;
    // The RSIN has no scheme: an identification of the buyer's without one.
    let rsin = buyer
        .rsin
        .as_ref()
        .map(|rsin| Element::new("cac:PartyIdentification").text_child("cbc:ID", rsin.as_str()));
    Element::new("cac:Party")
        .children(buyer.endpoint().map(|endpoint| schemed("cbc:EndpointID", endpoint)))
        .children(rsin)
        .child(party_name(&buyer.name))
        .child(postal_address(
            address.street.as_ref(),
            address.city.as_ref(),
            address.postcode.as_ref(),
            address.country,
        ))
        .children(buyer.vat.as_ref().map(|vat| tax_scheme(vat.as_str())))
        .child(legal_entity(&buyer.name, buyer.legal_entity()))
        .children(contact([("cbc:Name", buyer.contact.as_ref())]))
}

fn party_name(name: &Text) -> Element {
    Element::new("cac:PartyName").text_child("cbc:Name", name.as_str())
}

fn postal_address(street: Option<&Text>, city: Option<&Text>, postcode: Option<&Text>, country: Country) -> Element {
    let known = [
        ("cbc:StreetName", street),
        ("cbc:CityName", city),
        ("cbc:PostalZone", postcode),
    ];
    Element::new("cac:PostalAddress")
        .children(texts(known))
        .child(Element::new("cac:Country").text_child("cbc:IdentificationCode", country.as_str()))
}

fn tax_scheme(vat: &str) -> Element {
    Element::new("cac:PartyTaxScheme")
        .text_child("cbc:CompanyID", vat)
        .child(vat_scheme())
}

fn vat_scheme() -> Element {
    Element::new("cac:TaxScheme").text_child("cbc:ID", "VAT")
}

fn legal_entity(name: &Text, number: Option<Schemed<'_>>) -> Element {
    Element::new("cac:PartyLegalEntity")
        .text_child("cbc:RegistrationName", name.as_str())
        .children(number.map(|number| schemed("cbc:CompanyID", number)))
}

fn contact<const COUNT: usize>(known: [(&'static str, Option<&Text>); COUNT]) -> Option<Element> {
    let any = known.iter().any(|(_, text)| text.is_some());
    any.then(|| Element::new("cac:Contact").children(texts(known)))
}

/// Those of the texts that there are.
fn texts<const COUNT: usize>(known: [(&'static str, Option<&Text>); COUNT]) -> impl Iterator<Item = Element> {
    let elements = known.map(|(name, text)| text.map(|text| Element::of_text(name, text.as_str())));
    elements.into_iter().flatten()
}

/// A SEPA credit transfer (58; NL-R-008).
fn payment_means(payment: &Payment) -> Element {
    let bank = payment
        .bic()
        .map(|bic| Element::new("cac:FinancialInstitutionBranch").text_child("cbc:ID", bic.as_str()));
    let account = Element::new("cac:PayeeFinancialAccount")
        .text_child("cbc:ID", payment.iban().as_str())
        .text_child("cbc:Name", payment.name().as_str())
        .children(bank);
    Element::new("cac:PaymentMeans")
        .child(Element::of_text("cbc:PaymentMeansCode", "58").attribute("name", "SEPA credit transfer"))
        .text_child("cbc:PaymentID", payment.reference().as_str())
        .child(account)
}

/// A credit note asks for nothing: what happens with its amount is said (BR-CO-25 wants a due date or terms).
fn terms(facts: &Facts) -> Option<Element> {
    let Document::CreditNote { invoice, .. } = &facts.document else {
        return None;
    };
    let note = match facts.language {
        Language::Nl => format!("Vervalt van factuur {invoice}; hiervoor hoeft niets te worden betaald."),
        Language::En => format!("Taken back from invoice {invoice}; nothing has to be paid for it."),
    };
    Some(Element::new("cac:PaymentTerms").text_child("cbc:Note", &note))
}

fn money(name: &'static str, invoice: &Invoice, amount: Amount) -> Element {
    Element::of_text(name, &amount.to_string()).attribute("currencyID", invoice.facts().currency.code())
}

fn tax_total(invoice: &Invoice) -> Element {
    let totals = invoice.totals();
    let of_rate = |total: &VatTotal| {
        Element::new("cac:TaxSubtotal")
            .child(money("cbc:TaxableAmount", invoice, total.net))
            .child(money("cbc:TaxAmount", invoice, total.vat))
            .child(standard_rated("cac:TaxCategory", &total.rate.to_string()))
    };
    Element::new("cac:TaxTotal")
        .child(money("cbc:TaxAmount", invoice, totals.vat))
        .children(totals.by_rate.iter().map(of_rate))
}

/// Category S, whatever the rate (UNTDID 5305).
fn standard_rated(name: &'static str, per_cent: &str) -> Element {
    Element::new(name)
        .text_child("cbc:ID", "S")
        .text_child("cbc:Percent", per_cent)
        .child(vat_scheme())
}

fn monetary_total(invoice: &Invoice) -> Element {
    let totals = invoice.totals();
    Element::new("cac:LegalMonetaryTotal")
        .child(money("cbc:LineExtensionAmount", invoice, totals.net))
        .child(money("cbc:TaxExclusiveAmount", invoice, totals.net))
        .child(money("cbc:TaxInclusiveAmount", invoice, totals.gross))
        .child(money("cbc:PayableAmount", invoice, totals.gross))
}

fn line(invoice: &Invoice, number: usize, line: &Line) -> Element {
    let (element, quantity) = if invoice.is_credit_note() {
        ("cac:CreditNoteLine", "cbc:CreditedQuantity")
    } else {
        ("cac:InvoiceLine", "cbc:InvoicedQuantity")
    };
    let item = Element::new("cac:Item")
        .text_child("cbc:Name", line.description().as_str())
        .child(standard_rated("cac:ClassifiedTaxCategory", &line.vat().to_string()));
    Element::new(element)
        .text_child("cbc:ID", &number.to_string())
        .child(Element::of_text(quantity, "1").attribute("unitCode", ONE))
        .child(money("cbc:LineExtensionAmount", invoice, line.net()))
        .child(item)
        .child(Element::new("cac:Price").child(money("cbc:PriceAmount", invoice, line.net())))
}
