//! Clocks that are set while work is under way, and machines whose clocks differ.

use std::path::PathBuf;

use crate::load::{Load, activations, count};
use crate::payments::NAME;
use crate::server::Installation;

/// What a machine's clock is off by, in seconds.
pub fn set(offset: &PathBuf, seconds: i32) {
    // Renamed into place, so that nobody reads half of it.
    let new = offset.with_extension("new");
    std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
    std::fs::rename(new, offset).unwrap();
}

#[test]
fn fault_44_a_clock_that_jumps_an_hour_under_load_loses_nothing_and_repeats_nothing() {
    let installation = Installation::new();
    let offset = installation.path().join("clock");
    set(&offset, 0);
    let mut server = installation.launch_by(&offset, "serve");
    server.wait_until_ready();
    let views = activations(&server, 60);
    let load = Load::start(&views, |_| NAME, vec![server.public.clone()]);
    for seconds in [3_600, 0, -3_600, 3_600, 0] {
        load.goes_on();
        set(&offset, seconds);
        load.goes_on();
    }
    let (acknowledged, refused) = load.ended();
    assert_eq!(refused, 0);
    count(&server, &installation, &views, acknowledged, refused);
}

#[test]
fn fault_44_machines_whose_clocks_differ_by_two_hours_share_the_work_and_tell_nobody_twice() {
    let servers = crate::machines::Servers::start();
    let installation = servers.installation();
    let clock = |name: &str, seconds| {
        let offset = installation.path().join(name);
        set(&offset, seconds);
        offset
    };
    let receiver = installation.role("receive");
    let mut workers = [
        installation.launch_by(&clock("ahead", 3_600), "work"),
        installation.launch_by(&clock("behind", -3_600), "work"),
        installation.launch_by(&clock("right", 0), "work"),
    ];
    for worker in &mut workers {
        worker.wait_until_ready();
    }
    let views = activations(&receiver, 80);
    let load = Load::start(&views, |_| NAME, vec![receiver.public.clone()]);
    let (acknowledged, refused) = load.ended();
    count(&receiver, &installation, &views, acknowledged, refused);
}
