//! The id that an unproven message claims to have, found without parsing it.

/// How far into a body is looked: all providers say the id within the first lines, Adyen after a
/// handful of additional fields.
const LOOKED_AT: usize = 8 * 1024;

/// The text after the first `"name":` of a body, if it looks like an id.
pub(super) fn in_body(body: &[u8], name: &str) -> Option<String> {
    let head = body.get(..body.len().min(LOOKED_AT))?;
    let quoted = format!("\"{name}\"");
    let at = head
        .windows(quoted.len())
        .position(|window| window == quoted.as_bytes())?;
    let rest = head.get(at + quoted.len()..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    plain(std::str::from_utf8(rest.get(..end)?).ok()?)
}

/// The text, if it looks like an id: letters, digits, `_`, `-`, `.` and `:`, 1 to 100 of them.
pub(super) fn plain(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
    ((1..=100).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_plain_id_is_found_and_nothing_else() {
        for (body, found) in [
            (
                r#"{"resource":"event","id" : "event_1","x":{"id":"no"}}"#,
                Some("event_1"),
            ),
            (r#"{"id":"a b"}"#, None),
            (r#"{"id":"a\u0022"}"#, None),
            (r#"{"id":12}"#, None),
            (r#"{"id":"unclosed"#, None),
            (r#"{"id":""}"#, None),
            ("", None),
        ] {
            assert_eq!(in_body(body.as_bytes(), "id").as_deref(), found, "{body}");
        }
    }
}
