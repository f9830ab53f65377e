//! The demonstration's playground, in a real browser.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::browser::{Browser, Visitor};
use crate::http::request;
use crate::server::Installation;

/// A demonstration that keeps running; ended when dropped.
struct Demo {
    child: Child,
    /// Host and port of its playground.
    playground: String,
    _folder: Installation,
}

impl Demo {
    fn start() -> Self {
        let folder = Installation::embedded();
        let mut child = Command::new(env!("CARGO_BIN_EXE_eencent"))
            .arg("demo")
            .env_clear()
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let playground = first
            .strip_prefix("playground http://")
            .expect("its address, first")
            .to_owned();
        // What comes after it is read until its end, so that the demonstration never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            playground,
            _folder: folder,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.playground)
    }

    /// The same over HTTP, without a browser; answers the path of the story.
    fn plays(&self, way: &str, holder: &str) -> String {
        let body = format!("way={way}&moment=now&holder={}", holder.replace(' ', "+"));
        let own = self.url("");
        let headers = [
            ("origin", own.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let sent = request(&self.playground, "POST", "/organisations/1", &headers, body.as_bytes()).unwrap();
        assert_eq!(sent.status, 303, "{}", sent.body);
        sent.header("location").unwrap().to_owned()
    }

    fn page(&self, path: &str) -> String {
        let headers = [("accept-language", "en")];
        let page = request(&self.playground, "GET", path, &headers, b"").unwrap();
        page.body.replace("&#x2f;", "/")
    }

    /// Pays for an organisation, and is on the page that tells what comes of it.
    fn pays(&self, browser: &Browser, organisation: u32, holder: &str, moment: &str) {
        browser.open(&self.url(&format!("/organisations/{organisation}")));
        browser.click(&format!("input[name=holder][value='{holder}']"));
        browser.click(&format!("input[name=moment][value={moment}]"));
        browser.click("button");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn waits_until_it_can_be_played(demo: &Demo, browser: &Browser) {
    crate::server::wait_for("the cases to have been played", || {
        browser.open(&demo.url("/"));
        browser.text("main").contains("Pick an organisation").then_some(())
    });
}

#[test]
fn a_newcomer_plays_a_match_a_stranger_and_a_friday_evening_and_sees_what_comes_of_each() {
    let demo = Demo::start();
    let browser = Browser::of(Visitor::speaking("en"));
    waits_until_it_can_be_played(&demo, &browser);
    browser.finds_it_accessible();
    browser.picture("playground-front");

    demo.pays(&browser, 1, "BAKKERIJ DE KORENAAR BV", "now");
    browser.sees("#live", "Open the link from the e-mail");
    browser.finds_it_accessible();
    browser.picture("playground-match");
    browser.click("a.button");
    browser.sees("h1", "One click to go");
    browser.click("main button");
    browser.sees("h1", "Activated");
    browser.open(&demo.url("/stories/1"));
    browser.sees(".state", "Activated");
    browser.open(&demo.url("/stories/1/request"));
    browser.sees("pre", "x-mollie-signature: sha256=");
    browser.finds_it_accessible();
    browser.open(&demo.url("/stories/1"));
    browser.sees("#live", "organisation.activated");
    // The README shows it.
    browser.picture_for_docs("playground", (900, 1_100));

    demo.pays(&browser, 2, "", "now");
    browser.sees("body", "That can't be played");
    browser.open(&demo.url("/organisations/2"));
    browser.click("input[name=holder][value='']");
    browser.fill("input[name=typed]", "Slagerij Van Dam B.V.");
    browser.finds_it_accessible();
    browser.picture("playground-pay");
    browser.click("button");
    browser.sees(".state", "Under review");
    browser.sees("#live", "takes longer");
    browser.picture("playground-stranger");
    browser.open(&demo.url("/stories/2/mail/1"));
    browser.sees("pre", "Paying again does not help");
    browser.finds_it_accessible();
    browser.picture("playground-mail");

    demo.pays(&browser, 3, "Waterman Installatietechniek B.V.", "friday");
    browser.sees(".state", "takes effect when the office opens");
    browser.click("#live button");
    browser.sees("#live", "Open the link from the e-mail");
    browser.click("a.button");
    browser.sees("h1", "One click to go");
    browser.click("main button");
    browser.sees("h1", "Activated");
    browser.open(&demo.url("/stories/3"));
    browser.sees(".state", "Activated");

    for visitor in [
        Visitor::speaking("nl").on_a_phone().by_night(),
        Visitor::speaking("en").on_a_phone().without_scripts(),
    ] {
        let browser = Browser::of(visitor);
        for (page, name) in [("/", "front"), ("/organisations/4", "pay"), ("/stories/3", "story")] {
            browser.open(&demo.url(page));
            browser.finds_it_accessible();
            browser.picture(&format!("playground-{name}"));
        }
    }
}

#[test]
fn each_way_of_paying_is_played_and_what_the_platform_is_told_can_be_read_as_it_was_posted() {
    let demo = Demo::start();
    crate::server::wait_for("the cases to have been played", || {
        demo.page("/").contains("/organisations/1").then_some(())
    });
    let holder = "Bakkerij De Korenaar B.V.";
    let ways = [
        ("mollie", "awaiting_confirmation", "activation.approved"),
        ("adyen", "awaiting_confirmation", "activation.approved"),
        ("bank", "activated", "organisation.activated"),
        ("stripe", "activated", "organisation.activated"),
    ];
    let stories: Vec<String> = ways.iter().map(|(way, ..)| demo.plays(way, holder)).collect();
    for (story, (way, state, event)) in stories.iter().zip(ways) {
        let page = crate::server::wait_for(way, || {
            let page = demo.page(story);
            let done = page.contains(&format!("data-state=\"{state}\"")) && page.contains(event);
            done.then_some(page)
        });
        let link = page.rsplit_once("/told/").unwrap().1;
        let link = format!("{story}/told/{}", &link[..link.find('"').unwrap()]);
        let told = demo.page(&link);
        for said in [event, "webhook-id: ", "webhook-signature: v1,"] {
            assert!(told.contains(said), "{way}: {told}");
        }
    }
    // An invoice is told of first, with the document.
    let invoiced = demo.page(&format!("{}/told/1", stories[2]));
    assert!(
        invoiced.contains("activation.invoiced") && invoiced.contains("&lt;Invoice"),
        "{invoiced}"
    );
    assert_eq!(
        request(&demo.playground, "GET", "/stories/1/told/9", &[], b"")
            .unwrap()
            .status,
        404
    );
}

#[test]
fn the_playground_takes_no_post_from_a_foreign_page_and_answers_no_foreign_name() {
    let demo = Demo::start();
    let post = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        request(
            &demo.playground,
            "POST",
            "/organisations/1",
            &headers,
            b"way=mollie&moment=now",
        )
        .unwrap()
    };
    assert_eq!(post("http://evil.example").status, 403);
    assert_eq!(post("null").status, 403);
    assert_eq!(post(&demo.url("")).status, 422, "from its own page, but without a name");
    let foreign = b"GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(crate::http::raw(&demo.playground, foreign).unwrap().status, 403);
}
