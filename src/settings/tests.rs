use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn nothing_has_to_be_set() {
    let settings = load_from(None, []).unwrap();
    assert!(settings.database.url.starts_with("sqlite://"));
    assert!(
        settings.api.keys.is_empty() && settings.webhooks.is_empty(),
        "no default secrets"
    );
}

#[test]
fn every_key_of_the_defaults_is_explained() {
    let mut explained = false;
    for line in DEFAULT.lines() {
        if line.starts_with('[') {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if let Some((key, _)) = line.split_once(" = ") {
            assert!(explained, "{key} has no comment above it or above its group");
        }
    }
}

#[test]
fn the_environment_goes_before_the_file_and_the_file_before_the_defaults() {
    let file = file("[listen]\npublic = \"127.0.0.1:1\"\nstaff = \"127.0.0.1:2\"\n");
    let set = variables(&[
        ("EENCENT__LISTEN__PUBLIC", "127.0.0.1:3"),
        ("EENCENT_CONFIG", "elsewhere"),
    ]);
    let settings = load_from(Some(file.path()), set).unwrap();
    assert_eq!(settings.listen.public, "127.0.0.1:3");
    assert_eq!(settings.listen.staff, "127.0.0.1:2");
    assert_eq!(settings.listen.operations, "127.0.0.1:8082");
}

#[test]
fn a_value_is_text_or_a_list_and_the_defaults_know_numbers() {
    let settings = load_from(
        None,
        variables(&[
            ("EENCENT__LISTEN__CONNECTIONS", "12"),
            ("EENCENT__API__KEYS", "0123456789012345678901234567890123"),
            ("EENCENT__WEBHOOKS__MY_BANK__PROVIDER", "mollie"),
            ("EENCENT__WEBHOOKS__MY_BANK__SECRETS", "[\"1234\", \"true\"]"),
            ("EENCENT__WEBHOOKS__OTHER__PROVIDER", "mollie"),
            ("EENCENT__WEBHOOKS__OTHER__SECRETS", "[not a list"),
            ("EENCENT__WEBHOOKS__OTHER__MODE", "test"),
        ]),
    )
    .unwrap();
    assert_eq!(settings.listen.connections, 12);
    assert_eq!(settings.api.keys.len(), 1);
    assert_eq!(settings.webhooks.get("my_bank").unwrap().secrets(), 2);
    assert_eq!(settings.webhooks.get("other").unwrap().secrets(), 1);
}

#[test]
fn fault_71_everything_that_is_wrong_is_told_at_once_and_no_secret_is() {
    let file = file(
        "[listen]\npubic = \"x\"\nconnections = \"many\"\n[api]\nkeys = [\"hunter2hunter2\"]\n[nonsense]\na = 1\n",
    );
    let set = variables(&[
        ("EENCENT__WEBHOOKS__MOLLIE__PROVIDER", "moly"),
        ("EENCENT__WEBHOOKS__MOLLIE__SECRETS", "s3cr3t-of-mollie"),
        ("EENCENT__WEBHOOKS__MOLLIE__SECRET", "s3cr3t-of-mollie"),
        ("EENCENT__DATABASE__URL", "mysql://u:s3cr3t-of-database@h/d"),
        ("EENCENT__OFFICE__HOURS", "Mo-Fr off"),
        ("EENCENT__LOG__FORMAT", "xml"),
        ("EENCENT__PUBLIC__URL", "activate.example.nl"),
    ]);
    let problems = load_from(Some(file.path()), set).unwrap_err();
    let told = problems.to_string();
    for part in [
        "`listen.pubic`",
        "did you mean `listen.public`",
        "`listen.connections`",
        "`api.keys` number 1",
        "`nonsense`",
        "webhooks.mollie.provider",
        "EENCENT__WEBHOOKS__MOLLIE__SECRET is not",
        "EENCENT__WEBHOOKS__MOLLIE__SECRETS?",
        "`database.url`",
        "office",
        "`log.format`",
        "`public.url`",
    ] {
        assert!(told.contains(part), "{part} is missing in:\n{told}");
    }
    assert!(!told.contains("s3cr3t") && !told.contains("hunter2"), "{told}");
    assert!(
        !format!(
            "{:?}",
            load_from(None, variables(&[("EENCENT__API__KEYS", &"hunter2".repeat(9))])).unwrap()
        )
        .contains("hunter2")
    );
}

#[test]
fn fault_71_a_line_that_is_not_toml_is_named_by_place_only() {
    let file = file("[api]\nkeys = [\"hunter2hunter2\n");
    let told = load_from(Some(file.path()), []).unwrap_err().to_string();
    assert!(told.contains("line 2") && !told.contains("hunter2"), "{told}");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let told = load_from(Some(Path::new("/nowhere/eencent.toml")), [])
        .unwrap_err()
        .to_string();
    assert!(told.contains("/nowhere/eencent.toml"), "{told}");
}

#[test]
fn the_queue_and_the_database_are_not_one_file() {
    let set = variables(&[
        ("EENCENT__DATABASE__URL", "sqlite://eencent-data/eencent.db?mode=rwc"),
        ("EENCENT__QUEUE__URL", "sqlite://./eencent-data/eencent.db"),
        ("EENCENT__LOG__FORMAT", "xml"),
    ]);
    let told = load_from(None, set).unwrap_err().to_string();
    assert!(
        told.contains("`queue.url` and `database.url` are the same file"),
        "{told}"
    );
    assert!(told.contains("`log.format`"), "{told}");
}

#[test]
fn a_level_is_one_that_exists() {
    for (level, fits) in [
        ("info,eencent=debug", true),
        ("WARN", true),
        ("loud", false),
        ("info,loud", false),
        ("eencent=loud", false),
    ] {
        let told = load_from(None, variables(&[("EENCENT__LOG__LEVEL", level)]));
        assert_eq!(told.is_ok(), fits, "{level}");
    }
}

#[test]
fn fault_23_71_proxies_that_cannot_be_trusted_are_told_by_number() {
    let told = load_from(
        None,
        variables(&[
            (
                "EENCENT__LISTEN__TRUSTED_PROXIES",
                r#"["10.0.0.0/8", "proxy.example", "0.0.0.0/0"]"#,
            ),
            ("EENCENT__LISTEN__PROXY_HEADER", "x-real-ip"),
            ("EENCENT__LISTEN__REFUSALS_A_MINUTE", "0"),
        ]),
    )
    .unwrap_err()
    .to_string();
    for expected in [
        "`listen.trusted_proxies` number 2 must be an address or a network",
        "`listen.trusted_proxies` number 3 is every address there is",
        "`listen.proxy_header` must be x-forwarded-for or forwarded",
        "`listen.refusals_a_minute` must be 1 or more",
    ] {
        assert!(told.contains(expected), "{expected} is missing in:\n{told}");
    }
}
