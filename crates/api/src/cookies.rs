//! The cookie of a login, the one of a login that is under way at an issuer, and the token that proves that a request
//! with the first was meant.

use crate::state::ApiState;
use axum::http::{HeaderMap, HeaderValue, header};
use domain::secret::Secret;
use services::Platform;

/// How long a browser keeps a login at most; the server ends logins by itself.
const MAX_AGE: i64 = 30 * 24 * 60 * 60;
/// What every request with the cookie must carry, unless it only looks.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// The two cookies there are.
#[derive(Clone, Copy)]
enum Name {
    Login,
    BegunLogin,
}

impl Name {
    /// The prefix makes browsers refuse the cookie from anywhere but this very host over TLS.
    const fn as_str(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Login, true) => "__Host-nitejar_session",
            (Self::Login, false) => "nitejar_session",
            (Self::BegunLogin, true) => "__Host-nitejar_oidc",
            (Self::BegunLogin, false) => "nitejar_oidc",
        }
    }
}

fn is_secure(platform: &Platform) -> bool {
    let url = platform.settings.public_url.as_deref();
    url.is_some_and(|url| url.starts_with("https://"))
}

/// `Set-Cookie` of somebody who signed in.
pub(crate) fn login(state: &ApiState, cookie: &Secret) -> HeaderValue {
    set(state, Name::Login, (cookie.expose(), MAX_AGE))
}

/// `Set-Cookie` of somebody who signed out.
pub(crate) fn logout(state: &ApiState) -> HeaderValue {
    set(state, Name::Login, ("", 0))
}

/// `Set-Cookie` of somebody who goes to the issuer. Not `Strict`: the issuer sends them back.
pub(crate) fn begin_login(state: &ApiState, cookie: &Secret, seconds: i64) -> HeaderValue {
    set(state, Name::BegunLogin, (cookie.expose(), seconds))
}

/// `Set-Cookie` of somebody who came back from there.
pub(crate) fn end_begun_login(state: &ApiState) -> HeaderValue {
    set(state, Name::BegunLogin, ("", 0))
}

fn set(state: &ApiState, name: Name, (value, age): (&str, i64)) -> HeaderValue {
    let is_secure = is_secure(&state.platform);
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}",
        name.as_str(is_secure)
    );
    // Tokens and sealed texts are letters, digits and some of `-_+/=:`.
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// The cookie of a login among those of a request.
pub(crate) fn read(state: &ApiState, headers: &HeaderMap) -> Option<Secret> {
    find(state, Name::Login, headers)
}

/// The cookie of a login that is under way.
pub(crate) fn begun_login(state: &ApiState, headers: &HeaderMap) -> Option<Secret> {
    find(state, Name::BegunLogin, headers)
}

fn find(state: &ApiState, name: Name, headers: &HeaderMap) -> Option<Secret> {
    let wanted = name.as_str(is_secure(&state.platform));
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == wanted && !value.is_empty())
        .map(|(_, value)| Secret::new(value))
}

/// What a page that is signed in sends along: derived from the cookie, so that only who may read answers has it.
pub(crate) fn csrf_token(platform: &Platform, cookie: &Secret) -> String {
    let text = format!("csrf of {}", cookie.expose());
    platform.secrets.hash(&Secret::new(text))
}
