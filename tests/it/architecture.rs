//! The house holds: which of our crates knows which, where the big dependencies stay, and what no file may contain.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use sha2::{Digest as _, Sha256};

/// Who may know whom. `eencent` is the program in `src/`.
const ARROWS: [(&str, &str); 14] = [
    ("eencent", "eencent-webhooks"),
    ("eencent", "eencent-console"),
    ("eencent-console", "eencent-activations"),
    ("eencent-console", "eencent-matching"),
    ("eencent", "eencent-jobs"),
    ("eencent", "eencent-registers"),
    ("eencent", "eencent-activations"),
    ("eencent", "eencent-matching"),
    ("eencent-webhooks", "eencent-activations"),
    ("eencent-jobs", "eencent-activations"),
    ("eencent-registers", "eencent-activations"),
    ("eencent-activations", "eencent-matching"),
    ("eencent-activations", "eencent-invoices"),
    ("eencent", "eencent-invoices"),
];

/// File and folder names that say nothing about what is inside.
const NAMELESS: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "managers"];

#[test]
fn our_crates_know_each_other_along_the_arrows_of_the_design_only() -> Result<()> {
    let packages = packages()?;
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let found: BTreeSet<(&str, &str)> = packages
        .iter()
        .flat_map(|package| built_with(package).map(|dependency| (package.name.as_str(), dependency)))
        .filter(|(_, dependency)| ours.contains(dependency))
        .collect();
    let allowed = BTreeSet::from(ARROWS);
    let others: Vec<_> = found.difference(&allowed).collect();
    ensure!(others.is_empty(), "arrows that the design doesn't have: {others:?}");
    Ok(())
}

#[test]
fn axum_stays_in_webhooks_the_consoles_and_the_program() -> Result<()> {
    stays_in("axum", &["eencent", "eencent-console", "eencent-webhooks"])
}

#[test]
fn apalis_stays_in_jobs() -> Result<()> {
    stays_in("apalis", &["eencent-jobs"])
}

#[test]
fn redis_stays_in_jobs() -> Result<()> {
    stays_in("redis", &["eencent-jobs"])
}

#[test]
fn the_ways_out_over_http_are_in_jobs_and_registers() -> Result<()> {
    stays_in("reqwest", &["eencent-jobs", "eencent-registers"])
}

#[test]
fn statements_are_read_in_webhooks_and_tokens_there_and_at_the_consoles_door() -> Result<()> {
    stays_in("jsonwebtoken", &["eencent-console", "eencent-webhooks"])?;
    stays_in("roxmltree", &["eencent-webhooks"])
}

#[test]
fn traces_are_put_out_by_the_program_and_their_ids_kept_by_activations() -> Result<()> {
    stays_in("opentelemetry", &["eencent", "eencent-activations"])?;
    stays_in("tracing-opentelemetry", &["eencent", "eencent-activations"])?;
    stays_in("opentelemetry_sdk", &["eencent"])?;
    stays_in("prost", &["eencent"])
}

#[test]
fn lettre_stays_in_jobs() -> Result<()> {
    stays_in("lettre", &["eencent-jobs"])
}

#[test]
fn sqlx_stays_in_activations_and_with_the_queue_of_jobs() -> Result<()> {
    stays_in("sqlx", &["eencent-activations", "eencent-jobs"])
}

#[test]
fn matching_does_no_input_or_output() -> Result<()> {
    let packages = packages()?;
    let matching = packages
        .iter()
        .find(|package| package.name.as_str() == "eencent-matching")
        .context("eencent-matching is not in the workspace")?;
    let doing: Vec<&str> = built_with(matching)
        .filter(|name| ["tokio", "futures", "hyper", "reqwest", "sqlx", "tracing"].contains(name))
        .collect();
    ensure!(doing.is_empty(), "eencent-matching is pure, but depends on {doing:?}");
    Ok(())
}

#[test]
fn no_file_names_a_path_of_a_developers_machine_or_a_tool_of_theirs() -> Result<()> {
    // In pieces, or this file would be the first to be found.
    let words = [
        format!("/{}/", "work"),
        format!("farm-{}", "studio"),
        format!("farm-{}", "bench"),
    ];
    let mut named = Vec::new();
    for file in files()? {
        // A link that leads nowhere, or a file that is deleted but not yet committed so.
        let Ok(bytes) = std::fs::read(root().join(&file)) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in (1..).zip(text.lines()) {
            if words.iter().any(|word| line.contains(word)) {
                named.push(format!("{}:{number}", file.display()));
            }
        }
    }
    ensure!(named.is_empty(), "take the paths or tools out of {named:#?}");
    Ok(())
}

#[test]
fn each_fault_has_its_line_and_each_test_that_the_line_names_exists() -> Result<()> {
    let mut tests = HashSet::new();
    for file in files()?
        .iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "rs"))
    {
        let text = std::fs::read_to_string(root().join(file))?;
        let names = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
        tests.extend(
            names
                .map(|(name, _)| name.to_owned())
                .filter(|name| name.starts_with("fault_")),
        );
    }
    let page = std::fs::read_to_string(root().join("docs/faults.md"))?;
    let lines: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| |"))
        .collect();
    let numbers: Vec<usize> = lines
        .iter()
        .filter_map(|line| line.split('|').nth(1)?.trim().parse().ok())
        .collect();
    assert_eq!(numbers, (1..=76).collect::<Vec<_>>());
    let named: HashSet<String> = page
        .split('`')
        .filter(|word| word.starts_with("fault_"))
        .map(str::to_owned)
        .collect();
    let differ: Vec<_> = named.symmetric_difference(&tests).collect();
    assert!(differ.is_empty(), "docs/faults.md and the tests differ: {differ:?}");
    Ok(())
}

/// A database that knows a migration refuses one of the same number that says something else. What has to change is
/// said by a new one.
#[test]
fn a_migration_that_has_landed_is_never_changed() -> Result<()> {
    let landed = [
        (
            "0001_the_truth.sql",
            "d00513720d995f346cd11040338ce54981f21b4b1deb45a46e3d521f8e4faaf1",
        ),
        (
            "0002_reading_back.sql",
            "6482e4b39921089e0b91d654be7aa8a1bee91f6d8f3c07c2d3dd57d47d63e99f",
        ),
        (
            "0003_checkouts.sql",
            "20adebb45b6d3fb37d1c3ec1f03c39d23837279ba2566f24941b1073472a0886",
        ),
        (
            "0004_retention.sql",
            "18a8a08bd33437cf13733ff7c8cc27ca8cb262eacb5fa1e75b485eefe5ab0823",
        ),
        (
            "0005_working.sql",
            "5a7f2a4eb0b722d0bf3265a4048c22a4684749ae18b586699d8106b3e53abfc1",
        ),
        (
            "0006_backlog.sql",
            "efe36a1d38282a5047bcb7e6079fa4e638529c29d73e94c1ddd7d5a070f55a71",
        ),
        (
            "0007_deliveries.sql",
            "569109ecac19d72bfd9f91575f50c7276d52a13ddc4f13e8ae182e506279093c",
        ),
        (
            "0008_documents.sql",
            "6843eec1463a45e5af193c129f55ab334ec0593179147ec06a7323ab43f67977",
        ),
        (
            "0009_register.sql",
            "68733e39b32d76064d875f34374445674dc66f367a0908cddfd94f552e4f1cb5",
        ),
        (
            "0011_platform.sql",
            "7150afa789e19a3f6f7144ee9c2532b1d4520465351a175ba0cf93477f39ce0d",
        ),
        (
            "0012_audit.sql",
            "fe285fa623623c4fe3666cac334e0b0b791a4c98654503dfe6b47d3146860c9d",
        ),
        (
            "0013_operations.sql",
            "123be3ae7c098b9d218b9eda7d4c06cc0e279ccb4b52f284fdfac7e49e4f33fe",
        ),
        (
            "0014_support.sql",
            "ce83f59ddbbe0f0581da1b32fec13aad086bf14b967f5f85e193b9cf62c7c2dd",
        ),
        (
            "0015_people.sql",
            "cd13aac1a8f173cd09d9037d94eee6cbfdbefccee98dfaf0eed850387178e2ac",
        ),
        (
            "0016_traces.sql",
            "baf8a77b6e4ff14062d82a8c5bde223676c1ad106377ec43b9870ec6434319ea",
        ),
        (
            "0017_identity_provider.sql",
            "b0774152185c1afac8f534f7d5b01837fca1d9a743c1806ffa74f1b78d3a9591",
        ),
        (
            "0018_renderings.sql",
            "0eb3c9f43f880f6711ac85a24abd490ebf9ecfefb8a5ade79540f4870e3b640b",
        ),
    ];
    for (file, digest) in landed {
        let text = std::fs::read(root().join("migrations").join(file))?;
        assert_eq!(hex::encode(Sha256::digest(text)), digest, "{file}");
    }
    Ok(())
}

/// The program that is shipped can't be ended by a variable of its environment.
#[test]
fn only_tests_are_built_with_failpoints() -> Result<()> {
    for package in packages()? {
        let mut standard = package.features.get("default").into_iter().flatten();
        assert!(!standard.any(|one| one.contains("failpoints")), "{}", package.name);
        for dependency in &package.dependencies {
            let asked = dependency.features.iter().any(|one| one == "failpoints");
            assert!(
                !asked || dependency.kind == DependencyKind::Development,
                "{}",
                package.name
            );
        }
    }
    Ok(())
}

/// A prepared statement that reads all columns fails when the next version's migration adds one beside it.
#[test]
fn no_statement_reads_whatever_columns_there_are() -> Result<()> {
    for file in files()?
        .iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "rs"))
    {
        let text = std::fs::read_to_string(root().join(file))?;
        let all = ["SELECT ", ", ", "RETURNING "].iter().flat_map(|before| {
            ["", "a.", "e.", "p."]
                .iter()
                .map(move |of| format!("{before}{of}{}", '*'))
        });
        for all in all.filter(|all| !all.starts_with(", *")) {
            let found = text
                .lines()
                .find(|line| line.contains(&all) && line.contains('"') && !line.contains("/*"));
            assert!(found.is_none(), "{}: {found:?}", file.display());
        }
    }
    Ok(())
}

#[test]
fn source_files_are_named_for_what_is_in_them() -> Result<()> {
    let nameless: Vec<PathBuf> = files()?.into_iter().filter(|file| says_nothing(file)).collect();
    ensure!(nameless.is_empty(), "name these for what they hold: {nameless:?}");
    Ok(())
}

#[test]
fn a_name_that_says_nothing_is_seen_as_file_and_as_folder() {
    for bad in [
        "src/utils.rs",
        "jobs/src/helpers/dates.rs",
        "webhooks/src/http/manager.rs",
    ] {
        assert!(says_nothing(Path::new(bad)), "{bad}");
    }
    for good in [
        "src/http.rs",
        "tests/it/common.rs",
        "src/utils.md",
        "jobs/src/mail/commonly.rs",
    ] {
        assert!(!says_nothing(Path::new(good)), "{good}");
    }
}

/// The crate, and its family (`apalis-sqlite` is of apalis), is a direct dependency of these packages at most.
fn stays_in(family: &str, homes: &[&str]) -> Result<()> {
    let strangers: Vec<String> = packages()?
        .iter()
        .filter(|package| !homes.contains(&package.name.as_str()))
        .flat_map(|package| built_with(package).map(move |dependency| (package, dependency)))
        .filter(|(_, dependency)| {
            dependency
                .strip_prefix(family)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
        .map(|(package, dependency)| format!("{} depends on {dependency}", package.name))
        .collect();
    ensure!(strangers.is_empty(), "{family} stays in {homes:?}: {strangers:?}");
    Ok(())
}

/// What a package is built with, optional dependencies included; what only its tests use doesn't count.
fn built_with(package: &Package) -> impl Iterator<Item = &str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| matches!(dependency.kind, DependencyKind::Normal | DependencyKind::Build))
        .map(|dependency| dependency.name.as_str())
}

/// The packages of this workspace, as cargo sees them.
fn packages() -> Result<Vec<Package>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()?;
    Ok(metadata.packages)
}

/// Every file of the project, also those still to be added; not what .gitignore leaves out.
fn files() -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        // A checkout may belong to somebody else than who runs the tests, as in a container.
        .args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .context("git lists the project's files for this test")?;
    ensure!(
        listed.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let files: Vec<PathBuf> = String::from_utf8(listed.stdout)?
        .split_terminator('\0')
        .map(PathBuf::from)
        .collect();
    ensure!(!files.is_empty(), "git lists no files at all");
    Ok(files)
}

fn says_nothing(file: &Path) -> bool {
    let mut below_src = file.iter().skip_while(|part| *part != "src");
    file.extension() == Some(OsStr::new("rs"))
        && below_src.any(|part| {
            Path::new(part)
                .file_stem()
                .and_then(OsStr::to_str)
                .is_some_and(|stem| NAMELESS.contains(&stem))
        })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
