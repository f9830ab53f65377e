//! UBL, checked by the schemas of OASIS and the rules of CEN and Peppol.

use eencent_invoices::invoice::{BuyersReference, PeppolGap};
use eencent_invoices::{Facts, Invoice, Language, Line, ubl};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::{
    BETALINGSKENMERK, amount, belgian_buyer, credit_note, dutch_buyer, facts, invoice, nasty_names, payment, rate, text,
};
use crate::tools::run;

/// The rules that each document breaks.
fn broken(documents: &[String]) -> Vec<Vec<String>> {
    let answer = run("check_ubl.py", &[], json!(documents).to_string().as_bytes());
    let of_one = |findings: &Value| -> Vec<String> {
        let findings = findings.as_array().unwrap().iter();
        findings
            .map(|finding| format!("{} {}", finding["rule"].as_str().unwrap(), finding["says"]))
            .collect()
    };
    answer.as_array().unwrap().iter().map(of_one).collect()
}

fn assert_valid(documents: &[(&str, String)]) {
    let texts: Vec<String> = documents.iter().map(|(_, text)| text.clone()).collect();
    for ((what, text), broken) in documents.iter().zip(broken(&texts)) {
        assert!(broken.is_empty(), "{what}: {broken:#?}\n{text}");
    }
}

#[test]
fn invoices_and_credit_notes_keep_all_rules() {
    let with = |change: fn(&mut Facts)| {
        let mut facts = facts(dutch_buyer("Bakkerij Jansen B.V."));
        change(&mut facts);
        ubl(&Invoice::new(facts).unwrap())
    };
    assert_valid(&[
        ("Dutch buyer", ubl(&invoice(dutch_buyer("Bakkerij Jansen B.V.")))),
        ("Belgian buyer", ubl(&invoice(belgian_buyer("Bakkerij Janssens BV")))),
        (
            "Dutch buyer's credit note",
            ubl(&credit_note(dutch_buyer("Bakkerij Jansen B.V."))),
        ),
        (
            "Belgian buyer's credit note",
            ubl(&credit_note(belgian_buyer("Bakkerij Janssens BV"))),
        ),
        ("in English", with(|facts| facts.language = Language::En)),
        (
            "an order's number",
            with(|facts| facts.reference = BuyersReference::Order(text("PO-4711"))),
        ),
        (
            "a buyer's VAT number alone",
            with(|facts| {
                facts.buyer.kvk = None;
                facts.buyer.vat = Some("NL123456782B01".to_owned().try_into().unwrap());
            }),
        ),
        (
            "a betalingskenmerk, and no BIC",
            with(|facts| {
                let reference = BETALINGSKENMERK.to_owned().try_into().unwrap();
                let known = payment(BETALINGSKENMERK);
                let bare = eencent_invoices::Payment::new(known.iban().clone(), known.name().clone(), None, reference);
                facts.document = eencent_invoices::invoice::Document::Invoice {
                    due: facts.issued,
                    payment: bare.unwrap(),
                };
            }),
        ),
        (
            "many lines at three rates",
            with(|facts| {
                let line =
                    |(net, vat): (&str, &str)| Line::new(text("Iets & nog iets"), amount(net), rate(vat)).unwrap();
                facts.lines = [
                    ("0.01", "21"),
                    ("0.50", "21"),
                    ("9.99", "9"),
                    ("1234567.89", "5.5"),
                    ("0.03", "21"),
                ]
                .map(line)
                .into();
            }),
        ),
    ]);
}

#[test]
fn any_name_makes_a_valid_document_that_reads_back_equal() {
    let names = nasty_names();
    let invoices: Vec<Invoice> = names.iter().map(|name| named(name)).collect();
    for invoice in &invoices {
        assert_reads_back(invoice);
    }
    let documents: Vec<_> = names
        .iter()
        .zip(&invoices)
        .map(|(name, one)| (name.as_str(), ubl(one)))
        .collect();
    assert_valid(&documents);
}

#[test]
fn a_broken_document_is_refused_by_the_rule_that_it_breaks() {
    let good = ubl(&invoice(dutch_buyer("Bakkerij Jansen & Zn.")));
    let credit = ubl(&credit_note(dutch_buyer("Bakkerij Jansen & Zn.")));
    let belgian = ubl(&invoice(belgian_buyer("Bakkerij Janssens BV")));
    let without = |document: &str, from: &str, to: &str| {
        let (before, rest) = document
            .split_once(from)
            .unwrap_or_else(|| panic!("{from} in {document}"));
        let (_, after) = rest.split_once(to).unwrap();
        format!("{before}{after}")
    };
    let instead = |document: &str, of: &str, this: &str| {
        assert!(document.contains(of), "{of} in {document}");
        document.replace(of, this)
    };
    let cases = [
        ("XML", instead(&good, "&amp;", "&")),
        ("XSD", instead(&good, "cbc:DueDate", "cbc:PayDate")),
        (
            "BR-CO-15",
            instead(&good, "18.15</cbc:TaxInclusiveAmount", "18.16</cbc:TaxInclusiveAmount"),
        ),
        (
            "BR-CO-16",
            instead(&good, "18.15</cbc:PayableAmount", "18.14</cbc:PayableAmount"),
        ),
        (
            "BR-CO-10",
            instead(
                &good,
                "15.00</cbc:LineExtensionAmount",
                "15.01</cbc:LineExtensionAmount",
            )
            .replacen("15.01</cbc:LineExtensionAmount", "15.00</cbc:LineExtensionAmount", 1),
        ),
        ("BR-CO-17", instead(&good, "<cbc:Percent>21<", "<cbc:Percent>9<")),
        ("BR-CO-09", instead(&good, ">NL001234567B01<", ">001234567B01<")),
        (
            "BR-S-02",
            without(&good, "<cac:PartyTaxScheme>", "</cac:PartyTaxScheme>"),
        ),
        ("BR-S-05", instead(&good, "<cbc:Percent>21<", "<cbc:Percent>0<")),
        ("BR-CL-01", instead(&good, ">380<", ">999<")),
        (
            "BR-CL-14",
            instead(&good, ">NL</cbc:IdentificationCode", ">XX</cbc:IdentificationCode"),
        ),
        ("BR-CL-23", instead(&good, "unitCode=\"C62\"", "unitCode=\"STUK\"")),
        (
            "BR-06",
            without(&good, "<cbc:RegistrationName>", "</cbc:RegistrationName>"),
        ),
        ("BR-50", without(&good, "<cbc:ID>NL91", "</cbc:ID>")),
        (
            "PEPPOL-EN16931-R001",
            without(&good, "<cbc:ProfileID>", "</cbc:ProfileID>"),
        ),
        (
            "PEPPOL-EN16931-R003",
            without(&good, "<cbc:BuyerReference>", "</cbc:BuyerReference>"),
        ),
        ("PEPPOL-EN16931-R004", instead(&good, ":billing:3.0", ":billing:2.0")),
        ("PEPPOL-EN16931-R007", instead(&good, ":billing:01:1.0", ":invoicing")),
        (
            "PEPPOL-EN16931-R008",
            instead(&good, ">Sanne de Vries</cbc:BuyerReference", "></cbc:BuyerReference"),
        ),
        (
            "PEPPOL-EN16931-R010",
            without(&good, "<cbc:EndpointID schemeID=\"0106\">12345678", "</cbc:EndpointID>"),
        ),
        (
            "PEPPOL-EN16931-R020",
            without(&good, "<cbc:EndpointID schemeID=\"0106\">90001354", "</cbc:EndpointID>"),
        ),
        (
            "PEPPOL-EN16931-R020",
            without(
                &credit,
                "<cbc:EndpointID schemeID=\"0106\">90001354",
                "</cbc:EndpointID>",
            ),
        ),
        (
            "PEPPOL-EN16931-R051",
            instead(
                &good,
                "PriceAmount currencyID=\"EUR\"",
                "PriceAmount currencyID=\"USD\"",
            ),
        ),
        (
            "PEPPOL-EN16931-R120",
            instead(&good, "15.00</cbc:PriceAmount", "14.00</cbc:PriceAmount"),
        ),
        ("PEPPOL-EN16931-P0101", instead(&credit, ">381<", ">261<")),
        ("PEPPOL-COMMON-R043", instead(&belgian, ">0202239951<", ">0123456789<")),
        (
            "NL-R-001",
            without(&credit, "<cac:BillingReference>", "</cac:BillingReference>"),
        ),
        ("NL-R-002", without(&good, "<cbc:CityName>Amsterdam", "</cbc:CityName>")),
        (
            "NL-R-003",
            instead(&good, "CompanyID schemeID=\"0106\">9", "CompanyID schemeID=\"0007\">9"),
        ),
        ("NL-R-004", without(&good, "<cbc:PostalZone>3511", "</cbc:PostalZone>")),
        (
            "NL-R-005",
            instead(&good, "CompanyID schemeID=\"0106\">1", "CompanyID schemeID=\"0007\">1"),
        ),
        ("NL-R-007", without(&good, "<cac:PaymentMeans>", "</cac:PaymentMeans>")),
        ("NL-R-008", instead(&good, ">58<", ">42<")),
    ];
    let documents: Vec<String> = cases.iter().map(|(_, document)| document.clone()).collect();
    for ((rule, document), broken) in cases.iter().zip(broken(&documents)) {
        let found = broken.iter().any(|finding| finding.split(' ').next() == Some(rule));
        assert!(found, "{rule} isn't among {broken:#?} of\n{document}");
    }
}

#[test]
fn what_a_document_lacks_for_peppol_is_told_and_breaks_no_other_rule() {
    let mut no_address = facts(dutch_buyer("Bakkerij Jansen B.V."));
    no_address.buyer.address.street = None;
    let mut no_number = facts(dutch_buyer("Bakkerij Jansen B.V."));
    no_number.buyer.kvk = None;
    let mut neither = no_number.clone();
    neither.buyer.address.city = None;
    let cases = [
        (facts(dutch_buyer("Bakkerij Jansen B.V.")), vec![]),
        (facts(belgian_buyer("Bakkerij Janssens BV")), vec![]),
        (no_address, vec![(PeppolGap::BuyerAddress, "NL-R-004")]),
        (no_number, vec![(PeppolGap::BuyerEndpoint, "PEPPOL-EN16931-R010")]),
        (
            neither,
            vec![
                (PeppolGap::BuyerEndpoint, "PEPPOL-EN16931-R010"),
                (PeppolGap::BuyerAddress, "NL-R-004"),
            ],
        ),
    ];
    let invoices: Vec<Invoice> = cases
        .iter()
        .map(|(facts, _)| Invoice::new(facts.clone()).unwrap())
        .collect();
    let documents: Vec<String> = invoices.iter().map(ubl).collect();
    for (((_, gaps), invoice), broken) in cases.iter().zip(&invoices).zip(broken(&documents)) {
        assert_eq!(
            invoice.peppol_gaps(),
            gaps.iter().map(|(gap, _)| *gap).collect::<Vec<_>>()
        );
        let rules: Vec<&str> = broken.iter().filter_map(|finding| finding.split(' ').next()).collect();
        assert_eq!(rules, gaps.iter().map(|(_, rule)| *rule).collect::<Vec<_>>());
    }
}

fn named(name: &str) -> Invoice {
    let mut facts = facts(dutch_buyer(name));
    facts.reference = BuyersReference::Buyer(text(name));
    facts.buyer.contact = Some(text(name));
    facts.lines = vec![Line::new(text(name), amount("15.00"), rate("21")).unwrap()];
    Invoice::new(facts).unwrap()
}

/// The buyer's name, by a reader of XML that isn't the writer.
fn assert_reads_back(invoice: &Invoice) {
    let written = ubl(invoice);
    let document = roxmltree::Document::parse(&written).unwrap();
    let of = |element: &str| {
        let found = document.descendants().find(|node| node.tag_name().name() == element);
        found.unwrap_or_else(|| panic!("{element} in {written}"))
    };
    let buyer = of("AccountingCustomerParty");
    let name = buyer
        .descendants()
        .find(|node| node.tag_name().name() == "RegistrationName")
        .unwrap();
    assert_eq!(name.text(), Some(invoice.facts().buyer.name.as_str()));
    assert_eq!(
        of("BuyerReference").text(),
        Some(invoice.facts().reference.text().as_str())
    );
}

proptest! {
    #[test]
    fn whatever_a_name_is_the_document_is_well_formed_and_reads_back_equal(name in any::<String>()) {
        if eencent_invoices::Text::parse(&name).is_ok() {
            assert_reads_back(&named(&name));
        }
    }
}
