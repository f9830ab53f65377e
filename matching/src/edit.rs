//! Whether two words are one slip of the pen apart. It never accepts: it explains, and it finds suggestions.

/// One letter more, less, other or swapped with its neighbour.
pub(crate) fn one_edit(a: &[u8], b: &[u8]) -> bool {
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(front..).unwrap_or_default(), b.get(front..).unwrap_or_default());
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let differs = |word: &'_ [u8]| word.len().saturating_sub(back);
    match (
        a.get(..differs(a)).unwrap_or_default(),
        b.get(..differs(b)).unwrap_or_default(),
    ) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([p, q], [r, s]) => p == s && q == r,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_one_letter() {
        for (a, b) in [
            ("zeewolf", "zeewolv"),
            ("zeewolf", "zewolf"),
            ("zeewolf", "zeewofl"),
            ("zeewolf", "zeewollf"),
        ] {
            assert!(one_edit(a.as_bytes(), b.as_bytes()), "{a} {b}");
        }
        assert!(!one_edit(b"zeewolf", b"zeehond"));
        assert!(!one_edit(b"zeewolf", b"zeewolf"));
    }
}
