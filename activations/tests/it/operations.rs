//! What operations sees of rows that wait or failed, and what it does about them.

use std::time::Duration;

use eencent_activations::clock::{Clock as _, Timestamp};
use eencent_activations::desk::Actor;
use eencent_activations::desk::operations::mending::{Counted, Mend, Mended};
use eencent_activations::desk::operations::{Order, Replay, Retranslating, Sought, Standing, StoredMessage};
use eencent_activations::ledger::attempts::Outcome;
use eencent_activations::ledger::{Claim, Work};
use eencent_activations::notification::{Event, Refusal, Told};
use eencent_activations::refused::DeskError;
use sha2::{Digest as _, Sha256};
use sqlx::AnyPool;

use crate::office::{LEASE, Office, another, paid};

fn jansen() -> Actor {
    Actor::command_line().as_person("Jansen")
}

fn because<'a>(actor: &'a Actor, reason: &'a str) -> Order<'a> {
    Order { actor, reason }
}

fn failed() -> Sought {
    Sought {
        standing: Some(Standing::Failed),
        ..Sought::default()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, DeskError>) -> &'static str {
    match result.unwrap_err() {
        DeskError::Refused(refused) => refused.code,
        other => panic!("{other}"),
    }
}

async fn take(office: &Office, work: Work) -> Vec<Claim> {
    let now = office.clock.now();
    let due = office.store.due(work, now, 400).await.unwrap();
    let claims = office.store.claim_many(work, &due, now, LEASE).await.unwrap();
    claims.into_iter().flatten().collect()
}

/// Events that wait, of payments that name nothing.
async fn events(office: &Office, many: i64) {
    for number in 1..=many {
        let payment = another(&format!("tr_{number}"), 1, "nothing");
        office.posted(&format!("event_{number}"), payment).await;
        office.clock.advance(Duration::from_secs(1));
    }
}

async fn give_up(office: &Office, work: Work) {
    for claim in take(office, work).await {
        office
            .store
            .give_up(&claim, office.clock.now(), "panicked")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn each_attempt_that_failed_is_kept_with_its_error_and_only_the_newest_twenty() {
    let office = Office::open().await;
    events(&office, 1).await;
    for number in 1..=25 {
        let claim = take(&office, Work::Event).await.remove(0);
        let error = format!("attempt {number} met p.jansen@example.nl");
        let now = office.clock.now();
        office.store.put_back(&claim, now, now, &error).await.unwrap();
    }
    give_up(&office, Work::Event).await;
    let rows = office.desk.work_rows(Work::Event, &failed()).await.unwrap().rows;
    let page = office.desk.work_row(&rows[0].id).await.unwrap();
    assert_eq!((page.row.standing, page.row.attempts), (Standing::Failed, 25));
    assert_eq!(page.attempts.len(), 20);
    assert_eq!(
        (page.attempts[0].number, page.attempts[0].outcome),
        (26, Outcome::GivenUp)
    );
    assert_eq!(page.attempts[1].error, "attempt 25 met p***@example.nl");
    assert_eq!(page.attempts[19].number, 7);
}

#[tokio::test]
async fn a_paused_kind_is_not_begun_by_anybody_until_it_is_resumed() {
    let office = Office::open().await;
    let who = jansen();
    events(&office, 2).await;
    assert!(
        office
            .desk
            .pause_work(Work::Event, because(&who, "a defect"))
            .await
            .unwrap()
    );
    assert!(
        !office
            .desk
            .pause_work(Work::Event, because(&who, "again"))
            .await
            .unwrap()
    );
    let now = office.clock.now();
    assert!(office.store.due(Work::Event, now, 10).await.unwrap().is_empty());
    let rows = office
        .desk
        .work_rows(Work::Event, &Sought::default())
        .await
        .unwrap()
        .rows;
    let hinted: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let claims = office.store.claim_many(Work::Event, &hinted, now, LEASE).await.unwrap();
    assert!(claims.iter().all(Option::is_none));
    let counts = office.desk.work_counts().await.unwrap();
    let events = counts.iter().find(|one| one.kind == "event").unwrap();
    assert_eq!(
        (events.due, events.paused.as_ref().unwrap().reason.as_str()),
        (2, "a defect")
    );
    assert_eq!(
        code(office.desk.resume_work(Work::Event, because(&who, " ")).await),
        "invalid"
    );
    assert!(
        office
            .desk
            .resume_work(Work::Event, because(&who, "mended"))
            .await
            .unwrap()
    );
    assert_eq!(take(&office, Work::Event).await.len(), 2);
    let lines = office.desk.audit_lines(&Sought::default()).await.unwrap().rows;
    let acts: Vec<&str> = lines.iter().map(|line| line.act.as_str()).collect();
    assert_eq!(acts, ["work resumed", "work paused"]);
    assert_eq!(lines[0].actor, "Jansen (command line)");
}

#[tokio::test]
async fn one_row_that_was_set_apart_is_tried_again_and_what_is_done_is_not() {
    let office = Office::open().await;
    let who = jansen();
    let activation = office.started("ideal").await;
    office.posted("event_1", paid(&activation.reference)).await;
    give_up(&office, Work::Event).await;
    let id = office.desk.work_rows(Work::Event, &failed()).await.unwrap().rows[0]
        .id
        .clone();
    office
        .desk
        .mend(Mend::Retry, &id, because(&who, "mended"))
        .await
        .unwrap();
    let page = office.desk.work_row(&id).await.unwrap();
    assert_eq!((page.row.standing, page.row.attempts), (Standing::Waiting, 0));
    assert_eq!(page.attempts[0].outcome, Outcome::Retried);
    assert_eq!(page.attempts[0].error, "Jansen (command line): mended");
    office.work().await;
    assert_eq!(
        office.view(&activation.id).await.state.as_str(),
        "awaiting_confirmation"
    );
    let order = because(&who, "again");
    assert_eq!(code(office.desk.mend(Mend::Retry, &id, order).await), "row_done");
    assert_eq!(
        code(office.desk.mend(Mend::Retry, "evt_none", order).await),
        "row_unknown"
    );
    assert_eq!(
        code(office.desk.mend(Mend::Drop, &activation.id, order).await),
        "approval_not_dropped"
    );
    // Who is at a row isn't disturbed.
    events(&office, 1).await;
    let claim = take(&office, Work::Event).await.remove(0);
    assert_eq!(code(office.desk.mend(Mend::Drop, &claim.id, order).await), "row_begun");
}

#[tokio::test]
async fn all_of_a_filter_are_retried_at_most_as_many_as_were_counted_and_what_came_later_is_not() {
    let office = Office::open().await;
    let who = jansen();
    events(&office, 7).await;
    give_up(&office, Work::Event).await;
    let counted = office.desk.count_work(Work::Event, &failed()).await.unwrap();
    assert_eq!(counted.many, 7);
    office.clock.advance(Duration::from_secs(1));
    office.posted("event_8", another("tr_8", 1, "nothing")).await;
    give_up(&office, Work::Event).await;
    // One is dealt with by somebody else meanwhile.
    let rows = office.desk.work_rows(Work::Event, &failed()).await.unwrap().rows;
    office
        .desk
        .mend(Mend::Drop, &rows[3].id, because(&who, "not ours"))
        .await
        .unwrap();
    let order = because(&who, "mended");
    let mended = office
        .desk
        .mend_all(Mend::Retry, (Work::Event, &failed()), counted, order, |_| ())
        .await
        .unwrap();
    assert_eq!(mended, Mended { done: 6, skipped: 0 });
    let left = office.desk.work_rows(Work::Event, &failed()).await.unwrap().rows;
    assert_eq!(left.len(), 1, "the one that came later");
    let few = Counted { many: 2, ..counted };
    let waiting = Sought {
        standing: Some(Standing::Waiting),
        ..Sought::default()
    };
    let dropped = office
        .desk
        .mend_all(Mend::Drop, (Work::Event, &waiting), few, order, |_| ())
        .await
        .unwrap();
    assert_eq!(dropped.done, 2);
    let dropped = Sought {
        standing: Some(Standing::Dropped),
        oldest_first: true,
        ..Sought::default()
    };
    let rows = office.desk.work_rows(Work::Event, &dropped).await.unwrap().rows;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].about.as_deref(), Some("tr_1"), "the oldest were meant");
    // Dropped isn't gone: it can be tried again.
    office.desk.mend(Mend::Retry, &rows[0].id, order).await.unwrap();
    assert_eq!(
        code(office.desk.count_work(Work::Event, &Sought::default()).await),
        "standing_needed"
    );
    let acts = Sought {
        of: Some("work retried".to_owned()),
        ..Sought::default()
    };
    let lines = office.desk.audit_lines(&acts).await.unwrap().rows;
    assert!(lines.iter().any(|line| line.reason == "done 6, skipped 0"), "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.reason.contains("6 of kind event, failed: mended")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn failed_e_mails_go_again_only_as_long_as_what_they_say_holds() {
    let office = Office::open().await;
    let who = jansen();
    let one = office.started("ideal").await;
    office.told("event_1", paid(&one.reference)).await;
    let other = office.register(|new| new.environment = Some("env-2".into())).await;
    let other = office.desk.start(&Office::key(), &other.id, "invoice").await.unwrap();
    give_up(&office, Work::Email).await;
    // Its link is replaced: the e-mail with the first one leads nowhere.
    office.desk.resend(&Actor::key("platform"), &one.id).await.unwrap();
    let counted = office.desk.count_work(Work::Email, &failed()).await.unwrap();
    assert_eq!(counted.many, 2);
    let mended = office
        .desk
        .mend_all(
            Mend::Retry,
            (Work::Email, &failed()),
            counted,
            because(&who, "server is back"),
            |_| (),
        )
        .await
        .unwrap();
    assert_eq!(mended, Mended { done: 1, skipped: 1 });
    let emails = office.view(&other.id).await.emails;
    assert_eq!(emails[0].state, "waiting");
    let of = Sought {
        of: Some("invoice".to_owned()),
        text: Some(other.reference.clone()),
        ..Sought::default()
    };
    assert_eq!(office.desk.work_rows(Work::Email, &of).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn every_kind_of_work_can_be_given_up_listed_retried_and_dropped() {
    let office = Office::open().await;
    let who = jansen();
    let activation = office.started("invoice").await;
    events(&office, 1).await;
    for (work, about) in [
        (Work::Event, "tr_1"),
        (Work::Email, activation.reference.as_str()),
        (Work::Delivery, activation.id.as_str()),
    ] {
        give_up(&office, work).await;
        let named = Sought {
            text: Some(about.to_owned()),
            ..failed()
        };
        let rows = office.desk.work_rows(work, &named).await.unwrap().rows;
        assert_eq!(rows.len(), 1, "{work}");
        let id = rows[0].id.clone();
        office.desk.mend(Mend::Retry, &id, because(&who, "x")).await.unwrap();
        assert_eq!(office.desk.work_row(&id).await.unwrap().row.standing, Standing::Waiting);
        assert_eq!(take(&office, work).await.len(), 1, "{work}");
        office.clock.advance(LEASE + Duration::from_secs(1));
        office.desk.mend(Mend::Drop, &id, because(&who, "x")).await.unwrap();
        assert_eq!(office.desk.work_row(&id).await.unwrap().row.standing, Standing::Dropped);
        assert!(take(&office, work).await.is_empty(), "{work}");
        assert!(office.desk.work_rows(work, &failed()).await.unwrap().rows.is_empty());
    }
}

#[tokio::test]
async fn pages_of_a_list_follow_each_other_in_both_orders() {
    let office = Office::open().await;
    events(&office, 9).await;
    for oldest_first in [false, true] {
        let mut sought = Sought {
            oldest_first,
            limit: 4,
            ..Sought::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = office.desk.messages(&sought).await.unwrap();
            seen.extend(
                page.rows
                    .into_iter()
                    .map(|row| row.events[0].payment_id.clone().unwrap()),
            );
            match page.next {
                Some(next) => sought.after = Some(next),
                None => break,
            }
        }
        let mut expected: Vec<String> = (1..=9).map(|number| format!("tr_{number}")).collect();
        if !oldest_first {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
    let since: Timestamp = office.clock.now().minus(Duration::from_secs(3));
    let sought = Sought {
        since: Some(since),
        of: Some("mollie".to_owned()),
        standing: Some(Standing::Waiting),
        ..Sought::default()
    };
    assert_eq!(office.desk.messages(&sought).await.unwrap().rows.len(), 3);
    let named = Sought {
        text: Some("event_5".to_owned()),
        ..Sought::default()
    };
    assert_eq!(office.desk.messages(&named).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_message_is_shown_with_its_body_masked() {
    let office = Office::open().await;
    let body = br#"{"id":"tr_1","consumerName":"P. Jansen","iban":"NL91ABNA0417164300"}"#;
    office
        .receipt("mollie", "event_1", body, Told::Payment(Box::new(paid("x"))))
        .await;
    let row = office.desk.messages(&Sought::default()).await.unwrap().rows.remove(0);
    let page = office.desk.message(&row.id).await.unwrap();
    let shown = format!("{page:?}");
    assert!(page.body.unwrap().contains("tr_1"));
    for never in ["Jansen", "NL91ABNA0417164300", "Korenaar"] {
        assert!(!shown.contains(never), "{never}: {shown}");
    }
}

/// A program that reads what the one before could not.
struct NewerProgram;

impl Retranslating for NewerProgram {
    fn retranslate(&self, message: &StoredMessage) -> Result<Vec<Event>, String> {
        if message.endpoint == "gone" {
            return Err("the endpoint is gone".to_owned());
        }
        let payment = serde_json::from_slice(&message.body).map_err(|error| error.to_string())?;
        let told = Told::Payment(Box::new(payment));
        Ok(vec![Event {
            event_id: "event_1".to_owned(),
            digest: Sha256::digest(&message.body).into(),
            told,
            reread: None,
        }])
    }
}

#[tokio::test]
async fn after_a_defect_was_mended_stored_messages_are_read_again_and_do_what_they_should_have_done_once() {
    let office = Office::open().await;
    let who = jansen();
    let activation = office.started("ideal").await;
    let payment = paid(&activation.reference);
    let body = serde_json::to_vec(&payment).unwrap();
    let unreadable = || Told::Quarantined("a field that is not known".to_owned());
    office.receipt("mollie", "event_1", &body, unreadable()).await;
    office.receipt("gone", "event_2", &body, unreadable()).await;
    let id = office
        .desk
        .work_rows(Work::Event, &failed())
        .await
        .unwrap()
        .rows
        .pop()
        .unwrap()
        .id;
    let order = because(&who, "mended");
    assert_eq!(
        code(office.desk.mend(Mend::Retry, &id, order).await),
        "event_unreadable"
    );
    let replay = Replay {
        since: office.clock.now().minus(Duration::from_secs(60)),
        until: None,
        endpoint: None,
        all: false,
        dry_run: true,
    };
    office.clock.advance(Duration::from_secs(1));
    let told = office.desk.replay(&replay, &NewerProgram, order, |_| ()).await.unwrap();
    assert_eq!((told.messages, told.left, told.waiting()), (1, 1, 1));
    office.work().await;
    assert_eq!(office.view(&activation.id).await.state.as_str(), "awaiting_payment");

    let replay = Replay {
        dry_run: false,
        ..replay
    };
    let done = office.desk.replay(&replay, &NewerProgram, order, |_| ()).await.unwrap();
    assert_eq!(done.waiting(), 1);
    office.work().await;
    assert_eq!(
        office.view(&activation.id).await.state.as_str(),
        "awaiting_confirmation"
    );
    assert_eq!(office.emails(&activation.id).await.get("round_off"), Some(&1));
    let attempts = office.desk.work_row(&id).await.unwrap().attempts;
    assert_eq!(attempts[0].outcome, Outcome::Replayed);

    // The provider sends it once more: a repeat, since what it says is known now.
    office.posted("event_1", payment.clone()).await;
    office.posted("event_3", payment).await;
    assert!(take(&office, Work::Event).await.is_empty());
    // And everything once more does nothing twice.
    let all = Replay { all: true, ..replay };
    let again = office.desk.replay(&all, &NewerProgram, order, |_| ()).await.unwrap();
    assert_eq!(again.waiting(), 1);
    office.work().await;
    assert_eq!(office.view(&activation.id).await.payments.len(), 1);
    assert_eq!(office.emails(&activation.id).await.get("round_off"), Some(&1));
}

#[tokio::test]
async fn a_wrong_secret_shows_in_the_overview_and_every_minute_is_counted_once() {
    let office = Office::open().await;
    let activation = office.started("ideal").await;
    office.told("event_1", paid(&activation.reference)).await;
    for number in 0..50 {
        office.inbox.refused(Refusal {
            endpoint: "adyen".to_owned(),
            received_at: office.clock.now(),
            request_id: format!("req_bad_{number:02}"),
            code: "signature_mismatch".to_owned(),
            reason: "the secret is another".to_owned(),
            claimed_id: None,
            remote: "192.0.2.1".to_owned(),
        });
    }
    events(&office, 1).await;
    give_up(&office, Work::Event).await;
    office.inbox.close().await;
    office.clock.advance(Duration::from_secs(75));
    assert!(office.desk.tally().await.unwrap());
    assert!(!office.desk.tally().await.unwrap());
    let overview = office.desk.overview().await.unwrap();
    let adyen = overview.providers.iter().find(|one| one.endpoint == "adyen").unwrap();
    assert_eq!(
        (adyen.taken, adyen.refused, adyen.refused_percent),
        (0, 50, 100),
        "not only the samples"
    );
    assert_eq!(adyen.why[0].code, "signature_mismatch");
    let mollie = overview.providers.iter().find(|one| one.endpoint == "mollie").unwrap();
    assert_eq!((mollie.taken, mollie.refused), (2, 0));
    let hour = overview.hours.last().unwrap();
    assert_eq!((hour.taken, hour.refused, hour.decided, hour.approved), (2, 50, 1, 1));
    assert_eq!(hour.given_up, 1);
    assert!(hour.waiting >= 1, "its e-mail");
    assert_eq!((overview.hours.len(), overview.minutes.len()), (24, 60));
    assert_eq!(overview.latency.decisions, 1);
    let refused = Sought {
        of: Some("adyen".to_owned()),
        ..Sought::default()
    };
    assert_eq!(office.desk.refused_requests(&refused).await.unwrap().rows.len(), 20);
}

#[tokio::test]
async fn fault_76_an_endpoint_that_is_silent_for_longer_than_it_ever_was_is_told_until_it_speaks() {
    let office = Office::open().await;
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let minute = office.clock.now().unix_seconds() / 60;
    let taken = async |part: &str, at: i64| {
        sqlx::query("INSERT INTO tallies (minute, what, part, many) VALUES ($1, 'taken', $2, 1)")
            .bind(at)
            .bind(part)
            .execute(&pool)
            .await
            .unwrap();
    };
    // Four days, each with nine hours of messages and a night of fifteen; the last at the end of a day.
    for hour in (0..9).flat_map(|hour| (0..4).map(move |day| day * 24 + hour)) {
        taken("mollie", minute - hour * 60 - 1).await;
    }
    // As silent as that, and nothing unusual: one that speaks once a day, and one that has hardly spoken yet.
    for day in 1..4 {
        taken("bank", minute - day * 24 * 60).await;
    }
    let silent = async || {
        office.desk.tally().await.unwrap();
        let overview = office.desk.overview().await.unwrap();
        let told = overview.silent.into_iter();
        told.map(|one| (one.endpoint, one.minutes)).collect::<Vec<_>>()
    };
    assert_eq!(silent().await, []);
    // A night, and a night and a day: it was silent for 16 hours before.
    for hours in [16, 15] {
        office.clock.advance(Duration::from_secs(hours * 3_600));
        assert_eq!(silent().await, []);
    }
    office.clock.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(silent().await, [("mollie".to_owned(), 33 * 60 - 1)]);
    taken("mollie", office.clock.now().unix_seconds() / 60 - 1).await;
    office.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(silent().await, []);
}

#[tokio::test]
async fn a_schedule_that_is_asked_for_runs_once_on_all_machines() {
    let office = Office::open().await;
    let who = jansen();
    let order = because(&who, "the disk is full");
    assert!(office.desk.ask_schedule("purge", order).await.unwrap());
    assert!(!office.desk.ask_schedule("purge", order).await.unwrap());
    assert!(!office.desk.take_asked_schedule("time_passes").await.unwrap());
    let (one, other) = tokio::join!(
        office.desk.take_asked_schedule("purge"),
        office.desk.take_asked_schedule("purge")
    );
    assert_ne!(one.unwrap(), other.unwrap());
    assert!(office.desk.asked_schedules().await.unwrap().is_empty());
    let ran = office.desk.schedules_ran().await.unwrap();
    assert_eq!(ran, [("purge".to_owned(), office.clock.now())]);
}

/// Rows of the kinds that nothing in these tests makes by itself.
async fn insert(office: &Office, activation: &str) {
    let pool = sqlx::AnyPool::connect(&office.url).await.unwrap();
    for sql in [
        "INSERT INTO rereads (id, endpoint, subject, event, asked_at, state, last_error) VALUES ('rrd_1_0', 'mollie', 'payment/tr_1', 'evt_1', $2, 'failed', $1)",
        "INSERT INTO checkouts (id, activation_id, endpoint, created_at, state) VALUES ('chk_1', $1, 'mollie', $2, 'failed')",
        "INSERT INTO refreshes (id, activation_id, asked_at, state) VALUES ('rfr_1', $1, $2, 'failed')",
    ] {
        let query = sqlx::query(sql).bind(activation).bind(office.clock.now().micros());
        query.execute(&pool).await.unwrap();
    }
}

#[tokio::test]
async fn the_other_kinds_of_work_are_retried_and_dropped_alike() {
    let office = Office::open().await;
    let who = jansen();
    let activation = office.started("ideal").await;
    insert(&office, &activation.id).await;
    for (work, id) in [
        (Work::Reread, "rrd_1_0"),
        (Work::Checkout, "chk_1"),
        (Work::Names, "rfr_1"),
    ] {
        assert_eq!(
            office.desk.work_rows(work, &failed()).await.unwrap().rows.len(),
            1,
            "{work}"
        );
        office.desk.mend(Mend::Retry, id, because(&who, "x")).await.unwrap();
        assert_eq!(take(&office, work).await.len(), 1, "{work}");
        office.clock.advance(LEASE + Duration::from_secs(1));
        office.desk.mend(Mend::Drop, id, because(&who, "x")).await.unwrap();
        let page = office.desk.work_row(id).await.unwrap();
        assert_eq!(
            (page.row.standing, page.attempts.len()),
            (Standing::Dropped, 2),
            "{work}"
        );
    }
    // Dropping an approval that was set apart is refused; retrying it is not.
    office.told("event_1", paid(&activation.reference)).await;
    let approvals = office.desk.work_rows(Work::Approval, &Sought::default()).await.unwrap();
    assert!(approvals.rows.is_empty(), "it was carried out");
}

#[tokio::test]
async fn every_list_answers_to_every_filter_in_both_orders() {
    let office = Office::open().await;
    let activation = office.started("ideal").await;
    insert(&office, &activation.id).await;
    office.told("event_1", paid(&activation.reference)).await;
    let now = office.clock.now();
    let standings = Standing::ALL.iter().copied().map(Some).chain([None]);
    for standing in standings {
        for filter in 0..32 {
            let sought = Sought {
                standing,
                of: (filter & 1 == 1).then(|| "mollie".to_owned()),
                since: (filter & 2 == 2).then(|| now.minus(Duration::from_secs(60))),
                until: (filter & 4 == 4).then(|| now.plus(Duration::from_secs(60))),
                text: (filter & 8 == 8).then(|| activation.reference.clone()),
                after: (filter & 16 == 16).then(|| "x".to_owned()),
                oldest_first: filter % 3 == 0,
                limit: 10,
            };
            for work in Work::ALL {
                office.desk.work_rows(*work, &sought).await.unwrap();
            }
            office.desk.messages(&sought).await.unwrap();
            office.desk.refused_requests(&sought).await.unwrap();
            office.desk.audit_lines(&sought).await.unwrap();
        }
    }
}
