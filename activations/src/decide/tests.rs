//! Laws of the decision itself; the rules one by one are tested through the desk.

use proptest::prelude::*;

use super::*;
use crate::money::Currency;

fn asked(method: Method) -> Asked {
    Asked {
        method,
        amount: Money::cents(if method == Method::Ideal { 1 } else { 1815 }),
        legal_name: "Bakkerij De Korenaar B.V.".into(),
        trade_names: vec![],
        legal_form: Some("Besloten Vennootschap".into()),
        country: None,
        names_from_register: true,
        names_at: None,
        register: RegisterSays::Current,
        sampled: false,
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_773_133_200)
}

fn any_paid() -> impl Strategy<Value = Paid> {
    let names = prop_oneof![
        Just(Some("BAKKERIJ DE KORENAAR BV")),
        Just(Some("Bakkerij De Korenaar Holding B.V.")),
        Just(None)
    ];
    let amounts = prop_oneof![
        Just(Some(1)),
        Just(Some(1815)),
        Just(Some(1000)),
        Just(None),
        (-5_i64..5000).prop_map(Some)
    ];
    let whens = 0_i64..10_000_000;
    (names, amounts, any::<[bool; 4]>(), whens, 0_u32..1000, 0_u32..3).prop_map(
        |(name, minor, flags, ago, id, account)| {
            let [name_proven, conflicting, reversed, euro] = flags;
            let currency = if euro {
                Currency::EUR
            } else {
                Currency::parse("USD").unwrap_or(Currency::EUR)
            };
            Paid {
                payment_id: format!("tr_{id}"),
                account: format!("account-{account}"),
                amount: minor.map(|minor| Money::new(minor, currency)),
                holder: name.and_then(HolderName::parse),
                account_number: None,
                name_proven,
                name_awaited_until: None,
                conflicting,
                reversed,
                made_at: Timestamp::from_unix_seconds(1_773_133_200 - ago),
            }
        },
    )
}

proptest! {
    #[test]
    fn clear_means_that_every_payment_is_proven_whole_and_by_the_organisation(
        ideal: bool, payments in proptest::collection::vec(any_paid(), 0..4),
    ) {
        let asked = asked(if ideal { Method::Ideal } else { Method::Invoice });
        let decision = decide(&asked, &payments, now());
        if let Outcome::Clear { .. } = decision.outcome {
            prop_assert!(!payments.is_empty());
            for payment in &payments {
                prop_assert!(payment.name_proven && !payment.conflicting && !payment.reversed);
                prop_assert_eq!(payment.amount.map(|amount| amount.currency), Some(Currency::EUR));
                prop_assert_eq!(payment.holder.as_ref().map(HolderName::as_str), Some("BAKKERIJ DE KORENAAR BV"));
            }
            let sum: i64 = payments.iter().filter_map(|payment| payment.amount).map(|amount| amount.minor).sum();
            let enough = if ideal { sum == 1 } else { sum >= 1815 };
            prop_assert!(enough);
        }
    }

    #[test]
    fn entered_names_a_wanted_share_or_nothing_paid_are_never_clear(payments in proptest::collection::vec(any_paid(), 0..4)) {
        let entered = Asked { names_from_register: false, ..asked(Method::Ideal) };
        let sampled = Asked { sampled: true, ..asked(Method::Ideal) };
        let gone = [RegisterSays::Ended, RegisterSays::Unknown, RegisterSays::Nothing];
        let gone = gone.map(|register| Asked { register, ..asked(Method::Ideal) });
        for asked in [entered, sampled].into_iter().chain(gone) {
            let decision = decide(&asked, &payments, now());
            let clear = matches!(decision.outcome, Outcome::Clear { .. });
            prop_assert!(!clear);
        }
        let nothing = decide(&asked(Method::Ideal), &[], now());
        let unclear = matches!(nothing.outcome, Outcome::Unclear { .. });
        prop_assert!(unclear);
    }

    #[test]
    fn the_order_of_the_payments_makes_no_difference(payments in proptest::collection::vec(any_paid(), 2..4)) {
        let asked = asked(Method::Invoice);
        let mut turned = payments.clone();
        turned.reverse();
        let kind = |payments: &[Paid]| std::mem::discriminant(&decide(&asked, payments, now()).outcome);
        prop_assert_eq!(kind(&payments), kind(&turned));
    }

    #[test]
    fn unclear_always_says_why_in_both_languages(payments in proptest::collection::vec(any_paid(), 0..4)) {
        if let Outcome::Unclear { reasons, .. } = decide(&asked(Method::Ideal), &payments, now()).outcome {
            prop_assert!(!reasons.is_empty());
            prop_assert!(reasons.iter().all(|reason| !reason.text.is_empty() && !reason.text_nl.is_empty()));
        }
    }
}
