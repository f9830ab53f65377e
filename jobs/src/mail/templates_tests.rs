//! An operator's own templates: taken one by one, and refused with file, line and reason.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::path::Path;

use eencent_activations::state::EmailKind;

use super::{Renderer, Templates};
use crate::testing::{data_for, renderer};

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn from(folder: &Path) -> Result<Renderer, Vec<String>> {
    Renderer::new(Templates::read(Some(folder))?, "Platform X")
}

const ROUND_OFF: &str =
    "Subject: Klaar voor {{ organisation }}\n\nHoi {{ greeted or 'daar' }},\n\n[Rond af]({{ link }})\n";

#[test]
fn a_file_takes_the_place_of_the_template_of_its_name_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "nl/round_off.txt", &ROUND_OFF.replace('\n', "\r\n"));
    put(
        folder.path(),
        "nl/_signature.txt",
        "Groet,\n{{ sender }}\n\n{{ organisation }}",
    );
    put(
        folder.path(),
        "layout.html",
        "<html><p>{{ subject }}</p>{% for block in blocks %}{{ block.kind }} {% endfor %}</html>",
    );
    let own = from(folder.path()).unwrap();
    let data = data_for(EmailKind::RoundOff, "nl");
    let rendered = own.render(EmailKind::RoundOff, "nl", &data).unwrap();
    assert_eq!(rendered.subject, "Klaar voor Bakkerij De Korenaar B.V.");
    assert_eq!(
        rendered.text,
        "Hoi Ans Jansen,\n\nRond af:\n@@LINK@@\n\nGroet,\nPlatform X\n\nBakkerij De Korenaar B.V.\n"
    );
    assert!(rendered.html.starts_with("<html><p>Klaar voor"), "{}", rendered.html);
    let english = data_for(EmailKind::RoundOff, "en");
    assert_eq!(
        own.render(EmailKind::RoundOff, "en", &english).unwrap().subject,
        renderer().render(EmailKind::RoundOff, "en", &english).unwrap().subject
    );
    let file = own.templates().file_of(EmailKind::RoundOff, "nl").unwrap();
    assert_eq!(file, folder.path().join("nl/round_off.txt"));
    assert!(own.templates().file_of(EmailKind::RoundOff, "en").is_none());
}

#[test]
fn files_that_are_no_template_are_told_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "nl/round-off.txt", "anything {{ nowhere }}");
    put(folder.path(), "round_off.txt", "x");
    put(folder.path(), "de/round_off.txt", "x");
    put(folder.path(), "nl/.round_off.txt.swp", "x");
    put(folder.path(), ".git/config", "x");
    let own = from(folder.path()).unwrap();
    let strangers: Vec<_> = own
        .templates()
        .strangers
        .iter()
        .map(|file| file.strip_prefix(folder.path()).unwrap())
        .collect();
    assert_eq!(
        strangers,
        [
            Path::new("de"),
            Path::new("nl/round-off.txt"),
            Path::new("round_off.txt")
        ]
    );
}

#[test]
fn fault_59_a_template_that_is_wrong_is_refused_with_file_line_and_reason() {
    let cases: &[(&str, &str, usize, &str)] = &[
        (
            "nl/round_off.txt",
            "Onderwerp: x\n\ny",
            1,
            "must begin with a line \"Subject: ",
        ),
        (
            "nl/round_off.txt",
            "Subject: x\ny [a]({{ link }})",
            2,
            "an empty line must follow",
        ),
        (
            "nl/round_off.txt",
            "Subject: x\nPreheader: y\nz",
            3,
            "an empty line must follow",
        ),
        ("nl/round_off.txt", "Subject: x\n\n\n", 2, "says nothing"),
        (
            "nl/round_off.txt",
            "Subject: x\n\n{{ organisatoin }}\n{{ link }}",
            3,
            "there is no {{ organisatoin }}; there is: organisation,",
        ),
        (
            "nl/round_off.txt",
            "Subject: x\n\na\nb {{ support.emial }}",
            4,
            "there is no {{ support.emial }}",
        ),
        (
            "nl/round_off.txt",
            "Subject: x\n\n{% if organisation %}\nx",
            4,
            "syntax error",
        ),
        ("nl/round_off.txt", "Subject: x\n\n{{ organisation|shout }}", 3, "shout"),
        (
            "nl/round_off.txt",
            "Subject: x\n\n{{ organisation|money(currency, language) }}",
            3,
            "an amount is written like 18.15",
        ),
        // In a branch that the usual case doesn't take.
        (
            "en/expired.txt",
            "Subject: x\n\n{{ organisation }}\n{% if was == 'information_requested' %}\n{{ nowhere }}\n{% endif %}",
            5,
            "there is no {{ nowhere }}",
        ),
        (
            "en/_signature.txt",
            "Regards\n{{ nobody }}",
            2,
            "there is no {{ nobody }}",
        ),
        ("layout.html", "<p>\n\n{{ nothing }}", 3, "there is no {{ nothing }}"),
    ];
    for (name, text, line, reason) in cases {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), name, text);
        let problems = from(folder.path()).map(|_| ()).unwrap_err();
        let wanted = format!("{}, line {line}: ", folder.path().join(name).display());
        let [problem] = problems.as_slice() else {
            unreachable!("{name} {text:?}: told once: {problems:?}");
        };
        assert!(
            problem.starts_with(&wanted) && problem.contains(reason),
            "{text:?}: {problem}"
        );
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "nl/invoice.txt", "Subject: x\n\n{{ a }}");
    put(folder.path(), "en/expired.txt", "Subject: x\n\n{{ b }}");
    // It says nothing of what it is for.
    put(
        folder.path(),
        "en/round_off.txt",
        "Subject: x\n\nWell done, {{ organisation }}.",
    );
    let problems = from(folder.path()).map(|_| ()).unwrap_err();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems
            .iter()
            .any(|one| one.contains("en/round_off.txt: it never says {{ link }}")),
        "{problems:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("nl")).unwrap();
    std::fs::write(folder.path().join("nl/expired.txt"), b"Subject: x\n\n\xff").unwrap();
    put(folder.path(), "en/expired.txt", &"x".repeat(300_000));
    let problems = from(folder.path()).map(|_| ()).unwrap_err();
    assert!(
        problems
            .iter()
            .any(|one| one.ends_with("nl/expired.txt line 3: is not UTF-8; save it in that encoding")),
        "{problems:?}"
    );
    assert!(
        problems.iter().any(|one| one.contains("larger than 256 kB")),
        "{problems:?}"
    );
    let missing = from(&folder.path().join("missing")).map(|_| ()).unwrap_err();
    assert!(missing.iter().all(|one| one.contains("can't be read")), "{missing:?}");
}
