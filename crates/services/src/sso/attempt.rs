//! A login that is under way, as the browser keeps it: sealed, so that it can neither be read nor made up, and good
//! for minutes. The server itself remembers nothing of it, so any process can end what another began.

use crate::Context;
use chrono::TimeDelta;
use domain::{Timestamp, id::TenantId, secret::Secret};
use ports::{
    cipher::SealedPlace,
    sso::{Attempt, Registration},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long somebody may take at the issuer.
pub(super) const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// The longest way back that is kept: cookies have little room.
const LONGEST_PATH: usize = 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) state: String,
    nonce: String,
    verifier: String,
    pub(super) return_to: String,
    issuer: String,
    client_id: String,
    pub(super) until: Timestamp,
}

impl Pending {
    pub(super) fn new(
        context: &Context,
        registration: &Registration,
        attempt: &Attempt,
        return_to: Option<&str>,
    ) -> Self {
        Self {
            state: attempt.state.expose().to_owned(),
            nonce: attempt.nonce.expose().to_owned(),
            verifier: attempt.verifier.expose().to_owned(),
            return_to: local_path(return_to),
            issuer: registration.issuer.clone(),
            client_id: registration.client_id.clone(),
            until: context.now() + LIFETIME,
        }
    }

    /// As the cookie holds it.
    pub(super) fn sealed(&self, context: &Context) -> Secret {
        // A map of texts always has a JSON form.
        let text = serde_json::to_string(self).unwrap_or_default();
        let cipher = &context.platform.cipher;
        Secret::new(cipher.seal(place(context.tenant), &Secret::new(text)))
    }

    /// What a cookie holds; nothing when it is not one of ours.
    pub(super) fn open(context: &Context, cookie: &Secret) -> Option<Self> {
        let cipher = &context.platform.cipher;
        let opened = cipher.open(place(context.tenant), cookie.expose()).ok()?;
        serde_json::from_str(opened.expose()).ok()
    }

    /// Whether it was begun with what is set now.
    pub(super) fn fits(&self, registration: &Registration) -> bool {
        (&self.issuer, &self.client_id) == (&registration.issuer, &registration.client_id)
    }

    pub(super) fn attempt(&self) -> Attempt {
        Attempt {
            state: Secret::new(self.state.as_str()),
            nonce: Secret::new(self.nonce.as_str()),
            verifier: Secret::new(self.verifier.as_str()),
        }
    }
}

/// A page of this server, or the first one. To a browser `//x` and `/\x` are other hosts.
fn local_path(wanted: Option<&str>) -> String {
    let path = wanted.filter(|path| {
        path.starts_with('/')
            && !path.starts_with("//")
            && path.len() <= LONGEST_PATH
            && path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    });
    path.unwrap_or("/").to_owned()
}

/// Nothing of it is stored; the place keeps it apart from everything that is.
fn place(tenant: TenantId) -> SealedPlace<'static> {
    SealedPlace {
        tenant_id: tenant,
        table: "oidc",
        column: "login",
        row: Uuid::nil(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_to_this_server_alone() {
        for good in ["/", "/jobs/1", "/jobs?status=failed&x=//y", "/a%20b#c"] {
            assert_eq!(local_path(Some(good)), good);
        }
        let long = format!("/{}", "x".repeat(LONGEST_PATH));
        for bad in [
            "",
            "jobs",
            "//evil.example",
            "/\\evil.example",
            "/x\\y",
            "https://evil.example",
            "/a b",
            "/\t/evil.example",
            "/x\r\nSet-Cookie: a=b",
            "/ü",
            &long,
        ] {
            assert_eq!(local_path(Some(bad)), "/", "{bad}");
        }
        assert_eq!(local_path(None), "/");
    }
}
