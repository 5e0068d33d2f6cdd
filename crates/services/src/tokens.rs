//! Bearer tokens: made once, shown once, stopped at once. A personal one is a person's own and may what they may; a
//! service token has a role of its own.

use crate::{
    Context, Error,
    access::{administers_people, owners_only, within_own},
    error::found,
};
use domain::{
    Timestamp,
    access::{ApiToken, Area, Right, Role, Scope, TokenKind},
    audit::Change,
    id::{TokenId, UserId},
    secret::Secret,
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What is asked of a new token.
#[derive(Clone, Debug)]
pub struct CreateToken {
    /// What people call it.
    pub name: String,
    /// For whom.
    pub kind: TokenKind,
    /// What it may do, of a service token; a member's when absent.
    pub role: Option<Role>,
    /// What it is limited to; absent = all its role carries.
    pub scopes: Option<Vec<Scope>>,
    /// When it stops working by itself; absent = never.
    pub expires_at: Option<Timestamp>,
}

/// Tokens, newest first, stopped ones too: all of them for who may decide about people, else one's own.
pub async fn list(context: &Context) -> Result<Vec<ApiToken>, Error> {
    let own = own(context)?;
    let tx = context.read().await?;
    let mut tokens = tx.access().list_tokens(context.tenant).await?;
    let users = tx.users().list(context.tenant).await?;
    let roles: HashMap<UserId, Role> = users.iter().map(|user| (user.id, user.role)).collect();
    tokens.retain(|token| own.is_none() || token.user_id == own);
    for token in &mut tokens {
        if let Some(role) = token.user_id.and_then(|user| roles.get(&user)) {
            token.role = *role;
        }
    }
    Ok(tokens)
}

/// Makes a token. The secret is returned this once and kept nowhere.
#[tracing::instrument(name = "tokens.create", skip_all, fields(tenant.id = %context.tenant))]
pub async fn create(context: &Context, request: CreateToken) -> Result<(ApiToken, Secret), Error> {
    let (user_id, role) = match request.kind {
        TokenKind::Personal => {
            if request.role.is_some() {
                let message = "a personal token has no role of its own: it may what its owner may";
                return Err(Error::invalid("role", message));
            }
            let user = context.person()?;
            (Some(user), context.actor.role().unwrap_or(Role::Viewer))
        }
        TokenKind::Service => {
            context.authorise(Area::People, Right::Administer)?;
            let role = request.role.unwrap_or(Role::Member);
            within_own(context, role, request.scopes.as_deref())?;
            (None, role)
        }
    };
    let now = context.now();
    if request.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("expires_at", "must lie in the future"));
    }
    if request.scopes.as_ref().is_some_and(Vec::is_empty) {
        let message = "must name one or more; leave it out for all that the role carries";
        return Err(Error::invalid("scopes", message));
    }
    let platform = &context.platform;
    let secret = platform.secrets.generate();
    let token = ApiToken {
        id: TokenId::from_uuid(platform.ids.next()),
        tenant_id: context.tenant,
        user_id,
        name: crate::integrations::name(&request.name)?,
        role,
        scopes: request.scopes,
        hash: platform.secrets.hash(&secret),
        created_at: now,
        expires_at: request.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    let tx = context.write().await?;
    tx.access().insert_token(&token).await?;
    let change = change("token.created", &token).between(None, Some(facts(&token)));
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok((token, secret))
}

/// Stops a token for good; stopping it twice is fine.
#[tracing::instrument(name = "tokens.revoke", skip_all, fields(tenant.id = %context.tenant))]
pub async fn revoke(context: &Context, id: TokenId) -> Result<(), Error> {
    let own = own(context)?;
    let tx = context.write().await?;
    let tokens = tx.access().list_tokens(context.tenant).await?;
    let token = tokens.into_iter().find(|token| token.id == id);
    let token = token.filter(|token| own.is_none() || token.user_id == own);
    let token = found(token, "token")?;
    let is_own = token.user_id.is_some() && token.user_id == context.actor.user();
    if !is_own {
        let holder = match token.user_id {
            Some(user) => tx.users().find(context.tenant, user).await?,
            None => None,
        };
        owners_only(context, holder.map_or(token.role, |user| user.role))?;
    }
    if token.revoked_at.is_some() {
        return Ok(());
    }
    tx.access()
        .revoke_token(context.tenant, id, context.now())
        .await?;
    let change = change("token.revoked", &token).between(None, Some(facts(&token)));
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(())
}

/// A change to a token.
pub fn change(action: &'static str, token: &ApiToken) -> Change {
    Change::to(
        action,
        "token",
        token.id.as_uuid(),
        Some(token.name.clone()),
    )
}

/// What may be told of a token.
pub fn facts(token: &ApiToken) -> Value {
    let scopes = token.scopes.as_ref();
    json!({
        "user_id": token.user_id,
        "role": token.role,
        "scopes": scopes.map(|scopes| scopes.iter().map(Scope::to_string).collect::<Vec<_>>()),
        "expires_at": token.expires_at,
    })
}

/// Whose tokens the caller sees: nobody's in particular, which is everybody's, or their own.
fn own(context: &Context) -> Result<Option<UserId>, Error> {
    if administers_people(context) {
        return Ok(None);
    }
    context.person().map(Some)
}
