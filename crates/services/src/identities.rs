//! Who people are on their channels. A person proves it by telling the channel a code that only their login was
//! shown; nobody links anybody else.

use crate::{Context, Error, users};
use domain::{
    access::Actor,
    audit::Change,
    channel::{ChatKind, InboundMessage},
    id::{IdentityId, TenantId, UserId},
    identity::{CODE_LIVES, Identity, LinkCode},
    integration::Integration,
    secret::Secret,
};
use ports::store::Durability;
use serde_json::json;
use std::sync::Arc;

/// The command that carries a code.
pub(crate) const COMMAND: &str = "link";
/// How many characters a code has: nobody guesses it while it lives, and it can be typed.
const CODE_LENGTH: usize = 10;

/// A code, shown once.
pub struct NewCode {
    /// What to say to the bot after `/link`.
    pub code: Secret,
    /// When it stops working.
    pub expires_at: domain::Timestamp,
}

/// The caller's own identities, oldest first.
pub async fn list(context: &Context) -> Result<Vec<Identity>, Error> {
    let user = context.person()?;
    let tx = context.read().await?;
    Ok(tx.identities().of_user(context.tenant, user).await?)
}

/// A code that links whoever says it to the caller; an older one works no more.
pub async fn new_code(context: &Context) -> Result<NewCode, Error> {
    let user_id = context.person()?;
    let code = short(&context.platform.secrets.generate());
    let expires_at = context.now() + CODE_LIVES;
    let tx = context.write().await?;
    let row = LinkCode {
        tenant_id: context.tenant,
        user_id,
        hash: context.platform.secrets.hash(&code),
        expires_at,
    };
    tx.identities().put_code(&row).await?;
    let change = Change::to("identity.code_created", "user", user_id.as_uuid(), None);
    let change = change.between(None, Some(json!({ "expires_at": expires_at })));
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(NewCode { code, expires_at })
}

/// Makes one of the caller's identities a guest again.
///
/// # Errors
/// `NotFound` when it is not theirs.
pub async fn unlink(context: &Context, id: IdentityId) -> Result<(), Error> {
    const UNKNOWN: Error = Error::NotFound { what: "identity" };
    let user = context.person()?;
    let tx = context.write().await?;
    let own = tx.identities().of_user(context.tenant, user).await?;
    let identity = own.iter().find(|own| own.id == id).ok_or(UNKNOWN)?;
    if !tx.identities().unlink(context.tenant, user, id).await? {
        return Err(UNKNOWN);
    }
    let change = change("identity.unlinked", identity);
    let change = change.between(Some(facts(identity)), None);
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a code that somebody says on a channel, and says what came of it.
pub(crate) async fn link(
    platform: &Arc<crate::Platform>,
    integration: &Integration,
    message: &InboundMessage,
) -> Result<String, Error> {
    if message.chat != ChatKind::Direct {
        return Ok("Say this to me alone: everybody here can read the code.".to_owned());
    }
    let tenant = integration.tenant_id;
    let said = message
        .command
        .as_ref()
        .map_or("", |command| command.arguments.trim());
    let hash = platform
        .secrets
        .hash(&Secret::new(said.to_ascii_uppercase()));
    let now = platform.clock.now();
    let provider = integration.channel.as_str();
    let tx = platform.store.write(tenant, Durability::Durable).await?;
    let Some(user) = tx.identities().take_code(tenant, &hash, now).await? else {
        // The same message may come twice.
        let known = tx
            .identities()
            .find(tenant, provider, &message.sender.external_id)
            .await?;
        drop(tx);
        return Ok(match known {
            Some(identity) => format!("You are linked as {}.", name(platform, tenant, identity.user_id).await?),
            None => "I do not know this code. Codes work once and for ten minutes; get a new one in your Nitejar profile.".to_owned(),
        });
    };
    let identity = Identity {
        id: IdentityId::from_uuid(platform.ids.next()),
        tenant_id: tenant,
        provider: provider.to_owned(),
        external_id: message.sender.external_id.clone(),
        name: message.sender.display_name.clone(),
        user_id: user,
        linked_at: now,
    };
    tx.identities().link(&identity).await?;
    let user = tx.users().find(tenant, user).await?;
    let actor = user.map_or(Actor::System, |user| users::acting(&user, None));
    let context = Context::of(Arc::clone(platform), tenant, actor);
    let change = change("identity.linked", &identity);
    let change = change.between(None, Some(facts(&identity)));
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(format!(
        "You are linked as {}.",
        name(platform, tenant, identity.user_id).await?
    ))
}

fn change(action: &'static str, identity: &Identity) -> Change {
    let id = identity.id.as_uuid();
    Change::to(action, "identity", id, Some(identity.name.clone()))
}

fn facts(identity: &Identity) -> serde_json::Value {
    json!({
        "provider": identity.provider,
        "external_id": identity.external_id,
        "user_id": identity.user_id,
    })
}

async fn name(platform: &crate::Platform, tenant: TenantId, user: UserId) -> Result<String, Error> {
    let user = platform.system.find_user(user).await?;
    let user = user.filter(|user| user.tenant_id == tenant);
    Ok(user.map_or_else(|| "a former user".to_owned(), |user| user.name))
}

/// The start of a token as capital letters and digits.
fn short(token: &Secret) -> Secret {
    let letters = token.expose().chars().filter(char::is_ascii_alphanumeric);
    let code: String = letters.take(CODE_LENGTH).collect();
    Secret::new(code.to_ascii_uppercase())
}
