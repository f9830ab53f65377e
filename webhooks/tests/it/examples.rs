//! Every provider's signed example is believed, and says what it was asked to say.

use eencent_activations::money::Money;
use eencent_activations::notification::{PaymentStatus, Told};
use eencent_webhooks::examples::{Example, Sender, signed};
use eencent_webhooks::providers::{ALL, Provider};
use serde_json::json;

use crate::desk::{ADYEN, MOLLIE, STANDARD, STRIPE, endpoint, fixture, headers, now, read};

#[test]
fn each_is_believed_by_an_endpoint_with_the_same_secret() {
    let mut without_payment = Vec::new();
    for provider in ALL.map(Provider::name) {
        let secret = match provider {
            "mollie" => MOLLIE.to_owned(),
            "adyen" | "adyen_platform" => ADYEN.to_owned(),
            "rabo" => "c2VjcmV0".to_owned(),
            "standard_webhooks" => STANDARD.to_owned(),
            "bunq" | "ponto" | "rabo_v3" | "worldline_ideal2" => fixture("sender.private.pem"),
            _ => STRIPE.to_owned(),
        };
        let sender = Sender {
            secret,
            key_id: if ["worldline", "paynl"].contains(&provider) {
                "key_1"
            } else {
                "sender_1"
            }
            .to_owned(),
            account: if provider == "ponto" { "app_1" } else { "IBjihN7Fhp" }.to_owned(),
            url: "https://hooks.example.nl/webhooks/buckaroo".to_owned(),
        };
        let example = Example {
            id: "01JD5W9A4H8S".to_owned(),
            reference: "RF48K7M29QTX4BCD".to_owned(),
            holder: "Café \"De Zon\" B.V.".to_owned(),
            amount: Money::cents(250),
            at: now(),
        };
        let (signed_headers, body) = signed(provider, &sender, &example).unwrap();
        let list = headers(signed_headers.iter().map(|(name, value)| (*name, value.as_str())));
        let (_, events) = read(&endpoint(provider), &list, &body, now())
            .unwrap_or_else(|refused| unreachable!("{provider}: {refused}"));
        match &events[0].told {
            Told::Payment(told) if provider == "gocardless" => assert_eq!(told.status, PaymentStatus::Paid),
            Told::Payment(told) => {
                assert_eq!(told.status, PaymentStatus::Paid, "{provider}");
                assert_eq!(told.amount, Some(Money::cents(250)), "{provider}");
                let nameless = provider == "rabo_v3";
                assert_eq!(told.holder.is_none(), nameless, "{provider}");
                assert!(
                    nameless || told.holder.as_ref().unwrap().as_str() == "Café \"De Zon\" B.V.",
                    "{provider}"
                );
                let reference = json!(told.reference).to_string();
                assert!(
                    reference.contains("RF48K7M29QTX4BCD") || provider == "worldline_ideal2",
                    "{provider}: {reference}"
                );
            }
            _ => {
                assert!(events[0].reread.is_some(), "{provider}");
                without_payment.push(provider);
            }
        }
    }
    assert_eq!(without_payment, ["mollie_classic", "rabo", "ponto", "tink"]);
}
