//! The PDF, read and scanned by programs that others wrote.

use std::path::{Path, PathBuf};

use eencent_invoices::invoice::Document;
use eencent_invoices::{Facts, Invoice, Language, Line, pdf};
use proptest::prelude::*;
use serde_json::Value;

use crate::samples::{
    BETALINGSKENMERK, activation, amount, belgian_buyer, credit_note, day, dutch_buyer, facts, invoice, nasty_names,
    payment, rate, text,
};
use crate::tools::run;

/// A PDF as its readers see it.
struct Seen {
    title: String,
    pages: Vec<String>,
    codes: Vec<String>,
}

fn seen(invoices: &[Invoice]) -> Vec<Seen> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = invoices
        .iter()
        .zip(0..)
        .map(|(invoice, number)| {
            let file = folder.path().join(format!("{number}.pdf"));
            std::fs::write(&file, pdf(invoice).unwrap()).unwrap();
            file
        })
        .collect();
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let answer = run("read_pdf.py", &paths, b"");
    answer.as_array().unwrap().iter().map(of_one).collect()
}

fn of_one(read: &Value) -> Seen {
    let pages = read["pages"].as_array().unwrap();
    for page in pages {
        assert_eq!(page["size"], serde_json::json!([595, 842]), "A4");
    }
    let codes = pages.iter().flat_map(|page| page["codes"].as_array().unwrap());
    Seen {
        title: read["title"].as_str().unwrap().to_owned(),
        pages: pages.iter().map(|page| words(page["text"].as_str().unwrap())).collect(),
        codes: codes.map(|code| code.as_str().unwrap().to_owned()).collect(),
    }
}

/// One space between words, whatever the document has between them.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_says(seen: &Seen, facts: &[&str]) {
    let text = seen.pages.join(" ");
    for fact in facts {
        assert!(text.contains(fact), "{fact:?} isn't in {text}");
    }
}

/// What it says, in Dutch and English.
#[test]
fn an_invoice_says_all_its_facts() {
    let dutch = invoice(dutch_buyer("Bakkerij Jansen & Zn. B.V."));
    let mut english = facts(belgian_buyer("Bakkerij Janssens BV"));
    english.language = Language::En;
    english.document = Document::Invoice {
        due: day("2026-12-25"),
        payment: payment(BETALINGSKENMERK),
    };
    english.lines = vec![
        activation(),
        Line::new(text("Advice"), amount("1234.50"), rate("5.5")).unwrap(),
    ];
    let english = Invoice::new(english).unwrap();

    let seen = seen(&[dutch.clone(), english.clone()]);
    let [of_dutch, of_english] = &seen[..] else {
        panic!("two documents")
    };
    assert_eq!(of_dutch.title, "Factuur 2026-00042");
    assert_says(
        of_dutch,
        &[
            "Voorbeeld e-facturatie B.V. Keizersgracht 123 1015 CJ Amsterdam",
            "administratie@voorbeeld.example",
            "+31 20 123 45 67",
            "Bakkerij Jansen & Zn. B.V. T.a.v. Sanne de Vries Dorpsstraat 1 a 3511 AB Utrecht KvK 12345678",
            "Factuurnummer 2026-00042",
            "Factuurdatum 25 november 2026",
            "Vervaldatum 25 december 2026",
            "Uw kenmerk Sanne de Vries",
            "Activering van uw organisatie 21% € 15,00",
            "Totaal exclusief btw € 15,00",
            "Btw 21% over € 15,00 € 3,15",
            "Te betalen € 18,15",
            "Maak € 18,15 uiterlijk 25 december 2026 over en vermeld het betalingskenmerk.",
            "IBAN NL91 ABNA 0417 1643 00",
            "Ten name van Voorbeeld e-facturatie B.V.",
            "BIC ABNANL2A",
            "Betalingskenmerk RF18 5390 0754 7034",
            "Bedrag € 18,15",
            "Scan met uw bankapp",
            "KvK 90001354",
            "Btw-nummer NL001234567B01",
        ],
    );
    assert_eq!(of_english.title, "Invoice 2026-00042");
    assert_says(
        of_english,
        &[
            "1015 CJ Amsterdam The Netherlands",
            "Bakkerij Janssens BV Belgium Enterprise number 0202.239.951 VAT number BE0202239951",
            "Invoice number 2026-00042",
            "Invoice date 25 November 2026",
            "Due date 25 December 2026",
            "Advice 5.5% €1,234.50",
            "Total excluding VAT €1,249.50",
            "VAT 21% on €15.00 €3.15",
            "VAT 5.5% on €1,234.50 €67.90",
            "Total due €1,320.55",
            "Please transfer €1,320.55 by 25 December 2026",
            "Payment reference 5000 0567 8901 2345",
            "Scan with your banking app",
            "KvK 90001354",
            "VAT number NL001234567B01",
        ],
    );
    for (invoice, seen) in [(&dutch, of_dutch), (&english, of_english)] {
        assert_eq!(seen.pages.len(), 1);
        assert_eq!(seen.codes, [invoice.qr().unwrap().unwrap().payload()]);
    }
}

#[test]
fn a_credit_note_says_what_it_takes_back_and_asks_for_nothing() {
    let dutch = credit_note(dutch_buyer("Bakkerij Jansen B.V."));
    let english = Facts {
        language: Language::En,
        ..dutch.facts().clone()
    };
    let seen = seen(&[dutch, Invoice::new(english).unwrap()]);
    let [dutch, english] = &seen[..] else {
        panic!("two documents")
    };
    assert_eq!(dutch.title, "Creditfactuur 2026-00043");
    assert_says(
        dutch,
        &[
            "Creditfactuur",
            "Nummer 2026-00043",
            "Datum 2 december 2026",
            "Bij factuur 2026-00042",
            "Factuurdatum 25 november 2026",
            "Totaal creditbedrag € 18,15",
            "van factuur 2026-00042 van 25 november 2026. U hoeft hiervoor niets te betalen.",
        ],
    );
    assert_eq!(english.title, "Credit note 2026-00043");
    assert_says(
        english,
        &["Total credited €18.15", "of invoice 2026-00042 of 25 November 2026"],
    );
    for seen in [dutch, english] {
        assert!(seen.codes.is_empty());
        let text = seen.pages.join(" ");
        assert!(
            !text.contains("IBAN") && !text.contains("Te betalen") && !text.contains("Total due"),
            "{text}"
        );
    }
}

#[test]
fn names_in_latin_greek_and_cyrillic_can_be_copied_and_any_name_leaves_the_code_to_scan() {
    let names = nasty_names();
    let invoices: Vec<Invoice> = names.iter().map(|name| invoice(dutch_buyer(name))).collect();
    // Emoji, Arabic and Chinese are in no font that this document carries.
    let has_letters = |c: char| matches!(c, '\u{20}'..='\u{24F}' | '\u{370}'..='\u{45F}');
    for (invoice, seen) in invoices.iter().zip(seen(&invoices)) {
        assert_eq!(seen.codes, [invoice.qr().unwrap().unwrap().payload()]);
        let name = invoice.facts().buyer.name.as_str();
        if name.chars().all(has_letters) {
            // A word of two hundred letters goes over lines.
            let glued = |text: &str| text.split_whitespace().collect::<String>();
            assert!(
                glued(&seen.pages.join(" ")).contains(&glued(name)),
                "{name} isn't in {:?}",
                seen.pages
            );
        }
    }
}

#[test]
fn many_lines_go_over_pages_that_are_numbered() {
    let mut facts = facts(dutch_buyer("Bakkerij Jansen B.V."));
    let line = |number: u32| Line::new(text(&format!("Regel {number} einde")), amount("12.34"), rate("21")).unwrap();
    facts.lines = (1..=70).map(line).collect();
    let invoice = Invoice::new(facts).unwrap();
    let seen = seen(std::slice::from_ref(&invoice)).remove(0);
    let count = seen.pages.len();
    assert!(count > 2, "{count} pages");
    for (page, number) in seen.pages.iter().zip(1..) {
        assert!(page.contains(&format!("Pagina {number} van {count}")), "{page}");
        assert!(page.contains("2026-00042") && page.contains("KvK 90001354"), "{page}");
    }
    let all = seen.pages.join(" ");
    for number in 1..=70 {
        assert!(all.contains(&format!("Regel {number} einde 21% € 12,34")), "{number}");
    }
    assert_eq!(seen.codes, [invoice.qr().unwrap().unwrap().payload()]);
}

#[test]
fn the_same_invoice_is_the_same_bytes_also_when_it_was_kept() {
    for invoice in [
        invoice(dutch_buyer("Bakkerij Jansen B.V.")),
        credit_note(belgian_buyer("Bakkerij Janssens BV")),
    ] {
        let kept: Invoice = serde_json::from_str(&serde_json::to_string(&invoice).unwrap()).unwrap();
        assert!(pdf(&kept).unwrap() == pdf(&invoice).unwrap());
    }
}

#[test]
fn it_declares_to_be_pdf_a_2a_and_pdf_ua_1_in_its_language() {
    let bytes = pdf(&invoice(dutch_buyer("Bakkerij Jansen B.V."))).unwrap();
    // Metadata are never compressed in PDF/A.
    let text = String::from_utf8_lossy(&bytes);
    for declared in [
        "<pdfaid:part>2</pdfaid:part>",
        "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
        "<dc:language><rdf:Bag><rdf:li>nl</rdf:li></rdf:Bag></dc:language>",
        "/Lang",
        "/StructTreeRoot",
    ] {
        assert!(text.contains(declared), "{declared}");
    }
    assert!(bytes.len() < 80_000, "{} bytes for a page", bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_text_anywhere_makes_a_document(name in any::<String>(), other in "\\PC{1,400}") {
        let (Ok(name), Ok(other)) = (eencent_invoices::Text::parse(&name), eencent_invoices::Text::parse(&other)) else {
            return Ok(());
        };
        let mut facts = facts(dutch_buyer("x"));
        facts.buyer.name = name.clone();
        facts.buyer.contact = Some(other.clone());
        facts.buyer.address.street = Some(other.clone());
        facts.buyer.address.city = Some(name.clone());
        facts.seller.name = other.clone();
        facts.seller.email = Some(name.clone());
        facts.seller.address.street = other;
        facts.lines = vec![Line::new(name, amount("15.00"), rate("21")).unwrap(); 3];
        let bytes = pdf(&Invoice::new(facts).unwrap()).unwrap();
        prop_assert!(bytes.starts_with(b"%PDF-1.7"));
    }
}
