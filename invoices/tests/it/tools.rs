//! The programs in `tests/tools`, run by the Python that `tests/run` sets up.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn python() -> PathBuf {
    let python = std::env::var_os("EENCENT_TEST_PYTHON").map(PathBuf::from);
    let python =
        python.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/test-tools/bin/python"));
    assert!(
        python.exists(),
        "no Python with the validators at {}; run tests/run once, it makes one",
        python.display()
    );
    python
}

/// What a tool says to an input, as JSON.
pub fn run(tool: &str, arguments: &[&Path], input: &[u8]) -> serde_json::Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(tool);
    let mut child = Command::new(python())
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The tools read all of it before they write.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{tool} failed; if a package is missing, tests/run installs it:\n{said}"
    );
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{tool} answers with JSON:\n{said}"))
}
