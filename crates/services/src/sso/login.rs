//! A login at the issuer: begun with a way there, ended with what comes back. Nothing of the answer is believed before
//! it fits what this very browser was given.

use super::{admission::admit, attempt::Pending, registration};
use crate::{Context, Error};
use domain::secret::Secret;
use ports::sso::SsoError;

/// A login that is under way.
pub struct Begun {
    /// Where to send the browser.
    pub url: String,
    /// What the browser is to keep.
    pub cookie: Secret,
    /// For how many seconds.
    pub lifetime: i64,
}

/// What an issuer sent a browser back with.
#[derive(Default)]
pub struct Callback {
    /// What this server gave along.
    pub state: Option<String>,
    /// What can be exchanged for a proof.
    pub code: Option<Secret>,
    /// What went wrong instead.
    pub error: Option<String>,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
}

/// Somebody who got in.
pub struct Entered {
    /// The cookie of the login.
    pub cookie: Secret,
    /// Where they wanted to go.
    pub return_to: String,
}

/// Why somebody did not get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Single sign-on is not set up.
    NotConfigured,
    /// The issuer, or the person themselves there, said no.
    AccessDenied,
    /// It took too long, or the settings changed meanwhile.
    Expired,
    /// The answer does not belong to a login that this browser began.
    StateUnknown,
    /// The issuer cannot be reached.
    IssuerUnavailable,
    /// What the issuer said proves nothing.
    IssuerRefused,
    /// Nobody here is known by that name, and strangers are not let in.
    UnknownPerson,
    /// The issuer let them in once, and names them no longer.
    NotAllowed,
    /// The user is shut out.
    UserDisabled,
    /// A new user needs an address, and the issuer gives none.
    EmailMissing,
    /// Somebody else here has the address.
    EmailTaken,
}

impl Refusal {
    /// Stable, snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::AccessDenied => "access_denied",
            Self::Expired => "expired",
            Self::StateUnknown => "state_unknown",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::IssuerRefused => "issuer_refused",
            Self::UnknownPerson => "unknown_person",
            Self::NotAllowed => "not_allowed",
            Self::UserDisabled => "user_disabled",
            Self::EmailMissing => "email_missing",
            Self::EmailTaken => "email_taken",
        }
    }
}

/// Why a login came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LoginFailure {
    /// It was refused; the person can be told why.
    #[error("the login was refused: {}", .0.code())]
    Refused(Refusal),
    /// Our own fault.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<Refusal> for LoginFailure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Begins a login.
#[tracing::instrument(name = "sso.begin", skip_all, fields(tenant.id = %context.tenant))]
pub async fn begin(context: &Context, return_to: Option<&str>) -> Result<Begun, LoginFailure> {
    let (_, registration) = registration(context).await?.ok_or(Refusal::NotConfigured)?;
    let provider = &context.platform.sso.provider;
    let begun = provider.begin(&registration).await;
    let (url, attempt) = begun.map_err(|error| refused(&error))?;
    let pending = Pending::new(context, &registration, &attempt, return_to);
    Ok(Begun {
        url,
        cookie: pending.sealed(context),
        lifetime: super::attempt::LIFETIME.num_seconds(),
    })
}

/// Ends a login: who is vouched for is signed in, when they may be.
#[tracing::instrument(name = "sso.finish", skip_all, fields(tenant.id = %context.tenant))]
pub async fn finish(
    context: &Context,
    cookie: Option<&Secret>,
    callback: Callback,
    user_agent: Option<&str>,
) -> Result<Entered, LoginFailure> {
    let pending = cookie.and_then(|cookie| Pending::open(context, cookie));
    let pending = pending.ok_or(Refusal::StateUnknown)?;
    let secrets = &context.platform.secrets;
    // Compared as hashes: the time it takes tells nothing.
    let hash = |text: &str| secrets.hash(&Secret::new(text));
    if hash(callback.state.as_deref().unwrap_or_default()) != hash(&pending.state) {
        return Err(Refusal::StateUnknown.into());
    }
    if pending.until <= context.now() {
        return Err(Refusal::Expired.into());
    }
    if let Some(error) = &callback.error {
        return Err(denied(error).into());
    }
    let (settings, registration) = registration(context).await?.ok_or(Refusal::NotConfigured)?;
    if !pending.fits(&registration) {
        return Err(Refusal::Expired.into());
    }
    let is_other = |issuer: &String| *issuer != registration.issuer;
    let Some(code) = callback.code.filter(|code| !code.is_empty()) else {
        return Err(Refusal::IssuerRefused.into());
    };
    if callback.issuer.as_ref().is_some_and(is_other) {
        return Err(Refusal::IssuerRefused.into());
    }
    let provider = &context.platform.sso.provider;
    let vouched = provider
        .finish(&registration, &pending.attempt(), &code)
        .await
        .map_err(|error| refused(&error))?;
    let cookie = admit(context, &settings, &vouched, user_agent).await?;
    Ok(Entered {
        cookie,
        return_to: pending.return_to,
    })
}

/// What an issuer's error means. Its words go to the log, as far as they can be words of the protocol.
fn denied(error: &str) -> Refusal {
    if error == "access_denied" {
        return Refusal::AccessDenied;
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let said: String = error.chars().filter(|c| is_word(*c)).take(64).collect();
    tracing::warn!(oidc.error = said, "the issuer refused a login");
    Refusal::IssuerRefused
}

fn refused(error: &SsoError) -> Refusal {
    tracing::warn!(%error, "the issuer was no help with a login");
    match error {
        SsoError::Unavailable(_) => Refusal::IssuerUnavailable,
        SsoError::Invalid(_) | SsoError::Refused(_) => Refusal::IssuerRefused,
    }
}
