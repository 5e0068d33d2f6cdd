//! How long what jobs leave behind is kept. What happened and what it cost is kept for good.

use super::{ConfigError, Source};
use domain::retention::{Kept, Retention};
use std::num::NonZeroU32;

/// Days after which tools' answers are removed when nobody said otherwise: they are most of a database's size,
/// may hold what should not lie around, and are hardly read again.
const TOOL_OUTPUT: u32 = 90;
/// Days after which event rows are removed when nobody said otherwise: they are copies, for clients that were
/// away for a while.
const EVENTS: u32 = 30;

/// Reads the three periods. Transcripts are what an agent remembers of a thread: they are kept for good unless an
/// operator says otherwise.
pub(super) fn from_source(source: &Source) -> Result<Retention, ConfigError> {
    Ok(Retention {
        transcripts: kept(source, "RETENTION_TRANSCRIPT_DAYS", None)?,
        events: kept(source, "RETENTION_EVENT_DAYS", NonZeroU32::new(EVENTS))?,
        tool_output: kept(
            source,
            "RETENTION_TOOL_OUTPUT_DAYS",
            NonZeroU32::new(TOOL_OUTPUT),
        )?,
    })
}

fn kept(
    source: &Source,
    name: &'static str,
    default: Option<NonZeroU32>,
) -> Result<Kept, ConfigError> {
    if source.get(name) == Some("unlimited") {
        return Ok(Kept::Forever);
    }
    let expected = "a number of days, 1 at least, or `unlimited`";
    let days = source.parse(name, expected)?.or(default);
    Ok(days.map_or(Kept::Forever, Kept::Days))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Kept, String> {
        let source = Source::from_values([("RETENTION_EVENT_DAYS", value.to_owned())]);
        let retention = from_source(&source);
        retention
            .map(|retention| retention.events)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_period_is_a_number_of_days_or_said_to_be_unlimited() {
        let days = |days| NonZeroU32::new(days).map(Kept::Days);
        assert_eq!(read("").ok(), days(30));
        assert_eq!(read("7").ok(), days(7));
        assert_eq!(read("unlimited"), Ok(Kept::Forever));
        for wrong in ["0", "-1", "week"] {
            let error = read(wrong).unwrap_err();
            assert!(error.starts_with("RETENTION_EVENT_DAYS: `"), "{error}");
            assert!(error.ends_with("or `unlimited`"), "{error}");
        }
    }

    #[test]
    fn transcripts_are_kept_unless_somebody_says_otherwise() {
        let retention = from_source(&Source::default()).unwrap();
        assert_eq!(retention.transcripts, Kept::Forever);
        assert_ne!(retention.tool_output, Kept::Forever);
    }
}
