//! Signing in at an OpenID Connect issuer. What a proven person may do here is not decided behind this port.

use async_trait::async_trait;
use domain::{secret::Secret, sso::Claims};

/// This server as an issuer knows it.
pub struct Registration {
    /// The issuer, letter by letter as it calls itself.
    pub issuer: String,
    /// Who this server is there.
    pub client_id: String,
    /// What proves that; some issuers give none.
    pub client_secret: Option<Secret>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Where the issuer sends people back to.
    pub redirect_url: String,
}

/// What ties an answer to the browser that asked; made anew for every login, and known to nobody else.
pub struct Attempt {
    /// Comes back with the answer.
    pub state: Secret,
    /// Comes back inside of the signed token.
    pub nonce: Secret,
    /// The secret of PKCE; the issuer was sent its hash.
    pub verifier: Secret,
}

/// Somebody whom an issuer vouches for.
#[derive(Clone, Debug, PartialEq)]
pub struct Vouched {
    /// Who they are there, for good.
    pub subject: String,
    /// What they are called.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Whether the issuer says that the address is theirs.
    pub email_verified: bool,
    /// All that is said of them beyond that.
    pub claims: Claims,
}

/// Why an issuer was no help. No message holds a secret, a code or a token.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SsoError {
    /// It may not be called, or is no address.
    #[error("{0}")]
    Invalid(String),
    /// It did not answer.
    #[error("{0}")]
    Unavailable(String),
    /// It said no, or what it said proves nothing.
    #[error("{0}")]
    Refused(String),
}

/// Asks issuers.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Whether there is an issuer of that name, asked anew.
    async fn discover(&self, issuer: &str) -> Result<(), SsoError>;

    /// Where to send a browser, and what its answer must fit.
    async fn begin(&self, registration: &Registration) -> Result<(String, Attempt), SsoError>;

    /// Exchanges the code of an answer for what the issuer says of somebody, proven by signature, audience, age and
    /// nonce.
    async fn finish(
        &self,
        registration: &Registration,
        attempt: &Attempt,
        code: &Secret,
    ) -> Result<Vouched, SsoError>;
}
