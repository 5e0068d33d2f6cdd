//! Fields that are spelt differently by different servers. Only for `#[serde(deserialize_with)]`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `null` is as good as absent.
pub(crate) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// An id: text, or a number as text.
pub(crate) fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("an id is text or a number")),
    }
}

/// A time: RFC 3339 or Unix seconds; anything else is none.
pub(crate) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(moment(&Value::deserialize(from)?))
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(Into::into),
        Value::Number(number) => DateTime::from_timestamp(whole(number)?, 0),
        _ => None,
    }
}

/// Unix seconds: a number, or RFC 3339.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let time = moment(&Value::deserialize(from)?);
    Ok(time.map_or(0, |time| time.timestamp()))
}

fn whole(number: &serde_json::Number) -> Option<i64> {
    let cut = number.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction of a second is dropped, and the range is checked by the calendar"
    )]
    number.as_i64().or(Some(cut as i64))
}

/// A number of anything, without its fraction; what is none is zero.
pub(crate) fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(from)?;
    let number = value.as_number().and_then(whole);
    Ok(number
        .and_then(|number| u64::try_from(number).ok())
        .unwrap_or(0))
}

/// A text, or a number as text, or nothing.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(serde::de::Error::custom("a text or a number is expected")),
    }
}
