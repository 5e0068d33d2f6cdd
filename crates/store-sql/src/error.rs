//! From what the database says to what a caller can do about it.

use ports::{BoxError, store::StoreError};
use sea_orm::{DbErr, SqlErr};
use serde::{Serialize, de::DeserializeOwned};
use std::str::FromStr;

/// Turns a unique violation on `entity` into `Conflict` and everything else into `Backend`.
pub fn db_error(entity: &'static str) -> impl Fn(DbErr) -> StoreError {
    move |error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Conflict {
            entity,
            source: error.into(),
        },
        Some(_) | None => StoreError::Backend(error.into()),
    }
}

/// A failure of the database that no unique key explains.
pub fn backend(error: impl Into<BoxError>) -> StoreError {
    StoreError::Backend(error.into())
}

pub(crate) const fn corrupt(
    entity: &'static str,
    column: &'static str,
    source: BoxError,
) -> StoreError {
    StoreError::Corrupt {
        entity,
        column,
        source,
    }
}

/// Reads a stored word.
pub(crate) fn word<T>(
    entity: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T, StoreError>
where
    T: FromStr<Err: Into<BoxError>>,
{
    text.parse()
        .map_err(|error: T::Err| corrupt(entity, column, error.into()))
}

/// Reads stored JSON.
pub(crate) fn json<T: DeserializeOwned>(
    entity: &'static str,
    column: &'static str,
    value: serde_json::Value,
) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| corrupt(entity, column, error.into()))
}

/// Writes JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(value).map_err(backend)
}
