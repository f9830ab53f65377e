//! What the flow says of method 2, invoice by bank transfer, sentence by sentence, through the public interfaces.

use std::process::Command;

use serde_json::{Value, json};

use crate::clocks::set;
use crate::http::{Answer, request};
use crate::mail;
use crate::payments::{NAME, activation, organisation, post_bank, started, text, transfer, wait_for_state};
use crate::platform::Platform;
use crate::server::{Installation, Server, wait_for};

fn get(server: &Server, path: &str) -> Answer {
    request(&server.public, "GET", path, &[], b"").unwrap()
}

/// The path of a document's page, from its address.
fn path(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url[url.find("/invoice/").unwrap()..].to_owned()
}

/// The newest e-mail to the creator whose subject holds these words.
fn email(home: &Installation, now: &Value, words: &str) -> mail::Email {
    wait_for(words, || {
        let mut all = mail::read(&home.mail());
        all.retain(|one| one.header("x-activation") == text(now, "reference") && one.text.contains(words));
        all.pop()
    })
}

fn pay(server: &Server, id: &str, cents: i64, remittance: &str, holder: &str) {
    let answer = post_bank(server, &format!("msg_{id}"), &transfer(id, cents, remittance, holder)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn invoice_1_the_creator_gets_it_by_e_mail_with_a_link_and_the_platform_as_ubl() {
    let platform = Platform::start();
    let home = platform.told(Installation::new());
    let server = home.serve();
    let now = started(&server, 62_000_001, "invoice");
    let number = text(&now["invoice"], "number").to_owned();
    assert_eq!(number, "EC-000001");
    let mail = email(&home, &now, "18,15");
    let link = mail
        .text
        .split_whitespace()
        .find(|word| word.contains("/invoice/"))
        .unwrap();
    assert_eq!(Some(link), now["invoice"]["url"].as_str());

    let page = get(&server, &path(&now["invoice"]["url"]));
    assert_eq!(page.status, 200);
    let reference = text(&now, "reference");
    for said in [
        NAME,
        "18,15",
        "NL91 ABNA 0417 1643 00",
        "Eencent B.V.",
        reference,
        "<svg",
        &number,
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("script-src 'self'")
    );
    assert_eq!(get(&server, "/copy.js").status, 200);

    let ubl = get(&server, &format!("{}/{number}.xml", path(&now["invoice"]["url"])));
    assert_eq!((ubl.status, ubl.header("content-type")), (200, Some("application/xml")));
    assert!(
        ubl.body
            .contains("<cbc:PayableAmount currencyID=\"EUR\">18.15</cbc:PayableAmount>"),
        "{}",
        ubl.body
    );
    for said in [
        "<cbc:StreetName>Brink 1<",
        "<cbc:PostalZone>7411 BR<",
        "<cbc:CityName>Deventer<",
    ] {
        assert!(
            ubl.body.contains(said),
            "Peppol wants the whole address of a Dutch buyer: {}",
            ubl.body
        );
    }
    let pdf = get(&server, &format!("{}/{number}.pdf", path(&now["invoice"]["url"])));
    assert_eq!((pdf.status, pdf.header("content-type")), (200, Some("application/pdf")));
    assert!(pdf.body.starts_with("%PDF-"));
    let told = platform.first("activation.invoiced");
    assert_eq!(told["data"]["invoice"]["number"], number);
    assert_eq!(
        told["data"]["invoice"]["ubl"], ubl.body,
        "the platform gets the very document"
    );
    for wrong in ["/x.xml", "/EC-000002.xml", "/EC-000001.exe", ""] {
        let other = format!("/invoice/{}{wrong}", "A".repeat(43));
        assert_eq!(get(&server, &other).status, 404);
        if !wrong.is_empty() {
            assert_eq!(
                get(&server, &format!("{}{wrong}", path(&now["invoice"]["url"]))).status,
                404,
                "{wrong}"
            );
        }
    }
}

#[test]
fn invoice_2_a_payment_is_tied_by_its_reference_however_it_was_typed() {
    let home = Installation::new();
    let server = home.serve();
    for (kvk, way) in [(62_000_010, 0), (62_000_011, 1), (62_000_012, 2)] {
        let now = started(&server, kvk, "invoice");
        let reference = text(&now, "reference").to_owned();
        let grouped = reference
            .as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join(" ");
        let typed = match way {
            0 => reference,
            1 => format!("factuur {} bedankt", grouped.to_lowercase()),
            _ => format!("activering/{grouped}/2026"),
        };
        pay(&server, &format!("t{kvk}"), 1815, &typed, NAME);
        wait_for_state(&server, text(&now, "id"), "activated");
    }
}

#[test]
fn invoice_3_less_than_asked_waits_for_the_rest_and_the_creator_is_told_what_is_missing() {
    let platform = Platform::start();
    let home = platform.told(Installation::new());
    let server = home.serve();
    let now = started(&server, 62_000_020, "invoice");
    pay(&server, "part1", 1000, text(&now, "reference"), NAME);
    let mail = email(&home, &now, "10,00");
    assert!(mail.text.contains("8,15"), "{}", mail.text);
    platform.first("activation.partly_paid");
    let page = get(&server, &path(&now["invoice"]["url"]));
    assert!(
        page.body.contains("ontvangen") && page.body.contains("8,15"),
        "{}",
        page.body
    );
    assert_eq!(
        text(&activation(&server, text(&now, "id")), "state"),
        "awaiting_payment"
    );
    pay(&server, "part2", 815, text(&now, "reference"), NAME);
    let now = wait_for_state(&server, text(&now, "id"), "activated");
    assert_eq!(now["flags"], json!([]));
    let page = get(&server, &path(&now["invoice"]["url"]));
    assert!(
        page.body.contains("Uw betaling is binnen") && !page.body.contains("<svg"),
        "{}",
        page.body
    );
}

#[test]
fn invoice_3_a_surplus_goes_on_and_is_flagged_for_support() {
    let home = Installation::new();
    let server = home.serve();
    let now = started(&server, 62_000_030, "invoice");
    pay(&server, "t1", 2000, text(&now, "reference"), NAME);
    let now = wait_for_state(&server, text(&now, "id"), "activated");
    assert_eq!(now["flags"][0]["code"], "surplus");
    pay(&server, "t2", 1815, text(&now, "reference"), NAME);
    let surplus = wait_for("the payment beyond what was asked", || {
        let list = server.api("GET", "/v1/payments?state=surplus", &Value::Null).json();
        list.get(0).cloned()
    });
    assert_eq!(
        (&surplus["activation"], &surplus["payment"]["id"]),
        (&now["id"], &json!("t2"))
    );
}

#[test]
fn invoice_3_every_parts_account_holder_must_match_and_one_told_through_two_channels_is_not_added_up() {
    let home = Installation::new()
        .with("WEBHOOKS__SECOND__PROVIDER", "standard_webhooks")
        .with("WEBHOOKS__SECOND__SECRETS", crate::payments::BANK);
    let server = home.serve();
    let now = started(&server, 62_000_040, "invoice");
    pay(&server, "a1", 1000, text(&now, "reference"), NAME);
    email(&home, &now, "10,00");
    pay(&server, "a2", 815, text(&now, "reference"), "P. de Boer");
    let now = wait_for_state(&server, text(&now, "id"), "under_review");
    assert_ne!(now["reasons"], json!([]));

    let now = started(&server, 62_000_041, "invoice");
    let told = transfer("b1", 908, text(&now, "reference"), NAME)
        .to_string()
        .into_bytes();
    for endpoint in ["bank", "second"] {
        let signed = eencent_webhooks::signing::standard_webhooks(
            crate::payments::BANK,
            endpoint,
            crate::payments::now(),
            &told,
        );
        assert_eq!(
            crate::payments::post(&server, endpoint, &signed, &told).unwrap().status,
            200
        );
    }
    let now = wait_for_state(&server, text(&now, "id"), "under_review");
    assert_eq!(now["reasons"][0]["code"], "told_twice", "two halves that may be one");
}

#[test]
fn invoice_4_once_activated_the_creator_gets_an_e_mail() {
    let home = Installation::new();
    let server = home.serve();
    let now = started(&server, 62_000_050, "invoice");
    pay(&server, "t1", 1815, text(&now, "reference"), NAME);
    let now = wait_for_state(&server, text(&now, "id"), "activated");
    email(&home, &now, "geactiveerd");
}

#[test]
fn withdrawn_after_invoicing_there_is_a_credit_note_and_numbers_have_no_gap() {
    let platform = Platform::start();
    let home = platform.told(Installation::new());
    let server = home.serve();
    let first = started(&server, 62_000_060, "invoice");
    // A start that is refused takes no number.
    let again = format!("/v1/organisations/{}/activations", text(&first, "organisation"));
    assert_eq!(server.api("POST", &again, &json!({ "method": "invoice" })).status, 409);
    let cancel = format!("/v1/activations/{}/cancel", text(&first, "id"));
    let over = server.api("POST", &cancel, &json!({ "reason": "vergissing" })).json();
    assert_eq!(
        (text(&over["invoice"], "number"), text(&over["invoice"], "credit_note")),
        ("EC-000001", "EC-000002")
    );
    let told = platform.first("activation.cancelled");
    let ubl = text(&told["data"]["credit_note"], "ubl").to_owned();
    assert!(
        ubl.contains("<CreditNote") && ubl.contains("EC-000001") && ubl.contains("EC-000002"),
        "{ubl}"
    );
    let mail = email(&home, &over, "ingetrokken");
    assert!(
        mail.text.contains(text(&over["invoice"], "credit_note_url")),
        "{}",
        mail.text
    );
    let note = get(&server, &path(&over["invoice"]["credit_note_url"]));
    assert!(
        note.status == 200 && note.body.contains("Creditnota") && !note.body.contains("<svg"),
        "{}",
        note.body
    );
    let page = get(&server, &path(&over["invoice"]["url"]));
    assert!(
        page.body.contains("vervallen") && !page.body.contains("NL91 ABNA"),
        "{}",
        page.body
    );

    let second = server.api("POST", &again, &json!({ "method": "invoice" })).json();
    assert_eq!(text(&second["invoice"], "number"), "EC-000003");
    // Many at once: every number once, none left out.
    let numbers: Vec<String> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..12)
            .map(|one| {
                let server = &server;
                scope.spawn(move || text(&started(server, 62_100_000 + one, "invoice")["invoice"], "number").to_owned())
            })
            .collect();
        starting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut sorted = numbers;
    sorted.sort();
    let wanted: Vec<String> = (4..16).map(|number| format!("EC-{number:06}")).collect();
    assert_eq!(sorted, wanted);
}

#[test]
fn never_paid_there_is_a_credit_note_when_its_time_is_up() {
    let platform = Platform::start();
    let home = platform.told(Installation::new());
    let offset = home.path().join("clock");
    set(&offset, 0);
    let mut server = home.launch_by(&offset, "serve");
    server.wait_until_ready();
    let first = started(&server, 62_000_070, "invoice");
    let id = text(&first, "id");
    set(&offset, 31 * 24 * 60 * 60);
    let over = wait_for_state(&server, id, "expired");
    assert_eq!(text(&over["invoice"], "credit_note"), "EC-000002");
    let told = platform.first("activation.expired");
    let ubl = text(&told["data"]["credit_note"], "ubl");
    assert!(ubl.contains("<CreditNote") && ubl.contains("EC-000001"), "{ubl}");
    let mail = email(&home, &over, "creditnota");
    assert!(
        mail.text.contains(text(&over["invoice"], "credit_note_url")),
        "{}",
        mail.text
    );
    let page = get(&server, &path(&over["invoice"]["url"]));
    assert!(
        page.body.contains("vervallen") && !page.body.contains("NL91 ABNA"),
        "{}",
        page.body
    );
}

#[test]
fn without_an_account_there_are_no_invoices_and_a_start_says_so() {
    let home = Installation::new().without("INVOICE__IBAN");
    let server = home.serve();
    let made = server
        .api("POST", "/v1/organisations", &organisation(62_000_070))
        .json();
    let path = format!("/v1/organisations/{}/activations", text(&made, "id"));
    let refused = server.api("POST", &path, &json!({ "method": "invoice" }));
    assert_eq!(
        (refused.status, text(&refused.json(), "code")),
        (409, "invoice_not_configured")
    );
    assert_eq!(server.api("POST", &path, &json!({ "method": "ideal" })).status, 201);
}

#[test]
fn a_name_that_nobody_can_see_is_refused_when_it_is_registered_and_makes_no_invoice() {
    let home = Installation::new();
    let server = home.serve();
    let mut unseen = organisation(62_000_080);
    unseen["legal_name"] = "\u{200b}\u{200b}".into();
    let refused = server.api("POST", "/v1/organisations", &unseen);
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["field"]),
        (422, &json!("legal_name"))
    );
    // One that was registered before that was refused.
    let made = server
        .api("POST", "/v1/organisations", &organisation(62_000_081))
        .json();
    let id = text(&made, "id");
    home.sql(&format!(
        "UPDATE organisations SET legal_name = '\u{200b}' WHERE id = '{id}'"
    ));
    let path = format!("/v1/organisations/{id}/activations");
    let refused = server.api("POST", &path, &json!({ "method": "invoice" }));
    assert_eq!(
        (refused.status, text(&refused.json(), "code")),
        (422, "invoice_impossible")
    );
    let next = started(&server, 62_000_082, "invoice");
    assert_eq!(
        text(&next["invoice"], "number"),
        "EC-000001",
        "no number was used for it"
    );
}

#[test]
fn one_that_was_invoiced_is_credited_also_when_there_are_no_invoices_any_more() {
    let home = Installation::new();
    let server = home.serve();
    let view = started(&server, 62_000_090, "invoice");
    server.kill();
    let home = home.without("INVOICE__IBAN");
    let server = home.serve();
    let cancel = format!("/v1/activations/{}/cancel", text(&view, "id"));
    let over = server.api("POST", &cancel, &json!({})).json();
    assert_eq!(text(&over["invoice"], "credit_note"), "EC-000002");
}

#[test]
fn what_is_wrong_with_the_invoice_settings_is_told_all_at_once() {
    let home = Installation::new()
        .with("INVOICE__IBAN", "NL91ABNA0417164301")
        .with("INVOICE__SELLER_CITY", "")
        .with("INVOICE__SELLER_KVK", "1234")
        .with("INVOICE__VAT_PERCENT", "btw");
    let output: std::process::Output = Command::output(&mut home.command(&["serve"])).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for key in [
        "invoice.iban",
        "invoice.seller_city",
        "invoice.seller_kvk",
        "invoice.vat_percent",
    ] {
        assert!(told.contains(key), "{key}: {told}");
    }
}
