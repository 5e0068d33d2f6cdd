//! Links that let a person in once: the first owner, who was invited, who lost a password. The secret is in the part
//! of the URL that browsers keep to themselves, and in the database only as its hash.

use crate::{Context, Error, access::within_own, error::found, second_factor, sessions, users};
use domain::{
    access::{Area, Right, Role},
    audit::Change,
    id::{UserId, UserLinkId},
    login::{LinkKind, User, UserLink, UserSession},
    secret::Secret,
};
use ports::store::BoxTx;
use serde_json::{Value, json};

/// The page that follows links.
const PAGE: &str = "/welcome#token=";

/// A new link: the only time it can be seen.
pub struct NewLink {
    /// What the database knows of it.
    pub link: UserLink,
    /// Where to go.
    pub url: Secret,
}

/// What somebody gives who follows a link.
pub struct Redeem {
    /// What the link carries.
    pub token: Secret,
    /// What people call them; of who is new.
    pub name: Option<String>,
    /// Their address; of the first owner.
    pub email: Option<String>,
    /// Their new password.
    pub password: Secret,
    /// A code of their second factor, of who has one.
    pub code: Option<String>,
}

/// Whether nobody has signed in as an owner yet.
pub async fn is_setup_required(context: &Context) -> Result<bool, Error> {
    let tx = context.read().await?;
    let users = tx.users().list(context.tenant).await?;
    Ok(!users
        .iter()
        .any(|user| user.role == Role::Owner && user.disabled_at.is_none()))
}

/// Makes a link for the first owner; none when there is an owner.
pub async fn set_up(context: &Context) -> Result<Option<NewLink>, Error> {
    context.authorise(Area::People, Right::Administer)?;
    let tx = context.change().await?;
    if !tx.users().owners(context.tenant).await?.is_empty() {
        return Ok(None);
    }
    let new = make(context, LinkKind::Setup);
    insert(context, &tx, &new.link).await?;
    tx.commit().await?;
    Ok(Some(new))
}

/// Invites somebody.
#[tracing::instrument(name = "links.invite", skip_all, fields(tenant.id = %context.tenant))]
pub async fn invite(context: &Context, email: &str, role: Role) -> Result<NewLink, Error> {
    context.authorise(Area::People, Right::Administer)?;
    within_own(context, role, None)?;
    let email = users::email(email)?;
    let tx = context.change().await?;
    let known = tx.users().find_by_email(context.tenant, &email).await?;
    if known.is_some() {
        return Err(users::taken());
    }
    let mut new = make(context, LinkKind::Invitation);
    new.link.email = Some(email);
    new.link.role = Some(role);
    insert(context, &tx, &new.link).await?;
    tx.commit().await?;
    Ok(new)
}

/// Makes a link with which a user gets a new password.
#[tracing::instrument(name = "links.reset", skip_all, fields(tenant.id = %context.tenant, user.id = %user))]
pub async fn reset(context: &Context, user: UserId) -> Result<NewLink, Error> {
    context.authorise(Area::People, Right::Administer)?;
    let tx = context.change().await?;
    let user = users::load(context, &tx, user).await?;
    within_own(context, user.role, None)?;
    withdraw_resets(context, &tx, user.id, None).await?;
    let mut new = make(context, LinkKind::Reset);
    new.link.email = Some(user.email);
    new.link.user_id = Some(user.id);
    insert(context, &tx, &new.link).await?;
    tx.commit().await?;
    Ok(new)
}

/// Invitations that nobody has followed, newest first; those that have run out too.
pub async fn invitations(context: &Context) -> Result<Vec<UserLink>, Error> {
    context.authorise(Area::People, Right::Administer)?;
    let links = context.read().await?.logins().links(context.tenant).await?;
    let invitations = links.into_iter();
    Ok(invitations
        .filter(|link| link.kind == LinkKind::Invitation)
        .collect())
}

/// Takes an invitation back.
#[tracing::instrument(name = "links.withdraw", skip_all, fields(tenant.id = %context.tenant))]
pub async fn withdraw(context: &Context, id: UserLinkId) -> Result<(), Error> {
    context.authorise(Area::People, Right::Administer)?;
    let tx = context.write().await?;
    let links = tx.logins().links(context.tenant).await?;
    let invited = |link: &UserLink| link.id == id && link.kind == LinkKind::Invitation;
    let link = found(links.into_iter().find(invited), "invitation")?;
    tx.logins().delete_link(context.tenant, link.id).await?;
    let change = change("link.withdrawn", &link).between(Some(facts(&link)), None);
    context.audit(tx.as_ref(), change).await?;
    Ok(tx.commit().await?)
}

/// What a link is for, without using it.
pub async fn inspect(context: &Context, token: &Secret) -> Result<UserLink, Error> {
    let hash = context.platform.secrets.hash(token);
    let link = context.platform.system.find_link(&hash).await?;
    let live = link.filter(|link| link.tenant_id == context.tenant && link.is_live(context.now()));
    live.ok_or_else(unknown)
}

/// Follows a link: the user is made or gets the new password, and is signed in.
#[tracing::instrument(name = "links.redeem", skip_all, fields(tenant.id = %context.tenant))]
pub async fn redeem(
    context: &Context,
    request: Redeem,
    user_agent: Option<&str>,
) -> Result<(UserSession, User, Secret), Error> {
    let link = inspect(context, &request.token).await?;
    let hash = users::hash_password(context, "password", &request.password).await?;
    let tx = context.change().await?;
    let (user, action) = match link.user_id {
        Some(user) => (
            renewed(context, &tx, user, &request, hash).await?,
            "user.password_reset",
        ),
        None => (
            newcomer(context, &tx, &link, &request, hash).await?,
            "user.created",
        ),
    };
    if !tx
        .logins()
        .use_link(context.tenant, link.id, context.now())
        .await?
    {
        return Err(unknown());
    }
    let (session, cookie) = sessions::insert(context, &tx, &user, user_agent).await?;
    let own = context.acting(users::acting(&user, Some(session.id)));
    withdraw_resets(&own, &tx, user.id, Some(link.id)).await?;
    let after = json!({ "kind": link.kind, "user_id": user.id });
    let redeemed = change("link.redeemed", &link).between(None, Some(after));
    own.audit(tx.as_ref(), redeemed).await?;
    users::note(&own, &tx, action, (None, Some(&user))).await?;
    tx.commit().await?;
    Ok((session, user, cookie))
}

/// Takes back what else would let somebody set a password for this user: an older link may be in wrong hands.
pub(crate) async fn withdraw_resets(
    context: &Context,
    tx: &BoxTx,
    user: UserId,
    except: Option<UserLinkId>,
) -> Result<(), Error> {
    let logins = tx.logins();
    let open = logins.links(context.tenant).await?.into_iter();
    let others = open.filter(|link| link.user_id == Some(user) && Some(link.id) != except);
    for link in others {
        logins.delete_link(context.tenant, link.id).await?;
        let change = change("link.withdrawn", &link).between(Some(facts(&link)), None);
        context.audit(tx.as_ref(), change).await?;
    }
    Ok(())
}

async fn insert(context: &Context, tx: &BoxTx, link: &UserLink) -> Result<(), Error> {
    tx.logins().insert_link(link).await?;
    let change = change("link.created", link).between(None, Some(facts(link)));
    context.audit(tx.as_ref(), change).await
}

/// A change to a link.
pub fn change(action: &'static str, link: &UserLink) -> Change {
    Change::to(action, "link", link.id.as_uuid(), link.email.clone())
}

/// What may be told of a link.
pub fn facts(link: &UserLink) -> Value {
    json!({
        "kind": link.kind,
        "email": link.email,
        "role": link.role,
        "user_id": link.user_id,
        "expires_at": link.expires_at,
    })
}

/// Somebody who gets a new password; whoever had the old one is signed out.
async fn renewed(
    context: &Context,
    tx: &BoxTx,
    id: UserId,
    request: &Redeem,
    hash: String,
) -> Result<User, Error> {
    let user = tx.users().find(context.tenant, id).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    let user = user.ok_or_else(unknown)?;
    second_factor::check(context, tx, &user, request.code.as_deref()).await?;
    // Read again: the check may have used a code up.
    let mut user = users::load(context, tx, id).await?;
    user.password_hash = Some(hash);
    tx.users().update(&user).await?;
    tx.logins()
        .delete_sessions(context.tenant, id, None)
        .await?;
    Ok(user)
}

async fn newcomer(
    context: &Context,
    tx: &BoxTx,
    link: &UserLink,
    request: &Redeem,
    hash: String,
) -> Result<User, Error> {
    let is_setup = link.kind == LinkKind::Setup;
    if is_setup && !tx.users().owners(context.tenant).await?.is_empty() {
        return Err(unknown());
    }
    let missing = |field: &'static str| Error::invalid(field, "is needed");
    let email = match &link.email {
        Some(email) => email.clone(),
        None => request.email.clone().ok_or_else(|| missing("email"))?,
    };
    let name = request.name.clone().ok_or_else(|| missing("name"))?;
    let new = users::NewUser {
        name,
        email,
        role: link.role.unwrap_or(Role::Owner),
        oidc_subject: None,
    };
    let user = User {
        password_hash: Some(hash),
        ..users::fresh(context, new)?
    };
    users::insert(tx, &user).await?;
    Ok(user)
}

fn make(context: &Context, kind: LinkKind) -> NewLink {
    let platform = &context.platform;
    let token = platform.secrets.generate();
    NewLink {
        link: UserLink::new(
            UserLinkId::from_uuid(platform.ids.next()),
            context.tenant,
            kind,
            platform.secrets.hash(&token),
            context.now(),
        ),
        url: url(&platform.settings.people_url, &token),
    }
}

/// Where a link leads. What it carries stands behind the `#`, which browsers send to no server.
pub fn url(people_url: &str, token: &Secret) -> Secret {
    Secret::new(format!("{people_url}{PAGE}{}", token.expose()))
}

/// What a link carries.
pub fn token_of(url: &str) -> Option<Secret> {
    let (_, token) = url.trim().split_once(PAGE)?;
    Some(Secret::new(token))
}

fn unknown() -> Error {
    Error::Gone {
        code: "link_unknown",
        message: "this link was used, has run out or was never made; ask for a new one".to_owned(),
    }
}
