//! JSON as clients see it. Separate from the domain: renaming a field there must not break a client
//! here. Views show every field, absent values as null.

pub(crate) mod agent;
pub(crate) mod approval;
pub(crate) mod audit;
pub(crate) mod conversation;
pub(crate) mod cost;
pub(crate) mod effect;
pub(crate) mod integration;
pub(crate) mod job;
pub(crate) mod link;
pub(crate) mod message;
pub(crate) mod overview;
pub(crate) mod provider;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod sprite;
pub(crate) mod sprite_file;
pub(crate) mod sso;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod words;
pub(crate) mod work;

use domain::page::Page;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageView<T> {
    /// The rows.
    items: Vec<T>,
    /// Pass it as `cursor` for the next page; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl<T> PageView<T> {
    /// The page of an ordered list that goes on after `next`.
    pub(crate) fn new(items: Vec<T>, next: Option<String>) -> Self {
        Self {
            items,
            next_cursor: next,
        }
    }

    /// A list that always fits one page.
    pub(crate) fn whole<R: Into<T>>(rows: Vec<R>) -> Self {
        Self::new(rows.into_iter().map(Into::into).collect(), None)
    }
}

impl<T, R: Into<T>> From<Page<R>> for PageView<T> {
    fn from(page: Page<R>) -> Self {
        let next = page.next.map(|cursor| cursor.0.to_string());
        Self::new(page.items.into_iter().map(Into::into).collect(), next)
    }
}

/// A field of a change: null means something else than leaving it out.
#[derive(Default)]
enum Field<T> {
    /// It was left out.
    #[default]
    Absent,
    /// It is null.
    Null,
    /// It has a value.
    Value(T),
}

impl<T> Field<T> {
    /// What it asks for, if anything.
    fn given<U>(self, convert: impl FnOnce(Option<T>) -> U) -> Option<U> {
        match self {
            Self::Absent => None,
            Self::Null => Some(convert(None)),
            Self::Value(value) => Some(convert(Some(value))),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }
}
