//! FLOW's rules on registering an organisation.

use eencent_activations::desk::{
    ActivationFilter, NewCreator, NewIdentifier, NewOrganisation, OrganisationChange, OrganisationFilter, Scope,
};
use eencent_activations::identifier::Identifier;
use eencent_activations::refused::{DeskError, Kind, Refused};

use crate::office::{Office, kvk, organisation, paid};

fn refused<T: std::fmt::Debug>(result: Result<T, DeskError>) -> Refused {
    match result.unwrap_err() {
        DeskError::Refused(refused) => *refused,
        other => panic!("refused, not {other}"),
    }
}

#[tokio::test]
async fn all_problems_are_told_at_once_each_with_its_field_in_two_languages() {
    let office = Office::open().await;
    let mut new = organisation();
    new.legal_name = Some("  ".into());
    new.country = Some("Netherlands".into());
    new.names_source = Some("guess".into());
    new.identifiers = vec![kvk("1234")];
    new.creator = Some(NewCreator {
        email: Some("nobody".into()),
        ..new.creator.unwrap()
    });
    let refused = refused(office.desk.register(&Office::key(), new).await);
    let fields: Vec<_> = refused.fields.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "legal_name",
            "country",
            "names_source",
            "identifiers[0]",
            "creator.email"
        ]
    );
    assert!(
        refused
            .fields
            .iter()
            .all(|problem| !problem.text.is_empty() && !problem.text_nl.is_empty())
    );
    let nothing = office.desk.register(&Office::key(), NewOrganisation::default()).await;
    assert_eq!(refused_code(nothing), "invalid");
}

fn refused_code<T: std::fmt::Debug>(result: Result<T, DeskError>) -> &'static str {
    refused(result).code
}

#[tokio::test]
async fn only_an_administrator_may_add_one() {
    let office = Office::open().await;
    let mut new = organisation();
    new.creator = Some(NewCreator {
        role: Some("member".into()),
        ..new.creator.unwrap()
    });
    let refused = refused(office.desk.register(&Office::key(), new).await);
    assert_eq!(
        (refused.kind, refused.code),
        (Kind::Forbidden, "administrator_required")
    );
    assert!(refused.text.contains("ask an administrator"));
}

#[tokio::test]
async fn two_are_free_and_deleted_ones_do_not_count() {
    let office = Office::open().await;
    let first = office.register(|_| ()).await;
    office.register(|new| new.identifiers = vec![kvk("87654321")]).await;
    let third = refused(office.desk.register(&Office::key(), organisation()).await);
    assert_eq!(third.code, "organisation_limit_reached");
    assert!(third.text.contains("sales@example.nl") && third.text_nl.contains("sales@example.nl"));
    office.desk.delete(&Office::key(), &first.id).await.unwrap();
    office.register(|_| ()).await;
    assert_eq!(
        refused_code(office.desk.organisation(&first.id).await),
        "organisation_not_found"
    );
}

#[tokio::test]
async fn exactly_one_identifier_at_the_start_and_the_organisation_can_be_mended() {
    let office = Office::open().await;
    let none = office.register(|new| new.identifiers.clear()).await;
    assert_eq!(
        refused_code(office.desk.start(&Office::key(), &none.id, "ideal").await),
        "identifier_missing"
    );
    let several = OrganisationChange {
        identifiers: Some(vec![kvk("12345678"), kvk("87654321")]),
        ..OrganisationChange::default()
    };
    office.desk.change(&Office::key(), &none.id, several).await.unwrap();
    let refusal = refused(office.desk.start(&Office::key(), &none.id, "ideal").await);
    assert_eq!(refusal.code, "identifiers_several");
    assert!(refusal.text.contains("12345678") && refusal.text.contains("87654321"));
    let one = OrganisationChange {
        identifiers: Some(vec![kvk("87654321")]),
        ..OrganisationChange::default()
    };
    office.desk.change(&Office::key(), &none.id, one).await.unwrap();
    office.desk.start(&Office::key(), &none.id, "ideal").await.unwrap();
}

#[tokio::test]
async fn belgian_and_other_countries_can_be_saved_and_not_activated() {
    let office = Office::open().await;
    let belgian = office.register(|new| new.country = Some("be".into())).await;
    let refusal = refused(office.desk.start(&Office::key(), &belgian.id, "ideal").await);
    assert_eq!(refusal.code, "country_belgium");
    assert!(refusal.text.contains("https://example.nl/belgie"));
    let german = office.register(|new| new.country = Some("DE".into())).await;
    let refusal = refused(office.desk.start(&Office::key(), &german.id, "ideal").await);
    assert_eq!(refusal.code, "country_not_supported");
    assert!(refusal.text.contains("contact support"));
}

#[tokio::test]
async fn one_activation_at_a_time_and_a_new_one_after_it_is_over() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    assert_eq!(
        refused_code(office.desk.start(&Office::key(), &view.organisation, "invoice").await),
        "activation_open"
    );
    office.desk.cancel(&Office::key(), &view.id, "").await.unwrap();
    let next = office
        .desk
        .start(&Office::key(), &view.organisation, "invoice")
        .await
        .unwrap();
    assert_ne!(next.reference, view.reference);
    assert_eq!(
        refused_code(office.desk.start(&Office::key(), &view.organisation, "cash").await),
        "method_unknown"
    );
}

#[tokio::test]
async fn names_and_identifiers_do_not_change_under_an_open_activation_or_after_it_is_active() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    let rename = OrganisationChange {
        legal_name: Some("Other B.V.".into()),
        ..OrganisationChange::default()
    };
    assert_eq!(
        refused_code(
            office
                .desk
                .change(&Office::key(), &view.organisation, rename.clone())
                .await
        ),
        "activation_open"
    );
    assert_eq!(
        refused_code(office.desk.delete(&Office::key(), &view.organisation).await),
        "activation_open"
    );
    let creator = NewCreator {
        email: Some("new@example.nl".into()),
        ..NewCreator::default()
    };
    let change = OrganisationChange {
        creator: Some(creator),
        ..OrganisationChange::default()
    };
    let changed = office
        .desk
        .change(&Office::key(), &view.organisation, change)
        .await
        .unwrap();
    assert_eq!(
        (changed.creator.email.as_str(), changed.creator.name.as_str()),
        ("new@example.nl", "Anna Jansen")
    );
    office.told("event_1", paid(&view.reference)).await;
    let token = office.links().await.pop().unwrap();
    office.desk.confirm(&token).await.unwrap();
    assert_eq!(
        refused_code(office.desk.change(&Office::key(), &view.organisation, rename).await),
        "organisation_active"
    );
    assert_eq!(
        refused_code(office.desk.delete(&Office::key(), &view.organisation).await),
        "organisation_active"
    );
    assert_eq!(
        refused_code(office.desk.start(&Office::key(), &view.organisation, "ideal").await),
        "identifier_active"
    );
}

#[tokio::test]
async fn names_that_are_changed_are_entered_unless_said_to_be_a_registers() {
    let office = Office::open().await;
    let o = office.register(|_| ()).await;
    // A platform that sends its whole form says the same once more.
    let same = OrganisationChange {
        legal_name: Some(o.legal_name.clone()),
        trade_names: Some(o.trade_names.clone()),
        ..OrganisationChange::default()
    };
    let unchanged = office.desk.change(&Office::key(), &o.id, same).await.unwrap();
    assert_eq!(unchanged.names_source, "register");
    let rename = OrganisationChange {
        legal_name: Some("Other B.V.".into()),
        ..OrganisationChange::default()
    };
    assert_eq!(
        office
            .desk
            .change(&Office::key(), &o.id, rename.clone())
            .await
            .unwrap()
            .names_source,
        "entered"
    );
    let from_register = OrganisationChange {
        names_source: Some("register".into()),
        ..rename
    };
    assert_eq!(
        office
            .desk
            .change(&Office::key(), &o.id, from_register)
            .await
            .unwrap()
            .names_source,
        "register"
    );
}

#[tokio::test]
async fn a_key_is_shown_once_kept_as_a_hash_and_stops_when_revoked() {
    let office = Office::open().await;
    let secret = office.desk.make_key("platform", &[Scope::Platform]).await.unwrap();
    assert_eq!(office.desk.key_of(&secret).await.unwrap().unwrap().name, "platform");
    assert_eq!(office.desk.key_of("eck_wrong").await.unwrap(), None);
    assert_eq!(
        refused_code(office.desk.make_key("platform", &[Scope::Review]).await),
        "key_exists"
    );
    let file = office.store.file().into_iter();
    let log = office.store.file().map(|file| file.with_extension("db-wal"));
    for file in file.map(std::path::Path::to_owned).chain(log) {
        let bytes = std::fs::read(file).unwrap();
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "the secret is on disk"
        );
    }
    assert!(office.desk.revoke_key("platform").await.unwrap());
    assert!(!office.desk.revoke_key("platform").await.unwrap());
    assert_eq!(office.desk.key_of(&secret).await.unwrap(), None);
    office
        .desk
        .make_key("platform", &[Scope::Platform, Scope::Review])
        .await
        .unwrap();
    assert_eq!(office.desk.keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_environment_can_be_granted_another_limit_with_a_reason() {
    let office = Office::open().await;
    let operator = eencent_activations::desk::Actor::key("operator");
    let env = office.desk.environment("env-1").await.unwrap();
    assert_eq!((env.limit, env.granted, env.used), (2, false, 0));
    let nothing = refused(office.desk.grant(&operator, "env-1", -1, " ").await);
    let fields: Vec<_> = nothing.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["reason", "limit"]);
    let env = office.desk.grant(&operator, "env-1", 3, "order 12").await.unwrap();
    assert_eq!((env.limit, env.granted, env.used), (3, true, 0));
    for _ in 0..3 {
        office.register(|_| ()).await;
    }
    assert_eq!(
        refused_code(office.desk.register(&Office::key(), organisation()).await),
        "organisation_limit_reached"
    );
    // A lower limit takes nothing away, and lets nothing in.
    let env = office
        .desk
        .grant(&operator, "env-1", 1, "order 12 withdrawn")
        .await
        .unwrap();
    assert_eq!((env.limit, env.used), (1, 3));
    let audit = sqlx::AnyPool::connect(&office.url).await.unwrap();
    let lines: Vec<(String, String)> =
        sqlx::query_as("SELECT actor, reason FROM audit WHERE act = 'environment limit granted' ORDER BY id")
            .fetch_all(&audit)
            .await
            .unwrap();
    let told = |reason: &str| ("key operator".to_owned(), reason.to_owned());
    assert_eq!(
        lines.into_iter().collect::<std::collections::BTreeSet<_>>(),
        [
            told("1 organisations (was 3): order 12 withdrawn"),
            told("3 organisations (was 2): order 12")
        ]
        .into()
    );
    let elsewhere = office.desk.environment("env-2").await.unwrap();
    assert_eq!((elsewhere.limit, elsewhere.used), (2, 0));
}

#[tokio::test]
async fn the_same_company_under_another_spelling_is_the_same_identifier() {
    let office = Office::open().await;
    let view = office.started("ideal").await;
    office.told("event_1", paid(&view.reference)).await;
    let token = office.links().await.pop().unwrap();
    office.desk.confirm(&token).await.unwrap();
    for (scheme, value) in [
        ("0106", "12345678"),
        ("iso6523-actorid-upis", "0106:12345678"),
        ("0190", "00000003123456780000"),
        ("nl:kvk", "12.34.56.78"),
    ] {
        let other = office
            .register(|new| {
                new.environment = Some(format!("env of {scheme}"));
                new.identifiers = vec![NewIdentifier {
                    scheme: scheme.into(),
                    value: value.into(),
                }];
            })
            .await;
        assert_eq!(other.identifiers[0].to_string(), "NL:KVK 12345678");
        let refusal = refused(office.desk.start(&Office::key(), &other.id, "ideal").await);
        assert_eq!(refusal.code, "identifier_active", "{scheme}");
        assert!(refusal.text.contains("Another organisation") && refusal.text.contains("support@example.nl"));
    }
    // And twice the same in two spellings is one.
    let twice = office
        .register(|new| {
            new.environment = Some("env-3".into());
            new.identifiers = vec![
                kvk("87654321"),
                NewIdentifier {
                    scheme: "0106".into(),
                    value: "87654321".into(),
                },
            ];
        })
        .await;
    assert_eq!(twice.identifiers.len(), 1);
    office.desk.start(&Office::key(), &twice.id, "ideal").await.unwrap();
}

#[tokio::test]
async fn organisations_and_activations_are_found_by_what_they_are() {
    let office = Office::open().await;
    let first = office.register(|_| ()).await;
    // Those of one millisecond have no order among each other.
    let a_moment = || office.clock.advance(std::time::Duration::from_millis(1));
    a_moment();
    let second = office.register(|new| new.identifiers = vec![kvk("87654321")]).await;
    a_moment();
    let third = office.register(|new| new.environment = Some("env-2".into())).await;
    a_moment();
    let gone = office.register(|new| new.environment = Some("env-2".into())).await;
    office.desk.delete(&Office::key(), &gone.id).await.unwrap();
    let found = async |filter: OrganisationFilter| -> Vec<String> {
        let filter = OrganisationFilter {
            limit: if filter.limit == 0 { 50 } else { filter.limit },
            ..filter
        };
        let all = office.desk.organisations(&filter).await.unwrap();
        all.into_iter().map(|one| one.id).collect()
    };
    let any = OrganisationFilter::default;
    assert_eq!(
        found(any()).await,
        [first.id.clone(), second.id.clone(), third.id.clone()]
    );
    let page = OrganisationFilter {
        limit: 1,
        after: Some(first.id.clone()),
        ..any()
    };
    assert_eq!(found(page).await, std::slice::from_ref(&second.id));
    let environment = OrganisationFilter {
        environment: Some("env-1".into()),
        ..any()
    };
    assert_eq!(found(environment).await, [first.id.clone(), second.id.clone()]);
    let identifier = Identifier::parse_text("0106:12345678").ok();
    let by_number = OrganisationFilter { identifier, ..any() };
    assert_eq!(found(by_number.clone()).await, [first.id.clone(), third.id.clone()]);
    let both = OrganisationFilter {
        environment: Some("env-2".into()),
        active: Some(false),
        ..by_number
    };
    assert_eq!(found(both).await, std::slice::from_ref(&third.id));
    assert!(
        found(OrganisationFilter {
            active: Some(true),
            ..any()
        })
        .await
        .is_empty()
    );
    let whole = office
        .desk
        .organisations(&OrganisationFilter { limit: 50, ..any() })
        .await
        .unwrap();
    assert_eq!(whole[1], office.desk.organisation(&second.id).await.unwrap());

    let one = office.desk.start(&Office::key(), &first.id, "ideal").await.unwrap();
    a_moment();
    let other = office.desk.start(&Office::key(), &third.id, "invoice").await.unwrap();
    let found = async |filter: ActivationFilter| -> Vec<String> {
        let all = office
            .desk
            .activations(&ActivationFilter { limit: 50, ..filter })
            .await
            .unwrap();
        all.into_iter().map(|one| one.id).collect()
    };
    let any = ActivationFilter::default;
    assert_eq!(found(any()).await, [one.id.clone(), other.id.clone()]);
    assert_eq!(
        found(ActivationFilter {
            organisation: Some(first.id.clone()),
            ..any()
        })
        .await,
        std::slice::from_ref(&one.id)
    );
    assert_eq!(
        found(ActivationFilter {
            environment: Some("env-2".into()),
            ..any()
        })
        .await,
        [other.id]
    );
    let nobody = ActivationFilter {
        environment: Some("env-2".into()),
        reference: Some(one.reference),
        ..any()
    };
    assert!(found(nobody).await.is_empty());
}
