//! Bearer tokens: made once, shown once, stopped at once.

use crate::{Context, Error, error::found};
use domain::{
    Timestamp,
    access::{Actor, ApiToken, Right, Role},
    id::TokenId,
    secret::Secret,
};

/// What is asked of a new token.
#[derive(Clone, Debug)]
pub struct CreateToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it stops working by itself; absent = never.
    pub expires_at: Option<Timestamp>,
}

/// All tokens, newest first, stopped ones too.
pub async fn list(context: &Context) -> Result<Vec<ApiToken>, Error> {
    context.authorise(Right::Administer)?;
    Ok(context
        .read()
        .await?
        .access()
        .list_tokens(context.tenant)
        .await?)
}

/// Makes a token. The secret is returned this once and kept nowhere.
pub async fn create(context: &Context, request: CreateToken) -> Result<(ApiToken, Secret), Error> {
    context.authorise(Right::Administer)?;
    owners_only(context, request.role)?;
    let now = context.now();
    if request.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("expires_at", "must lie in the future"));
    }
    let platform = &context.platform;
    let secret = platform.secrets.generate();
    let token = ApiToken {
        id: TokenId::from_uuid(platform.ids.next()),
        tenant_id: context.tenant,
        user_id: None,
        name: crate::integrations::name(&request.name)?,
        role: request.role,
        hash: platform.secrets.hash(&secret),
        created_at: now,
        expires_at: request.expires_at,
        revoked_at: None,
    };
    let tx = context.write().await?;
    tx.access().insert_token(&token).await?;
    tx.commit().await?;
    Ok((token, secret))
}

/// Stops a token for good; stopping it twice is fine.
pub async fn revoke(context: &Context, id: TokenId) -> Result<(), Error> {
    context.authorise(Right::Administer)?;
    let tx = context.write().await?;
    let tokens = tx.access().list_tokens(context.tenant).await?;
    let token = found(tokens.into_iter().find(|token| token.id == id), "token")?;
    owners_only(context, token.role)?;
    tx.access()
        .revoke_token(context.tenant, id, context.now())
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Only owners, and the server itself, decide about owners.
fn owners_only(context: &Context, role: Role) -> Result<(), Error> {
    let is_admin = matches!(
        context.actor,
        Actor::Token {
            role: Role::Admin,
            ..
        }
    );
    if role == Role::Owner && is_admin {
        return Err(Error::Forbidden {
            right: Right::Administer,
        });
    }
    Ok(())
}
