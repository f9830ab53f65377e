#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect"
)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn number() -> Identifier {
    Identifier::parse("NL:KVK", "68750110").unwrap()
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-03-10T09:00:00Z").unwrap()
}

fn profile() -> Value {
    json!({
        "kvkNummer": "68750110",
        "indNonMailing": "Ja",
        "naam": "De Korenaar",
        "formeleRegistratiedatum": "20170519",
        "materieleRegistratie": { "datumAanvang": "20170519" },
        "statutaireNaam": "Bakkerij De Korenaar B.V.",
        "handelsnamen": [
            { "naam": "De Gouden Aar", "volgorde": 2 },
            { "naam": "De Korenaar", "volgorde": 1 },
            { "naam": "Bakkerij De Korenaar B.V.", "volgorde": 0 },
        ],
        "sbiActiviteiten": [{ "sbiCode": "1071", "sbiOmschrijving": "Bakken", "indHoofdactiviteit": "Ja" }],
        "links": [{ "rel": "self", "href": "https://api.kvk.nl/test/api/v1/basisprofielen/68750110" }],
        "_embedded": {
            "hoofdvestiging": {
                "vestigingsnummer": "000037178598",
                "adressen": [
                    { "type": "correspondentieadres", "postbusnummer": 200, "plaats": "Deventer" },
                    { "type": "bezoekadres", "straatnaam": "Hizzaarderlaan", "huisnummer": 3, "huisletter": "A", "huisnummerToevoeging": "2", "postcode": "8823SJ", "plaats": "Lollum" },
                ],
            },
            "eigenaar": {
                "rsin": "123456782",
                "rechtsvorm": "Besloten Vennootschap",
                "uitgebreideRechtsvorm": "Besloten Vennootschap met gewone structuur",
            },
        },
    })
}

fn naming() -> Value {
    json!({
        "kvkNummer": "68750110",
        "rsin": "123456782",
        "statutaireNaam": "Bakkerij De Korenaar B.V.",
        "naam": "Bakkerij De Korenaar B.V.",
        "ookGenoemd": "Korenaar Brood",
        "startdatum": "20170519",
        "vestigingen": [
            { "vestigingsnummer": "1", "eersteHandelsnaam": "De Korenaar", "handelsnamen": [{ "naam": "Brood & Zo", "volgorde": 0 }] },
            { "vestigingsnummer": "2", "naam": "Magazijn Korenaar", "ookGenoemd": null },
        ],
    })
}

fn read_both(profile: &Value, naming: Option<&Value>) -> Result<Entry, NoEntry> {
    let naming = naming.map(|naming| naming.to_string().into_bytes());
    entry(&number(), profile.to_string().as_bytes(), naming.as_deref(), now())
}

#[test]
fn an_entry_has_the_statutory_name_and_all_others_in_the_registers_order() {
    let entry = read_both(&profile(), Some(&naming())).unwrap();
    assert_eq!(entry.legal_name, "Bakkerij De Korenaar B.V.");
    assert_eq!(
        entry.trade_names,
        [
            "De Korenaar",
            "De Gouden Aar",
            "Korenaar Brood",
            "Brood & Zo",
            "Magazijn Korenaar"
        ]
    );
    assert_eq!(entry.legal_form.as_deref(), Some("Besloten Vennootschap"));
    assert_eq!(entry.place.as_deref(), Some("Lollum"));
    let address = entry.address.unwrap();
    assert_eq!(
        (
            address.street.as_str(),
            address.postcode.as_str(),
            address.city.as_str()
        ),
        ("Hizzaarderlaan 3A-2", "8823SJ", "Lollum")
    );
    assert_eq!(entry.rsin.unwrap().value(), "123456782");
    assert_eq!((entry.standing, entry.fetched_at), (Standing::Registered, now()));
}

#[test]
fn a_sole_trader_has_no_statutory_name_and_goes_by_the_first() {
    let mut profile = profile();
    profile.as_object_mut().unwrap().remove("statutaireNaam");
    profile["naam"] = Value::Null;
    profile["_embedded"]["eigenaar"] = json!({ "rechtsvorm": "Eenmanszaak" });
    let entry = read_both(&profile, None).unwrap();
    assert_eq!(entry.legal_name, "Bakkerij De Korenaar B.V.");
    assert_eq!((entry.legal_form.as_deref(), entry.rsin), (Some("Eenmanszaak"), None));
}

#[test]
fn a_form_is_told_in_words_however_it_comes() {
    for (written, told) in [
        ("BeslotenVennootschap", "Besloten Vennootschap"),
        ("VennootschapOnderFirma", "Vennootschap Onder Firma"),
        (
            "Besloten vennootschap met gewone structuur",
            "Besloten vennootschap met gewone structuur",
        ),
        ("Eenmanszaak", "Eenmanszaak"),
        ("B.V. i.o.", "B.V. i.o."),
    ] {
        let mut profile = profile();
        profile["_embedded"]["eigenaar"]["rechtsvorm"] = written.into();
        assert_eq!(read_both(&profile, None).unwrap().legal_form.as_deref(), Some(told));
    }
}

#[test]
fn one_that_has_ended_says_so_and_one_that_will_end_does_not() {
    for (end, standing) in [
        ("20260310", Standing::Ended),
        ("20200000", Standing::Ended),
        ("00000000", Standing::Ended),
        ("20260311", Standing::Registered),
        ("", Standing::Registered),
    ] {
        let mut ended = profile();
        ended["materieleRegistratie"]["datumEinde"] = end.into();
        assert_eq!(read_both(&ended, None).unwrap().standing, standing, "{end}");
        let mut ended = naming();
        ended["einddatum"] = end.into();
        assert_eq!(read_both(&profile(), Some(&ended)).unwrap().standing, standing, "{end}");
    }
    let mut odd = profile();
    odd["materieleRegistratie"]["datumEinde"] = "gisteren".into();
    assert!(matches!(read_both(&odd, None), Err(NoEntry::Unreadable(_))));
}

#[test]
fn what_is_relied_on_has_its_type_or_nothing_is_read_and_no_name_is_repeated() {
    for (pointer, wrong) in [
        ("/kvkNummer", json!(68_750_110)),
        ("/kvkNummer", json!("12345678")),
        ("/statutaireNaam", json!(["Bakkerij De Korenaar B.V."])),
        ("/handelsnamen", json!({ "naam": "De Korenaar" })),
        ("/handelsnamen/0/naam", Value::Null),
        ("/materieleRegistratie", json!("20170519")),
        ("/_embedded/eigenaar/rechtsvorm", json!(7)),
        ("/_embedded", json!([])),
    ] {
        let mut bent = profile();
        *bent.pointer_mut(pointer).unwrap() = wrong;
        match read_both(&bent, Some(&naming())) {
            Err(NoEntry::Unreadable(why)) => assert!(!why.contains("Korenaar"), "{why}"),
            other => assert!(other.is_err(), "{pointer}: {other:?}"),
        }
    }
    let nameless = json!({ "kvkNummer": "68750110", "naam": " \u{0} " });
    assert!(matches!(read_both(&nameless, None), Err(NoEntry::Unreadable(_))));
}

#[test]
fn a_search_tells_each_organisation_once_by_its_own_name_and_where_its_main_branch_is() {
    let address = |street: &str, place: &str| json!({ "binnenlandsAdres": { "type": "bezoekadres", "straatnaam": street, "plaats": place } });
    let body = json!({ "pagina": 1, "resultatenPerPagina": 10, "totaal": 5, "resultaten": [
        { "kvkNummer": "68750110", "vestigingsnummer": "2", "naam": "Korenaar Noord", "adres": address("Brink", "Diepenveen"), "type": "nevenvestiging" },
        { "kvkNummer": "68750110", "vestigingsnummer": "1", "naam": "De Korenaar", "adres": address("Hizzaarderlaan", "Lollum"), "type": "hoofdvestiging" },
        { "kvkNummer": "69599068", "naam": "Stichting Bolderbast", "adres": address("Oosterwal", "Lochem"), "type": "rechtspersoon", "links": [] },
        { "kvkNummer": "68750110", "naam": "Bakkerij De Korenaar B.V.", "type": "rechtspersoon" },
        { "kvkNummer": "90000001", "naam": "Far Away Ltd", "adres": { "buitenlandsAdres": { "straatHuisnummer": "1 High Street", "postcodeWoonplaats": "E1 London", "land": "VK" } } },
    ] });
    let hits = hits(body.to_string().as_bytes()).unwrap();
    let told: Vec<_> = hits
        .iter()
        .map(|hit| {
            (
                hit.identifier.value(),
                hit.names.join(" / "),
                hit.place.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "68750110",
                "Bakkerij De Korenaar B.V. / Korenaar Noord / De Korenaar".to_owned(),
                "Lollum"
            ),
            ("69599068", "Stichting Bolderbast".to_owned(), "Lochem"),
            ("90000001", "Far Away Ltd".to_owned(), "E1 London"),
        ]
    );
}

/// The documents with something changed: a value swapped for another, a key or an element gone.
fn bent(document: Value) -> impl Strategy<Value = Vec<u8>> {
    let strange = prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!("20269999")),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!(vec!["x"; 1_500])),
    ];
    let text = document.to_string();
    let pointers = pointers(&document);
    (
        proptest::sample::select(pointers),
        strange,
        0..text.len(),
        any::<bool>(),
    )
        .prop_map(move |(pointer, strange, cut, cuts)| {
            if cuts {
                return text.as_bytes().get(..cut).unwrap_or_default().to_vec();
            }
            let mut document = document.clone();
            if let Some(value) = document.pointer_mut(&pointer) {
                *value = strange;
            }
            document.to_string().into_bytes()
        })
}

fn pointers(value: &Value) -> Vec<String> {
    let mut all = vec![String::new()];
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        all.extend(pointers(value).into_iter().map(|deeper| format!("/{key}{deeper}")));
    }
    all
}

proptest! {
    /// Whatever comes, there is an entry of this number with a name, or none; and nothing panics.
    #[test]
    fn fault_18_whatever_the_register_answers_is_an_entry_of_this_number_or_none(
        profile in bent(profile()), naming in proptest::option::of(bent(naming())),
    ) {
        if let Ok(entry) = entry(&number(), &profile, naming.as_deref(), now()) {
            prop_assert_eq!(&entry.identifier, &number());
            prop_assert!(!entry.legal_name.is_empty() && entry.trade_names.len() <= 1_000);
        }
    }

    #[test]
    fn fault_18_any_bytes_at_all_are_read_or_refused(body: Vec<u8>) {
        prop_assert!(entry(&number(), &body, None, now()).is_err());
        let _ = hits(&body);
        let _ = refusal(&body);
    }

    #[test]
    fn fault_18_a_search_has_at_most_so_many_hits_each_with_a_name(numbers in proptest::collection::vec(0_u32..90, 0..200)) {
        let results: Vec<Value> = numbers.iter().map(|n| json!({ "kvkNummer": format!("{n:08}"), "naam": "X" })).collect();
        let found = hits(json!({ "resultaten": results }).to_string().as_bytes()).unwrap();
        prop_assert!(found.len() <= MOST_HITS && found.iter().all(|hit| !hit.names.is_empty()));
    }
}
