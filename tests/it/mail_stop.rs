//! All e-mails are held back and let go by one command.

use crate::http::request;
use crate::mail;
use crate::payments::{NAME, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, Server, wait_for};

fn metric(server: &Server, line: &str) -> bool {
    let metrics = request(&server.operations, "GET", "/metrics", &[], b"").unwrap().body;
    metrics.lines().any(|one| one == line)
}

#[test]
fn fault_60_one_command_holds_all_e_mails_back_and_one_lets_each_go_once() {
    let installation = Installation::new();
    let server = installation.serve();
    let who = ["--by", "Jansen", "--reason", "a wrong template"];
    let stopped = installation.run(&[&["mail", "stop"], &who[..]].concat());
    assert!(stopped.status.success(), "{}", stopped.stderr);
    let views: Vec<_> = (1..=3).map(|number| started(&server, number, "ideal")).collect();
    for (number, view) in views.iter().enumerate() {
        let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
        post_mollie(&server, &mollie_paid(&event, &payment, text(view, "reference"), NAME)).unwrap();
        wait_for_state(&server, text(view, "id"), "awaiting_confirmation");
    }
    wait_for("the metrics", || {
        let all = metric(&server, "eencent_waiting{what=\"email\"} 3") && metric(&server, "eencent_mail_stopped 1");
        all.then_some(())
    });
    // Whoever starts now holds them back too.
    server.kill();
    let server = installation.serve();
    wait_for("the metrics", || {
        metric(&server, "eencent_mail_stopped 1").then_some(())
    });
    assert!(mail::read(&installation.mail()).is_empty());
    let status = installation.run(&["mail", "status"]).stdout;
    assert!(
        status.contains("by Jansen") && status.contains("a wrong template"),
        "{status}"
    );
    assert!(status.ends_with("\n3 wait.\n"), "{status}");

    let started = installation.run(&[&["mail", "start"], &who[..]].concat());
    assert!(started.status.success(), "{}", started.stderr);
    wait_for("each e-mail", || {
        (mail::read(&installation.mail()).len() == 3).then_some(())
    });
    wait_for("the metrics", || {
        let all = metric(&server, "eencent_waiting{what=\"email\"} 0") && metric(&server, "eencent_mail_stopped 0");
        all.then_some(())
    });
    assert_eq!(mail::read(&installation.mail()).len(), 3);
}
