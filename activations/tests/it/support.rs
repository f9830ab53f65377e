//! What support works with.

mod acts;
mod approvals;
mod case;
mod finding;
mod queue;

use eencent_activations::desk::support::QueueFilter;
use eencent_activations::desk::{Actor, NewAccount};
use eencent_activations::language::Language;
use eencent_activations::people::Role;
use eencent_activations::personal::HolderName;
use eencent_activations::refused::{DeskError, Refused};
use eencent_activations::state::State;
use eencent_activations::views::ActivationView;
use std::time::Duration;

use crate::office::{Office, another, kvk};

const HOUR: Duration = Duration::from_secs(3_600);
const IBAN: &str = "NL91ABNA0417164300";

/// An organisation of its own, with an activation in review because `holder` paid for it.
async fn reviewed(office: &Office, number: usize, holder: &str) -> ActivationView {
    let organisation = office
        .register(|new| {
            new.environment = Some(format!("env-{number}"));
            new.legal_name = Some(format!("Zaak Nummer{number} B.V."));
            new.identifiers = vec![kvk(&format!("2000{number:04}"))];
        })
        .await;
    let started = office
        .desk
        .start(&Office::key(), &organisation.id, "ideal")
        .await
        .unwrap();
    let mut told = another(&format!("tr_{number}"), 1, &started.reference);
    told.holder = HolderName::parse(holder);
    office.told(&format!("event_{number}"), told).await;
    let view = office.view(&started.id).await;
    assert_eq!(view.state, State::UnderReview);
    view
}

async fn stranger(office: &Office) -> ActivationView {
    reviewed(office, 1, "Slagerij Van Dam").await
}

async fn person(office: &Office, name: &str) -> String {
    let new = NewAccount {
        email: format!("{}@example.nl", name.to_lowercase()),
        name: name.to_owned(),
        roles: vec![Role::Support],
        language: Language::Dutch,
    };
    let added = office.desk.add_account(&Actor::command_line(), &new, "test").await;
    added.unwrap().account
}

fn by(person: &str) -> Actor {
    Actor::console().as_person(person)
}

async fn ids(office: &Office, filter: &QueueFilter) -> Vec<String> {
    let page = office.desk.queue(filter).await.unwrap();
    page.rows.into_iter().map(|row| row.activation).collect()
}

fn all() -> QueueFilter {
    QueueFilter {
        limit: 50,
        ..QueueFilter::default()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, DeskError>) -> &'static str {
    match result {
        Err(DeskError::Refused(refused)) => {
            let Refused {
                code, text, text_nl, ..
            } = *refused;
            assert!(!text.is_empty() && !text_nl.is_empty());
            code
        }
        other => panic!("{other:?}"),
    }
}
