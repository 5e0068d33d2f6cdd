//! Sprites: made, listed, changed.

use super::lenient;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a sprite does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Stopped.
    #[default]
    Cold,
    /// Paused, or awake and idle.
    Warm,
    /// At work.
    Running,
    /// A word this version does not know.
    #[serde(other)]
    Unknown,
}

/// Who may use a sprite's URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UrlAuth {
    /// Whoever has a token.
    #[default]
    Sprite,
    /// Everybody.
    Public,
}

/// Which members of the organisation a private URL is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivateAccess {
    /// Its administrators.
    Admins,
    /// All of them.
    #[serde(alias = "org_users")]
    Organization,
}

/// How a sprite's URL is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlSettings {
    /// Who may.
    #[serde(default)]
    pub auth: UrlAuth,
    /// Which members may, where it is private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_access: Option<PrivateAccess>,
}

/// A sprite. Only the name is always there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sprite {
    /// `sprite-<uuid>`.
    #[serde(default)]
    pub id: String,
    /// Unique within the organisation.
    pub name: String,
    /// The organisation's short name.
    #[serde(default, alias = "org_slug")]
    pub organization: String,
    /// Where its port 8080 is reached.
    #[serde(default)]
    pub url: String,
    /// How.
    #[serde(default)]
    pub url_settings: Option<UrlSettings>,
    /// What it does.
    #[serde(default)]
    pub status: Status,
    /// When it was made.
    #[serde(
        default,
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(
        default,
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it last ran.
    #[serde(
        default,
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_running_at: Option<DateTime<Utc>>,
    /// When it was last woken.
    #[serde(
        default,
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_warming_at: Option<DateTime<Utc>>,
    /// The version of its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_version: Option<String>,
    /// The version of the sprite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Words of whoever made it.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub labels: Vec<String>,
    /// *Extension.* The home directory as its commands see it; `/home/sprite` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// *Extension.* Bytes its files take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<u64>,
    /// *Extension.* The most they may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_limit: Option<u64>,
    /// *Extension.* How many sessions are listed as lost, which is seen without waking it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_sessions: Option<u64>,
}

/// `POST /v1/sprites`, answered by 201 and a [`Sprite`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSprite {
    /// `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`
    pub name: String,
    /// How its URL is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_settings: Option<UrlSettings>,
    /// Words to find it by.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub labels: Vec<String>,
}

/// `PUT /v1/sprites/{name}`, answered by 200 and a [`Sprite`]. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateSprite {
    /// How its URL is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_settings: Option<UrlSettings>,
    /// The words to find it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Whether they are removed; an empty list may be left out on the way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clear_labels: bool,
}

/// The query of `GET /v1/sprites`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// What names begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The most to answer; servers clamp it to 1 to 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i64>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}

/// How many sprites do what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// The organisation's short name.
    pub name: String,
    /// Those that run.
    pub running: u64,
    /// Those that are warm.
    pub warm: u64,
    /// Those that are cold.
    pub cold: u64,
    /// The most that may run.
    pub running_limit: u64,
    /// The most that may be warm.
    pub warm_limit: u64,
}

/// A page of sprites. SDKs look for the counts in different places, so servers send both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpriteList {
    /// The page.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub sprites: Vec<Sprite>,
    /// Whether there is another.
    #[serde(default)]
    pub has_more: bool,
    /// How to ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_continuation_token: Option<String>,
    /// The counts.
    #[serde(default, flatten)]
    pub counts: Counts,
    /// And again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<Counts>,
}
