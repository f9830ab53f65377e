//! Sellers, buyers and invoices to begin with.

use chrono::NaiveDate;
use eencent_invoices::identifiers::{BelgianEnterprise, Country, Kvk, Rsin, VatNumber};
use eencent_invoices::invoice::{BuyersReference, Currency, Document, Number};
use eencent_invoices::party::{Address, BuyerAddress, CompanyNumber};
use eencent_invoices::payment::{Bic, Iban, PaymentReference};
use eencent_invoices::{Amount, Buyer, Facts, Invoice, Language, Line, Payment, Seller, Text, VatRate};

pub const CREDITOR_REFERENCE: &str = "RF18539007547034";
pub const BETALINGSKENMERK: &str = "5000056789012345";

pub fn text(text: &str) -> Text {
    Text::parse(text).unwrap()
}

pub fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

pub fn rate(text: &str) -> VatRate {
    VatRate::parse(text).unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn seller() -> Seller {
    Seller {
        name: text("Voorbeeld e-facturatie B.V."),
        address: Address {
            street: text("Keizersgracht 123"),
            postcode: text("1015 CJ"),
            city: text("Amsterdam"),
            country: Country::NL,
        },
        company: CompanyNumber::Kvk(Kvk::parse("90001354").unwrap()),
        vat: VatNumber::parse("NL001234567B01").unwrap(),
        email: Some(text("administratie@voorbeeld.example")),
        phone: Some(text("+31 20 123 45 67")),
        website: Some(text("voorbeeld.example")),
    }
}

pub fn dutch_buyer(name: &str) -> Buyer {
    Buyer {
        name: text(name),
        address: BuyerAddress {
            street: Some(text("Dorpsstraat 1 a")),
            postcode: Some(text("3511 AB")),
            city: Some(text("Utrecht")),
            country: Country::NL,
        },
        kvk: Some(Kvk::parse("12345678").unwrap()),
        belgian_enterprise: None,
        rsin: Some(Rsin::parse("123456782").unwrap()),
        vat: None,
        contact: Some(text("Sanne de Vries")),
    }
}

pub fn belgian_buyer(name: &str) -> Buyer {
    Buyer {
        name: text(name),
        address: BuyerAddress {
            street: None,
            postcode: None,
            city: None,
            country: Country::BE,
        },
        kvk: None,
        belgian_enterprise: Some(BelgianEnterprise::parse("0202239951").unwrap()),
        rsin: None,
        vat: Some(VatNumber::parse("BE0202239951").unwrap()),
        contact: None,
    }
}

pub fn payment(reference: &str) -> Payment {
    Payment::new(
        Iban::parse("NL91ABNA0417164300").unwrap(),
        text("Voorbeeld e-facturatie B.V."),
        Some(Bic::parse("ABNANL2A").unwrap()),
        PaymentReference::parse(reference).unwrap(),
    )
    .unwrap()
}

pub fn activation() -> Line {
    let description = text("Activering van uw organisatie");
    Line::from_gross(description, amount("18.15"), rate("21")).unwrap()
}

pub fn facts(buyer: Buyer) -> Facts {
    Facts {
        number: Number::parse("2026-00042").unwrap(),
        document: Document::Invoice {
            due: day("2026-12-25"),
            payment: payment(CREDITOR_REFERENCE),
        },
        issued: day("2026-11-25"),
        seller: seller(),
        buyer,
        reference: BuyersReference::Buyer(text("Sanne de Vries")),
        lines: vec![activation()],
        currency: Currency::Eur,
        language: Language::Nl,
    }
}

pub fn invoice(buyer: Buyer) -> Invoice {
    Invoice::new(facts(buyer)).unwrap()
}

/// Takes the invoice of [`facts`] back.
pub fn credit_note(buyer: Buyer) -> Invoice {
    Invoice::new(Facts {
        number: Number::parse("2026-00043").unwrap(),
        document: Document::CreditNote {
            invoice: Number::parse("2026-00042").unwrap(),
            invoice_issued: day("2026-11-25"),
        },
        issued: day("2026-12-02"),
        ..facts(buyer)
    })
    .unwrap()
}

/// Names that have broken documents before.
pub fn nasty_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "Jansen & Zonen <V.O.F.> \"De Kat\" 'n Zo",
        "]]> & <!-- Bakkerij --> &amp; <?php",
        "Cupcakes 🧁👩‍👩‍👧 & Co",
        "\u{202E}.V.B drawkcab\u{202C} BV",
        "مخبز السلام لصاحبه عبد الله",
        "Ελληνικός Φούρνος Ο.Ε.",
        "Пекарня «Хлеб» ООО",
        "Ștefan Łukasz Ğőřšů Þór",
        "Zero\0 Bell\u{7} Escape\u{1b}[31m\u{FFFE}",
        "東京パン株式会社",
        "\u{631}\u{64B}\u{301} \u{5D0}\u{5B8} \u{E000}\u{301}",
        "e\u{301}a\u{308}o\u{302} Combining B.V.",
        "a",
    ]
    .map(str::to_owned)
    .into();
    names.push("Stichting Administratiekantoor ".repeat(7).chars().take(200).collect());
    names.push("X".repeat(200));
    names
}
