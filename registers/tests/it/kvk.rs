use std::sync::Arc;
use std::time::{Duration, Instant};

use eencent_activations::clock::{Clock, ManualClock, Timestamp};
use eencent_activations::identifier::{Identifier, Scheme};
use eencent_activations::register::{Lookup, NoEntry, Standing};
use eencent_registers::{Query, Registers, Settings};
use serde_json::{Value, json};

use crate::stand_in::{Reply, StandIn};

const KEY: &str = "l7xx-test-key";
const PROFILE: &str = "GET /v1/basisprofielen/68750110";
const NAMING: &str = "GET /v1/naamgevingen/kvknummer/68750110";

struct Kvk {
    api: StandIn,
    registers: Registers,
    clock: ManualClock,
}

fn kvk() -> Kvk {
    kvk_with(|_| ())
}

fn kvk_with(change: impl FnOnce(&mut Settings)) -> Kvk {
    let api = StandIn::start();
    let mut settings = Settings {
        kvk_key: KEY.to_owned(),
        kvk_url: api.url.clone(),
        ca_file: String::new(),
        cache_minutes: 60,
        a_second: 100,
        refetch_hours: 24,
    };
    change(&mut settings);
    let clock = ManualClock::at(Timestamp::parse_rfc3339("2026-03-10T09:00:00Z").unwrap());
    let registers = Registers::new(&settings.validate().unwrap(), Arc::new(clock.clone()));
    Kvk { api, registers, clock }
}

fn number() -> Identifier {
    Identifier::parse("NL:KVK", "68750110").unwrap()
}

fn profile() -> Value {
    json!({
        "kvkNummer": "68750110",
        "naam": "De Korenaar",
        "materieleRegistratie": { "datumAanvang": "20170519" },
        "statutaireNaam": "Bakkerij De Korenaar B.V.",
        "handelsnamen": [{ "naam": "De Korenaar", "volgorde": 0 }],
        "_embedded": { "eigenaar": { "rsin": "123456782", "rechtsvorm": "Besloten Vennootschap" } },
    })
}

fn naming() -> Value {
    json!({ "kvkNummer": "68750110", "statutaireNaam": "Bakkerij De Korenaar B.V.", "vestigingen": [
        { "vestigingsnummer": "1", "eersteHandelsnaam": "Korenaar Brood" } ] })
}

fn fault(code: &str) -> Value {
    json!({ "fout": [{ "code": code, "omschrijving": "…" }] })
}

impl Kvk {
    fn is_well(&self) {
        self.api.answers(PROFILE, &[Reply::Json(200, profile())]);
        self.api.answers(NAMING, &[Reply::Json(200, naming())]);
    }

    async fn entry(&self) -> Result<eencent_activations::register::Entry, NoEntry> {
        self.registers.entry(&number()).await
    }
}

#[tokio::test]
async fn an_entry_is_read_with_the_key_in_its_header_and_from_the_cache_until_it_is_old() {
    let kvk = kvk();
    kvk.is_well();
    let entry = kvk.entry().await.unwrap();
    assert_eq!(entry.legal_name, "Bakkerij De Korenaar B.V.");
    assert_eq!(entry.trade_names, ["De Korenaar", "Korenaar Brood"]);
    assert_eq!(
        (entry.standing, entry.fetched_at),
        (Standing::Registered, kvk.clock.now())
    );
    kvk.clock.advance(Duration::from_secs(3_599));
    assert_eq!(kvk.entry().await.unwrap(), entry, "it says from when it is");
    assert_eq!(kvk.api.asked().len(), 2);
    kvk.clock.advance(Duration::from_secs(1));
    assert_eq!(kvk.entry().await.unwrap().fetched_at, kvk.clock.now());
    let asked = kvk.api.asked();
    assert_eq!(asked.len(), 4);
    assert!(
        asked
            .iter()
            .all(|one| one.head.contains(&format!("apikey: {KEY}\r\n")) && one.body.is_empty()),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_search_asks_for_name_and_place_and_nothing_found_is_an_answer() {
    let kvk = kvk();
    let found = json!({ "resultaten": [{ "kvkNummer": "68750110", "naam": "De Korenaar", "type": "hoofdvestiging",
        "adres": { "binnenlandsAdres": { "straatnaam": "Brink", "plaats": "Deventer" } } }] });
    kvk.api.answers(
        "GET /v2/zoeken?resultatenPerPagina=50&naam=Korenaar+%26+Zn&plaats=Deventer",
        &[Reply::Json(200, found)],
    );
    kvk.api.answers(
        "GET /v2/zoeken?resultatenPerPagina=50&plaats=Nergens",
        &[Reply::Json(404, fault("IPD5200"))],
    );
    let query = Query {
        name: Some("Korenaar & Zn".to_owned()),
        place: Some("Deventer".to_owned()),
    };
    let hits = kvk.registers.search(&Scheme::Kvk, &query).await.unwrap();
    assert_eq!((hits.len(), hits[0].place.as_deref()), (1, Some("Deventer")));
    assert_eq!(kvk.registers.search(&Scheme::Kvk, &query).await.unwrap(), hits);
    assert_eq!(kvk.api.asked().len(), 1, "the second time from the cache");
    let nowhere = Query {
        name: None,
        place: Some("Nergens".to_owned()),
    };
    assert_eq!(kvk.registers.search(&Scheme::Kvk, &nowhere).await, Ok(Vec::new()));
}

#[tokio::test]
async fn without_a_key_there_is_no_register_and_nothing_is_asked() {
    let kvk = kvk_with(|settings| settings.kvk_key.clear());
    assert_eq!(kvk.entry().await, Err(NoEntry::NotConfigured));
    let belgian = Identifier::parse("BE:EN", "0202239951").unwrap();
    assert_eq!(
        kvk_with(|_| ()).registers.entry(&belgian).await,
        Err(NoEntry::NotConfigured)
    );
    assert!(kvk.api.asked().is_empty());
}

#[tokio::test]
async fn each_way_of_failing_is_told_apart_and_tried_again_when_it_is_asked_again() {
    let elsewhere = StandIn::start();
    let raw = |status, headers, body: &str| Reply::Raw(status, headers, body.to_owned());
    let json_header = "content-type: application/json\r\n";
    let bent = |pointer: &str, value: Value| {
        let mut bent = profile();
        *bent.pointer_mut(pointer).unwrap() = value;
        Reply::Json(200, bent)
    };
    for (what, reply, expected) in [
        ("401", Reply::Json(401, json!({})), "key"),
        ("403", raw(403, "content-type: text/html\r\n", "<h1>no</h1>"), "key"),
        ("404 of the KvK", Reply::Json(404, fault("IPD0005")), "unknown"),
        ("not a number", Reply::Json(400, fault("IPD0004")), "unknown"),
        ("another 400", Reply::Json(400, fault("IPD1999")), "not taken"),
        ("busy with it", Reply::Json(404, fault("IPD1002")), "down"),
        (
            "404 of anybody",
            raw(404, "content-type: text/html\r\n", "nginx"),
            "unreadable",
        ),
        ("500", Reply::Json(500, fault("IPD9999")), "down"),
        ("503", raw(503, "", ""), "down"),
        ("redirect", Reply::Redirect(elsewhere.url.clone()), "down"),
        ("hangs up", Reply::HangsUp, "down"),
        ("cut off", Reply::CutOff(profile()), "down"),
        ("garbage", raw(200, json_header, "{\"kvkNummer\": \"6875"), "unreadable"),
        (
            "no JSON at all",
            raw(200, json_header, "\u{fffd}\u{0}PNG"),
            "unreadable",
        ),
        (
            "a page",
            raw(200, "content-type: text/html\r\n", "<html>log in</html>"),
            "unreadable",
        ),
        (
            "wrong type",
            raw(200, "content-type: text/plain\r\n", &profile().to_string()),
            "unreadable",
        ),
        ("no type", raw(200, "", &profile().to_string()), "unreadable"),
        ("enormous", Reply::Giant, "unreadable"),
        ("another number", bent("/kvkNummer", json!("12345678")), "unreadable"),
        ("a number", bent("/statutaireNaam", json!(5)), "unreadable"),
        ("no list", bent("/handelsnamen", json!("De Korenaar")), "unreadable"),
    ] {
        let kvk = kvk();
        kvk.is_well();
        kvk.api.answers(PROFILE, &[reply, Reply::Json(200, profile())]);
        let error = kvk.entry().await.unwrap_err();
        let kind = match &error {
            NoEntry::KeyRefused(_) => "key",
            NoEntry::Unknown => "unknown",
            NoEntry::NotTaken(_) => "not taken",
            NoEntry::Down(_) => "down",
            NoEntry::Unreadable(_) => "unreadable",
            NoEntry::Limited { .. } => "limited",
            NoEntry::NotConfigured => "not configured",
        };
        assert_eq!(kind, expected, "{what}: {error}");
        let told = format!("{error} {error:?}");
        assert!(
            !told.contains(KEY) && !told.contains("Korenaar") && !told.contains("68750110"),
            "{told}"
        );
        assert!(kvk.entry().await.is_ok(), "{what}: nothing bad is kept");
    }
    assert!(elsewhere.asked().is_empty(), "the key went where we were sent");
}

#[tokio::test]
async fn a_naming_that_fails_is_no_half_entry_and_one_that_is_not_there_is_done_without() {
    let kvk = kvk();
    kvk.is_well();
    kvk.api.answers(
        NAMING,
        &[Reply::Json(500, json!({})), Reply::Json(404, fault("IPD0005"))],
    );
    assert!(matches!(kvk.entry().await, Err(NoEntry::Down(_))));
    assert_eq!(kvk.entry().await.unwrap().trade_names, ["De Korenaar"]);
}

#[tokio::test]
async fn a_register_that_says_nothing_is_given_up_within_its_limit() {
    let kvk = kvk();
    kvk.api.answers(PROFILE, &[Reply::Silence]);
    let begun = Instant::now();
    assert!(matches!(kvk.entry().await, Err(NoEntry::Down(_))));
    assert!(begun.elapsed() < Duration::from_secs(15));
    // Whoever comes next doesn't have to find that out by waiting.
    let begun = Instant::now();
    assert!(matches!(kvk.entry().await, Err(NoEntry::Down(_))));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(kvk.api.asked().len(), 1);
}

#[tokio::test]
async fn after_429_it_is_left_alone_for_as_long_as_it_says() {
    let kvk = kvk();
    kvk.is_well();
    let later = Reply::Raw(429, "retry-after: 2\r\n", String::new());
    kvk.api.answers(PROFILE, &[later, Reply::Json(200, profile())]);
    let retry_after = Duration::from_secs(2);
    assert_eq!(kvk.entry().await, Err(NoEntry::Limited { retry_after }));
    match kvk.entry().await {
        Err(NoEntry::Limited { retry_after }) => assert!(retry_after <= Duration::from_secs(2)),
        other => assert!(other.is_err(), "{other:?}"),
    }
    assert_eq!(kvk.api.asked().len(), 1, "it was not asked a second time");
    let begun = Instant::now();
    while kvk.entry().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(1));
}

#[tokio::test]
async fn it_is_asked_no_more_often_than_the_settings_say() {
    let kvk = kvk_with(|settings| settings.a_second = 5);
    kvk.is_well();
    let begun = Instant::now();
    for _ in 0..3 {
        kvk.entry().await.unwrap();
        kvk.clock.advance(Duration::from_secs(3_600));
    }
    assert_eq!(kvk.api.asked().len(), 6);
    assert!(
        begun.elapsed() >= Duration::from_secs(1),
        "six questions are five pauses of 200 ms"
    );
}
