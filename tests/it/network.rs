//! Connections to PostgreSQL, Redis and a mail server that are cut, held up and garbled under load; counted by id.

use std::collections::HashMap;

use crate::load::{Load, activations, count};
use crate::machines::Servers;
use crate::mail;
use crate::payments::{NAME, activation, text, wait_for_state};
use crate::proxy::{Proxy, Weather};
use crate::server::{Installation, wait_for};
use crate::vendors::MailServer;

const BAD: [Weather; 3] = [Weather::Cut, Weather::Stalled, Weather::Garbled];

/// A receiver and two workers, whose connections through the proxy have bad weather twice; how many requests were
/// answered without success.
fn under_load(installation: &Installation, proxy: &Proxy) -> usize {
    let server = installation.role("receive");
    let _workers = [installation.role("work"), installation.role("work")];
    let views = activations(&server, 80);
    let load = Load::start(&views, |_| NAME, vec![server.public.clone()]);
    for weather in BAD.into_iter().chain(BAD) {
        proxy.through(weather, 40);
        load.goes_on();
    }
    let (acknowledged, refused) = load.ended();
    count(&server, installation, &views, acknowledged, refused);
    refused
}

#[test]
fn fault_25_27_33_connections_to_postgresql_are_cut_stalled_and_garbled_and_nothing_is_lost() {
    let servers = Servers::start();
    let proxy = Proxy::to(servers.postgres_port);
    under_load(&servers.installation_on(proxy.port, servers.redis_port), &proxy);
}

#[test]
fn fault_34_connections_to_redis_are_cut_stalled_and_garbled_and_no_request_is_refused() {
    let servers = Servers::start();
    let proxy = Proxy::to(servers.redis_port);
    let refused = under_load(&servers.installation_on(servers.postgres_port, proxy.port), &proxy);
    assert_eq!(refused, 0, "the queue is a hint; its absence refuses nothing");
}

#[test]
fn fault_55_connections_to_the_mail_server_are_cut_stalled_and_garbled_and_each_e_mail_arrives() {
    let mail = MailServer::start();
    let proxy = Proxy::to(mail.port);
    let installation = Installation::new()
        .with("MAIL__URL", &format!("smtp://127.0.0.1:{}", proxy.port))
        .with("PUBLIC__URL", "https://activate.example.nl");
    let server = installation.serve();
    let views = activations(&server, 40);
    let load = Load::start(&views, |_| NAME, vec![server.public.clone()]);
    for weather in BAD {
        proxy.through(weather, 6);
    }
    load.ended();
    let mut copies: HashMap<String, Vec<String>> = HashMap::new();
    for view in &views {
        wait_for_state(&server, text(view, "id"), "awaiting_confirmation");
        let sent = wait_for("the e-mail to be sent", || {
            let now = activation(&server, text(view, "id"));
            (now["emails"][0]["state"] == "sent").then_some(now)
        });
        copies.insert(text(&sent["emails"][0], "message_id").to_owned(), Vec::new());
    }
    for email in mail::read(mail.folder.path()) {
        let of = copies.get_mut(email.header("message-id")).unwrap();
        of.push(format!("{}{}", email.head, email.text));
    }
    for (id, copies) in &copies {
        assert!(!copies.is_empty(), "{id} was never handed over");
        assert!(
            copies.iter().all(|copy| *copy == copies[0]),
            "{id} came in two wordings"
        );
    }
}
