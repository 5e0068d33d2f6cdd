//! From a credential to a context, and the few rules about who decides about whom. What a context may do is asked of
//! it by every use case itself.

use crate::{Context, Error, Platform};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    access::{Actor, ApiToken, Area, Hidden, Right, Role, Scope},
    id::UserId,
    login::UserSession,
    secret::Secret,
};
use ports::store::{BoxTx, Durability};
use std::sync::Arc;

/// What the token of the environment is called.
const ENVIRONMENT: &str = "NITEJAR_ADMIN_TOKEN";
/// How exactly it is known when a credential was used last: a write for every request would cost more than it tells.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// The context a bearer token opens. The token, and the user of a personal one, are looked up each time, so that a
/// revoked one is dead at once.
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
        let actor = Actor::Token {
            id: None,
            user: None,
            name: ENVIRONMENT.to_owned(),
            role: Role::Owner,
            scopes: None,
        };
        let tenant = platform.settings.home_tenant;
        return Ok(Context::of(Arc::clone(platform), tenant, actor));
    }
    let now = platform.clock.now();
    let token = platform
        .system
        .find_token(&hash)
        .await?
        .filter(|token| token.is_live(now))
        .ok_or(Error::Unauthenticated)?;
    let role = match token.user_id {
        None => token.role,
        Some(id) => {
            let user = platform.system.find_user(id).await?;
            let live = user.filter(|user| user.disabled_at.is_none());
            live.ok_or(Error::Unauthenticated)?.role
        }
    };
    if is_stale(token.last_used_at, now) {
        let tx = platform
            .store
            .write(token.tenant_id, Durability::Relaxed)
            .await?;
        tx.access()
            .touch_token(token.tenant_id, token.id, now)
            .await?;
        tx.commit().await?;
    }
    let actor = Actor::Token {
        id: Some(token.id),
        user: token.user_id,
        name: token.name,
        role,
        scopes: token.scopes,
    };
    Ok(Context::of(Arc::clone(platform), token.tenant_id, actor))
}

/// The context that the cookie of a login opens, looked up each time as a token is.
///
/// # Errors
/// `Unauthenticated` for anything but a live login of a user who is not shut out.
pub async fn resume(platform: &Arc<Platform>, cookie: &Secret) -> Result<Context, Error> {
    let now = platform.clock.now();
    let hash = platform.secrets.hash(cookie);
    let (session, user) = platform
        .system
        .find_session(&hash)
        .await?
        .filter(|(session, user)| session.is_live(now) && user.disabled_at.is_none())
        .ok_or(Error::Unauthenticated)?;
    if is_stale(Some(session.last_seen_at), now) {
        let tenant = session.tenant_id;
        let tx = platform.store.write(tenant, Durability::Relaxed).await?;
        tx.logins().touch_session(&session, now).await?;
        tx.commit().await?;
    }
    let actor = Actor::User {
        id: user.id,
        name: user.name,
        role: user.role,
        session: session.id,
    };
    Ok(Context::of(Arc::clone(platform), session.tenant_id, actor))
}

/// The context of somebody who has been here for a while, as it is now.
///
/// # Errors
/// `Unauthenticated` when their login or token has ended meanwhile.
pub async fn renew(context: &Context) -> Result<Context, Error> {
    let tx = context.read().await?;
    let now = context.now();
    let user = match context.actor.user() {
        None => None,
        Some(id) => {
            let user = tx.users().find(context.tenant, id).await?;
            let live = user.filter(|user| user.disabled_at.is_none());
            Some(live.ok_or(Error::Unauthenticated)?)
        }
    };
    let mut renewed = context.clone();
    match &mut renewed.actor {
        Actor::User { id, session, .. } => {
            let sessions = tx.logins().sessions(context.tenant, Some(*id)).await?;
            let is_live = |row: &UserSession| row.id == *session && row.is_live(now);
            if !sessions.iter().any(is_live) {
                return Err(Error::Unauthenticated);
            }
        }
        Actor::Token { id: Some(id), .. } => {
            let tokens = tx.access().list_tokens(context.tenant).await?;
            let is_live = |row: &ApiToken| row.id == *id && row.is_live(now);
            if !tokens.iter().any(is_live) {
                return Err(Error::Unauthenticated);
            }
        }
        Actor::Token { id: None, .. } | Actor::Agent(_) | Actor::System => {}
    }
    if let (Actor::User { role, .. } | Actor::Token { role, .. }, Some(user)) =
        (&mut renewed.actor, user)
    {
        *role = user.role;
    }
    Ok(renewed)
}

fn is_stale(noted: Option<Timestamp>, now: Timestamp) -> bool {
    noted.is_none_or(|noted| noted + NOTED <= now)
}

impl Context {
    /// What the caller does not see; nothing for owners, admins and the server itself.
    pub async fn hidden(&self, tx: &BoxTx) -> Result<Hidden, Error> {
        if self.actor.role().is_none_or(Role::sees_all) {
            return Ok(Hidden::default());
        }
        let from = self.actor.user();
        Ok(tx.access().hidden(self.tenant, from).await?)
    }

    /// The person behind the request, for what people do for themselves alone: signed in, or with a token that is
    /// not limited.
    pub fn person(&self) -> Result<UserId, Error> {
        match &self.actor {
            Actor::User { id, .. }
            | Actor::Token {
                user: Some(id),
                scopes: None,
                ..
            } => Ok(*id),
            Actor::Token { .. } | Actor::Agent(_) | Actor::System => Err(Error::Forbidden {
                code: "not_a_person",
                message: "this is for a person: sign in, or use a personal token without scopes"
                    .to_owned(),
            }),
        }
    }
}

/// Only owners, and the server itself, decide about owners.
pub(crate) fn owners_only(context: &Context, role: Role) -> Result<(), Error> {
    if role == Role::Owner && context.actor.role().is_some_and(|own| own != Role::Owner) {
        return Err(Error::Forbidden {
            code: "forbidden",
            message: "only owners decide about owners".to_owned(),
        });
    }
    Ok(())
}

/// Nobody gives away more than they have.
pub(crate) fn within_own(
    context: &Context,
    role: Role,
    scopes: Option<&[Scope]>,
) -> Result<(), Error> {
    owners_only(context, role)?;
    let given = Actor::Token {
        id: None,
        user: None,
        name: String::new(),
        role,
        scopes: scopes.map(<[Scope]>::to_vec),
    };
    let beyond = |area: &&Area| given.right(**area) > context.actor.right(**area);
    match Area::ALL.iter().find(beyond) {
        Some(area) => Err(Error::Forbidden {
            code: "forbidden",
            message: format!(
                "this would give a right on {area} that you do not have; choose a lower role or fewer scopes"
            ),
        }),
        None => Ok(()),
    }
}

/// Whether the caller may decide about people.
pub(crate) fn administers_people(context: &Context) -> bool {
    context.actor.may(Area::People, Right::Administer)
}
