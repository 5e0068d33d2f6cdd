//! The cookie of a login, and the token that proves that a request with it was meant.

use crate::state::ApiState;
use axum::http::{HeaderMap, HeaderValue, header};
use domain::secret::Secret;
use services::Platform;

/// How long a browser keeps it at most; the server ends logins by itself.
const MAX_AGE: u32 = 30 * 24 * 60 * 60;
/// What every request with the cookie must carry, unless it only looks.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// The prefix makes browsers refuse the cookie from anywhere but this very host over TLS.
const fn name(is_secure: bool) -> &'static str {
    if is_secure {
        "__Host-nitejar_session"
    } else {
        "nitejar_session"
    }
}

fn is_secure(platform: &Platform) -> bool {
    let url = platform.settings.public_url.as_deref();
    url.is_some_and(|url| url.starts_with("https://"))
}

/// `Set-Cookie` of somebody who signed in.
pub(crate) fn login(state: &ApiState, cookie: &Secret) -> HeaderValue {
    set(state, cookie.expose(), MAX_AGE)
}

/// `Set-Cookie` of somebody who signed out.
pub(crate) fn logout(state: &ApiState) -> HeaderValue {
    set(state, "", 0)
}

fn set(state: &ApiState, value: &str, age: u32) -> HeaderValue {
    let is_secure = is_secure(&state.platform);
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}",
        name(is_secure)
    );
    // Tokens are letters, digits, `-` and `_`.
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// The cookie of a login among those of a request.
pub(crate) fn read(state: &ApiState, headers: &HeaderMap) -> Option<Secret> {
    let wanted = name(is_secure(&state.platform));
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
