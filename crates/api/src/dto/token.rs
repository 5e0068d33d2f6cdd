//! Tokens on the wire. The token itself is in one answer only, the one to its creation.

use super::words::{Role, TokenKind};
use crate::problem::ApiError;
use chrono::{DateTime, Utc};
use domain::{
    access::{self, ApiToken, Scope},
    id::UserId,
    secret::Secret,
};
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
    /// A service token when absent.
    kind: Option<TokenKind>,
    /// What a service token may do, a member's rights when absent; a personal one may what its owner may.
    role: Option<Role>,
    /// What it is limited to, as `area:right`; absent or null: all its role carries.
    #[schema(example = json!(["work:operate", "agents:read"]))]
    scopes: Option<Vec<String>>,
    /// When it stops working by itself; absent or null: never.
    expires_at: Option<DateTime<Utc>>,
}

/// A token, without the token itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    id: Uuid,
    kind: TokenKind,
    #[schema(example = "nightly report")]
    name: String,
    /// Whose it is, of a personal one.
    #[schema(required)]
    user_id: Option<Uuid>,
    role: Role,
    /// What it is limited to; null: all its role carries.
    #[schema(required)]
    scopes: Option<Vec<String>>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// When somebody stopped it.
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    #[schema(required)]
    last_used_at: Option<DateTime<Utc>>,
}

/// A new token: the only answer that holds it.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewTokenView {
    #[serde(flatten)]
    row: TokenView,
    /// Keep it: it cannot be shown again.
    token: String,
}

impl TryFrom<CreateToken> for tokens::CreateToken {
    type Error = ApiError;

    fn try_from(body: CreateToken) -> Result<Self, ApiError> {
        let parse = |text: String| {
            let message = "must be scopes like work:operate or agents:read";
            text.parse::<Scope>()
                .map_err(|_unknown| ApiError::field("scopes", message))
        };
        let scopes = body
            .scopes
            .map(|scopes| scopes.into_iter().map(parse).collect());
        Ok(Self {
            name: body.name,
            kind: body.kind.map_or(access::TokenKind::Service, |kind| kind.0),
            role: body.role.map(|role| role.0),
            scopes: scopes.transpose()?,
            expires_at: body.expires_at,
        })
    }
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.as_uuid(),
            kind: TokenKind(token.kind()),
            user_id: token.user_id.map(UserId::as_uuid),
            scopes: token
                .scopes
                .as_ref()
                .map(|scopes| scopes.iter().map(Scope::to_string).collect()),
            last_used_at: token.last_used_at,
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
