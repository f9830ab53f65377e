//! The consoles' door: who gets in, who doesn't, and who says so.

use crate::browser::{Browser, Visitor};
use crate::http::request;
use crate::people::{Member, PASSWORD, app, between, code, cookie, invited, post};
use crate::server::Installation;

#[test]
fn somebody_is_invited_chooses_a_password_and_an_app_signs_in_and_out() {
    let installation = Installation::new();
    let server = installation.serve();
    let browser = Browser::of(Visitor::speaking("en"));
    let staff = format!("http://{}", server.staff);
    browser.open(&staff);
    browser.sees("h1", "Support's console");
    browser.sees("main", "eencent user add");
    browser.finds_it_accessible();
    browser.picture("console-nobody");

    let link = invited(&installation, "Marja Jansen", "m.jansen@example.nl", &["administrator"]);
    browser.open(&format!("{staff}{}", &link[link.find("/invitation/").unwrap()..]));
    browser.sees("h1", "Welkom, Marja Jansen");
    browser.finds_it_accessible();
    browser.picture("console-invitation");
    let app = app(&browser.html());
    browser.fill("#password", "Jansen123456");
    browser.fill("#again", "Jansen123456");
    browser.fill("#code", &code(&app, 0));
    browser.click("main button");
    browser.sees(".wrong", "makkelijk te raden");
    browser.fill("#password", PASSWORD);
    browser.fill("#again", PASSWORD);
    browser.fill("#code", &code(&app, 0));
    browser.click("main button");
    browser.sees("h1", "Mensen");
    browser.sees("table", "Marja Jansen");
    browser.finds_it_accessible();
    browser.picture("console-people");

    browser.click("header form[action='/sign-out'] button");
    browser.sees("h1", "Support's console");
    browser.open(&format!("{staff}/people"));
    browser.sees("h1", "Support's console");
    browser.fill("#email", "M.Jansen@example.nl");
    browser.fill("#password", "iets anders dan dat");
    browser.fill("#code", &code(&app, 30));
    browser.click("main button");
    browser.sees(".wrong", "not right");
    browser.fill("#password", PASSWORD);
    browser.fill("#code", &code(&app, 30));
    browser.click("main button");
    browser.sees("h1", "Mensen");
}

#[test]
fn fault_65_68_nobody_gets_in_without_a_session_and_nothing_is_told_of_what_is_not_theirs() {
    let installation = Installation::new();
    let server = installation.serve();
    for listener in [&server.staff, &server.operations] {
        for path in ["/", "/people", "/account", "/people/acc_1"] {
            let answer = request(listener, "GET", path, &[], b"").unwrap();
            assert!(matches!(answer.status, 303 | 404), "{path}: {}", answer.status);
        }
        let forged = [("cookie", "__Host-eencent=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")];
        let answer = request(listener, "GET", "/account", &forged, b"").unwrap();
        assert_eq!(answer.status, 303);
    }
    let support = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let page = support.get(&server.staff, "/people");
    assert_eq!(page.status, 404, "{}", page.body);
    let page = support.get(&server.staff, "/account");
    assert_eq!(page.status, 200);
    for (header, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(page.header(header), Some(value));
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
}

#[test]
fn fault_62_a_form_without_its_token_or_from_a_foreign_page_changes_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let boss = Member::of(&installation, &server, "Ada Beheer", &["administrator"]);
    let fields = "email=x%40example.nl&name=X&language=nl&reason=r&support=yes";
    let people = || {
        boss.get(&server.staff, "/people")
            .body
            .matches("<tr><th scope=\"row\">")
            .count()
    };
    let cookie = [("cookie", boss.cookie.as_str())];
    assert_eq!(post(&server.staff, "/people", &cookie, fields).status, 409, "no token");
    let wrong = format!("token={}&{fields}", "0".repeat(64));
    assert_eq!(
        post(&server.staff, "/people", &cookie, &wrong).status,
        409,
        "a token of another session"
    );
    let token = boss.get(&server.staff, "/people").body;
    let right = format!("token={}&{fields}", between(&token, "name=\"token\" value=\"", "\""));
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let answer = post(&server.staff, "/people", &[cookie[0], foreign], &right);
        assert_eq!(answer.status, 403, "{foreign:?}");
    }
    assert_eq!(people(), 1, "nobody was added");
    let added = post(
        &server.staff,
        "/people",
        &[cookie[0], ("sec-fetch-site", "same-origin")],
        &right,
    );
    assert_eq!((added.status, people()), (200, 2), "{}", added.body);
}

#[test]
fn fault_63_who_is_kept_out_is_out_at_once_and_the_last_who_may_add_people_stays() {
    let installation = Installation::new();
    let server = installation.serve();
    let boss = Member::of(&installation, &server, "Ada Beheer", &["administrator"]);
    let support = Member::of(&installation, &server, "Sam Steun", &["support"]);
    assert_eq!(support.get(&server.staff, "/account").status, 200);
    let out = installation.run(&["user", "disable", &support.email, "--by", "Bakker", "--reason", "left"]);
    assert!(out.status.success(), "{}", out.stderr);
    assert_eq!(support.get(&server.staff, "/account").status, 303);
    let refused = installation.run(&["user", "disable", &boss.email, "--by", "Bakker", "--reason", "left"]);
    assert!(
        !refused.status.success() && refused.stderr.contains("Nobody would be left"),
        "{}",
        refused.stderr
    );
    let refused = boss.send(
        &server.staff,
        "/people",
        "/people",
        &[
            ("email", "sam.steun@example.nl"),
            ("name", "S"),
            ("language", "nl"),
            ("reason", "r"),
            ("support", "yes"),
        ],
    );
    assert!(
        refused.status == 422 && refused.body.contains("al een account"),
        "{}",
        refused.body
    );
    let list = installation.run(&["user", "list"]).stdout;
    assert!(
        list.contains("ada.beheer@example.nl  Ada Beheer  administrator  signed in"),
        "{list}"
    );
    assert!(list.contains("disabled"), "{list}");
}

#[test]
fn fault_63_an_account_is_locked_after_failures_a_code_is_taken_once_and_each_session_is_new() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let attempt = |password: &str, code: &str| {
        let form = format!(
            "email={}&password={}&code={code}",
            sam.email.replace('@', "%40"),
            password.replace(' ', "+")
        );
        post(&server.staff, "/sign-in", &[("accept-language", "en")], &form)
    };
    let code = sam.next_code();
    let signed_in = attempt(PASSWORD, &code);
    assert_eq!(signed_in.status, 303, "{}", signed_in.body);
    assert_ne!(
        cookie(&signed_in),
        sam.cookie,
        "each signing in has a session of its own"
    );
    assert!(
        signed_in
            .header("set-cookie")
            .unwrap()
            .ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax")
    );
    assert_eq!(attempt(PASSWORD, &code).status, 422, "the same code again");
    for _ in 0..4 {
        assert_eq!(attempt("helemaal verkeerd", "000000").status, 422);
    }
    let locked = attempt(PASSWORD, &sam.next_code());
    assert!(
        locked.status == 422 && locked.body.contains("locked for a while"),
        "{}",
        locked.body
    );
    let form = "email=nobody%40example.nl&password=x&code=000000";
    let unknown = post(&server.staff, "/sign-in", &[("accept-language", "en")], form);
    assert_eq!(
        (unknown.status, unknown.body.replace("nobody@example.nl", &sam.email)),
        (locked.status, locked.body),
        "a lock doesn't tell that there is an account"
    );
    let freed = installation.run(&["user", "enable", &sam.email, "--by", "Bakker", "--reason", "typing"]);
    assert!(freed.status.success(), "{}", freed.stderr);
    assert_eq!(
        attempt("helemaal verkeerd", "000000").status,
        422,
        "not locked any more"
    );
}
