//! The trade register, by a stand-in of the KvK's API: found in it, filled in from it, and asked again before a decision.

use std::path::{Path, PathBuf};

use eencent_activations::failpoint::Moment;
use serde_json::{Value, json};

use crate::clocks::set;
use crate::http::request;
use crate::moments::runs_into;
use crate::payments::{NAME, activation, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, KEY, Server, wait_for};
use crate::stand_in::{Reply, StandIn};

const DAY: i32 = 24 * 60 * 60;

fn connected(api: &StandIn) -> Installation {
    Installation::new()
        .with("REGISTER__KVK_KEY", "l7xx-secret-key")
        .with("REGISTER__KVK_URL", &api.url)
        .with("REGISTER__A_SECOND", "100")
}

fn profile(kvk: &str, name: &str) -> Value {
    json!({
        "kvkNummer": kvk,
        "naam": "De Korenaar",
        "materieleRegistratie": { "datumAanvang": "20170519" },
        "statutaireNaam": name,
        "handelsnamen": [{ "naam": "De Korenaar", "volgorde": 0 }],
        "_embedded": {
            "hoofdvestiging": { "adressen": [{ "type": "bezoekadres", "straatnaam": "Brink", "plaats": "Deventer" }] },
            "eigenaar": { "rsin": "123456782", "rechtsvorm": "BeslotenVennootschap" },
        },
    })
}

/// What is asked for a number.
fn asking(kvk: &str) -> [String; 2] {
    [
        format!("GET /v1/basisprofielen/{kvk}"),
        format!("GET /v1/naamgevingen/kvknummer/{kvk}"),
    ]
}

fn knows(api: &StandIn, kvk: &str, name: &str) {
    let [first, second] = asking(kvk);
    api.answers(&first, &[Reply::Json(200, profile(kvk, name))]);
    let naming =
        json!({ "kvkNummer": kvk, "statutaireNaam": name, "vestigingen": [{ "eersteHandelsnaam": "Korenaar Brood" }] });
    api.answers(&second, &[Reply::Json(200, naming)]);
}

fn unknown(api: &StandIn, kvk: &str) {
    api.answers(
        &asking(kvk)[0],
        &[Reply::Json(404, json!({ "fout": [{ "code": "IPD0005" }] }))],
    );
}

fn by_number(kvk: &str) -> Value {
    json!({
        "environment": "tests", "kvk": kvk,
        "creator": { "name": "Anna Jansen", "email": "jansen@example.nl", "language": "nl", "role": "administrator" },
    })
}

/// A server whose clock `offset` sets.
fn served_by_clock(installation: &Installation) -> (Server, PathBuf) {
    let offset = installation.path().join("clock");
    set(&offset, 0);
    let mut server = installation.launch_by(&offset, "serve");
    server.wait_until_ready();
    (server, offset)
}

fn pay(server: &Server, view: &Value, holder: &str) {
    let id = text(view, "id");
    let paid = mollie_paid(
        &format!("event_{id}"),
        &format!("tr_{id}"),
        text(view, "reference"),
        holder,
    );
    assert_eq!(post_mollie(server, &paid).unwrap().status, 200);
}

fn decision(server: &Server, id: &str) -> Value {
    let path = format!("/v1/activations/{id}/explanation");
    let explained = server.api("GET", &path, &Value::Null).json();
    explained["decisions"].as_array().unwrap().last().unwrap()["record"].clone()
}

fn codes(view: &Value) -> Vec<&str> {
    view["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| text(reason, "code"))
        .collect()
}

#[test]
fn flow_registering_2_dutch_organisations_are_found_by_name_place_or_number_and_filled_in_from_the_register() {
    let api = StandIn::start();
    let installation = connected(&api);
    let server = installation.serve();
    knows(&api, "68750110", NAME);
    unknown(&api, "00000000");
    let found = json!({ "resultaten": [{ "kvkNummer": "68750110", "naam": NAME, "type": "rechtspersoon",
        "adres": { "binnenlandsAdres": { "straatnaam": "Brink", "huisnummer": 1, "plaats": "Deventer" } } }] });
    for question in ["naam=korenaar", "plaats=Deventer", "naam=korenaar&plaats=Deventer"] {
        api.answers(
            &format!("GET /v2/zoeken?resultatenPerPagina=50&{question}"),
            &[Reply::Json(200, found.clone())],
        );
    }
    for query in ["query=korenaar", "place=Deventer", "query=korenaar&place=Deventer"] {
        let answer = server.api("GET", &format!("/v1/register?{query}"), &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            answer.json(),
            json!([{ "identifier": { "scheme": "NL:KVK", "value": "68750110" }, "name": NAME, "other_names": [],
                "street": "Brink 1", "place": "Deventer", "registered": true }])
        );
    }
    let whole = server.api("GET", "/v1/register?kvk=68750110", &Value::Null).json();
    assert_eq!(whole[0]["other_names"], json!(["De Korenaar", "Korenaar Brood"]));
    assert_eq!(
        (&whole[0]["details"]["legal_form"], &whole[0]["details"]["rsin"]),
        (&json!("Besloten Vennootschap"), &json!("123456782"))
    );
    assert_eq!(
        server.api("GET", "/v1/register?kvk=00000000", &Value::Null).json(),
        json!([])
    );

    let made = server.api("POST", "/v1/organisations", &by_number("6875 0110"));
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (
            text(&made, "legal_name"),
            text(&made, "country"),
            text(&made, "names_source")
        ),
        (NAME, "NL", "register")
    );
    assert_eq!(made["trade_names"], json!(["De Korenaar", "Korenaar Brood"]));
    assert_eq!(made["legal_form"], "Besloten Vennootschap");
    assert_eq!(
        made["identifiers"],
        json!([{ "scheme": "NL:KVK", "value": "68750110" }])
    );
    assert_eq!(
        made["names_at"], whole[0]["details"]["fetched_at"],
        "from the cache, and it says so"
    );
    assert!(!server.log().contains("l7xx-secret-key") && !server.log().contains("Korenaar"));

    // And it can be activated by them.
    let path = format!("/v1/organisations/{}/activations", text(&made, "id"));
    let view = server.api("POST", &path, &json!({ "method": "ideal" })).json();
    pay(&server, &view, NAME);
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
}

#[test]
fn flow_registering_2_a_number_that_can_not_be_registered_is_refused_and_the_refusal_says_why() {
    let api = StandIn::start();
    let installation = connected(&api);
    let server = installation.serve();
    unknown(&api, "00000000");
    let mut ended = profile("68750110", NAME);
    ended["materieleRegistratie"]["datumEinde"] = "20200101".into();
    api.answers(&asking("68750110")[0], &[Reply::Json(200, ended)]);
    api.answers(
        &asking("68750110")[1],
        &[Reply::Json(404, json!({ "fout": [{ "code": "IPD0005" }] }))],
    );
    let mut user = by_number("68750110");
    user["creator"]["role"] = "user".into();
    let mut both = by_number("68750110");
    both["legal_name"] = "Typed B.V.".into();
    for (body, status, code, field) in [
        (by_number("00000000"), 422, "invalid", "kvk"),
        (by_number("1234"), 422, "invalid", "kvk"),
        (both, 422, "invalid", "legal_name"),
        (by_number("68750110"), 422, "register_ended", ""),
        (user, 403, "administrator_required", ""),
    ] {
        let answer = server.api("POST", "/v1/organisations", &body);
        assert_eq!(
            (answer.status, text(&answer.json(), "code")),
            (status, code),
            "{}",
            answer.body
        );
        if !field.is_empty() {
            assert_eq!(answer.json()["errors"][0]["field"], field, "{}", answer.body);
        }
    }
    let ended = server.api("GET", "/v1/register?kvk=68750110", &Value::Null).json();
    assert_eq!(ended[0]["registered"], false);
    for wrong in [
        "",
        "?query=",
        "?query=%20",
        "?kvk=12",
        &format!("?query={}", "x".repeat(201)),
    ] {
        let answer = server.api("GET", &format!("/v1/register{wrong}"), &Value::Null);
        assert_eq!(
            (answer.status, text(&answer.json(), "code")),
            (422, "invalid"),
            "{wrong}"
        );
    }
}

#[test]
fn flow_registering_2_whatever_is_wrong_with_the_register_entering_by_hand_works_and_the_refusal_says_so() {
    let without = Installation::new();
    let server = without.serve();
    let refused = server.api("POST", "/v1/organisations", &by_number("68750110"));
    assert_eq!(
        (refused.status, text(&refused.json(), "code")),
        (409, "register_not_configured")
    );
    assert!(text(&refused.json(), "detail").contains("by hand"), "{}", refused.body);
    let refused = server.api("GET", "/v1/register?kvk=68750110", &Value::Null);
    assert_eq!(
        (refused.status, text(&refused.json(), "code")),
        (409, "register_not_configured")
    );
    started(&server, 1, "ideal");
    drop(server);

    let api = StandIn::start();
    let installation = connected(&api);
    let server = installation.serve();
    let raw = |status, headers: &'static str, body: &str| Reply::Raw(status, headers, body.to_owned());
    let as_json = "content-type: application/json\r\n";
    let cases = [
        (raw(401, as_json, "{}"), 503, "register_key_refused", Some("600")),
        (Reply::Json(500, json!({})), 503, "register_down", Some("60")),
        (Reply::HangsUp, 503, "register_down", Some("60")),
        (
            Reply::CutOff(profile("68750110", NAME)),
            503,
            "register_down",
            Some("60"),
        ),
        (Reply::Redirect(api.url.clone()), 503, "register_down", Some("60")),
        (raw(200, as_json, "{\"kvkNummer\":"), 502, "register_unreadable", None),
        (
            raw(200, "content-type: text/html\r\n", "<html>"),
            502,
            "register_unreadable",
            None,
        ),
        (Reply::Giant, 502, "register_unreadable", None),
        (
            Reply::Json(200, json!({ "kvkNummer": 68_750_110 })),
            502,
            "register_unreadable",
            None,
        ),
        // The last: it is left alone from then on.
        (
            raw(429, "retry-after: 120\r\n", ""),
            503,
            "register_limited",
            Some("120"),
        ),
    ];
    for (reply, status, code, retry_after) in cases {
        api.answers(&asking("68750110")[0], &[reply]);
        let refused = server.api("POST", "/v1/organisations", &by_number("68750110"));
        assert_eq!(
            (refused.status, text(&refused.json(), "code")),
            (status, code),
            "{}",
            refused.body
        );
        assert_eq!(refused.header("retry-after"), retry_after, "{code}");
        assert!(text(&refused.json(), "detail").contains("by hand"), "{}", refused.body);
    }
    let asked = api.asked().len();
    let key = format!("Bearer {KEY}");
    let headers = [("authorization", key.as_str()), ("accept-language", "nl")];
    let dutch = request(&server.public, "GET", "/v1/register?query=bakker", &headers, b"").unwrap();
    assert_eq!(text(&dutch.json(), "code"), "register_limited");
    assert!(text(&dutch.json(), "detail").contains("met de hand"), "{}", dutch.body);
    assert_eq!(api.asked().len(), asked, "after a 429 it is left alone");
    started(&server, 2, "ideal");
}

#[test]
fn flow_registering_3_names_older_than_a_day_are_fetched_again_before_a_decision() {
    let api = StandIn::start();
    let installation = connected(&api);
    let (server, offset) = served_by_clock(&installation);
    // From the platform, which took them from the register: they count as fetched when it registered them.
    let same = started(&server, 41_000_001, "ideal");
    let renamed = started(&server, 41_000_002, "ideal");
    let gone = started(&server, 41_000_003, "ideal");
    let fresh = started(&server, 41_000_004, "ideal");
    pay(&server, &fresh, NAME);
    wait_for_state(&server, text(&fresh, "id"), "awaiting_confirmation");
    assert!(api.asked().is_empty(), "fresh names ask nobody");

    set(&offset, DAY + 60);
    knows(&api, "41000001", NAME);
    knows(&api, "41000002", "Slagerij Van Dam B.V.");
    unknown(&api, "41000003");
    for view in [&same, &renamed, &gone] {
        pay(&server, view, NAME);
    }
    wait_for_state(&server, text(&same, "id"), "awaiting_confirmation");
    let review = wait_for_state(&server, text(&renamed, "id"), "under_review");
    assert!(!codes(&review).is_empty());
    let review = wait_for_state(&server, text(&gone, "id"), "under_review");
    assert_eq!(codes(&review), ["register_unknown"]);

    let record = decision(&server, text(&renamed, "id"));
    assert_eq!(record["asked"]["legal_name"], "Slagerij Van Dam B.V.");
    let path = format!("/v1/organisations/{}", text(&renamed, "organisation"));
    let organisation = server.api("GET", &path, &Value::Null).json();
    assert_eq!(organisation["legal_name"], "Slagerij Van Dam B.V.");
    assert_eq!(organisation["names_at"], record["asked"]["names_at"]);
    let explained = installation.run(&["explain", text(&renamed, "reference")]).stdout;
    assert!(explained.contains("names of"), "{explained}");
    let explained = installation.run(&["explain", text(&gone, "reference")]).stdout;
    assert!(explained.contains("there is no such number"), "{explained}");
}

#[test]
fn flow_registering_3_when_the_register_does_not_answer_the_decision_waits_for_a_day_then_goes_to_review() {
    let api = StandIn::start();
    let installation = connected(&api);
    let (server, offset) = served_by_clock(&installation);
    let recovers = started(&server, 42_000_001, "ideal");
    let never = started(&server, 42_000_002, "ideal");
    set(&offset, DAY + 60);
    let busy = Reply::Json(503, json!({}));
    for kvk in ["42000001", "42000002"] {
        api.answers(&asking(kvk)[0], std::slice::from_ref(&busy));
    }
    for view in [&recovers, &never] {
        pay(&server, view, NAME);
    }
    wait_for("it to be asked again", || (api.asked().len() > 4).then_some(()));
    for view in [&recovers, &never] {
        assert_eq!(activation(&server, text(view, "id"))["state"], "awaiting_payment");
    }
    let explained = installation.run(&["explain", text(&never, "reference")]).stdout;
    assert!(
        explained.contains("fetched again since") && explained.contains("it answers 503"),
        "{explained}"
    );
    knows(&api, "42000001", NAME);
    // An hour later: its turn has come, however far apart they are by now.
    set(&offset, DAY + 3_600);
    wait_for_state(&server, text(&recovers, "id"), "awaiting_confirmation");
    assert_eq!(activation(&server, text(&never, "id"))["state"], "awaiting_payment");
    // A day later it is given up, and a minute after that decided without it.
    set(&offset, 2 * DAY + 3_600);
    wait_for("it to be given up", || server.log().contains("given up").then_some(()));
    set(&offset, 2 * DAY + 3_720);
    let review = wait_for_state(&server, text(&never, "id"), "under_review");
    assert_eq!(codes(&review), ["register_silent"]);
    assert_eq!(decision(&server, text(&never, "id"))["asked"]["register"], "nothing");
}

#[test]
fn flow_registering_3_killed_while_the_register_is_asked_nothing_is_lost_and_it_is_decided_once() {
    let api = StandIn::start();
    let installation = connected(&api);
    let (server, offset) = served_by_clock(&installation);
    let view = started(&server, 43_000_001, "ideal");
    set(&offset, DAY + 60);
    api.answers(&asking("43000001")[0], &[Reply::Silence]);
    pay(&server, &view, NAME);
    wait_for("the register to be asked", || (!api.asked().is_empty()).then_some(()));
    server.kill();
    knows(&api, "43000001", NAME);
    let mut server = installation.launch_by(Path::new(&offset), "serve");
    server.wait_until_ready();
    let now = wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    let happened: Vec<&str> = now["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| text(line, "event"))
        .collect();
    assert_eq!(happened, ["started_ideal", "paid_clear", "link_sent"]);
}

/// Ended at the moment when it comes for the `time`th time, after the payment is in and the names are old.
fn killed_at(moment: Moment, time: u32) -> bool {
    let api = StandIn::start();
    let installation = connected(&api);
    let server = installation.serve();
    let view = started(&server, 44_000_001, "ideal");
    installation.sql("UPDATE organisations SET names_at = 1");
    server.kill();
    knows(&api, "44000001", "Bakkerij De Korenaar Holding B.V.");
    let server = installation.launch_until(moment, time, "serve");
    let public = server.public.clone();
    let id = text(&view, "id").to_owned();
    let paid = mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME);
    let ended = {
        // It may end before it answers, and Mollie sends again what wasn't taken.
        let _ = post_mollie(&server, &paid);
        let reviewed = move || {
            let key = format!("Bearer {KEY}");
            let headers = [("authorization", key.as_str())];
            request(&public, "GET", &format!("/v1/activations/{id}"), &headers, b"")
                .is_ok_and(|answer| answer.status == 200 && answer.json()["state"] == "under_review")
        };
        runs_into(server, reviewed)
    };
    let server = installation.serve();
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    let now = wait_for_state(&server, text(&view, "id"), "under_review");
    let happened: Vec<&str> = now["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| text(line, "event"))
        .collect();
    assert_eq!(
        happened,
        ["started_ideal", "paid_unclear"],
        "{} {time}",
        moment.as_str()
    );
    assert_eq!(now["emails"].as_array().unwrap().len(), 1);
    ended
}

#[test]
fn flow_registering_3_killed_at_each_moment_of_it_names_change_once_and_one_decision_is_made() {
    let moments = [Moment::RowClaimed, Moment::WorkWritten, Moment::WorkCommitted];
    let kills: Vec<bool> = std::thread::scope(|all| {
        let running: Vec<_> = moments
            .iter()
            .flat_map(|moment| [1, 2].map(|time| (*moment, time)))
            .map(|(moment, time)| all.spawn(move || killed_at(moment, time)))
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(kills.iter().filter(|ended| **ended).count() >= 4, "{kills:?}");
}

#[test]
fn check_tries_the_register_and_says_what_it_found() {
    let api = StandIn::start();
    let installation = connected(&api);
    knows(&api, "59581883", "Kamer van Koophandel");
    let checked = installation.run(&["check"]);
    assert!(
        checked.stdout.contains("59581883 is Kamer van Koophandel"),
        "{checked:?}"
    );
    unknown(&api, "59581883");
    let checked = installation.run(&["check"]);
    assert!(
        checked.status.success() && checked.stdout.contains("a test environment"),
        "{checked:?}"
    );
    api.answers(&asking("59581883")[0], &[Reply::Json(401, json!({}))]);
    let checked = installation.run(&["check"]);
    assert!(
        !checked.status.success() && checked.stdout.contains("refuses the key"),
        "{checked:?}"
    );
    assert!(!checked.stdout.contains("l7xx-secret-key"));
    let wrong = Installation::new()
        .with("REGISTER__KVK_KEY", "l7xx-secret-key")
        .with("REGISTER__KVK_URL", "http://api.kvk.nl/api")
        .run(&["check"]);
    assert!(
        wrong.stdout.contains("register.kvk_url") && !wrong.stdout.contains("l7xx"),
        "{wrong:?}"
    );
}
