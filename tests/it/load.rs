//! Many payments at once, from providers that don't give up, and the count afterwards.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use serde_json::Value;

use crate::mail;
use crate::payments::{MOLLIE, mollie_paid, started, text, wait_for_state};
use crate::server::{Installation, Server, wait_for};

/// So many that wait for their payment.
pub fn activations(server: &Server, many: u32) -> Vec<Value> {
    (1..=many).map(|number| started(server, number, "ideal")).collect()
}

/// What posts notifications to whichever receivers there are, as a load balancer would.
pub struct Load {
    all: usize,
    receivers: Arc<RwLock<Vec<String>>>,
    acknowledged: Arc<Mutex<HashSet<u32>>>,
    refused: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    posters: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    /// Posts each until it is acknowledged, and every fifth once more.
    pub fn start(views: &[Value], holder: fn(u32) -> &'static str, receivers: Vec<String>) -> Self {
        let bodies = (0..).zip(views).map(|(number, view)| {
            let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
            mollie_paid(&event, &payment, text(view, "reference"), holder(number))
        });
        Self::of(bodies, receivers)
    }

    /// The same with these bodies.
    pub fn of(bodies: impl Iterator<Item = Value>, receivers: Vec<String>) -> Self {
        let bodies: Vec<(u32, Vec<u8>)> = (0..).zip(bodies.map(|body| body.to_string().into_bytes())).collect();
        let load = Self {
            all: bodies.len(),
            receivers: Arc::new(RwLock::new(receivers)),
            acknowledged: Arc::default(),
            refused: Arc::default(),
            stop: Arc::default(),
            posters: Vec::new(),
        };
        let posters = (0..4_u32).map(|poster| {
            let mut waiting: Vec<_> = bodies
                .iter()
                .filter(|(number, _)| number % 4 == poster)
                .cloned()
                .collect();
            let (receivers, acknowledged) = (Arc::clone(&load.receivers), Arc::clone(&load.acknowledged));
            let (refused, stop) = (Arc::clone(&load.refused), Arc::clone(&load.stop));
            std::thread::spawn(move || {
                let mut turn = 0_usize;
                while let (Some((number, body)), false) = (waiting.first().cloned(), stop.load(Ordering::SeqCst)) {
                    turn += 1;
                    let signature = eencent_webhooks::signing::mollie(MOLLIE, &body);
                    let headers: Vec<_> = signature.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    // Held over the request: a receiver leaves the list only when nobody is talking to it.
                    let answer = {
                        let receivers = receivers.read().unwrap();
                        let to = receivers.get(turn % receivers.len().max(1));
                        to.map(|to| crate::http::request(to, "POST", "/webhooks/mollie", &headers, &body))
                    };
                    if answer.is_some_and(|answer| answer.is_ok_and(|answer| answer.status == 200)) {
                        let first = acknowledged.lock().unwrap().insert(number);
                        waiting.remove(0);
                        if first && number.is_multiple_of(5) {
                            waiting.push((number, body));
                        }
                    } else {
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                    std::thread::sleep(Duration::from_millis(60));
                }
            })
        });
        Self {
            posters: posters.collect(),
            ..load
        }
    }

    /// Waits until one more was acknowledged, or all are.
    pub fn goes_on(&self) {
        let now = || self.acknowledged.lock().unwrap().len();
        let before = now();
        wait_for("one more to be acknowledged", || {
            (now() > before || before == self.all).then_some(())
        });
    }

    pub fn leaves(&self, receiver: &str) {
        self.receivers.write().unwrap().retain(|one| one != receiver);
    }

    /// All that is left.
    pub fn is_served_by(&self, receiver: &str) {
        *self.receivers.write().unwrap() = vec![receiver.to_owned()];
    }

    pub fn joins(&self, receiver: &str) {
        self.receivers.write().unwrap().push(receiver.to_owned());
    }

    /// How many were acknowledged, and how many requests were not answered with success.
    pub fn ended(self) -> (usize, usize) {
        wait_for("all to be acknowledged", || {
            (self.acknowledged.lock().unwrap().len() == self.all).then_some(())
        });
        for poster in self.posters {
            poster.join().unwrap();
        }
        (self.all, self.refused.load(Ordering::SeqCst))
    }
}

/// Every activation got its link, once, with one e-mail; prints the counts.
pub fn count(server: &Server, installation: &Installation, views: &[Value], acknowledged: usize, refused: usize) {
    for view in views {
        let now = wait_for_state(server, text(view, "id"), "awaiting_confirmation");
        let links = now["history"].as_array().unwrap().iter();
        assert_eq!(links.filter(|line| line["event"] == "link_sent").count(), 1, "{now}");
        assert_eq!(now["payments"].as_array().unwrap().len(), 1, "{now}");
        assert_eq!(now["emails"].as_array().unwrap().len(), 1, "{now}");
    }
    let told = wait_for("every e-mail", || {
        let mut told: HashMap<String, usize> = HashMap::new();
        for email in mail::read(&installation.mail()) {
            *told.entry(email.header("x-activation").to_owned()).or_default() += 1;
        }
        (told.len() == views.len()).then_some(told)
    });
    let twice = told.values().filter(|times| **times > 1).count();
    println!(
        "acknowledged {acknowledged}, approved once {}, told {}, told twice {twice}, requests without success {refused}",
        views.len(),
        told.len()
    );
    assert_eq!(twice, 0, "somebody was told twice");
}
