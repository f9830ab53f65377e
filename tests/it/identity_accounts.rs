//! Whose account it is who comes from an identity provider, and what they may.

use serde_json::json;

use crate::http::request;
use crate::identity::{Provider, account, refused, session};
use crate::people::{Member, PASSWORD, invited, post};

#[test]
fn roles_follow_the_groups_and_whoever_is_in_none_is_out_at_once() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    refused(&provider.signs_in(&server, &["iedereen"]), 403, "None of your groups");
    refused(
        &provider.signs_in_as(&server, |it| drop(it.as_object_mut().unwrap().remove("groups"))),
        503,
        "be reached",
    );
    assert!(
        installation
            .run(&["user", "list"])
            .stdout
            .starts_with("There is nobody yet")
    );
    let boss = session(&provider.signs_in(&server, &["beheer"])).unwrap();
    assert_eq!(
        request(&server.staff, "GET", "/people", &[("cookie", &boss)], b"")
            .unwrap()
            .status,
        200
    );
    let desk = session(&provider.signs_in(&server, &["Team Klanten"])).unwrap();
    for session in [&boss, &desk] {
        assert_eq!(
            request(&server.staff, "GET", "/people", &[("cookie", session)], b"")
                .unwrap()
                .status,
            404
        );
        assert!(account(&server.staff, session).body.contains("· support<"));
    }
    refused(&provider.signs_in(&server, &[]), 403, "ask whoever manages the groups");
    assert_eq!(
        account(&server.staff, &desk).status,
        303,
        "also where they were signed in"
    );
    let list = installation.run(&["user", "list"]).stdout;
    assert!(
        list.starts_with("marja.jansen@example.nl  Marja Jansen    signed in"),
        "{list}"
    );
    // What they are there for isn't changed here: it would be back at their next sign-in.
    let order = ["--by", "Bakker", "--reason", "r"];
    let changed = installation.run(
        &[
            &["user", "roles", "marja.jansen@example.nl", "--role", "lead"],
            &order[..],
        ]
        .concat(),
    );
    assert!(
        changed.stderr.contains("change the person's groups there"),
        "{}",
        changed.stderr
    );
    let disabled = installation.run(&[&["user", "disable", "marja.jansen@example.nl"], &order[..]].concat());
    assert!(disabled.status.success());
    refused(
        &provider.signs_in(&server, &["beheer"]),
        403,
        "Your account is disabled",
    );
}

#[test]
fn a_name_or_address_that_changes_at_the_provider_changes_here_and_an_address_of_somebody_else_stays_theirs() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    invited(&installation, "Piet Bakker", "p.bakker@example.nl", &["support"]);
    provider.signs_in(&server, &["beheer"]);
    let answer = provider.signs_in_as(&server, |it| {
        it["name"] = json!("Marja <b>de Wit</b>");
        it["email"] = json!("m.dewit@example.nl");
    });
    let page = account(&server.staff, &session(&answer).unwrap());
    assert!(
        page.body.contains("m.dewit@example.nl") && page.body.contains("Marja Jansen"),
        "{}",
        page.body
    );
    let answer = provider.signs_in_as(&server, |it| {
        it["name"] = json!("Marja de Wit");
        it["email"] = json!("p.bakker@example.nl");
    });
    let page = account(&server.staff, &session(&answer).unwrap());
    assert!(
        page.body.contains("m.dewit@example.nl") && page.body.contains("Marja de Wit"),
        "{}",
        page.body
    );
}

#[test]
fn an_account_with_the_same_address_is_not_taken_over_before_an_administrator_ties_it() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    let local = Member::of(&installation, &server, "Marja Jansen", &["support"]);
    let command = "eencent user link marja.jansen@example.nl --subject &#x27;u-1&#x27;";
    refused(&provider.signs_in(&server, &["beheer"]), 409, command);
    assert_eq!(account(&server.staff, &local.cookie).status, 200, "nothing changed");
    let order = ["--by", "Bakker", "--reason", "single sign-on"];
    let link = |who: &str| installation.run(&[&["user", "link", who, "--subject", "u-1"], &order[..]].concat());
    let linked = link("marja.jansen@example.nl");
    assert!(linked.status.success(), "{}", linked.stderr);
    assert_eq!(account(&server.staff, &local.cookie).status, 303, "what there was ends");
    let form = format!(
        "email=marja.jansen%40example.nl&password={}&code={}",
        PASSWORD.replace(' ', "+"),
        local.next_code()
    );
    let by_password = post(&server.staff, "/sign-in", &[("sec-fetch-site", "same-origin")], &form);
    assert_eq!(by_password.status, 422, "{}", by_password.body);
    let session = session(&provider.signs_in(&server, &["beheer"])).unwrap();
    assert!(account(&server.staff, &session).body.contains("· administrator<"));
    // Nobody else can be the same subject, and there is a way back.
    invited(&installation, "Piet Bakker", "p.bakker@example.nl", &["support"]);
    let twice = link("p.bakker@example.nl");
    assert!(twice.stderr.contains("already"), "{}", twice.stderr);
    let unlinked = installation.run(&[&["user", "unlink", "marja.jansen@example.nl"], &order[..]].concat());
    assert!(unlinked.status.success(), "{}", unlinked.stderr);
    assert_eq!(account(&server.staff, &session).status, 303);
    Member::accepts(&server.staff, "marja.jansen@example.nl", unlinked.stdout.trim());
    refused(&provider.signs_in(&server, &["beheer"]), 409, command);
}

#[test]
fn an_address_that_the_provider_does_not_vouch_for_makes_no_account() {
    let provider = Provider::start();
    let installation = provider.installation();
    let server = installation.serve();
    for unproven in [json!(false), json!("false")] {
        let answer = provider.signs_in_as(&server, |it| it["email_verified"] = unproven);
        refused(&answer, 403, "vouches for no e-mail address");
    }
    refused(
        &provider.signs_in_as(&server, |it| it["email"] = json!("no address")),
        403,
        "vouches for no e-mail",
    );
    refused(
        &provider.signs_in_as(&server, |it| it["sub"] = json!("")),
        422,
        "subject",
    );
    assert!(
        installation
            .run(&["user", "list"])
            .stdout
            .starts_with("There is nobody yet")
    );
}
