//! Bank statements: what each format says, and what is refused with line and reason.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{PaymentNotification, PaymentStatus, Proof, ReferenceHint, Told};
use eencent_activations::personal::AccountNumber;
use eencent_webhooks::statements::{self, Statement};
use proptest::prelude::*;

use crate::desk::fixture;

fn read(text: &str) -> Statement {
    statements::read(text.as_bytes()).unwrap()
}

fn of_file(name: &str) -> Statement {
    read(&fixture(&format!("statements/{name}")))
}

fn ids(statement: &Statement) -> Vec<&str> {
    statement
        .accounts
        .iter()
        .flat_map(|it| &it.events)
        .map(|event| event.event_id.as_str())
        .collect()
}

fn payments(statement: &Statement) -> Vec<&PaymentNotification> {
    let events = statement.accounts.iter().flat_map(|it| &it.events);
    events
        .filter_map(|event| match &event.told {
            Told::Payment(payment) => Some(payment.as_ref()),
            Told::Ignored(_) | Told::Quarantined(_) => None,
        })
        .collect()
}

#[test]
fn both_common_versions_of_camt_054_and_mt940_say_the_same_of_a_transfer() {
    for (file, format, id, name) in [
        (
            "camt.054.001.04.xml",
            "camt.054.001.04",
            Some("0127512345671"),
            "Café 't Hoekje V.O.F.",
        ),
        (
            "camt.054.001.08.xml",
            "camt.054.001.08",
            Some("0127512345670"),
            "Café 't Hoekje V.O.F.",
        ),
        ("mt940.bunq_style.sta", "MT940", None, "BAKKERIJ DE KORENAAR BV"),
    ] {
        let statement = of_file(file);
        assert_eq!(statement.format, format);
        assert_eq!(statement.accounts[0].account, "NL86BUNQ2025105541");
        let [payment] = payments(&statement)[..] else {
            unreachable!("{file}")
        };
        assert_eq!(payment.status, PaymentStatus::Paid);
        assert_eq!(payment.amount, Some(Money::cents(1_815)), "{file}");
        assert_eq!(payment.holder.as_ref().unwrap().as_str(), name);
        assert_eq!(payment.account_number, AccountNumber::iban("NL20INGB0001234567"));
        assert_eq!(
            payment.reference,
            Some(ReferenceHint::Within("FACTUUR 2026-00482".to_owned()))
        );
        assert_eq!(
            payment.paid_at,
            Timestamp::parse_rfc3339("2026-11-20T23:00:00Z"),
            "a Dutch day begins"
        );
        assert_eq!(payment.proof, Proof::Imported);
        if let Some(id) = id {
            assert_eq!(payment.payment_id, id);
        }
    }
}

#[test]
fn a_days_statement_with_a_batch_a_debit_a_reversal_and_what_is_on_its_way() {
    let statement = of_file("camt.053.001.02.batch.xml");
    assert_eq!(
        ids(&statement),
        ["B-1", "B-2", "BATCH-9", "BATCH-9:2", "D-1", "R-1", "pending:P-1", "U-1"]
    );
    let told: Vec<_> = payments(&statement)
        .iter()
        .map(|it| (it.payment_id.clone(), it.amount))
        .collect();
    let cents = |minor| Some(Money::cents(minor));
    assert_eq!(
        told,
        [
            ("B-1".to_owned(), cents(1_815)),
            ("B-2".to_owned(), cents(1)),
            ("BATCH-9".to_owned(), cents(1_000)),
            ("BATCH-9:2".to_owned(), cents(815)),
        ]
    );
    let references: Vec<_> = payments(&statement)
        .iter()
        .map(|it| it.reference.clone().unwrap())
        .collect();
    assert_eq!(
        references[0],
        ReferenceHint::Exact("RF18539007547034".to_owned()),
        "structured, and nothing beside it"
    );
    assert_eq!(references[1], ReferenceHint::Within("regel een regel twee".to_owned()));
    let set_apart = statement.accounts[0]
        .events
        .iter()
        .filter(|event| matches!(event.told, Told::Quarantined(_)));
    assert_eq!(
        set_apart.count(),
        2,
        "the reversal, and the batch that can't be told apart"
    );
}

#[test]
fn the_dutch_banks_ways_of_writing_86_are_read() {
    for (written, name, iban, reference) in [
        (
            "/EREF/EV2026//CNTP/NL20INGB0001234567/INGBNL2A/BAKKERIJ DE KORENAAR B\nV///REMI/USTD//RF18 5390 0754 7034/",
            "BAKKERIJ DE KORENAAR BV",
            Some("NL20INGB0001234567"),
            "RF18 5390 0754 7034 EV2026",
        ),
        (
            "/TRTP/SEPA OVERBOEKING/IBAN/NL20INGB0001234567/BIC/INGBNL2A/NAME/B\nAKKERIJ DE KORENAAR/REMI/FACTUUR 2026-00482/EREF/NOTPROVIDED",
            "BAKKERIJ DE KORENAAR",
            Some("NL20INGB0001234567"),
            "FACTUUR 2026-00482",
        ),
        (
            "/ORDP//NAME/BAKKERIJ DE KORENAAR/REMI/huur 3/4 deel/ISDT/2026-11-21",
            "BAKKERIJ DE KORENAAR",
            None,
            "huur 3/4 deel",
        ),
        (
            "166?00SEPA?20SVWZ+FACTUUR 2026?21-00482?30INGBNL2A?31NL20INGB0001234567?32BAKKERIJ DE?33 KORENAAR",
            "BAKKERIJ DE KORENAAR",
            Some("NL20INGB0001234567"),
            "FACTUUR 2026-00482",
        ),
    ] {
        let text = format!(
            ":20:X\n:25:NL86BUNQ2025105541 EUR\n:60F:C261120EUR0,00\n:61:2611211121C18,15NTRFNONREF//B7\n:86:{written}\n:62F:C261121EUR18,15\n"
        );
        let statement = read(&text);
        let [payment] = payments(&statement)[..] else {
            unreachable!("{written}")
        };
        assert_eq!(payment.holder.as_ref().map(|it| it.as_str()), Some(name), "{written}");
        assert_eq!(payment.account_number, iban.and_then(AccountNumber::iban), "{written}");
        assert_eq!(
            payment.reference,
            Some(ReferenceHint::Within(reference.to_owned())),
            "{written}"
        );
        assert_eq!(payment.payment_id, "2026-11-21:B7");
    }
}

#[test]
fn what_overlaps_is_known_again_and_equal_transfers_are_two() {
    let booking = ":61:2611211121C0,01NTRFNONREF\n:86:/NAME/J. JANSEN/REMI/activatie\n";
    let head = ":20:X\n:25:NL86BUNQ2025105541 EUR\n";
    let once = read(&format!("{head}{booking}"));
    let twice = read(&format!("{head}{booking}{booking}"));
    assert_eq!(ids(&once)[0], ids(&twice)[0]);
    assert_ne!(ids(&twice)[0], ids(&twice)[1]);
    let other_account = read(&format!("{head}{booking}").replace("5541", "5542"));
    assert_ne!(ids(&once)[0], ids(&other_account)[0]);
}

#[test]
fn a_booking_told_within_the_day_and_in_the_days_statement_is_one_and_the_same() {
    let within = fixture("statements/camt.054.001.08.xml");
    let within = within.replace(
        "<BookgDt><Dt>2026-11-21</Dt></BookgDt>",
        "<BookgDt><DtTm>2026-11-21T09:02:11+01:00</DtTm></BookgDt>",
    );
    let days = fixture("statements/camt.054.001.08.xml");
    let (one, other) = (read(&within), read(&days));
    let [one, other] = [&one, &other].map(|it| &it.accounts[0].events[0]);
    assert_eq!((&one.event_id, one.digest), (&other.event_id, other.digest));
}

#[test]
fn a_file_that_isnt_whole_is_refused_by_line_and_reason() {
    let mt = ":20:X\n:25:NL86BUNQ2025105541 EUR\n:60F:C261120EUR10,00\n:61:2611211121C18,15NTRFNONREF\n:62F:C261121EUR20,00\n";
    let camt = fixture("statements/camt.053.001.02.batch.xml");
    let cases = [
        (String::new(), 1),
        ("id;amount\n1;2\n".to_owned(), 1),
        (mt.to_owned(), 5),
        (mt.replace("C18,15", "C18.15.1"), 4),
        (mt.replace("2611211121C", "26112C"), 4),
        (
            camt.replace("<Amt Ccy=\"EUR\">8.15</Amt>", "<Amt Ccy=\"EUR\">8.16</Amt>"),
            0,
        ),
        (camt.replace(">18.17<", ">x<"), 0),
        (camt.replace("</BkToCstmrStmt>", ""), 0),
        (camt.replace("BkToCstmrStmt", "CstmrCdtTrfInitn"), 1),
        (format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{camt}"), 0),
    ];
    for (text, line) in cases {
        let refused = statements::read(text.as_bytes()).unwrap_err();
        assert!(line == 0 || refused.line == line, "{refused}");
        assert!(!refused.reason.is_empty() && refused.line >= 1);
    }
}

#[test]
fn fault_18_a_file_that_is_nothing_but_depth_or_entries_is_read_or_refused() {
    let deep = format!("{}{}", "<a>".repeat(300_000), "</a>".repeat(300_000));
    assert!(statements::read(deep.as_bytes()).is_err());
    let camt = fixture("statements/camt.054.001.08.xml");
    let (from, to) = (camt.find("   <Ntry>").unwrap(), camt.find("  </Ntfctn>").unwrap());
    let many = format!("{}{}{}", &camt[..from], camt[from..to].repeat(20_000), &camt[to..]);
    assert_eq!(payments(&read(&many)).len(), 20_000);
    let too_many = format!(
        "{}{}{}",
        &camt[..from],
        "<Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>CRDT</CdtDbtInd></Ntry>".repeat(50_001),
        &camt[to..]
    );
    assert!(
        statements::read(too_many.as_bytes())
            .unwrap_err()
            .reason
            .contains("50000")
    );
}

proptest! {
    #[test]
    fn fault_18_no_bytes_make_reading_a_statement_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = statements::read(&bytes);
    }

    #[test]
    fn fault_18_nor_does_a_statement_with_something_changed(at in 0_usize..4_000, byte: u8, file in 0_usize..4) {
        let files = ["camt.054.001.04.xml", "camt.054.001.08.xml", "mt940.bunq_style.sta", "camt.053.001.02.batch.xml"];
        let mut bytes = fixture(&format!("statements/{}", files[file])).into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = statements::read(&bytes);
        bytes.truncate(at);
        let _ = statements::read(&bytes);
    }
}
