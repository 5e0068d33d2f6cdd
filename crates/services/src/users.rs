//! People with a login: listed, changed, shut out, deleted; and what each of them changes alone.

use crate::{
    Context, Error,
    access::{administers_people, owners_only, within_own},
    error::found,
    integrations::name,
    links, sso,
};
use domain::{
    access::{Actor, Area, Right, Role},
    audit::Change,
    id::{UserId, UserSessionId},
    login::User,
    secret::Secret,
};
use ports::store::{BoxTx, StoreError};
use serde_json::{Value, json};

/// The shortest password, in characters.
const SHORTEST: usize = 10;
/// The longest password, in bytes: more would only make hashing dearer.
const LONGEST: usize = 1024;

/// A user as a caller may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The user.
    pub user: User,
    /// Whether the caller may see more than name and role.
    pub in_full: bool,
}

/// What is known of somebody who is to become a user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What people call them.
    pub name: String,
    /// Their address.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Who they are at the identity provider.
    pub oidc_subject: Option<String>,
}

/// What is to change; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct UpdateUser {
    /// A new name.
    pub name: Option<String>,
    /// Another role.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub enabled: Option<bool>,
}

/// All users, oldest first.
pub async fn list(context: &Context) -> Result<Vec<Shown>, Error> {
    context.authorise(Area::People, Right::Read)?;
    let users = context.read().await?.users().list(context.tenant).await?;
    Ok(users.into_iter().map(|user| show(context, user)).collect())
}

/// Changes a user.
#[tracing::instrument(name = "users.update", skip_all, fields(tenant.id = %context.tenant, user.id = %id))]
pub async fn update(context: &Context, id: UserId, change: UpdateUser) -> Result<Shown, Error> {
    context.authorise(Area::People, Right::Administer)?;
    let tx = context.change().await?;
    let mut user = load(context, &tx, id).await?;
    let before = user.clone();
    owners_only(context, user.role)?;
    let is_owner = user.role == Role::Owner && user.disabled_at.is_none();
    if let Some(text) = &change.name {
        user.name = name(text)?;
    }
    if let Some(role) = change.role {
        within_own(context, role, None)?;
        user.role = role;
    }
    user.disabled_at = match change.enabled {
        Some(true) => None,
        Some(false) => user.disabled_at.or_else(|| Some(context.now())),
        None => user.disabled_at,
    };
    if is_owner && (user.role != Role::Owner || user.disabled_at.is_some()) {
        refuse_last_owner(context, &tx, id).await?;
    }
    tx.users().update(&user).await?;
    if user.disabled_at.is_some() {
        let logins = tx.logins();
        logins.delete_sessions(context.tenant, id, None).await?;
    }
    note(context, &tx, "user.updated", (Some(&before), Some(&user))).await?;
    tx.commit().await?;
    Ok(show(context, user))
}

/// Deletes a user: their name stays on what they did, and nothing else.
#[tracing::instrument(name = "users.delete", skip_all, fields(tenant.id = %context.tenant, user.id = %id))]
pub async fn delete(context: &Context, id: UserId) -> Result<(), Error> {
    context.authorise(Area::People, Right::Administer)?;
    let tx = context.change().await?;
    let user = load(context, &tx, id).await?;
    owners_only(context, user.role)?;
    if user.role == Role::Owner {
        refuse_last_owner(context, &tx, id).await?;
    }
    let users = tx.users();
    users.delete(context.tenant, id, context.now()).await?;
    drop(users);
    note(context, &tx, "user.deleted", (Some(&user), None)).await?;
    Ok(tx.commit().await?)
}

/// Gives the caller another name.
pub async fn rename(context: &Context, to: Option<&str>) -> Result<Shown, Error> {
    let id = context.person()?;
    let tx = context.change().await?;
    let mut user = load(context, &tx, id).await?;
    if let Some(text) = to {
        let before = user.clone();
        user.name = name(text)?;
        tx.users().update(&user).await?;
        note(context, &tx, "user.updated", (Some(&before), Some(&user))).await?;
        tx.commit().await?;
    }
    Ok(show(context, user))
}

/// Gives the caller another password, and ends their other logins.
#[tracing::instrument(name = "users.change_password", skip_all, fields(tenant.id = %context.tenant))]
pub async fn change_password(context: &Context, now: &Secret, new: &Secret) -> Result<(), Error> {
    let id = context.person()?;
    // Before the proof, so that a bad new password does not tell whether the present one was right.
    sound("new_password", new)?;
    let proven = prove(context, id, "current_password", now).await?;
    let password_hash = hash_password(context, "new_password", new).await?;
    let tx = context.change().await?;
    let mut user = still(context, &tx, proven, "current_password").await?;
    user.password_hash = Some(password_hash);
    tx.users().update(&user).await?;
    tx.logins()
        .delete_sessions(context.tenant, id, context.actor.session())
        .await?;
    links::withdraw_resets(context, &tx, id, None).await?;
    note(context, &tx, "user.password_changed", (None, Some(&user))).await?;
    Ok(tx.commit().await?)
}

/// Refuses unless the password is the user's.
pub(crate) async fn prove(
    context: &Context,
    id: UserId,
    field: &'static str,
    password: &Secret,
) -> Result<User, Error> {
    let tx = context.read().await?;
    let user = load(context, &tx, id).await?;
    drop(tx);
    let stored = user.password_hash.as_deref();
    let credentials = &context.platform.credentials;
    match credentials.verify_password(password, stored).await {
        Ok(true) => Ok(user),
        Ok(false) => Err(Error::invalid(field, "is not your password")),
        Err(source) => Err(Error::Internal(source)),
    }
}

/// The user in the transaction that rests on the proof; the password may have been changed since.
pub(crate) async fn still(
    context: &Context,
    tx: &BoxTx,
    proven: User,
    field: &'static str,
) -> Result<User, Error> {
    let user = load(context, tx, proven.id).await?;
    if user.password_hash == proven.password_hash {
        Ok(user)
    } else {
        Err(Error::invalid(field, "is not your password"))
    }
}

/// What is stored of a password that is good enough.
pub(crate) async fn hash_password(
    context: &Context,
    field: &'static str,
    password: &Secret,
) -> Result<String, Error> {
    sound(field, password)?;
    let credentials = &context.platform.credentials;
    let hash = credentials.hash_password(password).await;
    hash.map_err(Error::Internal)
}

fn sound(field: &'static str, password: &Secret) -> Result<(), Error> {
    let text = password.expose();
    if text.chars().count() < SHORTEST || text.len() > LONGEST {
        let message =
            format!("must have {SHORTEST} characters or more, and at most {LONGEST} bytes");
        return Err(Error::invalid(field, message));
    }
    Ok(())
}

/// An address in the one form in which addresses are compared.
pub(crate) fn email(text: &str) -> Result<String, Error> {
    let email = text.trim().to_lowercase();
    let sound = email.len() <= 254
        && !email.chars().any(|c| c.is_control() || c.is_whitespace())
        && email
            .split_once('@')
            .is_some_and(|(who, at)| !who.is_empty() && !at.is_empty() && !at.contains('@'));
    if sound {
        Ok(email)
    } else {
        Err(Error::invalid(
            "email",
            "must be an address like kim@example.com",
        ))
    }
}

/// Writes a new user.
pub(crate) async fn insert(tx: &BoxTx, user: &User) -> Result<(), Error> {
    tx.users().insert(user).await.map_err(|error| match error {
        StoreError::Conflict { .. } => taken(),
        other @ (StoreError::Stale | StoreError::Corrupt { .. } | StoreError::Backend(_)) => {
            other.into()
        }
    })
}

pub(crate) fn taken() -> Error {
    Error::conflict("email_taken", "there is a user with that address already")
}

/// A user as a request describes them.
pub(crate) fn fresh(context: &Context, new: NewUser) -> Result<User, Error> {
    Ok(User {
        id: UserId::from_uuid(context.new_id()),
        tenant_id: context.tenant,
        name: name(&new.name)?,
        email: email(&new.email)?,
        role: new.role,
        password_hash: None,
        totp: None,
        oidc_subject: new.oidc_subject,
        disabled_at: None,
        created_at: context.now(),
        last_seen_at: None,
    })
}

pub(crate) async fn load(context: &Context, tx: &BoxTx, id: UserId) -> Result<User, Error> {
    found(tx.users().find(context.tenant, id).await?, "user")
}

pub(crate) fn show(context: &Context, user: User) -> Shown {
    let in_full = administers_people(context) || context.actor.user() == Some(user.id);
    Shown { user, in_full }
}

/// Somebody must be left who may do everything.
async fn refuse_last_owner(context: &Context, tx: &BoxTx, id: UserId) -> Result<(), Error> {
    if leaves_an_owner(context, tx, id).await? {
        return Ok(());
    }
    Err(Error::conflict(
        "last_owner",
        "this is the last owner who can sign in; make somebody else an owner first",
    ))
}

/// Whether there is an owner who can sign in beside this one. The owners are locked, so that two of them cannot go at
/// once.
pub(crate) async fn leaves_an_owner(
    context: &Context,
    tx: &BoxTx,
    id: UserId,
) -> Result<bool, Error> {
    let owners = tx.users().owners(context.tenant).await?;
    let issuer = sso::load(tx.as_ref(), context.tenant).await?;
    let vouched = |subject: &str| issuer.as_ref().is_some_and(|issuer| issuer.is_own(subject));
    let enters = |owner: &User| {
        owner.password_hash.is_some() || owner.oidc_subject.as_deref().is_some_and(vouched)
    };
    Ok(owners.iter().any(|owner| owner.id != id && enters(owner)))
}

/// The user with this address.
pub async fn find_by_email(context: &Context, address: &str) -> Result<Option<User>, Error> {
    let Ok(address) = email(address) else {
        return Ok(None);
    };
    let tx = context.read().await?;
    Ok(tx.users().find_by_email(context.tenant, &address).await?)
}

/// Notes a change to a user.
pub(crate) async fn note(
    context: &Context,
    tx: &BoxTx,
    action: &'static str,
    (before, after): (Option<&User>, Option<&User>),
) -> Result<(), Error> {
    let Some(user) = after.or(before) else {
        return Ok(());
    };
    let facts = |user: &User| -> Value {
        json!({
            "name": user.name,
            "email": user.email,
            "role": user.role,
            "enabled": user.disabled_at.is_none(),
            "has_password": user.password_hash.is_some(),
            "has_totp": user.has_totp(),
            "oidc_subject": user.oidc_subject,
        })
    };
    let change = Change::to(action, "user", user.id.as_uuid(), Some(user.name.clone()));
    let change = change.between(before.map(facts), after.map(facts));
    context.audit(tx.as_ref(), change).await
}

/// The user as the one who acts, in this login; in none where somebody else says who they are.
pub(crate) fn acting(user: &User, session: Option<UserSessionId>) -> Actor {
    Actor::User {
        id: user.id,
        name: user.name.clone(),
        role: user.role,
        session: session.unwrap_or_else(|| UserSessionId::from_uuid(uuid::Uuid::nil())),
    }
}
