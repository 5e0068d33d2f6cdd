//! Checkpoints: bodies, and the lines of making and restoring one.

use super::lenient;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `POST /v1/sprites/{name}/checkpoint`; the body may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateCheckpoint {
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The query of `GET /v1/sprites/{name}/checkpoints`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointsQuery {
    /// Whether those made by themselves are listed too.
    #[serde(default)]
    pub include_auto: bool,
}

/// A checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// `v7`.
    pub id: String,
    /// When it was made.
    #[serde(
        default,
        alias = "created_at",
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub create_time: Option<DateTime<Utc>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether it was made by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_auto: bool,
    /// *Extension.* Bytes it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// A line of making or restoring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CheckpointEvent {
    /// How it goes.
    Info {
        /// In words.
        #[serde(default)]
        data: String,
        /// When.
        #[serde(
            default,
            deserialize_with = "lenient::time",
            skip_serializing_if = "Option::is_none"
        )]
        time: Option<DateTime<Utc>>,
    },
    /// It failed; nothing was changed.
    Error {
        /// In words.
        #[serde(default, alias = "data")]
        error: String,
        /// When.
        #[serde(
            default,
            deserialize_with = "lenient::time",
            skip_serializing_if = "Option::is_none"
        )]
        time: Option<DateTime<Utc>>,
    },
    /// It is done.
    Complete {
        /// In words that contain the id: `Checkpoint v8 created`, `Restored to v5`.
        #[serde(default)]
        data: String,
        /// When.
        #[serde(
            default,
            deserialize_with = "lenient::time",
            skip_serializing_if = "Option::is_none"
        )]
        time: Option<DateTime<Utc>>,
    },
    /// A kind this version does not know.
    #[serde(other)]
    Unknown,
}
