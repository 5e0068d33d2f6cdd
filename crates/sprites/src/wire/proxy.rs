//! The first two messages of `GET /v1/sprites/{name}/proxy`; bytes follow.

use serde::{Deserialize, Serialize};

/// From the client: where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyRequest {
    /// An address of the sprite itself.
    #[serde(default = "localhost")]
    pub host: String,
    /// The port.
    pub port: u16,
}

fn localhost() -> String {
    "localhost".to_owned()
}

/// From the server: whether it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyAnswer {
    /// [`CONNECTED`], or anything else.
    pub status: String,
    /// Where to.
    pub target: String,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The status of a connection that stands.
pub const CONNECTED: &str = "connected";
