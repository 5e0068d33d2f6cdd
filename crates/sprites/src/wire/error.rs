//! The body of every refusal, and the codes that have a meaning.

use serde::{Deserialize, Serialize};

/// 429: sprites are made too fast.
pub const CREATION_RATE_LIMITED: &str = "sprite_creation_rate_limited";
/// 429: there are too many sprites.
pub const CONCURRENT_LIMIT: &str = "concurrent_sprite_limit_exceeded";
/// *Extension.* 501: this server cannot enforce the policy.
pub const POLICY_NOT_ENFORCEABLE: &str = "policy_not_enforceable";

/// The body of a refusal. The file API fills `error`, `code` and `path`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// A code, or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A text for a person, where `error` is a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// One of [`FileCode`]'s words, from the file API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The path it is about, from the file API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many are allowed in the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// When it is worth to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_count: Option<u64>,
    /// Whether more can be bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_available: Option<bool>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_url: Option<String>,
}

impl ErrorBody {
    /// A refusal with a text alone.
    pub fn text(error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            ..Self::default()
        }
    }

    /// A refusal with a code and a text.
    pub fn coded(code: &str, message: impl Into<String>) -> Self {
        Self {
            error: Some(code.to_owned()),
            message: Some(message.into()),
            ..Self::default()
        }
    }

    /// A refusal of the file API.
    pub fn file(code: FileCode, path: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            code: Some(code.as_str().to_owned()),
            path: Some(path.into()),
            ..Self::default()
        }
    }

    /// The best text for a person there is.
    pub fn words(&self) -> Option<&str> {
        let text = self.message.as_deref().or(self.error.as_deref())?;
        (!text.is_empty()).then_some(text)
    }
}

macro_rules! file_codes {
    ($($name:ident = $word:literal, $text:literal;)*) => {
        /// What the file API says went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FileCode {$(
            #[doc = $text]
            $name,
        )*}

        impl FileCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its word on the wire.
            pub fn as_str(self) -> &'static str {
                match self {$(Self::$name => $word,)*}
            }
        }
    };
}

file_codes! {
    NotFound = "ENOENT", "There is nothing.";
    Exists = "EEXIST", "There is something.";
    NotDirectory = "ENOTDIR", "It, or a part of the path, is no directory.";
    IsDirectory = "EISDIR", "It is a directory.";
    Denied = "EACCES", "Permission denied.";
    NotPermitted = "EPERM", "Not permitted.";
    NotEmpty = "ENOTEMPTY", "The directory is not empty.";
    Invalid = "EINVAL", "It cannot be meant so.";
    Io = "EIO", "Anything else.";
}

impl FileCode {
    /// The code of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}
