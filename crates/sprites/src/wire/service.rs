//! Services: what one is, how it stands, and the lines of its log.

use super::lenient;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `PUT /v1/sprites/{name}/services/{service}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutService {
    /// The program.
    pub cmd: String,
    /// Its arguments, without its name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub args: Vec<String>,
    /// Added to the sprite's own environment.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub env: BTreeMap<String, String>,
    /// Where it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Services that must run before it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub needs: Vec<String>,
    /// The port that requests to the sprite's URL go to.
    #[serde(default, alias = "httpPort", skip_serializing_if = "Option::is_none")]
    pub http_port: Option<u16>,
}

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The program.
    #[serde(default)]
    pub cmd: String,
    /// Its arguments, without its name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub args: Vec<String>,
    /// Added to the sprite's own environment.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub env: BTreeMap<String, String>,
    /// Where it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Services that must run before it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub needs: Vec<String>,
    /// The port that requests to the sprite's URL go to; `null` for none.
    #[serde(default, alias = "httpPort")]
    pub http_port: Option<u16>,
    /// How it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// How a service stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The service.
    pub name: String,
    /// The word for it.
    pub status: Status,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// Since when it runs; never an empty text, which breaks SDKs.
    #[serde(
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub started_at: Option<DateTime<Utc>>,
    /// Why it does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it was started again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_count: Option<u32>,
    /// When it is started again.
    #[serde(
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub next_restart_at: Option<DateTime<Utc>>,
}

/// The words for how a service stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does not run.
    #[default]
    Stopped,
    /// It will run soon.
    Starting,
    /// It runs.
    Running,
    /// It was told to end.
    Stopping,
    /// It ended again and again.
    Failed,
    /// A word this version does not know.
    #[serde(other)]
    Unknown,
}

/// The answer to `GET /v1/sprites/{name}/services`: an array; some servers wrap it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ServiceList {
    /// The usual form.
    Bare(Vec<Service>),
    /// The other.
    Wrapped {
        /// They.
        #[serde(default, deserialize_with = "lenient::or_default")]
        services: Vec<Service>,
    },
}

/// `POST /v1/sprites/{name}/services/signal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalService {
    /// The service.
    pub name: String,
    /// The signal's name.
    pub signal: String,
}

/// The query of the event streams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamQuery {
    /// For how long events are told, see [`super::duration::parse`].
    #[serde(
        deserialize_with = "lenient::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration: Option<String>,
    /// How long to wait for the end of a service.
    #[serde(
        deserialize_with = "lenient::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeout: Option<String>,
    /// How many earlier lines are told.
    #[serde(
        deserialize_with = "lenient::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub lines: Option<String>,
}

/// A line of an event stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// When, in Unix milliseconds.
    #[serde(default, deserialize_with = "lenient::amount")]
    pub timestamp: u64,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It runs.
    Started,
    /// A line of its output.
    Stdout {
        /// The line.
        #[serde(default)]
        data: String,
    },
    /// A line of its errors.
    Stderr {
        /// The line.
        #[serde(default)]
        data: String,
    },
    /// It ended.
    Exit {
        /// How.
        #[serde(default)]
        exit_code: i32,
    },
    /// Something failed.
    Error {
        /// What, in words.
        #[serde(default, alias = "error", alias = "message")]
        data: String,
    },
    /// It was told to end.
    Stopping,
    /// It is stopped.
    Stopped {
        /// How it ended.
        #[serde(default)]
        exit_code: i32,
    },
    /// The stream is over.
    Complete {
        /// Where the log is kept inside the sprite, by stream.
        #[serde(default, deserialize_with = "lenient::or_default")]
        log_files: BTreeMap<String, String>,
    },
    /// A kind this version does not know.
    #[serde(other)]
    Unknown,
}
