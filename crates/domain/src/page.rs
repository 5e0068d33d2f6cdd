//! Keyset paging. Ids are UUID v7, so "newest first" is "largest id first" and a cursor is an id.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most rows one page may hold.
pub const MAX_LIMIT: u32 = 100;

/// Where the next page starts: after (that is, older than) this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub Uuid);

/// What a caller asks of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows wanted, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// Only rows older than this one.
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    /// The first page of at most `limit` rows.
    pub const fn first(limit: u32) -> Self {
        Self {
            limit,
            cursor: None,
        }
    }
}

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most `limit` rows.
    pub items: Vec<T>,
    /// Present when there are more.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The page of a list with nothing in it.
    pub const fn empty() -> Self {
        Self {
            items: Vec::new(),
            next: None,
        }
    }

    /// Builds a page from `limit + 1` fetched rows: the extra row only proves that there is more.
    pub fn from_overfetch(mut rows: Vec<T>, limit: u32, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more {
            rows.last().map(|row| Cursor(id(row)))
        } else {
            None
        };
        Self { items: rows, next }
    }

    /// The same page with every row converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next: self.next,
        }
    }
}
