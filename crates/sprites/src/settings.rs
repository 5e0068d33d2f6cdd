//! What is decided outside: where the service is, with which token, and how patient we are.

use domain::secret::Secret;
use std::time::Duration;

/// How sprites of a service are reached.
#[derive(Clone)]
pub struct SpritesSettings {
    /// Where the service is: `https://api.sprites.dev`.
    pub base_url: String,
    /// What opens it.
    pub token: Secret,
    /// The client to use. It must be made with `http1_only`, follow no redirects and have no
    /// timeout for whole requests.
    pub http: reqwest::Client,
    /// Whether sprites of a service may be used that cannot keep them off the network. Otherwise
    /// a new sprite there is refused.
    pub accept_open_network: bool,
    /// Waits and limits.
    pub timing: Timing,
}

/// How long we wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The first wait before a request is repeated; each further one is twice as long.
    pub backoff: Duration,
    /// For an answer of the service. Waking a sprite is part of it.
    pub answer: Duration,
    /// How often a connection is asked for a sign of life.
    pub ping: Duration,
    /// Without any sign for so long a connection is taken for broken.
    pub silence: Duration,
    /// For how long a broken connection to a process is made anew.
    pub reattach: Duration,
    /// For the rest of the output after a process said that it ended.
    pub last_output: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            backoff: Duration::from_millis(200),
            answer: Duration::from_mins(2),
            ping: Duration::from_secs(15),
            silence: Duration::from_mins(1),
            reattach: Duration::from_mins(1),
            last_output: Duration::from_secs(10),
        }
    }
}
