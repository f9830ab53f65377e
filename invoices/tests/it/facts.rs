//! What is kept of an invoice, and what its totals promise.

use eencent_invoices::identifiers::BelgianEnterprise;
use eencent_invoices::invoice::{Document, NotAnInvoice, Number};
use eencent_invoices::party::CompanyNumber;
use eencent_invoices::{Amount, Facts, Invoice, Line, VatRate, ubl};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::{amount, belgian_buyer, credit_note, day, dutch_buyer, facts, invoice, rate, text};

#[test]
fn an_activation_of_eighteen_euros_fifteen_is_fifteen_and_three_fifteen() {
    let invoice = invoice(dutch_buyer("Bakkerij Jansen B.V."));
    let totals = invoice.totals();
    assert_eq!(
        (totals.net, totals.vat, totals.gross),
        (amount("15.00"), amount("3.15"), amount("18.15"))
    );
}

#[test]
fn what_is_kept_of_an_invoice_makes_the_same_documents_again() {
    for invoice in [
        invoice(dutch_buyer("Bakkerij Jansen B.V.")),
        invoice(belgian_buyer("Bakkerij Janssens BV")),
        credit_note(dutch_buyer("Bakkerij Jansen B.V.")),
    ] {
        let kept = serde_json::to_string(&invoice).unwrap();
        let again: Invoice = serde_json::from_str(&kept).unwrap();
        assert_eq!(again, invoice);
        assert_eq!(ubl(&again), ubl(&invoice));
        assert_eq!(serde_json::to_string(&again).unwrap(), kept);
    }
}

/// Rows of earlier versions must be read for as long as invoices are kept: whoever changes this adds, and takes nothing away.
#[test]
fn this_is_how_an_invoice_is_kept() {
    let kept = serde_json::to_value(invoice(dutch_buyer("Bakkerij Jansen B.V."))).unwrap();
    assert_eq!(
        kept,
        json!({
            "number": "2026-00042",
            "document": {
                "type": "invoice",
                "due": "2026-12-25",
                "payment": {
                    "iban": "NL91ABNA0417164300",
                    "name": "Voorbeeld e-facturatie B.V.",
                    "bic": "ABNANL2A",
                    "reference": "RF18539007547034"
                }
            },
            "issued": "2026-11-25",
            "seller": {
                "name": "Voorbeeld e-facturatie B.V.",
                "address": {
                    "street": "Keizersgracht 123",
                    "postcode": "1015 CJ",
                    "city": "Amsterdam",
                    "country": "NL"
                },
                "company": { "register": "kvk", "number": "90001354" },
                "vat": "NL001234567B01",
                "email": "administratie@voorbeeld.example",
                "phone": "+31 20 123 45 67",
                "website": "voorbeeld.example"
            },
            "buyer": {
                "name": "Bakkerij Jansen B.V.",
                "address": {
                    "street": "Dorpsstraat 1 a",
                    "postcode": "3511 AB",
                    "city": "Utrecht",
                    "country": "NL"
                },
                "kvk": "12345678",
                "rsin": "123456782",
                "contact": "Sanne de Vries"
            },
            "reference": { "of": "buyer", "text": "Sanne de Vries" },
            "lines": [{ "description": "Activering van uw organisatie", "net": "15.00", "vat": "21" }],
            "currency": "EUR",
            "language": "nl"
        })
    );
    let credit = serde_json::to_value(credit_note(dutch_buyer("Bakkerij Jansen B.V."))).unwrap();
    assert_eq!(
        credit["document"],
        json!({ "type": "credit_note", "invoice": "2026-00042", "invoice_issued": "2026-11-25" })
    );
}

#[test]
fn a_row_that_was_tampered_with_is_no_invoice() {
    let good = serde_json::to_value(invoice(dutch_buyer("Bakkerij Jansen B.V."))).unwrap();
    let changes: [(&str, Value); 16] = [
        ("/number", json!("2026 00042")),
        ("/issued", json!("2026-12-26")),
        ("/issued", json!("2026-02-30")),
        ("/document/type", json!("receipt")),
        ("/document/payment/iban", json!("NL92ABNA0417164300")),
        ("/document/payment/reference", json!("ACT-00000001")),
        ("/document/payment/name", json!("e".repeat(71))),
        ("/seller/vat", json!("001234567B01")),
        ("/seller/company/register", json!("belgian_enterprise")),
        ("/seller/address/country", json!("ZZ")),
        ("/buyer/name", json!("\u{200b}")),
        ("/buyer/rsin", json!("123456783")),
        ("/lines", json!([])),
        ("/lines/0/net", json!(15.0)),
        ("/lines/0/net", json!("0.00")),
        ("/currency", json!("USD")),
    ];
    for (at, value) in changes {
        let mut row = good.clone();
        *row.pointer_mut(at).unwrap() = value;
        assert!(serde_json::from_value::<Invoice>(row).is_err(), "{at}");
    }
    let mut row = good;
    row["discount"] = json!("1.00");
    assert!(
        serde_json::from_value::<Invoice>(row).is_err(),
        "a field that nobody reads"
    );
}

#[test]
fn facts_that_contradict_each_other_are_refused() {
    let refused = |change: fn(&mut Facts)| {
        let mut facts = facts(dutch_buyer("Bakkerij Jansen B.V."));
        change(&mut facts);
        Invoice::new(facts).unwrap_err()
    };
    assert_eq!(refused(|facts| facts.lines.clear()), NotAnInvoice::NoLines);
    assert_eq!(
        refused(|facts| facts.issued = day("2026-12-26")),
        NotAnInvoice::DueBeforeIssued
    );
    assert_eq!(
        refused(|facts| {
            let belgian = BelgianEnterprise::parse("0202239951").unwrap();
            facts.seller.company = CompanyNumber::BelgianEnterprise(belgian);
        }),
        NotAnInvoice::SellerWithoutKvk
    );
    for (number, issued) in [("2026-00042", "2026-11-01"), ("2026-00041", "2026-11-26")] {
        let mut facts = facts(dutch_buyer("Bakkerij Jansen B.V."));
        facts.document = Document::CreditNote {
            invoice: Number::parse(number).unwrap(),
            invoice_issued: day(issued),
        };
        assert_eq!(Invoice::new(facts).unwrap_err(), NotAnInvoice::NotCorrectable);
    }
    assert_eq!(
        refused(|facts| {
            facts.lines = vec![Line::new(text("Alles"), Amount::MAX, rate("21")).unwrap()];
        }),
        NotAnInvoice::TooMuch
    );
    assert_eq!(
        Line::new(text("Niets"), amount("0.00"), rate("21")).unwrap_err(),
        NotAnInvoice::NothingAsked
    );
    assert!(matches!(
        Line::from_gross(text("Iets"), amount("0.03"), rate("21")),
        Err(NotAnInvoice::NoSplit(_))
    ));
}

#[test]
fn an_invoice_prints_without_who_buys() {
    let printed = format!("{:?}", invoice(dutch_buyer("Bakkerij Jansen B.V.")));
    assert_eq!(
        printed,
        "Invoice { number: Number(\"2026-00042\"), issued: 2026-11-25, gross: 18.15, .. }"
    );
    let printed = format!("{:?}", facts(dutch_buyer("Bakkerij Jansen B.V.")).buyer);
    assert!(!printed.contains("Jansen") && !printed.contains("Sanne"), "{printed}");
}

proptest! {
    /// BR-CO-10, 13, 14, 15, 17 in whole cents, computed another way round.
    #[test]
    fn totals_add_up_whatever_the_lines(lines in prop::collection::vec((1..=1_000_000_u64, 1..=2_500_u16), 1..12)) {
        let mut facts = facts(dutch_buyer("Bakkerij Jansen B.V."));
        facts.lines = lines
            .iter()
            .map(|(net, points)| {
                let (net, rate) = (Amount::from_cents(*net).unwrap(), VatRate::from_basis_points(*points).unwrap());
                Line::new(text("Iets"), net, rate).unwrap()
            })
            .collect();
        let invoice = Invoice::new(facts).unwrap();
        let totals = invoice.totals();
        prop_assert_eq!(totals.net.cents(), lines.iter().map(|(net, _)| net).sum::<u64>());
        prop_assert_eq!(totals.gross.cents(), totals.net.cents() + totals.vat.cents());
        prop_assert_eq!(totals.vat.cents(), totals.by_rate.iter().map(|total| total.vat.cents()).sum::<u64>());
        for total in &totals.by_rate {
            let points = total.rate.basis_points();
            let net: u64 = lines.iter().filter(|(_, of)| *of == points).map(|(net, _)| net).sum();
            prop_assert_eq!(total.net.cents(), net);
            // Nearest cent: twice the distance is at most one cent, in hundredths of a per cent of a cent.
            let exact = net * u64::from(points);
            prop_assert!((total.vat.cents() * 10_000).abs_diff(exact) * 2 <= 10_000);
        }
    }

    #[test]
    fn a_line_of_a_set_gross_amount_asks_exactly_that(gross in 1..=10_000_000_u64, points in 1..=2_500_u16) {
        let (gross, vat) = (Amount::from_cents(gross).unwrap(), VatRate::from_basis_points(points).unwrap());
        if let Ok(line) = Line::from_gross(text("Iets"), gross, vat) {
            let facts = Facts { lines: vec![line], ..facts(dutch_buyer("Bakkerij Jansen B.V.")) };
            prop_assert_eq!(Invoice::new(facts).unwrap().totals().gross, gross);
        }
    }
}
