//! A text that every match of a pattern contains, so that files without it need not be handed over.
//! It is found without understanding the pattern: where anything is unusual there is none, and
//! nothing is left out.

/// Shorter ones are in most files.
const SHORTEST: usize = 3;

/// The longest such text that is easily seen.
pub(super) fn needle(pattern: &str, ignore_case: bool) -> Option<String> {
    // Of two ways only one need match, and flags change what the rest means.
    if pattern.contains('|') || pattern.contains("(?") || !pattern.is_ascii() {
        return None;
    }
    let mut runs = Runs::default();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            // What is inside may be repeated or left out; what is before is not.
            '(' | '[' | ')' | ']' | '}' => break,
            '*' | '?' | '{' => {
                runs.last_may_be_missing();
                if c == '{' {
                    break;
                }
            }
            '+' | '.' | '^' | '$' => runs.end(),
            '\\' => match rest.next() {
                Some(escaped) if escaped.is_ascii_punctuation() && !"<>".contains(escaped) => {
                    runs.push(escaped, ignore_case);
                }
                Some('w' | 'W' | 'd' | 'D' | 's' | 'S') => runs.end(),
                _ => break,
            },
            c => runs.push(c, ignore_case),
        }
    }
    runs.end();
    (runs.longest.len() >= SHORTEST).then_some(runs.longest)
}

#[derive(Default)]
struct Runs {
    longest: String,
    current: String,
}

impl Runs {
    fn push(&mut self, c: char, ignore_case: bool) {
        // These have other forms outside of ASCII, and a line end is not searched for.
        if c.is_control() || (ignore_case && matches!(c.to_ascii_lowercase(), 'k' | 's')) {
            self.end();
        } else {
            self.current.push(c);
        }
    }

    fn last_may_be_missing(&mut self) {
        self.current.pop();
        self.end();
    }

    fn end(&mut self) {
        let ended = std::mem::take(&mut self.current);
        if ended.len() > self.longest.len() {
            self.longest = ended;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::needle;
    use proptest::prelude::*;
    use regex::bytes::RegexBuilder;

    #[test]
    fn what_must_be_there_is_seen() {
        for (pattern, expected) in [
            ("needle", Some("needle")),
            (r"fn [a-z]+\(", Some("fn ")),
            (r"^use crate::\w+", Some("use crate::")),
            (r"\w+Service\(", Some("Service(")),
            ("abcd*", Some("abc")),
            ("abcd+e", Some("abcd")),
            ("ab", None),
            ("foo|bar", None),
            ("(?i)foo", None),
            ("x?", None),
            ("größe", None),
            (r"abc\pL", Some("abc")),
        ] {
            assert_eq!(needle(pattern, false).as_deref(), expected, "{pattern}");
        }
        assert_eq!(needle("worksheet", true).as_deref(), Some("heet"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_match_contains_it(
            pattern in r"([abks ]|[a-c]{2,5}|\\[.(wds]|\[[ab]\]|\([abk]{1,3}\)|[.^*+?]|\{1,2\}){1,8}",
            text in "[abcksKS .(1K\u{17f}\u{212a}]{0,24}", ignore_case: bool,
        ) {
            let regex = RegexBuilder::new(&pattern).case_insensitive(ignore_case).build();
            let (Ok(regex), Some(needle)) = (regex, needle(&pattern, ignore_case)) else {
                return Ok(());
            };
            if regex.is_match(text.as_bytes()) {
                let (text, needle) = if ignore_case {
                    (text.to_ascii_lowercase(), needle.to_ascii_lowercase())
                } else {
                    (text, needle)
                };
                prop_assert!(text.contains(&needle), "{pattern} {needle}");
            }
        }
    }
}
