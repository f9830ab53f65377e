//! Approvals that take two persons.

use std::time::Duration;

use eencent_activations::desk::operations::Order;
use eencent_activations::desk::{Actor, When};
use eencent_activations::language::Language;
use eencent_activations::people::{Person, Role};
use eencent_activations::personal::HolderName;
use eencent_activations::state::Happening;

use super::{all, by, code, reviewed, stranger};
use crate::office::{Office, another, settings};

async fn two_wanted(which: &str) -> Office {
    let mut settings = settings();
    settings.review.second_person = which.to_owned();
    Office::with(settings).await
}

/// The same account, whatever its name is by now.
fn signed_in(name: &str) -> Actor {
    Actor::signed_in(&Person {
        account: "acc_1".to_owned(),
        name: name.to_owned(),
        email: "a@example.nl".to_owned(),
        roles: vec![Role::Lead],
        language: Language::Dutch,
    })
}

#[tokio::test]
async fn where_it_takes_two_nobody_approves_a_stranger_alone() {
    let office = two_wanted("strong_mismatch").await;
    let view = stranger(&office).await;
    let actor = Actor::console();
    let act = async |person: &str| {
        let mut act = office.act(&view.id).await;
        act.actor = person.to_owned();
        act
    };
    let alone = office
        .desk
        .approve(&Office::key(), &view.id, act("Anna").await, When::Now)
        .await;
    assert_eq!(code(alone), "second_person_needed");
    assert_eq!(
        code(office.desk.confirm_approval(&actor, &view.id, act("Bram").await).await),
        "nothing_proposed"
    );
    office
        .desk
        .propose_approval(&signed_in("Anna"), &view.id, act("Anna").await, When::Now)
        .await
        .unwrap();
    let case = office.desk.case(&view.id).await.unwrap();
    assert_eq!(case.proposal.unwrap().person, "Anna");
    assert!(case.takes_two);
    assert!(office.desk.queue(&all()).await.unwrap().rows[0].proposed);
    assert_eq!(
        code(
            office
                .desk
                .confirm_approval(&actor, &view.id, act(" anna ").await)
                .await
        ),
        "second_person_same"
    );
    // Under another name, but signed in by the same account.
    let renamed = signed_in("Hanna");
    assert_eq!(
        code(
            office
                .desk
                .confirm_approval(&renamed, &view.id, act("Hanna").await)
                .await
        ),
        "second_person_same"
    );
    let alone = office
        .desk
        .approve(&actor, &view.id, act("Bram").await, When::Now)
        .await;
    assert_eq!(code(alone), "second_person_needed", "an approval isn't a confirmation");
    let approved = office
        .desk
        .confirm_approval(&actor, &view.id, act("Bram").await)
        .await
        .unwrap();
    let line = approved.history.last().unwrap();
    assert_eq!(
        (line.event, line.actor.as_str()),
        (Happening::PersonApproved, "Bram (console)")
    );
    assert!(line.reason.contains("proposed by Anna"));
}

#[tokio::test]
async fn a_stranger_whose_name_comes_during_the_review_takes_two_as_well_and_is_shown_beside_the_registered_names() {
    for register_is_asked_first in [false, true] {
        let mut office = two_wanted("strong_mismatch").await;
        let view = office.started("ideal").await;
        let mut unnamed = another("tr_1", 1, &view.reference);
        unnamed.holder = None;
        office.told("event_1", unnamed.clone()).await;
        if register_is_asked_first {
            office.connect_register();
            office.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
        }
        unnamed.holder = HolderName::parse("Slagerij Van Dam");
        office.told("event_2", unnamed).await;
        let act = office.act(&view.id).await;
        let alone = office.desk.approve(&Office::key(), &view.id, act, When::Now).await;
        assert_eq!(code(alone), "second_person_needed");
        let case = office.desk.case(&view.id).await.unwrap();
        assert!(case.takes_two);
    }
}

#[tokio::test]
async fn a_proposal_ends_with_whatever_changes_the_activation() {
    let office = two_wanted("strong_mismatch").await;
    let view = stranger(&office).await;
    let actor = Actor::console();
    let act = office.act(&view.id).await;
    office
        .desk
        .propose_approval(&actor, &view.id, act.clone(), When::Now)
        .await
        .unwrap();
    let mut more = another("tr_7", 1, &view.reference);
    more.holder = HolderName::parse("Slagerij Van Dam");
    office.told("event_7", more).await;
    assert!(office.desk.case(&view.id).await.unwrap().proposal.is_none());
    let mut second = office.act(&view.id).await;
    second.actor = "Bram".into();
    assert_eq!(
        code(office.desk.confirm_approval(&actor, &view.id, second.clone()).await),
        "nothing_proposed"
    );

    let act = office.act(&view.id).await;
    office
        .desk
        .propose_approval(&actor, &view.id, act, When::Now)
        .await
        .unwrap();
    let who = by("Bram");
    let order = Order {
        actor: &who,
        reason: "not so sure",
    };
    office.desk.drop_proposal(order, &view.id).await.unwrap();
    assert_eq!(
        code(office.desk.confirm_approval(&actor, &view.id, second).await),
        "nothing_proposed"
    );
    assert_eq!(
        code(office.desk.drop_proposal(order, &view.id).await),
        "nothing_proposed"
    );
}

#[tokio::test]
async fn a_name_that_has_something_in_common_is_approved_by_one() {
    let office = two_wanted("strong_mismatch").await;
    let near = reviewed(&office, 3, "Zaak Nummer3 Holding B.V.").await;
    assert!(!office.desk.case(&near.id).await.unwrap().takes_two);
    let act = office.act(&near.id).await;
    let proposed = office
        .desk
        .propose_approval(&Actor::console(), &near.id, act.clone(), When::Now)
        .await;
    assert_eq!(code(proposed), "one_person_is_enough");
    office
        .desk
        .approve(&Office::key(), &near.id, act, When::Now)
        .await
        .unwrap();
    let office = two_wanted("always").await;
    let near = reviewed(&office, 3, "Zaak Nummer3 Holding B.V.").await;
    assert!(office.desk.case(&near.id).await.unwrap().takes_two);
}
