//! The file API: queries, bodies and answers. The bytes of files are raw bodies.

use super::lenient;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The query of reading, listing and deleting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathQuery {
    /// What it is about.
    pub path: String,
    /// Where relative paths start; `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Whether directories are meant with all in them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recursive: bool,
}

/// The query of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteQuery {
    /// The file.
    pub path: String,
    /// Where relative paths start; `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Its permission bits, octal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Whether parents are made; they are when absent.
    #[serde(default, alias = "mkdir", skip_serializing_if = "Option::is_none")]
    pub mkdir_parents: Option<bool>,
}

/// The answer to writing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Written {
    /// The file.
    pub path: String,
    /// Its size.
    pub size: u64,
    /// Its permission bits, octal.
    pub mode: String,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryType {
    /// A file.
    #[default]
    File,
    /// A directory.
    Directory,
    /// A link.
    Symlink,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// An entry of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its path.
    #[serde(default)]
    pub path: String,
    /// What it is; where it is absent `is_dir` says.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<EntryType>,
    /// Its size.
    #[serde(default)]
    pub size: u64,
    /// Its permission bits, octal.
    #[serde(default)]
    pub mode: String,
    /// When its content last changed.
    #[serde(
        default,
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub mod_time: Option<DateTime<Utc>>,
    /// Whether it is a directory.
    #[serde(default)]
    pub is_dir: bool,
}

/// The answer to listing. A file is listed as itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// What was listed.
    #[serde(default)]
    pub path: String,
    /// What it holds; never `null`, which breaks SDKs.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub entries: Vec<Entry>,
    /// How many.
    #[serde(default)]
    pub count: usize,
}

/// The answer to deleting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deleted {
    /// The paths.
    pub deleted: Vec<String>,
    /// How many.
    pub count: usize,
}

/// The body of renaming and copying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// What.
    pub source: String,
    /// Where to.
    pub dest: String,
    /// Where relative paths start; `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Whether directories are copied with all in them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recursive: bool,
}

/// Something that was moved or copied; the answer to renaming is one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transferred {
    /// From here.
    pub source: String,
    /// To here.
    pub dest: String,
}

/// The answer to copying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Copied {
    /// What was copied.
    pub copied: Vec<Transferred>,
    /// How many.
    pub count: usize,
    /// How much.
    pub total_bytes: u64,
}

/// The body of changing permission bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chmod {
    /// What.
    pub path: String,
    /// Where relative paths start; `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// The bits: octal as text, or as a number.
    #[serde(deserialize_with = "mode")]
    pub mode: String,
    /// Whether all in it is meant too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recursive: bool,
}

/// A number is the bits themselves; text is their octal spelling.
fn mode<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => match number.as_u64() {
            Some(bits) => Ok(format!("{bits:04o}")),
            None => Err(serde::de::Error::custom(
                "the mode is negative or a fraction",
            )),
        },
        _ => Err(serde::de::Error::custom("the mode is text or a number")),
    }
}

/// Something whose bits were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Changed {
    /// What.
    pub path: String,
    /// Its bits, octal.
    pub mode: String,
}

/// The answer to changing permission bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Affected {
    /// What was changed.
    pub affected: Vec<Changed>,
    /// How many.
    pub count: usize,
}
