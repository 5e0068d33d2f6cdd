//! Who a person is here whom the issuer vouches for, and whether they come in: known by issuer and subject, made known
//! by a proven address, invited, or new. One transaction decides, so that nobody is let in by halves.

use super::login::{LoginFailure, Refusal};
use crate::{
    Context, Error, links, sessions,
    users::{self, NewUser},
};
use domain::{
    access::Role,
    login::{LinkKind, User, UserLink},
    secret::Secret,
    sso::{SsoSettings, Standing},
};
use ports::{sso::Vouched, store::BoxTx};
use serde_json::json;

/// The longest name that is taken over.
const LONGEST_NAME: usize = 64;

/// How somebody turned out to be a user.
struct Found {
    user: User,
    /// What they were before this login, if anything.
    before: Option<User>,
    /// What let them in, if it was an invitation.
    invitation: Option<UserLink>,
}

/// Signs in whom the issuer vouches for, and gives the cookie.
pub(super) async fn admit(
    context: &Context,
    settings: &SsoSettings,
    vouched: &Vouched,
    user_agent: Option<&str>,
) -> Result<Secret, LoginFailure> {
    let tx = context.change().await?;
    let found = match known(context, &tx, settings, vouched).await? {
        Some(user) => stand(context, &tx, settings, vouched, user).await?,
        None => newcomer(context, &tx, settings, vouched).await?,
    };
    let user = &found.user;
    let (session, cookie) = sessions::insert(context, &tx, user, user_agent).await?;
    let themselves = context.acting(users::acting(user, Some(session.id)));
    note(&themselves, &tx, &found).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(cookie)
}

async fn note(context: &Context, tx: &BoxTx, found: &Found) -> Result<(), Error> {
    if let Some(link) = &found.invitation {
        let after = json!({ "kind": link.kind, "user_id": found.user.id });
        let redeemed = links::change("link.redeemed", link).between(None, Some(after));
        context.audit(tx.as_ref(), redeemed).await?;
    }
    let action = match &found.before {
        Some(before) if *before == found.user => return Ok(()),
        Some(_) => "user.updated",
        None => "user.created",
    };
    let change = (found.before.as_ref(), Some(&found.user));
    users::note(context, tx, action, change).await
}

/// The user who is meant, if there is one.
async fn known(
    context: &Context,
    tx: &BoxTx,
    settings: &SsoSettings,
    vouched: &Vouched,
) -> Result<Option<User>, Error> {
    let subject = settings.subject(&vouched.subject);
    let repo = tx.users();
    if let Some(user) = repo.find_by_subject(context.tenant, &subject).await? {
        return Ok(Some(user));
    }
    let Some(email) = proven_email(settings, vouched) else {
        return Ok(None);
    };
    let user = repo.find_by_email(context.tenant, &email).await?;
    // Whoever is somebody else at this issuer stays so, whatever the address says.
    let is_free = |user: &User| {
        let subject = user.oidc_subject.as_deref();
        subject.is_none_or(|subject| !settings.is_own(subject))
    };
    Ok(user.filter(is_free))
}

/// Lets a user in as what the issuer says they are.
async fn stand(
    context: &Context,
    tx: &BoxTx,
    settings: &SsoSettings,
    vouched: &Vouched,
    mut user: User,
) -> Result<Found, LoginFailure> {
    let refused = |refusal: Refusal| {
        told(refusal, settings, vouched);
        LoginFailure::from(refusal)
    };
    if user.disabled_at.is_some() {
        return Err(refused(Refusal::UserDisabled));
    }
    let before = user.clone();
    match settings.known(&vouched.claims, user.password_hash.is_some()) {
        Standing::Refused => return Err(refused(Refusal::NotAllowed)),
        Standing::Stays => {}
        Standing::Becomes(role) => {
            let falls = user.role == Role::Owner && role != Role::Owner;
            // The last owner stays one, whatever the issuer says.
            if !falls || users::leaves_an_owner(context, tx, user.id).await? {
                user.role = role;
            }
        }
    }
    user.oidc_subject = Some(settings.subject(&vouched.subject));
    if user != before {
        tx.users().update(&user).await.map_err(Error::from)?;
    }
    Ok(Found {
        user,
        before: Some(before),
        invitation: None,
    })
}

/// Makes a user of somebody who was invited, or whom the settings let in.
async fn newcomer(
    context: &Context,
    tx: &BoxTx,
    settings: &SsoSettings,
    vouched: &Vouched,
) -> Result<Found, LoginFailure> {
    let refused = |refusal: Refusal| {
        told(refusal, settings, vouched);
        LoginFailure::from(refusal)
    };
    let invitation = invitation(context, tx, settings, vouched).await?;
    let invited = invitation.as_ref().and_then(|link| link.role);
    let role = settings.newcomer(&vouched.claims, invited);
    let role = role.ok_or_else(|| refused(Refusal::UnknownPerson))?;
    let email = vouched.email.as_deref().map(users::email);
    let Some(Ok(email)) = email else {
        return Err(refused(Refusal::EmailMissing));
    };
    let repo = tx.users();
    let owner = repo.find_by_email(context.tenant, &email).await;
    if owner.map_err(Error::from)?.is_some() {
        return Err(refused(Refusal::EmailTaken));
    }
    let new = NewUser {
        name: name(vouched, &email),
        email,
        role,
        oidc_subject: Some(settings.subject(&vouched.subject)),
    };
    let user = users::fresh(context, new)?;
    users::insert(tx, &user).await?;
    if let Some(link) = &invitation {
        let links = tx.logins();
        links
            .use_link(context.tenant, link.id, context.now())
            .await
            .map_err(Error::from)?;
    }
    Ok(Found {
        user,
        before: None,
        invitation,
    })
}

/// The open invitation to the address that the issuer vouches for.
async fn invitation(
    context: &Context,
    tx: &BoxTx,
    settings: &SsoSettings,
    vouched: &Vouched,
) -> Result<Option<UserLink>, Error> {
    let Some(email) = proven_email(settings, vouched) else {
        return Ok(None);
    };
    let links = tx.logins().links(context.tenant).await?;
    let now = context.now();
    let is_theirs = |link: &UserLink| {
        link.kind == LinkKind::Invitation
            && link.is_live(now)
            && link.email.as_ref() == Some(&email)
    };
    Ok(links.into_iter().find(is_theirs))
}

/// The address, where it may say who somebody is.
fn proven_email(settings: &SsoSettings, vouched: &Vouched) -> Option<String> {
    let counts = settings.link_by_email && vouched.email_verified;
    let email = vouched.email.as_deref().filter(|_| counts)?;
    users::email(email).ok()
}

/// What people will call them.
fn name(vouched: &Vouched, email: &str) -> String {
    let said = vouched.name.as_deref().unwrap_or_default();
    let printable = said.chars().filter(|c| !c.is_control());
    let name: String = printable.take(LONGEST_NAME).collect();
    if name.trim().is_empty() {
        email.chars().take(LONGEST_NAME).collect()
    } else {
        name
    }
}

/// Tells the operator whom to look for.
fn told(refusal: Refusal, settings: &SsoSettings, vouched: &Vouched) {
    tracing::info!(
        reason = refusal.code(),
        oidc.subject = settings.subject(&vouched.subject),
        "the issuer vouches for somebody who is not let in"
    );
}
