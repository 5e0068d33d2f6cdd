//! Repeated requests: the second one with the same key gets the first one's answer. Answers are
//! kept sealed, because one of them may hold a new token.

use crate::{Context, Error};
use chrono::TimeDelta;
use domain::{Timestamp, access::Actor, secret::Secret};
use ports::{
    cipher::SealedPlace,
    store::{IdempotencyClaim, KeyClaim, SavedResponse},
};
use std::time::Duration;

/// How long a key is remembered.
pub const KEPT: TimeDelta = TimeDelta::hours(24);
/// How long a request may take. Whoever serves one with a key must end it then.
pub const LONGEST: Duration = Duration::from_secs(30);
/// After this long a request without an answer is not under way any more: its process is gone. Twice what it may
/// take, for clocks differ.
const ABANDONED: TimeDelta = TimeDelta::seconds(60);

/// What a request with a key should do.
pub enum Begun {
    /// Go on, and tell how it ended.
    Proceed(Claim),
    /// Give this answer again.
    Replay {
        /// The status.
        status: u16,
        /// The JSON body.
        body: String,
    },
}

/// A key taken for a request under way.
pub struct Claim {
    context: Context,
    key: String,
    claimed_at: Timestamp,
}

/// Takes a key for a request.
///
/// # Errors
/// `Conflict` while the first request is under way, `Invalid` when the key was used for another one
/// or cannot be a key.
pub async fn begin(
    context: &Context,
    key: &str,
    request: (&str, &str, &[u8]),
) -> Result<Begun, Error> {
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid(
            "Idempotency-Key",
            "must have 1 to 255 printable ASCII characters without blanks",
        ));
    }
    let now = context.now();
    let fingerprint = fingerprint(context, request);
    let claim = KeyClaim {
        tenant: context.tenant,
        key,
        fingerprint: &fingerprint,
        holder: &context.platform.settings.instance,
        request: context.platform.ids.next(),
        now,
        stale_before: now - KEPT,
        abandoned_before: now - ABANDONED,
    };
    let tx = context.write().await?;
    let claim = tx.idempotency().claim(claim).await?;
    tx.commit().await?;
    match claim {
        IdempotencyClaim::Held { request } => Ok(Begun::Proceed(Claim {
            context: Context {
                request: Some(request),
                ..context.clone()
            },
            key: key.to_owned(),
            claimed_at: now,
        })),
        IdempotencyClaim::InProgress => Err(Error::conflict(
            "request_in_progress",
            "the first request with this Idempotency-Key is still under way; repeat this one later",
        )),
        IdempotencyClaim::Mismatch => Err(Error::invalid(
            "Idempotency-Key",
            "was used for another request; use a new key",
        )),
        IdempotencyClaim::Done(saved) => {
            let body = context
                .platform
                .cipher
                .open(place(context, &column(key)), &saved.body)
                .map_err(|error| Error::Internal(Box::new(error)))?;
            Ok(Begun::Replay {
                status: saved.status,
                body: body.expose().to_owned(),
            })
        }
    }
}

impl Claim {
    /// What the request must be run with, so that what it makes is known when it is sent again.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Keeps the answer.
    pub async fn complete(self, status: u16, body: &str) -> Result<(), Error> {
        let context = &self.context;
        let column = column(&self.key);
        let sealed = context
            .platform
            .cipher
            .seal(place(context, &column), &Secret::new(body));
        let saved = SavedResponse {
            status,
            body: sealed,
        };
        let tx = context.write().await?;
        tx.idempotency()
            .complete(context.tenant, &self.key, self.claimed_at, &saved)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives the key back: the request failed and changed nothing.
    pub async fn release(self) -> Result<(), Error> {
        let tx = self.context.write().await?;
        tx.idempotency()
            .release(self.context.tenant, &self.key, self.claimed_at)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Two requests are the same when caller, method, path and body are.
fn fingerprint(context: &Context, (method, path, body): (&str, &str, &[u8])) -> String {
    let caller = match &context.actor {
        Actor::User { id, .. } => id.to_string(),
        Actor::Token { id, .. } => id.map_or_else(|| "admin".to_owned(), |id| id.to_string()),
        Actor::Agent(id) => id.to_string(),
        Actor::System => "system".to_owned(),
    };
    let body = String::from_utf8_lossy(body);
    let text = Secret::new(format!("{caller}\n{method}\n{path}\n{body}"));
    context.platform.secrets.hash(&text)
}

fn column(key: &str) -> String {
    format!("response.{key}")
}

fn place<'a>(context: &Context, column: &'a str) -> SealedPlace<'a> {
    SealedPlace {
        tenant_id: context.tenant,
        table: "idempotency_keys",
        column,
        row: uuid::Uuid::nil(),
    }
}
