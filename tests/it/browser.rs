//! A real browser: headless Chromium, driven over WebDriver, as a person with a screen, a phone, or a screen reader
//! meets a page.
//!
//! WebDriver is a dozen JSON calls over HTTP, which the tests speak already: no client library is needed. Pages have
//! a policy that lets no foreign script in; what the driver executes goes past it, as DevTools do.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::people::Member;
use crate::server::{PATIENCE, wait_for};

/// WCAG 2.2, levels A and AA.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// Key under which WebDriver tells which element was found.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Who looks, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    /// `en` or `nl`, in that order of preference.
    pub language: &'static str,
    pub dark: bool,
    /// 360 × 740, with touch.
    pub phone: bool,
    pub scripts: bool,
}

impl Visitor {
    /// At a desk, by daylight.
    pub fn speaking(language: &'static str) -> Self {
        Self {
            language,
            dark: false,
            phone: false,
            scripts: true,
        }
    }

    pub fn by_night(self) -> Self {
        Self { dark: true, ..self }
    }

    pub fn on_a_phone(self) -> Self {
        Self { phone: true, ..self }
    }

    pub fn without_scripts(self) -> Self {
        Self { scripts: false, ..self }
    }

    /// For the names of pictures.
    fn told(self) -> String {
        let parts = [
            self.language,
            if self.phone { "phone" } else { "desk" },
            if self.dark { "dark" } else { "light" },
        ];
        parts.join("-")
    }
}

/// An open browser with an empty profile; closed when dropped.
pub struct Browser {
    driver: Child,
    /// Where the driver listens.
    to: String,
    /// `/session/ID`.
    session: String,
    visitor: Visitor,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub fn of(visitor: Visitor) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = driver(profile.path());
        let mut browser = Self {
            driver,
            to: format!("127.0.0.1:{port}"),
            session: "/session".to_owned(),
            visitor,
            _profile: profile,
        };
        let made = browser.post("", &json!({ "capabilities": { "alwaysMatch": capabilities(visitor) } }));
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        if visitor.dark {
            let dark = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
            browser.devtools("Emulation.setEmulatedMedia", &json!({ "features": dark }));
        }
        browser
    }

    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    pub fn url(&self) -> String {
        self.call("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// Comes in as somebody who has signed in already, to the first page of this host.
    pub fn signs_in(&self, member: &Member, host: &str) {
        let (name, value) = member.cookie.split_once('=').unwrap();
        let cookie =
            json!({ "name": name, "value": value, "url": host, "path": "/", "secure": true, "httpOnly": true });
        self.devtools("Network.setCookie", &cookie);
        self.open(host);
    }

    /// The page as it is now.
    pub fn html(&self) -> String {
        self.call("GET", "/source", &Value::Null).as_str().unwrap().to_owned()
    }

    /// Scrolls to the element, and clicks in its middle: not if it is hidden or something lies on it.
    pub fn click(&self, css: &str) {
        if !self.visitor.scripts {
            return self.press_enter_on(css);
        }
        self.at(css, "click", &json!({}));
    }

    /// The driver's own click is a script. This goes by the keyboard, beside the page.
    fn press_enter_on(&self, css: &str) {
        let document = self.devtools("DOM.getDocument", &json!({ "depth": 0 }));
        let root = &document["root"]["nodeId"];
        let found = self.devtools("DOM.querySelector", &json!({ "nodeId": root, "selector": css }));
        self.devtools("DOM.focus", &json!({ "nodeId": found["nodeId"] }));
        let key = json!({ "type": "keyDown", "key": "Enter", "text": "\r", "windowsVirtualKeyCode": 13 });
        self.devtools("Input.dispatchKeyEvent", &key);
    }

    /// Types into a field that may hold something already.
    pub fn fill(&self, css: &str, text: &str) {
        self.at(css, "clear", &json!({}));
        self.at(css, "value", &json!({ "text": text }));
    }

    /// The text of an element as it is seen.
    pub fn text(&self, css: &str) -> String {
        let path = format!("{}/text", self.element(css));
        self.call("GET", &path, &Value::Null).as_str().unwrap().to_owned()
    }

    /// Waits until an element is there and says so.
    pub fn sees(&self, css: &str, wanted: &str) {
        let mut last = String::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for("the page to say so", || {
                let script = "const found = document.querySelector(arguments[0]); \
                    return found ? (found.tagName === 'TEXTAREA' ? found.value : found.innerText) : '';";
                last = self
                    .execute(script, &json!([css]))
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                last.contains(wanted).then_some(())
            });
        }));
        assert!(
            found.is_ok(),
            "{css} at {} should say {wanted:?} and says {last:?}",
            self.url()
        );
    }

    /// Finds no fault with the page for who can't see, can't hold a mouse, or has a small screen. The checker is a
    /// script itself: for a visitor without scripts only the width is measured.
    pub fn finds_it_accessible(&self) {
        let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;";
        let wide = self.execute(wide, &json!([]));
        // Reflow (WCAG 1.4.10), which axe doesn't measure.
        assert_eq!(
            wide,
            0,
            "{} has to be scrolled sideways by {:?}",
            self.url(),
            self.visitor
        );
        if !self.visitor.scripts {
            return;
        }
        self.execute(&axe(), &json!([]));
        let script = "const told = arguments[1]; \
            axe.run(document, { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] }) \
            .then(found => told(found.violations), error => told(String(error)));";
        let found = self.post("/execute/async", &json!({ "script": script, "args": [RULES] }));
        let violations = found.as_array().unwrap_or_else(|| panic!("axe: {found}"));
        let told: Vec<String> = violations.iter().map(told).collect();
        assert!(
            told.is_empty(),
            "{} for {:?}:\n{}",
            self.url(),
            self.visitor,
            told.join("\n")
        );
    }

    /// Keeps a picture of the whole page in `target/pictures`, to be looked at.
    pub fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}-{}.png", self.visitor.told()));
        std::fs::write(file, self.whole_page()).unwrap();
    }

    /// Makes a picture of the top of the page, so many pixels wide and high, for the project's own pages. It goes into
    /// `docs/` when `EENCENT_TEST_PICTURES` is set, and beside the others otherwise: tests leave the sources alone.
    pub fn picture_for_docs(&self, name: &str, (width, height): (u32, u32)) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let taken = self.devtools("Page.captureScreenshot", &json!({ "clip": clip }));
        self.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
        let asked = std::env::var_os("EENCENT_TEST_PICTURES").is_some();
        let folder = if asked { "docs" } else { "target/pictures" };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        std::fs::write(file, STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()).unwrap();
    }

    /// The whole page as a PNG, also what has to be scrolled to.
    pub fn whole_page(&self) -> Vec<u8> {
        let taken = self.devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }

    /// Does something to an element. Where the page was replaced between finding it and doing so, nothing was done,
    /// and it is found anew.
    fn at(&self, css: &str, act: &str, body: &Value) {
        wait_for(&format!("{css} to stay for {act}"), || {
            match self.tried("POST", &format!("{}/{act}", self.element(css)), body) {
                Err(told) if is_gone(&told) => None,
                done => Some(done),
            }
        })
        .unwrap_or_else(|told| panic!("{act} at {css}: {told}"));
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": css }));
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    fn execute(&self, script: &str, arguments: &Value) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.tried(method, path, body)
            .unwrap_or_else(|told| panic!("{method} {path}: {}", told["message"]))
    }

    fn tried(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let bytes = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let path = format!("{}{path}", self.session);
        let mut told = exchange(&self.to, method, &path, &bytes).unwrap();
        let value = told["value"].take();
        if value["error"].is_null() {
            Ok(value)
        } else {
            Err(value)
        }
    }
}

/// Whether the element went with its page. The driver says so in either of two ways.
fn is_gone(told: &Value) -> bool {
    let message = told["message"].as_str().unwrap_or_default();
    told["error"] == "stale element reference" || message.contains("does not belong to the document")
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closing the session closes Chromium; the driver goes after it.
        let _ = exchange(&self.to, "DELETE", &self.session, "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A driver that listens, and on which port. It takes a free port of IPv4 and then wants the same of IPv6: where
/// somebody else has that, it ends, and another one is started.
fn driver(home: &Path) -> (Child, String) {
    for _ in 0..10 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", home)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver; tests/run installs it, or: apt-get install chromium chromium-driver");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let (said, heard) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let port = line.split_once("started successfully on port ");
                port.and_then(|(_, port)| said.send(port.trim_end_matches('.').to_owned()).ok());
            }
        });
        if let Ok(port) = heard.recv_timeout(PATIENCE) {
            return (driver, port);
        }
        let _ = driver.kill();
        let _ = driver.wait();
    }
    panic!("no driver that says its port, ten times")
}

/// One call. The driver keeps its connections open whatever it is told: the answer ends where its length says.
fn exchange(to: &str, method: &str, path: &str, body: &str) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE / 2))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    serde_json::from_slice(&answer).map_err(std::io::Error::other)
}

fn capabilities(visitor: Visitor) -> Value {
    let mut options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--force-color-profile=srgb", "--hide-scrollbars", "--window-size=1200,900"
        ],
        "prefs": { "intl.accept_languages": visitor.language }
    });
    if !visitor.scripts {
        // As a person turns them off. What the driver executes still runs.
        options["prefs"]["profile.managed_default_content_settings.javascript"] = 2.into();
    }
    if visitor.phone {
        options["mobileEmulation"] = json!({
            "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 2.0, "touch": true }
        });
    }
    json!({ "browserName": "chrome", "goog:chromeOptions": options })
}

/// The checker, as `tests/run` puts it beside the Python of the tests.
fn axe() -> String {
    let python = crate::vendors::python();
    let libraries = python.ancestors().nth(2).map(|tools| tools.join("lib")).unwrap();
    let folders = std::fs::read_dir(libraries).unwrap().map_while(Result::ok);
    let script: Option<PathBuf> = folders
        .map(|python| python.path().join("site-packages/axe_playwright_python/axe.min.js"))
        .find(|script| script.exists());
    std::fs::read_to_string(script.expect("axe-core; run tests/run once, it installs it")).unwrap()
}

/// One broken rule, and where.
fn told(violation: &Value) -> String {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut told = format!(
        "{}: {} ({})\n",
        text(violation, "id"),
        text(violation, "help"),
        text(violation, "helpUrl")
    );
    for node in violation["nodes"].as_array().into_iter().flatten() {
        let why = text(node, "failureSummary").replace('\n', "\n      ");
        told.push_str(&format!(
            "  at {}\n    {}\n      {why}\n",
            node["target"],
            text(node, "html")
        ));
    }
    told
}
