//! What holds for every provider, whatever anybody sends and whatever its API answers.

use eencent_activations::reread::{Answer, Step};
use eencent_webhooks::providers::{ALL, Provider};
use proptest::prelude::*;

use crate::desk::{endpoint, fixture, now, read, signed};

fn any_provider() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ALL.map(Provider::name).to_vec())
}

/// A genuine body.
pub(crate) fn genuine(provider: &str) -> Vec<u8> {
    let file = match provider {
        "mollie" => "mollie/event_payment.paid.ideal.json",
        "mollie_classic" => "mollie/classic_ping.form",
        "adyen" => "adyen/authorisation.ideal.success.json",
        "adyen_platform" => "adyen/balancePlatform.transfer.updated.incoming.json",
        "stripe" => "stripe/charge.succeeded.ideal.json",
        "multisafepay" => "multisafepay/ideal.completed.json",
        "buckaroo" => "buckaroo/json.ideal.success.json",
        "paynl" => "paynl/exchange.ideal.paid.json",
        "worldline" => "worldline/direct.payment.captured.ideal.json",
        "worldline_ideal2" => "worldline_ideal2/status.settlement_completed.json",
        "rabo" => "rabo/legacy.notification.json",
        "rabo_v3" => "rabo/v3.order.status.finalized.json",
        "bunq" => "bunq/mutation.received.sct.json",
        "ponto" => "ponto/account.transactionsCreated.json",
        "tink" => "tink/account-transactions.modified.json",
        "gocardless" => "gocardless/webhook.payments_confirmed_and_failed.json",
        "qonto" => return include_bytes!("../../src/examples/qonto.json").to_vec(),
        _ => "standard_webhooks/bank_transfer.received.json",
    };
    fixture(&format!("payloads/{file}")).into_bytes()
}

/// Those whose signature stands in the JSON, or is none: they are signed anew when something is changed.
const WITHIN: [&str; 3] = ["adyen", "rabo", "mollie_classic"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn fault_03_a_body_changed_after_it_was_signed_is_refused(
        provider in any_provider(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        prop_assume!(!WITHIN.contains(&provider));
        let (headers, mut body) = signed(provider, &genuine(provider));
        prop_assert!(read(&endpoint(provider), &headers, &body, now()).is_ok(), "{}", provider);
        let at = at.index(body.len());
        body[at] ^= flip;
        prop_assert!(read(&endpoint(provider), &headers, &body, now()).is_err(), "{}", provider);
    }

    #[test]
    fn fault_02_another_providers_message_is_refused(ours in any_provider(), theirs in any_provider()) {
        // Classic pings are of anybody.
        prop_assume!(ours != theirs && ours != "mollie_classic");
        let (headers, body) = signed(theirs, &genuine(theirs));
        prop_assert!(read(&endpoint(ours), &headers, &body, now()).is_err(), "{} by {}", theirs, ours);
    }

    #[test]
    fn fault_18_whatever_is_signed_says_something_and_nothing_panics(
        provider in any_provider(),
        at in any::<prop::sample::Index>(),
        put in "[\\PC]{0,12}",
        cut in 0_usize..20,
    ) {
        let mut text = String::from_utf8(genuine(provider)).unwrap();
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let mut end = (at + cut).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        text.replace_range(at..end, &put);
        if WITHIN.contains(&provider) && serde_json::from_str::<serde_json::Value>(&text).is_err() {
            return Ok(());
        }
        let (headers, body) = signed(provider, text.as_bytes());
        if let Ok((_, events)) = read(&endpoint(provider), &headers, &body, now()) {
            prop_assert!(!events.is_empty());
            for event in events {
                prop_assert!(!event.event_id.is_empty() && event.event_id.len() <= 200, "{}", event.event_id);
            }
        }
    }

    #[test]
    fn fault_18_whatever_an_api_answers_nothing_panics_and_no_address_leaves_its_base(
        provider in any_provider(),
        subject in prop_oneof![
            "[a-z]{1,12}(/[\\PC]{0,20}){0,4}",
            Just("payment/tr_1".to_owned()),
            Just("transactions/a/b/2026-11-21".to_owned()),
        ],
        answers in prop::collection::vec(
            (100_u16..600, prop_oneof![
                prop::collection::vec(any::<u8>(), 0..60),
                Just(br#"{"access_token":"t","code":"c","links":{"next":"https://elsewhere.example/"},"id":"tr_1"}"#.to_vec()),
            ]),
            0..5,
        ),
    ) {
        let answers: Vec<Answer> = answers.into_iter().map(|(status, body)| Answer { status, body }).collect();
        let endpoint = endpoint(provider);
        if let Step::Ask(request) = endpoint.provider().read_back(&endpoint, &subject, &answers) {
            let uri: http::Uri = request.url.parse().unwrap();
            let host = uri.host().unwrap();
            let known = ["mollie.com", "stripe.com", "gocardless.com", "rabobank.nl", "bunq.com", "ibanity.com", "tink.com", "adyen.com"];
            prop_assert!(known.iter().any(|known| host.ends_with(known)), "{}", request.url);
            prop_assert!(!uri.path().contains("/../") && !uri.path().contains("//"), "{}", request.url);
        }
    }
}
