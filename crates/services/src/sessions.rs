//! Logins: opened with a password, listed, ended. Each is a row, so that a login that was ended is dead at once.

use crate::{
    Context, Error, access::administers_people, error::found, second_factor, users, users::Shown,
};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    access::{Actor, Area, Right},
    audit::Change,
    id::{UserId, UserSessionId},
    login::{User, UserSession},
    secret::Secret,
};
use ports::store::{BoxTx, Durability};
use serde_json::json;
use std::collections::HashMap;

/// How long a login lasts, used or not.
const LIFETIME: TimeDelta = TimeDelta::days(30);
/// How much of the name of a browser is kept, in characters.
const USER_AGENT: usize = 256;

/// What somebody signs in with.
pub struct Login {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: Secret,
    /// A code of their second factor, or a recovery code.
    pub code: Option<String>,
}

/// A login with the name of whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The login.
    pub session: UserSession,
    /// Whose.
    pub user_name: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// Who is asking, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The person behind the request, where there is one.
    pub user: Option<Shown>,
    /// When the credential stops working.
    pub expires_at: Option<Timestamp>,
}

/// Signs in with a password. Whether the address is known does not show in how long that takes.
#[tracing::instrument(name = "sessions.login", skip_all, fields(tenant.id = %context.tenant))]
pub async fn login(
    context: &Context,
    login: Login,
    user_agent: Option<&str>,
) -> Result<(UserSession, User, Secret), Error> {
    let known = users::find_by_email(context, &login.email).await?;
    let user = known.clone().filter(|user| user.disabled_at.is_none());
    let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let credentials = &context.platform.credentials;
    let fits = credentials.verify_password(&login.password, stored).await;
    let Some(user) = user.filter(|_| matches!(fits, Ok(true))) else {
        fits.map_err(Error::Internal)?;
        note_refusal(context, known.as_ref()).await?;
        return Err(second_factor::refused());
    };
    let tx = context.change().await?;
    let proven = user.password_hash;
    let user = users::load(context, &tx, user.id).await?;
    if user.password_hash != proven {
        // Changed while the old one was being checked: that one opens nothing any more.
        return Err(second_factor::refused());
    }
    if let Err(refusal) = second_factor::check(context, &tx, &user, login.code.as_deref()).await {
        drop(tx);
        // A missing code is no wrong one.
        if matches!(&refusal, Error::LoginRefused { code, .. } if *code == "invalid_credentials") {
            note_refusal(context, Some(&user)).await?;
        }
        return Err(refusal);
    }
    let (session, cookie) = insert(context, &tx, &user, user_agent).await?;
    tx.commit().await?;
    Ok((session, user, cookie))
}

/// Notes that somebody failed to sign in as this user. Not durable by itself: how long a refusal takes must not tell
/// whether there is such a user.
async fn note_refusal(context: &Context, user: Option<&User>) -> Result<(), Error> {
    let Some(user) = user else {
        return Ok(());
    };
    let store = &context.platform.store;
    let tx = store.write(context.tenant, Durability::Relaxed).await?;
    let name = Some(user.name.clone());
    let change = Change::to("session.refused", "user", user.id.as_uuid(), name);
    context.audit(tx.as_ref(), change).await?;
    Ok(tx.commit().await?)
}

/// Opens a login for somebody who was proven to be that user.
pub(crate) async fn insert(
    context: &Context,
    tx: &BoxTx,
    user: &User,
    user_agent: Option<&str>,
) -> Result<(UserSession, Secret), Error> {
    if user.disabled_at.is_some() {
        return Err(Error::LoginRefused {
            code: "account_disabled",
            message: "this account was shut; ask an administrator".to_owned(),
        });
    }
    let platform = &context.platform;
    let (cookie, now) = (platform.secrets.generate(), context.now());
    let session = UserSession {
        id: UserSessionId::from_uuid(platform.ids.next()),
        tenant_id: context.tenant,
        user_id: user.id,
        hash: platform.secrets.hash(&cookie),
        created_at: now,
        last_seen_at: now,
        expires_at: now + LIFETIME,
        address: context.address.map(|address| address.to_string()),
        user_agent: user_agent.map(|agent| {
            let printable = agent.chars().filter(|c| !c.is_control());
            printable.take(USER_AGENT).collect()
        }),
    };
    let logins = tx.logins();
    logins.insert_session(&session).await?;
    logins.touch_session(&session, now).await?;
    let own = context.acting(users::acting(user, Some(session.id)));
    let change = change("session.created", &session, &user.name);
    let after = json!({ "user_id": user.id, "user_agent": session.user_agent });
    own.audit(tx.as_ref(), change.between(None, Some(after)))
        .await?;
    Ok((session, cookie))
}

fn change(action: &'static str, session: &UserSession, user_name: &str) -> Change {
    Change::to(
        action,
        "session",
        session.id.as_uuid(),
        Some(user_name.to_owned()),
    )
}

/// Who is asking.
pub async fn current(context: &Context) -> Result<Current, Error> {
    let tx = context.read().await?;
    let user = match context.actor.user() {
        Some(id) => Some(users::show(context, users::load(context, &tx, id).await?)),
        None => None,
    };
    let expires_at = match &context.actor {
        Actor::User { id, session, .. } => {
            let sessions = tx.logins().sessions(context.tenant, Some(*id)).await?;
            let this = sessions.into_iter().find(|row| row.id == *session);
            this.map(|row| row.expires_at)
        }
        Actor::Token { id: Some(id), .. } => {
            let tokens = tx.access().list_tokens(context.tenant).await?;
            let this = tokens.into_iter().find(|row| row.id == *id);
            this.and_then(|row| row.expires_at)
        }
        Actor::Token { id: None, .. } | Actor::Agent(_) | Actor::System => None,
    };
    Ok(Current { user, expires_at })
}

/// Live logins, newest first: one's own, or those of somebody else for who may decide about people.
pub async fn list(context: &Context, of: Option<UserId>) -> Result<Vec<Listed>, Error> {
    let own = context.person().ok();
    let of = of.or(own);
    if of.is_none() || of != own {
        context.authorise(Area::People, Right::Administer)?;
    }
    let tx = context.read().await?;
    let names: HashMap<UserId, String> = tx
        .users()
        .list(context.tenant)
        .await?
        .into_iter()
        .map(|user| (user.id, user.name))
        .collect();
    let sessions = tx.logins().sessions(context.tenant, of).await?;
    let (now, current) = (context.now(), context.actor.session());
    let live = sessions.into_iter().filter(|session| session.is_live(now));
    Ok(live
        .map(|session| Listed {
            user_name: names.get(&session.user_id).cloned().unwrap_or_default(),
            is_current: current == Some(session.id),
            session,
        })
        .collect())
}

/// Ends a login: one's own, or somebody's for who may decide about people. To everybody else there is none.
#[tracing::instrument(name = "sessions.end", skip_all, fields(tenant.id = %context.tenant))]
pub async fn end(context: &Context, id: UserSessionId) -> Result<(), Error> {
    let tx = context.write().await?;
    let sessions = tx.logins().sessions(context.tenant, None).await?;
    let session = sessions.into_iter().find(|row| row.id == id);
    let own = context.person().ok();
    let may = |row: &UserSession| administers_people(context) || own == Some(row.user_id);
    let session = found(session.filter(may), "session")?;
    let user = users::load(context, &tx, session.user_id).await?;
    if own != Some(user.id) {
        crate::access::owners_only(context, user.role)?;
    }
    tx.logins().delete_session(context.tenant, id).await?;
    let before = json!({ "user_id": user.id });
    let change = change("session.ended", &session, &user.name).between(Some(before), None);
    context.audit(tx.as_ref(), change).await?;
    Ok(tx.commit().await?)
}

/// Ends the login that asks.
#[tracing::instrument(name = "sessions.logout", skip_all, fields(tenant.id = %context.tenant))]
pub async fn logout(context: &Context) -> Result<(), Error> {
    match context.actor.session() {
        Some(session) => end(context, session).await,
        None => Err(Error::conflict(
            "no_login",
            "a token has no login to end; revoke the token instead",
        )),
    }
}
