//! Files of sprites and commands in them, on the wire.

use chrono::{DateTime, Utc};
use ports::sandbox::{DirectoryEntry, EntryKind, Exit};
use serde::{Deserialize, Serialize};
use services::{
    sprite_commands::{Ran, RunCommand},
    sprite_files::{FileText, Listing},
};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Which directory.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DirectoryQuery {
    /// Absolute; `/home/sprite`, the home of every sprite, when absent.
    #[param(example = "/home/sprite")]
    pub(crate) path: Option<String>,
}

/// Which file.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileQuery {
    /// Absolute.
    #[serde(default)]
    #[param(required, example = "/home/sprite/notes.md")]
    pub(crate) path: String,
}

/// A directory of a sprite.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteFilesView {
    path: String,
    /// Sorted by name.
    items: Vec<SpriteEntryView>,
    /// Whether there are more than can be listed.
    truncated: bool,
}

/// Something in a directory of a sprite.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteEntryView {
    name: String,
    kind: SpriteEntryKind,
    /// In bytes, of a file.
    size: u64,
    /// When its content last changed.
    #[schema(required)]
    modified_at: Option<DateTime<Utc>>,
}

/// What a directory holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpriteEntryKind {
    File,
    Directory,
    Link,
    Other,
}

/// A file of a sprite.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteFileView {
    path: String,
    /// In bytes.
    size: usize,
    /// Null where it is not text in UTF-8.
    #[schema(required)]
    text: Option<String>,
    /// Whether the file goes on after `text`.
    truncated: bool,
}

/// A command to run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateSpriteCommand {
    /// Bash source.
    #[schema(example = "ls -la")]
    command: String,
    /// Where, absolute; the home of the sprite when absent.
    directory: Option<String>,
    /// After how long it is stopped; 60 when absent.
    #[schema(minimum = 1, maximum = 600)]
    timeout_seconds: Option<u64>,
}

/// How a command went.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteCommandResult {
    /// Null when it did not end by itself.
    #[schema(required)]
    exit_code: Option<i32>,
    /// What ended it otherwise.
    #[schema(required, example = "SIGKILL")]
    signal: Option<String>,
    /// Whether it was stopped because its time was up.
    timed_out: bool,
    /// Both outputs as they came, the last of them.
    output: String,
    /// Whether there was more before that.
    truncated: bool,
    duration_ms: u64,
}

impl From<Listing> for SpriteFilesView {
    fn from(listing: Listing) -> Self {
        Self {
            path: listing.path,
            items: listing.entries.into_iter().map(Into::into).collect(),
            truncated: listing.truncated,
        }
    }
}

impl From<DirectoryEntry> for SpriteEntryView {
    fn from(entry: DirectoryEntry) -> Self {
        Self {
            name: entry.name,
            kind: match entry.kind {
                EntryKind::File => SpriteEntryKind::File,
                EntryKind::Directory => SpriteEntryKind::Directory,
                EntryKind::Symlink => SpriteEntryKind::Link,
                EntryKind::Other => SpriteEntryKind::Other,
            },
            size: entry.bytes,
            modified_at: Some(entry.modified_at),
        }
    }
}

impl From<FileText> for SpriteFileView {
    fn from(file: FileText) -> Self {
        Self {
            path: file.path,
            size: file.size,
            text: file.text,
            truncated: file.truncated,
        }
    }
}

impl From<CreateSpriteCommand> for RunCommand {
    fn from(body: CreateSpriteCommand) -> Self {
        Self {
            command: body.command,
            directory: body.directory,
            timeout: body.timeout_seconds.map(Duration::from_secs),
        }
    }
}

impl From<Ran> for SpriteCommandResult {
    fn from(ran: Ran) -> Self {
        let (exit_code, signal) = match ran.exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(name(signal))),
            Exit::TimedOut => (None, Some("SIGKILL".to_owned())),
        };
        Self {
            exit_code,
            signal,
            timed_out: ran.exit == Exit::TimedOut,
            output: ran.output,
            truncated: ran.truncated,
            duration_ms: u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// What people call a signal.
fn name(signal: i32) -> String {
    const NAMES: [(i32, &str); 11] = [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (3, "SIGQUIT"),
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (15, "SIGTERM"),
    ];
    let known = NAMES.iter().find(|(number, _)| *number == signal);
    known.map_or_else(
        || format!("signal {signal}"),
        |(_, name)| (*name).to_owned(),
    )
}
