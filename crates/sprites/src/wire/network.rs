//! Network policies, and the ports inside a sprite.

use super::lenient;
use serde::{Deserialize, Serialize};

/// A policy. Without rules everything may be reached; with rules what none names may not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The closest rule decides.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub rules: Vec<Rule>,
}

/// A rule: a host name and what holds for it, or a set of rules by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// `example.com`, `*.example.com` or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// `allow` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// `defaults`: hosts that developers commonly need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<String>,
}

/// A port that is listened on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its number.
    pub port: u16,
    /// The address it is listened on.
    #[serde(default)]
    pub address: String,
    /// Who listens, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
}

/// A text message of `GET /v1/sprites/{name}/ports/watch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PortMessage {
    /// The first: all there are.
    PortList {
        /// They.
        #[serde(default, deserialize_with = "lenient::or_default")]
        ports: Vec<Port>,
    },
    /// Another.
    PortOpened(Port),
    /// One less.
    PortClosed(Port),
    /// A kind this version does not know.
    #[serde(other)]
    Unknown,
}
