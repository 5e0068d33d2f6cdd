//! From a credential to a context. Looks nothing up but the token; what it may do is asked of the
//! context by every use case itself.

use crate::{Context, Error, Platform};
use domain::{
    access::{Actor, Role},
    secret::Secret,
};
use std::sync::Arc;

/// The context a bearer token opens. The token is looked up each time, so that a revoked one is
/// dead at once.
///
/// # Errors
/// `Unauthenticated` for anything but a live token.
pub async fn authenticate(platform: &Arc<Platform>, token: &Secret) -> Result<Context, Error> {
    if token.is_empty() {
        return Err(Error::Unauthenticated);
    }
    // Hashes are compared, not tokens: how long that takes says nothing about a token.
    let hash = platform.secrets.hash(token);
    if platform.settings.admin_token_hash.as_ref() == Some(&hash) {
        return Ok(Context {
            actor: Actor::Token {
                id: None,
                role: Role::Owner,
            },
            tenant: platform.settings.home_tenant,
            platform: Arc::clone(platform),
            request: None,
        });
    }
    let token = platform
        .system
        .find_token(&hash)
        .await?
        .filter(|token| token.is_live(platform.clock.now()))
        .ok_or(Error::Unauthenticated)?;
    Ok(Context {
        actor: Actor::Token {
            id: Some(token.id),
            role: token.role,
        },
        tenant: token.tenant_id,
        platform: Arc::clone(platform),
        request: None,
    })
}
