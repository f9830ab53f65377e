//! People who work in the consoles: invited as they are, with an app that makes their codes.

use totp_rs::{Algorithm, Secret, TOTP};

use crate::http::{Answer, request};
use crate::payments::now;
use crate::server::{Installation, Server};

/// What everybody chooses.
pub const PASSWORD: &str = "de fiets staat buiten";

/// Somebody who has accepted their invitation, and is signed in.
pub struct Member {
    pub email: String,
    /// The cookie of the session.
    pub cookie: String,
    app: TOTP,
}

impl Member {
    /// Added by the command line, with these roles.
    pub fn of(installation: &Installation, server: &Server, name: &str, roles: &[&str]) -> Self {
        let email = format!("{}@example.nl", name.to_lowercase().replace(' ', "."));
        let link = invited(installation, name, &email, roles);
        Self::accepts(&server.staff, &email, &link)
    }

    /// Opens the link, chooses, and shows the first code.
    pub fn accepts(listener: &str, email: &str, link: &str) -> Self {
        let path = &link[link.find("/invitation/").unwrap()..];
        let page = request(listener, "GET", path, &[], b"").unwrap();
        assert_eq!(page.status, 200, "{}", page.body);
        let app = app(&page.body);
        let form = format!(
            "password={0}&again={0}&code={1}",
            PASSWORD.replace(' ', "+"),
            code(&app, 0)
        );
        let accepted = post(listener, path, &[], &form);
        assert_eq!(accepted.status, 303, "{}", accepted.body);
        Self {
            email: email.to_owned(),
            cookie: cookie(&accepted),
            app,
        }
    }

    /// A code that wasn't taken yet: each is taken once, and the app's next one is taken early.
    pub fn next_code(&self) -> String {
        code(&self.app, 30)
    }

    /// A page of this listener.
    pub fn get(&self, listener: &str, path: &str) -> Answer {
        request(listener, "GET", path, &[("cookie", &self.cookie)], b"").unwrap()
    }

    /// Sends a form of the page that stands at `from`, with its token, as a browser does.
    pub fn send(&self, listener: &str, from: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(listener, from);
        let token = between(&page.body, "name=\"token\" value=\"", "\"");
        let mut form = format!("token={token}");
        for (name, value) in fields {
            form.push_str(&format!("&{name}={}", encoded(value)));
        }
        post(
            listener,
            to,
            &[("cookie", &self.cookie), ("sec-fetch-site", "same-origin")],
            &form,
        )
    }
}

/// The link of somebody who is added by the command line.
pub fn invited(installation: &Installation, name: &str, email: &str, roles: &[&str]) -> String {
    let mut arguments = vec!["user", "add", "--email", email, "--name", name];
    for role in roles {
        arguments.extend(["--role", role]);
    }
    let added = installation.run(&arguments);
    assert!(added.status.success(), "{}", added.stderr);
    added.stdout.trim().to_owned()
}

pub fn post(listener: &str, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    request(listener, "POST", path, &all, form.as_bytes()).unwrap()
}

/// The session that an answer hands out.
pub fn cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// The app that the secret of a page was typed into.
pub fn app(page: &str) -> TOTP {
    let typed = between(page, "<code class=\"secret\">", "</code>").replace(' ', "");
    let secret = Secret::Encoded(typed).to_bytes().unwrap();
    TOTP::new(Algorithm::SHA1, 6, 1, 30, secret, None, String::new()).unwrap()
}

/// What the app shows so many seconds from now.
pub fn code(app: &TOTP, later: u64) -> String {
    let now = u64::try_from(now().unix_seconds()).unwrap();
    app.generate(now + later)
}

pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

fn encoded(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
