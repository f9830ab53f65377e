//! Fault 55: everything a mail server can do, on a real connection.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::time::Duration;

use super::pretend_server::{Mood, PretendServer};
use super::{Destination, Refused, Transport};
use crate::testing::sealed;

const TIMEOUT: Duration = Duration::from_millis(700);

fn transport(address: &str) -> Transport {
    Transport::new(&Destination::parse(address).unwrap(), TIMEOUT, 4, None).unwrap()
}

async fn hand_over(mood: Mood) -> (Result<(), Refused>, PretendServer) {
    let server = PretendServer::start(mood).await;
    let transport = transport(&format!("smtp://127.0.0.1:{}", server.port));
    (transport.hand_over(&sealed()).await, server)
}

#[tokio::test]
async fn a_server_gets_the_message_as_it_was_sealed_over_one_connection() {
    let server = PretendServer::start(Mood::Good).await;
    let transport = transport(&format!("smtp://me:secret@127.0.0.1:{}", server.port));
    let sealed = sealed();
    for _ in 0..3 {
        transport.hand_over(&sealed).await.unwrap();
    }
    let taken = server.taken();
    assert_eq!(taken.len(), 3);
    for message in taken {
        assert_eq!(
            message.trim_end(),
            String::from_utf8(sealed.bytes.clone()).unwrap().trim_end()
        );
    }
    assert_eq!(*server.connections.lock().unwrap(), 1);
    transport.check().await.unwrap();
}

#[tokio::test]
async fn fault_55_what_is_temporary_is_tried_again_later() {
    for mood in [
        Mood::Greylists,
        Mood::PutsOffMessage,
        Mood::HangsUpAtRecipient,
        Mood::Silent,
    ] {
        let (result, server) = hand_over(mood).await;
        assert!(matches!(result, Err(Refused::Later(_))), "{mood:?}: {result:?}");
        assert!(server.taken().is_empty());
    }
}

#[tokio::test]
async fn fault_55_what_is_refused_for_good_is_given_up_with_the_answer_masked() {
    for (mood, said) in [
        (Mood::RefusesRecipient, "no such user"),
        (Mood::RefusesMessage, "looks like spam"),
    ] {
        let (result, _) = hand_over(mood).await;
        let Err(Refused::Never(error)) = &result else {
            unreachable!("{mood:?}: {result:?}");
        };
        assert!(error.contains(said) && !error.contains("ans@"), "{error}");
    }
}

#[tokio::test]
async fn fault_55_no_answer_after_data_is_uncertain_and_never_taken_for_a_failure() {
    for mood in [Mood::SilentAfterData, Mood::HangsUpAfterData] {
        let (result, server) = hand_over(mood).await;
        assert!(matches!(result, Err(Refused::Uncertain(_))), "{mood:?}: {result:?}");
        assert_eq!(server.taken().len(), 1);
    }
}

#[tokio::test]
async fn fault_55_a_server_that_is_down_or_a_login_that_is_refused_is_mended_by_somebody() {
    let server = PretendServer::start(Mood::RefusesLogin).await;
    let refusing = transport(&format!("smtp://me:geheim@127.0.0.1:{}", server.port));
    let Err(Refused::Later(error)) = refusing.hand_over(&sealed()).await else {
        unreachable!("a refused login is tried again");
    };
    assert!(error.contains("mail.url") && !error.contains("geheim"), "{error}");
    assert!(refusing.check().await.unwrap_err().contains("login"));

    // A port that nobody listens on.
    let port = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let down = transport(&format!("smtp://127.0.0.1:{port}"));
    assert!(matches!(down.hand_over(&sealed()).await, Err(Refused::Later(_))));
    assert!(down.check().await.is_err());
}

#[tokio::test]
async fn fault_55_without_tls_nothing_is_sent_where_tls_is_required() {
    let server = PretendServer::start(Mood::Good).await;
    for scheme in ["smtp://127.0.0.1:{}?tls=required", "smtps://127.0.0.1:{}"] {
        let transport = transport(&scheme.replace("{}", &server.port.to_string()));
        let result = transport.hand_over(&sealed()).await;
        assert!(matches!(result, Err(Refused::Later(_))), "{result:?}");
    }
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_not_a_failure() {
    let server = PretendServer::start(Mood::HangsUpAfterData).await;
    let transport = transport(&format!("smtp://127.0.0.1:{}", server.port));
    assert!(transport.hand_over(&sealed()).await.is_err());
    server.set(Mood::Good);
    transport.hand_over(&sealed()).await.unwrap();
    assert_eq!(server.taken().len(), 2);
}
