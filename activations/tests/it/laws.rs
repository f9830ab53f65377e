//! Laws: the order in which events arrive makes no difference to what is known in the end.

use eencent_activations::notification::PaymentStatus;
use eencent_activations::state::State;
use proptest::prelude::*;

use crate::office::{Office, paid, status};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn fault_12_events_of_one_payment_in_any_order_make_one_picture(
        order in Just(vec![PaymentStatus::Pending, PaymentStatus::Expired, PaymentStatus::Paid]).prop_shuffle(),
        repeats in proptest::collection::vec(0_usize..3, 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open().await;
            let view = office.started("ideal").await;
            let told = |one: PaymentStatus| match one {
                PaymentStatus::Paid => paid(&view.reference),
                other => status(&view.reference, other),
            };
            let again = repeats.iter().map(|at| order[*at]);
            for one in order.iter().copied().chain(again) {
                office.told(&format!("event_{}", one.as_str()), told(one)).await;
            }
            let now = office.view(&view.id).await;
            assert_eq!((now.state, now.payments[0].status.as_str()), (State::AwaitingConfirmation, "paid"));
            assert_eq!(office.emails(&view.id).await.len(), 1);
        });
    }

    #[test]
    fn a_reversed_payment_activates_nobody_in_whatever_order_it_is_told(
        order in Just(vec![PaymentStatus::Pending, PaymentStatus::Paid, PaymentStatus::Refunded]).prop_shuffle(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open().await;
            let view = office.started("ideal").await;
            for one in order {
                let told = if one == PaymentStatus::Paid { paid(&view.reference) } else { status(&view.reference, one) };
                office.told(&format!("event_{}", one.as_str()), told).await;
            }
            assert_eq!(office.view(&view.id).await.state, State::UnderReview);
        });
    }
}
