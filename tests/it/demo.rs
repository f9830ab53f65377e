//! The demonstration, as a newcomer runs it.

use crate::server::Installation;

#[test]
fn the_demo_does_the_whole_main_job_within_a_minute_at_any_hour() {
    let installation = Installation::new();
    let begun = std::time::Instant::now();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_eencent"));
    let output = command
        .args(["demo", "--exit", "--json"])
        .current_dir(installation.path())
        .env_clear()
        .output()
        .unwrap();
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{told}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
    let results: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert!(results.to_string().contains("activated"), "{results}");
}
