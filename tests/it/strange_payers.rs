//! What a payer may have put into their name, as each provider tells it, on the pages of the people who look at it.

use crate::payments::{started, text, wait_for_state};
use crate::people::Member;
use crate::server::{Installation, wait_for};

/// Markup, quotes, a template and a script, as the name of an account.
const STRANGE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}";

/// A key as Adyen has them.
const HEX: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

/// Whose messages carry the payer's name and are signed with something that both know, and with what.
const PROVIDERS: [(&str, &str); 8] = [
    ("mollie", "abcdef0123456789"),
    ("adyen", HEX),
    ("adyen_platform", HEX),
    ("stripe", "whsec_strange"),
    ("multisafepay", "the-api-key"),
    ("worldline", "one=secret"),
    ("qonto", "qonto-secret"),
    (
        "standard_webhooks",
        "whsec_YmVuY2hfMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=",
    ),
];

#[test]
fn fault_61_a_payers_name_is_shown_as_text_whichever_provider_told_it() {
    let installation = PROVIDERS
        .iter()
        .fold(Installation::new(), |installation, (name, secret)| {
            let key = |key: &str| format!("WEBHOOKS__STRANGE_{}__{key}", name.to_uppercase());
            let installation = installation.with(&key("PROVIDER"), name);
            match secret.split_once('=') {
                Some((id, secret)) if *name == "worldline" => installation.with(&key(&format!("KEYS__{id}")), secret),
                _ => installation.with(&key("SECRETS"), secret),
            }
        });
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let olga = Member::of(&installation, &server, "Olga Beheer", &["operations"]);
    for (number, (provider, secret)) in (1..).zip(PROVIDERS) {
        let view = started(&server, 62_000_000 + number, "ideal");
        let signed_by = if provider == "worldline" { "--key" } else { "--secret" };
        let url = format!("http://{}/webhooks/strange_{provider}", server.public);
        let sent = installation.run(&[
            "webhook",
            "send",
            "--provider",
            provider,
            signed_by,
            secret,
            "--reference",
            text(&view, "reference"),
            "--name",
            STRANGE,
            &url,
        ]);
        assert!(sent.status.success(), "{provider}: {sent:?}");
        let waits = wait_for_state(&server, text(&view, "id"), "under_review");
        let case = sam
            .get(&server.staff, &format!("/activations/{}", text(&waits, "id")))
            .body;
        let message = wait_for("the message in the list", || {
            let list = olga
                .get(&server.operations, &format!("/notifications?of=strange_{provider}"))
                .body;
            list.split_once("href=\"/notifications/ntf_")
                .map(|(_, rest)| format!("/notifications/ntf_{}", rest.split('"').next().unwrap_or_default()))
        });
        let raw = olga.get(&server.operations, &message);
        assert_eq!(raw.status, 200, "{provider}: {message}");
        assert!(case.contains("alert(1)"), "{provider}: the name is on the page: {case}");
        for page in [&case, &sam.get(&server.staff, "/queue").body, &raw.body] {
            for markup in ["<script>alert", "<img src=x", ">49"] {
                assert!(!page.contains(markup), "{provider}: {markup} in {page}");
            }
        }
    }
}
