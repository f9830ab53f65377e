//! What is stored of one person: exported, then erased through the real commands, while the server works; and nothing of
//! anybody else.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::http::{Answer, request};
use crate::mail;
use crate::payments::{
    ADYEN_BASIC, activation, adyen_paid, mollie_paid, mollie_refunded, organisation, post_adyen, post_bank,
    post_mollie, started, text, transfer, wait_for_state,
};
use crate::people::{Member, between};
use crate::server::{Installation, KEY, Ran, Server, wait_for};

/// Whose data it is: a sole trader, and the account.
const ADDRESS: &str = "W.Quist@zonnebloem.example";
const CREATOR: &str = "Wilhelmina Quist";
const COMPANY: &str = "Quistbloemen";
const IBAN: &str = "NL20INGB0001234567";

/// What can't be anywhere any more, in small letters.
const TRACES: &[&str] = &[
    "w.quist@",
    "quist",
    "wilhelmina",
    "nl20ingb0001234567",
    "nl20 ingb",
    "terpstra",
    "zonnebloem",
];

fn home() -> Installation {
    Installation::new()
        .with("ACTIVATION__IDEAL_COMPLETION", "immediate")
        // A platform that isn't there: deliveries wait.
        .with("EVENTS__PLATFORM__URL", "http://127.0.0.1:9/events")
        .with(
            "EVENTS__PLATFORM__SECRETS",
            "whsec_dGhlIHBsYXRmb3JtJ3Mgc2VjcmV0LCBmb3IgdGVzdHM=",
        )
        .with("EVENTS__PLATFORM__PRIVATE", "true")
}

/// An activation of the person's, started; the organisation under a key that makes its answer be kept.
fn of_the_person(server: &Server, kvk: u32, method: &str) -> Value {
    let mut new = organisation(kvk);
    new["legal_name"] = COMPANY.into();
    new["trade_names"] = json!(["Zonnebloem"]);
    new["legal_form"] = "Eenmanszaak".into();
    new["address"]["street"] = "Zonnebloemweg 1".into();
    new["creator"]["name"] = CREATOR.into();
    new["creator"]["email"] = ADDRESS.into();
    let (bearer, key) = (format!("Bearer {KEY}"), format!("key-{kvk}"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    let made = request(
        &server.public,
        "POST",
        "/v1/organisations",
        &headers,
        new.to_string().as_bytes(),
    )
    .unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let path = format!("/v1/organisations/{}/activations", text(&made.json(), "id"));
    let started = server.api("POST", &path, &json!({ "method": method }));
    assert_eq!(started.status, 201, "{}", started.body);
    started.json()
}

fn from_their_account(mut message: Value) -> Value {
    if let Some(number) = message.pointer_mut("/_embedded/entity/details/consumerAccount") {
        *number = IBAN.into();
    }
    if let Some(number) = message.pointer_mut("/data/debtor/iban") {
        *number = IBAN.into();
    }
    message
}

fn act(server: &Server, id: &str, what: &str, reason: &str) -> Answer {
    let now = activation(server, id);
    let act = json!({ "version": now["version"], "actor": "Sam Steun", "reason": reason });
    let done = server.api("POST", &format!("/v1/activations/{id}/{what}"), &act);
    assert_eq!(done.status, 200, "{what}: {}", done.body);
    done
}

/// Asked for the creator's side of it, and answered with a file.
fn asked_and_answered(installation: &Installation, server: &Server, id: &str) {
    act(server, id, "request-information", "Bent u mevrouw Terpstra?");
    let link = wait_for("the e-mail that asks", || {
        let all = mail::read(&installation.mail());
        let asks = all
            .into_iter()
            .find(|email| email.text.contains("Bent u mevrouw Terpstra?"));
        asks.and_then(|email| email.link().map(str::to_owned))
    });
    let path = &link[link.find("/information/").unwrap()..];
    let body = "--edge\r\ncontent-disposition: form-data; name=\"answer\"\r\n\r\nJa, Wilhelmina Terpstra is mijn meisjesnaam.\r\n\
                --edge\r\ncontent-disposition: form-data; name=\"files\"; filename=\"paspoort quist.pdf\"\r\n\r\n%PDF-1.4 quist\n%%EOF\n\r\n\
                --edge--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=edge")];
    let answered = request(&server.public, "POST", path, &headers, body.as_bytes()).unwrap();
    assert_eq!(answered.status, 200, "{}", answered.body);
}

fn erase(installation: &Installation, whose: &[&str]) -> Ran {
    let act = [
        &["person", "erase"],
        whose,
        &["--yes", "--by", "Bakker", "--reason", "request 2026-114"],
    ]
    .concat();
    installation.run(&act)
}

/// Killed at its first commit, then at its second, and so on until it comes to its end.
fn erase_with_crashes(installation: &Installation, whose: &[&str]) -> Ran {
    let act = [
        &["person", "erase"],
        whose,
        &["--yes", "--by", "Bakker", "--reason", "request 2026-114"],
    ]
    .concat();
    for commit in 1.. {
        let mut command = installation.command(&act);
        command.env("EENCENT_TEST_FAILPOINT", format!("work_committed:{commit}"));
        let output = command.output().unwrap();
        if output.status.code().is_some_and(|code| code <= 1) {
            assert!(commit > 3, "it was hardly ever killed");
            return Ran {
                status: output.status,
                stdout: String::from_utf8(output.stdout).unwrap(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            };
        }
    }
    unreachable!()
}

fn explained(server: &Server, id: &str) -> Value {
    server
        .api("GET", &format!("/v1/activations/{id}/explanation"), &Value::Null)
        .json()
}

/// No trace in any table but that of invoices; on SQLite also in no byte of the file and its log, but as often as invoices
/// have it.
fn nothing_is_left(installation: &Installation) {
    let stored = installation.stored(&["invoices"]).to_lowercase();
    let invoices = installation.stored(&[]).to_lowercase();
    for trace in TRACES {
        let found = stored.lines().find(|line| line.contains(trace));
        assert!(found.is_none(), "{trace} in {}", found.unwrap_or_default());
        let bytes = hex::encode(trace);
        assert!(!stored.contains(&bytes), "{trace} in bytes");
    }
    for file in ["eencent.db", "eencent.db-wal"] {
        let Ok(bytes) = std::fs::read(installation.path().join("eencent-data").join(file)) else {
            continue;
        };
        let bytes = String::from_utf8_lossy(&bytes).to_lowercase();
        for trace in TRACES {
            let kept = invoices.matches(trace).count();
            assert!(bytes.matches(trace).count() <= kept, "{trace} in {file}");
        }
    }
}

#[test]
fn a_person_is_exported_and_erased_and_nothing_of_them_is_left_but_what_the_law_keeps() {
    let installation = home();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);

    // Somebody else, whose data must not change.
    let other = started(&server, 68_750_110, "ideal");
    let paid = mollie_paid("event_o", "tr_o", text(&other, "reference"), crate::payments::NAME);
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    wait_for_state(&server, text(&other, "id"), "activated");

    // Reviewed: paid by another name, noted, revealed, asked, answered with a file, approved; then reversed.
    let first = of_the_person(&server, 61_500_001, "ideal");
    let id = text(&first, "id");
    let paid = from_their_account(mollie_paid("event_1", "tr_1", text(&first, "reference"), "W. Terpstra"));
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    wait_for_state(&server, id, "under_review");
    let page = format!("/activations/{id}");
    let noted = sam.send(
        &server.staff,
        &page,
        &format!("{page}/notes"),
        &[("note", "Quist belde")],
    );
    assert_eq!(noted.status, 303, "{}", noted.body);
    let payment = between(&sam.get(&server.staff, &page).body, "name=\"payment\" value=\"", "\"").to_owned();
    let revealed = [("payment", payment.as_str()), ("reason", "mevrouw Quist vraagt het")];
    assert_eq!(
        sam.send(&server.staff, &page, &format!("{page}/reveal"), &revealed)
            .status,
        200
    );
    asked_and_answered(&installation, &server, id);
    wait_for_state(&server, id, "under_review");

    let whose = ["--email", "w.quist@ZONNEBLOEM.example"];
    let foreseen = installation.run(&[&["person", "erase"], &whose[..]].concat());
    assert!(
        !foreseen.status.success() && foreseen.stdout.contains(text(&first, "reference")),
        "{foreseen:?}"
    );
    let early = erase(&installation, &whose);
    assert!(
        !early.status.success() && early.stderr.contains("withdraw it"),
        "{early:?}"
    );

    act(&server, id, "approve", "Quist en Terpstra zijn dezelfde");
    wait_for_state(&server, id, "activated");
    assert_eq!(
        post_mollie(&server, &mollie_refunded("event_2", "tr_1"))
            .unwrap()
            .status,
        200
    );
    wait_for("the reversal", || {
        let flags = activation(&server, id)["flags"].to_string();
        flags.contains("reversed").then_some(())
    });

    // Invoiced, paid in part, withdrawn; and a payment that names nothing, in one message with another's.
    let second = of_the_person(&server, 61_500_002, "invoice");
    let remittance = format!("{} van Wilhelmina Quist", text(&second, "reference"));
    let part = from_their_account(transfer("b1", 500, &remittance, "W. Quist"));
    assert_eq!(post_bank(&server, "b1", &part).unwrap().status, 200);
    wait_for("the part", || {
        let now = activation(&server, text(&second, "id"));
        now["payments"].as_array().filter(|all| !all.is_empty()).map(|_| ())
    });
    let cancel = format!("/v1/activations/{}/cancel", text(&second, "id"));
    assert_eq!(server.api("POST", &cancel, &Value::Null).status, 200);
    let mut two = adyen_paid("psp_1", "nobody's", "W. Quist");
    two["notificationItems"][0]["NotificationRequestItem"]["additionalData"]["iDealConsumerIBAN"] = IBAN.into();
    let others = adyen_paid("psp_2", "nobody's either", "C. Ander");
    two["notificationItems"]
        .as_array_mut()
        .unwrap()
        .push(others["notificationItems"][0].clone());
    assert_eq!(post_adyen(&server, &two, Some(ADYEN_BASIC)).unwrap().status, 200);
    wait_for("all of them to be unallocated", || {
        let set_aside = server.api("GET", "/v1/payments?state=unallocated", &Value::Null).json();
        (set_aside.to_string().matches("\"received_at\"").count() >= 3).then_some(())
    });
    wait_for("the e-mails to be sent", || {
        let all = activation(&server, text(&second, "id"));
        let emails = all["emails"].as_array().unwrap();
        (emails.len() >= 3 && emails.iter().all(|email| email["state"] == "sent")).then_some(())
    });
    let of_another = || {
        let mut all = explained(&server, text(&other, "id"));
        // To the platform that isn't there it is tried again and again.
        all.as_object_mut().unwrap().remove("deliveries");
        all
    };
    let before = of_another();

    // The export holds each of it, for its owner alone.
    let export = [
        "person",
        "export",
        "--out",
        "quist.json",
        "--by",
        "Bakker",
        "--reason",
        "request 2026-114",
    ];
    let exported = installation.run(&[&export[..], &whose[..]].concat());
    assert!(exported.status.success(), "{exported:?}");
    assert!(!exported.stderr.to_lowercase().contains("w.quist"), "{exported:?}");
    let file = installation.path().join("quist.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let all: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let again = installation.run(&[&export[..], &whose[..]].concat());
    assert!(
        !again.status.success() && again.stderr.contains("is there already"),
        "{again:?}"
    );
    assert_eq!(all["organisations"][0]["creator"]["name"], CREATOR);
    let told = all.to_string();
    for held in [
        "Quist belde",
        "Bent u mevrouw Terpstra?",
        "Ja, Wilhelmina Terpstra is mijn meisjesnaam.",
        "paspoort quist.pdf",
        "Quist en Terpstra zijn dezelfde",
        "mevrouw Quist vraagt het",
        "consumerAccount",
        "refund.refunded",
        "van Wilhelmina Quist",
        "activation.invoiced",
        "credit_note",
        "account_name_shown",
    ] {
        assert!(told.contains(held), "{held}");
    }
    for (field, many) in [
        ("history", 7),
        ("decisions", 1),
        ("emails", 3),
        ("files", 1),
        ("notes", 1),
    ] {
        let rows = all["activations"][0][field].as_array().unwrap();
        assert!(rows.len() >= many, "{field}: {rows:#?}");
    }
    assert_eq!(all["activations"][1]["invoices"].as_array().unwrap().len(), 2);
    assert!(all["activations"][0]["files"][0]["content"]["base64"].is_string());
    for not in ["Sam Steun", "C. Ander", "Anna Jansen", text(&other, "id")] {
        assert!(!told.contains(not), "{not}");
    }

    // Told first; then done, however often it is killed.
    let foreseen = installation.run(&[&["person", "erase"], &whose[..]].concat());
    assert!(foreseen.status.success(), "{foreseen:?}");
    for said in [
        "Nothing was changed",
        "AWR, article 52",
        "files of answers",
        "have no place",
    ] {
        assert!(foreseen.stdout.contains(said), "{said}: {}", foreseen.stdout);
    }
    let named = installation.run(
        &[
            &[
                "person",
                "erase",
                "--yes",
                "--by",
                "Bakker",
                "--reason",
                "mevrouw Wilhelmina Quist vroeg het",
            ],
            &whose[..],
        ]
        .concat(),
    );
    assert!(
        !named.status.success() && named.stderr.contains("leave out who"),
        "{named:?}"
    );
    let erased = erase_with_crashes(&installation, &whose);
    assert!(erased.status.success(), "{erased:?}");

    // The payment that names nothing is found by its account.
    let by_account = ["--iban", "NL20 INGB 0001 2345 67"];
    let exported = installation.run(
        &[
            &["person", "export", "--out", "-", "--by", "B", "--reason", "r"],
            &by_account[..],
        ]
        .concat(),
    );
    let of_account: Value = serde_json::from_str(&exported.stdout).unwrap();
    assert_eq!(of_account["payments"][0]["holder_name"], "W. Quist");
    assert_eq!(
        of_account["messages_as_received"],
        json!([]),
        "it tells of another as well"
    );
    assert!(!exported.stdout.contains("C. Ander"));
    let erased = erase_with_crashes(&installation, &by_account);
    assert!(erased.status.success(), "{erased:?}");
    nothing_is_left(&installation);
    let again = erase(&installation, &whose);
    assert!(
        again.status.success() && again.stdout.contains("Nothing is stored of w***@"),
        "{again:?}"
    );

    // The rest stands.
    let audit = installation.run(&["audit", "verify"]);
    assert!(audit.status.success() && audit.stdout.contains("unbroken"), "{audit:?}");
    let acts = installation.run(&["audit", "list", "--act", "person erased"]).stdout;
    assert!(acts.contains("request 2026-114") && acts.contains("person "), "{acts}");
    assert_eq!(of_another(), before, "another's data");
    let set_aside = server.api("GET", "/v1/payments?state=unallocated", &Value::Null);
    assert!(set_aside.body.contains("C. Ander"), "{}", set_aside.body);

    // Pages open, and say so.
    let shown = sam.get(&server.staff, &page);
    assert!(shown.status == 200 && shown.body.contains("[gewist "), "{}", shown.body);
    let explains = installation.run(&["explain", text(&first, "reference")]);
    assert!(
        explains.status.success() && explains.stdout.contains("[gewist / erased]"),
        "{explains:?}"
    );
    let now = activation(&server, id);
    assert_eq!(
        (text(&now, "state"), now["emails"][0]["state"].as_str()),
        ("activated", Some("sent"))
    );

    // What was sent before is a repeat, under its own number and under another.
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    let mut under_another = paid.clone();
    under_another["id"] = "event_9".into();
    assert_eq!(post_mollie(&server, &under_another).unwrap().status, 200);
    assert_eq!(post_adyen(&server, &two, Some(ADYEN_BASIC)).unwrap().status, 200);
    let repeats = |view: &Value| -> i64 {
        let all = view["notifications"].as_array().unwrap().iter();
        all.map(|one| one["repeats"].as_i64().unwrap()).sum()
    };
    let seen = explained(&server, id);
    assert_eq!(
        (seen["notifications"].as_array().unwrap().len(), repeats(&seen)),
        (2, 2),
        "{seen:#}"
    );
    assert_eq!(activation(&server, id), now);
    nothing_is_left(&installation);
}

#[test]
fn an_account_of_a_legal_person_is_erased_and_letters_that_name_it_stay() {
    let installation = home();
    let server = installation.serve();
    let view = started(&server, 61_700_001, "ideal");
    let id = text(&view, "id");
    let paid = from_their_account(mollie_paid(
        "event_1",
        "tr_1",
        text(&view, "reference"),
        "Bakkerij De Korenaar B.V.",
    ));
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    wait_for("the e-mail to be sent", || {
        (activation(&server, id)["emails"][0]["state"] == "sent").then_some(())
    });
    let erased = erase(&installation, &["--iban", IBAN]);
    assert!(erased.status.success(), "{erased:?}");
    nothing_is_left(&installation);
    let now = activation(&server, id);
    assert_eq!(now["payments"][0]["holder_name"], "[gewist / erased]");
    assert_eq!(now["emails"][0]["recipient_masked"], "j***@example.nl");
    assert!(
        installation.stored(&["invoices"]).contains("Beste Anna Jansen"),
        "the e-mail as it was sent"
    );
}

#[test]
fn who_paid_for_anothers_activation_is_erased_from_it_and_the_creator_stays() {
    let installation = home();
    let server = installation.serve();
    let view = started(&server, 61_600_001, "ideal");
    let id = text(&view, "id");
    let paid = from_their_account(mollie_paid("event_1", "tr_1", text(&view, "reference"), "W. Quist"));
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    wait_for_state(&server, id, "under_review");
    act(&server, id, "reject", "De rekening is van W. Quist, niet van u.");
    let emails = |server: &Server| {
        let now = activation(server, id);
        let sent = now["emails"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|email| email["state"] == "sent");
        sent.count()
    };
    wait_for("both e-mails", || (emails(&server) == 2).then_some(()));
    // What nobody could read, and what somebody wrote beside another's activation.
    let mut unreadable = from_their_account(transfer("b1", 500, "van Quist", "W. Quist"));
    unreadable["data"]["amount"]["value"] = "five euros".into();
    assert_eq!(post_bank(&server, "b1", &unreadable).unwrap().status, 200);
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let another = started(&server, 61_600_002, "ideal");
    let page = format!("/activations/{}", text(&another, "id"));
    for note in ["W. Quist belt morgen terug", "De Vries belt terug"] {
        let noted = sam.send(&server.staff, &page, &format!("{page}/notes"), &[("note", note)]);
        assert_eq!(noted.status, 303, "{}", noted.body);
    }
    let whose = ["--iban", IBAN, "--name", "W. Quist"];
    let left = erase(&installation, &[&whose[..], &["--leave-file"]].concat());
    assert!(left.status.success(), "{left:?}");
    let erased = erase(&installation, &whose);
    assert!(erased.status.success(), "{erased:?}");
    nothing_is_left(&installation);
    let stored = installation.stored(&[]);
    for kept in ["jansen@example.nl", "Anna Jansen", "De Vries belt terug", "quarantined"] {
        assert!(stored.contains(kept), "{kept}");
    }
    let audit = installation.run(&["audit", "verify"]);
    assert!(audit.status.success(), "{audit:?}");
    assert_eq!(
        explained(&server, id)["decisions"][0]["record"]["asked"]["legal_name"],
        crate::payments::NAME
    );
    for not_one in ["--email=nobody", "--iban=NL00INGB0001234567"] {
        let ran = installation.run(&["person", "erase", not_one]);
        assert!(
            !ran.status.success() && ran.stderr.contains("This is not an"),
            "{ran:?}"
        );
    }
}
