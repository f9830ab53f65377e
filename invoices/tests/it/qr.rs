//! The QR code, scanned by a program that others wrote.

use eencent_invoices::payment::{Bic, Iban, NotPayable, PaymentReference};
use eencent_invoices::qr::{MAX_BYTES, Qr};
use eencent_invoices::{Amount, Payment, Text};
use proptest::prelude::*;
use serde_json::json;

use crate::samples::{BETALINGSKENMERK, CREDITOR_REFERENCE, amount, nasty_names, payment, text};
use crate::tools::run;

fn to(name: &str, bic: bool, reference: &str) -> Result<Payment, NotPayable> {
    Payment::new(
        Iban::parse("NL91ABNA0417164300").unwrap(),
        text(name),
        bic.then(|| Bic::parse("ABNANL2A").unwrap()),
        PaymentReference::parse(reference).unwrap(),
    )
}

#[test]
fn a_creditor_reference_is_structured_and_sixteen_digits_are_text() {
    let qr = Qr::new(&payment(CREDITOR_REFERENCE), amount("18.15")).unwrap();
    assert_eq!(
        qr.payload(),
        "BCD\n002\n1\nSCT\nABNANL2A\nVoorbeeld e-facturatie B.V.\nNL91ABNA0417164300\nEUR18.15\n\nRF18539007547034"
    );
    let qr = Qr::new(&to("Voorbeeld B.V.", false, BETALINGSKENMERK).unwrap(), amount("0.01")).unwrap();
    assert_eq!(
        qr.payload(),
        "BCD\n002\n1\nSCT\n\nVoorbeeld B.V.\nNL91ABNA0417164300\nEUR0.01\n\n\n5000056789012345"
    );
}

#[test]
fn a_scanner_reads_from_the_picture_what_was_meant_also_on_a_dark_page() {
    let mut payments = vec![payment(CREDITOR_REFERENCE), payment(BETALINGSKENMERK)];
    let short = nasty_names()
        .into_iter()
        .map(|name| name.chars().take(Payment::MAX_NAME).collect::<String>());
    payments.extend(short.filter_map(|name| to(&name, true, CREDITOR_REFERENCE).ok()));
    assert_eq!(payments.len(), 2 + nasty_names().len(), "each of the names fits");
    let codes: Vec<Qr> = payments
        .iter()
        .flat_map(|payment| {
            [amount("0.01"), amount("18.15"), Amount::MAX].map(|amount| Qr::new(payment, amount).unwrap())
        })
        .collect();
    let pictures: Vec<String> = codes.iter().map(|code| code.svg("Betalen <&> \"scannen\"")).collect();
    let scanned = run("scan_svg.py", &[], json!(pictures).to_string().as_bytes());
    for (code, scanned) in codes.iter().zip(scanned.as_array().unwrap()) {
        assert_eq!(*scanned, json!([{ "text": code.payload(), "correction": "M" }]));
    }
}

#[test]
fn the_picture_says_what_it_is_to_those_who_do_not_see_it() {
    let svg = Qr::new(&payment(CREDITOR_REFERENCE), amount("18.15"))
        .unwrap()
        .svg("Betaal € 18,15 & klaar");
    let document = roxmltree::Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let title = root.first_element_child().unwrap();
    assert!(title.has_tag_name(("http://www.w3.org/2000/svg", "title")));
    assert_eq!(title.text(), Some("Betaal € 18,15 & klaar"));
    // A page's policy on content may refuse styles and scripts in it: it has none.
    assert!(!svg.contains("style") && !svg.contains("script"), "{svg}");
}

#[test]
fn nothing_is_not_asked_for() {
    assert_eq!(
        Qr::new(&payment(CREDITOR_REFERENCE), amount("0.00")).unwrap_err(),
        NotPayable::Nothing
    );
}

proptest! {
    #[test]
    fn any_name_and_amount_make_a_code_that_fits_or_say_why_not(
        name in any::<String>(),
        cents in 1..=99_999_999_999_u64,
        bic: bool,
        structured: bool,
    ) {
        let Ok(name) = Text::parse(&name) else { return Ok(()) };
        let reference = if structured { CREDITOR_REFERENCE } else { BETALINGSKENMERK };
        match to(name.as_str(), bic, reference) {
            Ok(payment) => {
                let qr = Qr::new(&payment, Amount::from_cents(cents).unwrap()).unwrap();
                prop_assert!(qr.payload().len() <= MAX_BYTES);
                // Version 13 has 69 modules.
                prop_assert!(qr.size() <= 69);
                let lines: Vec<&str> = qr.payload().split('\n').collect();
                prop_assert_eq!(lines[5], name.as_str());
                prop_assert_eq!(lines.len(), if structured { 10 } else { 11 });
            }
            Err(NotPayable::Name) => prop_assert!(name.chars() > Payment::MAX_NAME),
            Err(NotPayable::TooMuch) => prop_assert!(name.as_str().len() > 200),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
