//! Durations as Go writes them (`1m30s`, `250ms`) and as plain seconds. Only text; whether one is
//! sensible is for others.

use std::{fmt::Write as _, time::Duration};

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration; write `10s`, `1m30s`, `250ms` or a number of seconds")]
pub struct BadDuration {
    /// As it was given.
    pub text: String,
}

/// Reads `10s`, `1h2m3.5s`, `250ms`, or `10` and `2.5` for seconds.
pub fn parse(text: &str) -> Result<Duration, BadDuration> {
    read(text.trim()).ok_or_else(|| BadDuration {
        text: text.to_owned(),
    })
}

fn read(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, unit) = rest.split_at(number);
        let end = unit
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(amount.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// Writes a duration so that every server reads it; what is below a millisecond is dropped.
pub fn text(duration: Duration) -> String {
    let mut text = String::new();
    let milliseconds = duration.subsec_millis();
    // Writing to a string cannot fail.
    let _written = match (duration.as_secs(), milliseconds) {
        (seconds, 0) => write!(text, "{seconds}s"),
        (0, _) => write!(text, "{milliseconds}ms"),
        (seconds, _) => write!(text, "{seconds}s{milliseconds}ms"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::{parse, text};
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn all_spellings_are_read() {
        for (given, milliseconds) in [
            ("10s", 10_000),
            ("10", 10_000),
            ("0s", 0),
            ("0", 0),
            ("2.5s", 2500),
            ("2.5", 2500),
            ("1h2m3s", 3_723_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("1.5h", 5_400_000),
        ] {
            assert_eq!(
                parse(given).unwrap(),
                Duration::from_millis(milliseconds),
                "{given}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for bad in [
            "", "s", "10x", "-1s", "-1", "1s2", "inf", "NaN", "1e400", "10 s", "1..2s",
        ] {
            assert_eq!(parse(bad).unwrap_err().text, bad);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(milliseconds in 0..10_000_000_000_u64) {
            let duration = Duration::from_millis(milliseconds);
            let read = parse(&text(duration)).unwrap();
            prop_assert!(read.abs_diff(duration) < Duration::from_micros(10));
        }

        #[test]
        fn no_text_breaks_the_reader(given in ".*") {
            drop(parse(&given));
        }
    }
}
