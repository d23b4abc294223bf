//! Names with `*` (any letters, also none) and `?` (one letter); the case of letters says nothing.

/// Whether the whole text is as the pattern says.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut read) = (0, 0);
    // Where the last star stands, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(letter) if *letter == '?' || text.get(read) == Some(letter) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                at = place + 1;
                read = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        let yes = [
            ("OrderPlaced", "OrderPlaced"),
            ("orderplaced", "OrderPlaced"),
            ("Order*", "OrderPlaced"),
            ("*Placed", "OrderPlaced"),
            ("*", ""),
            ("*", "anything"),
            ("**", "x"),
            ("O?der*", "OrderPlaced"),
            ("*a*b*", "xxaxxbxx"),
            ("*ab", "aab"),
            ("订*", "订单"),
            ("", ""),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        let no = [
            ("Order", "OrderPlaced"),
            ("Placed", "OrderPlaced"),
            ("Order?", "Order"),
            ("*x", "OrderPlaced"),
            ("", "x"),
            ("?", ""),
            ("*a*b*", "ba"),
        ];
        for (pattern, text) in no {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_more_time_than_the_text_is_long() {
        let pattern = "*a".repeat(40);
        assert!(!matches(&pattern, &"a".repeat(39)));
        assert!(matches(&pattern, &"a".repeat(4_000)));
    }
}
