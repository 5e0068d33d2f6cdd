//! Tokens on the wire. The token itself is in one answer only, the one to its creation.

use super::words::Role;
use chrono::{DateTime, Utc};
use domain::{access::ApiToken, secret::Secret};
use serde::{Deserialize, Serialize};
use services::tokens;
use utoipa::ToSchema;
use uuid::Uuid;

/// A new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateToken {
    /// What people call it.
    #[schema(example = "nightly report")]
    name: String,
    role: Role,
    /// When it stops working by itself; absent or null: never.
    expires_at: Option<DateTime<Utc>>,
}

/// A token, without the token itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    id: Uuid,
    #[schema(example = "nightly report")]
    name: String,
    role: Role,
    created_at: DateTime<Utc>,
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// When somebody stopped it.
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
}

/// A new token: the only answer that holds it.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewTokenView {
    #[serde(flatten)]
    row: TokenView,
    /// Keep it: it cannot be shown again.
    token: String,
}

impl From<CreateToken> for tokens::CreateToken {
    fn from(body: CreateToken) -> Self {
        Self {
            name: body.name,
            role: body.role.0,
            expires_at: body.expires_at,
        }
    }
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.as_uuid(),
            name: token.name,
            role: Role(token.role),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}

impl From<(ApiToken, Secret)> for NewTokenView {
    fn from((row, token): (ApiToken, Secret)) -> Self {
        Self {
            row: row.into(),
            token: token.expose().to_owned(),
        }
    }
}
