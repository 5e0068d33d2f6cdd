//! Single sign-on: what is set for it. The client secret goes in and never comes out. Whoever decides who may come in,
//! and as what, decides about owners too: only owners change it.

mod admission;
mod attempt;
mod login;

pub use login::{Begun, Callback, Entered, LoginFailure, Refusal, begin, finish};

use crate::{Context, Error, access::within_own, error::found, integrations};
use domain::{
    access::{Area, Right, Role},
    audit::{Change, Subject},
    id::TenantId,
    secret::{Redactor, Secret},
    sso::SsoSettings,
};
use ports::{
    cipher::{Cipher, SealedPlace},
    sso::{IdentityProvider, Registration, SsoError},
    store::{StoreError, StoreTx},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The names of the settings: what is set, and the client secret, sealed.
const SETTING: &str = "oidc";
const SECRET: &str = "oidc_client_secret";
/// The most that is sensible, of anything there can be many of.
const MOST: usize = 64;
/// The longest text that is sensible.
const LONGEST: usize = 512;

/// Issuers, and what is needed to keep their secrets.
pub struct SingleSignOn {
    provider: Arc<dyn IdentityProvider>,
    cipher: Arc<dyn Cipher>,
    redactor: Arc<Redactor>,
}

impl SingleSignOn {
    /// Every client secret it opens is told to the redactor.
    pub fn new(
        provider: Arc<dyn IdentityProvider>,
        cipher: Arc<dyn Cipher>,
        redactor: Arc<Redactor>,
    ) -> Self {
        Self {
            provider,
            cipher,
            redactor,
        }
    }
}

/// What is to be set.
#[derive(Clone)]
pub struct UpdateSso {
    /// Everything but the secret.
    pub settings: SsoSettings,
    /// The client secret; absent = it stays, `Some(None)` = the issuer gave none.
    pub client_secret: Option<Option<Secret>>,
}

/// What is set.
pub async fn show(context: &Context) -> Result<SsoSettings, Error> {
    context.authorise(Area::Settings, Right::Read)?;
    let tx = context.read().await?;
    found(load(tx.as_ref(), context.tenant).await?, "single sign-on")
}

/// What people call it, where there is one; for those who are not signed in.
pub async fn name(context: &Context) -> Result<Option<String>, Error> {
    let tx = context.read().await?;
    let settings = load(tx.as_ref(), context.tenant).await?;
    Ok(settings.map(|settings| settings.name))
}

/// Sets it up or changes it, once the issuer has answered to its name.
///
/// # Errors
/// `Invalid` when the issuer does not answer, and when the stored client secret would go to another one.
#[tracing::instrument(name = "sso.set", skip_all, fields(tenant.id = %context.tenant))]
pub async fn set(context: &Context, change: UpdateSso) -> Result<SsoSettings, Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    within_own(context, Role::Owner, None)?;
    let settings = checked(change.settings)?;
    let sso = &context.platform.sso;
    let asked = sso.provider.discover(&settings.issuer).await;
    asked.map_err(|error| match error {
        SsoError::Invalid(why) => Error::invalid("issuer", why),
        SsoError::Unavailable(why) | SsoError::Refused(why) => {
            Error::invalid("issuer", format!("is no issuer that can be used: {why}"))
        }
    })?;
    let tx = context.change().await?;
    let before = load(tx.as_ref(), context.tenant).await?;
    let stored = tx.settings().find(context.tenant, SECRET).await?;
    let moves = before.as_ref().is_some_and(|before| {
        (&before.issuer, &before.client_id) != (&settings.issuer, &settings.client_id)
    });
    if moves && stored.is_some() && change.client_secret.is_none() {
        return Err(Error::invalid(
            "client_secret",
            "give the client secret again with the new issuer or client id: the stored one is for the old",
        ));
    }
    let (repo, now) = (tx.settings(), context.now());
    if let Some(given) = &change.client_secret {
        match given.as_ref().filter(|secret| !secret.is_empty()) {
            Some(secret) => {
                sso.redactor.learn(secret);
                let sealed = sso.cipher.seal(place(context.tenant), secret);
                repo.put(context.tenant, SECRET, &Value::String(sealed), now)
                    .await?;
            }
            None => repo.delete(context.tenant, SECRET).await?,
        }
    }
    repo.put(context.tenant, SETTING, &json!(settings), now)
        .await?;
    drop(repo);
    let mut note = noted("sso.updated", before.as_ref(), Some(&settings));
    if let (true, Some(Value::Object(after))) = (change.client_secret.is_some(), &mut note.after) {
        after.insert("client_secret_changed".to_owned(), true.into());
    }
    context.audit(tx.as_ref(), note).await?;
    tx.commit().await?;
    Ok(settings)
}

/// Turns it off: settings and secret are gone. Users stay, and are found again should the same issuer come back.
#[tracing::instrument(name = "sso.delete", skip_all, fields(tenant.id = %context.tenant))]
pub async fn delete(context: &Context) -> Result<(), Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    within_own(context, Role::Owner, None)?;
    let tx = context.change().await?;
    let before = found(load(tx.as_ref(), context.tenant).await?, "single sign-on")?;
    tx.settings().delete(context.tenant, SETTING).await?;
    tx.settings().delete(context.tenant, SECRET).await?;
    let note = noted("sso.deleted", Some(&before), None);
    context.audit(tx.as_ref(), note).await?;
    Ok(tx.commit().await?)
}

/// What is set, and this server as the issuer knows it.
async fn registration(context: &Context) -> Result<Option<(SsoSettings, Registration)>, Error> {
    let tx = context.read().await?;
    let Some(settings) = load(tx.as_ref(), context.tenant).await? else {
        return Ok(None);
    };
    let stored = tx.settings().find(context.tenant, SECRET).await?;
    drop(tx);
    let sso = &context.platform.sso;
    let client_secret = match stored.as_ref().and_then(Value::as_str) {
        None => None,
        Some(sealed) => {
            let opened = sso.cipher.open(place(context.tenant), sealed);
            let secret = opened.map_err(|error| Error::Internal(Box::new(error)))?;
            sso.redactor.learn(&secret);
            Some(secret)
        }
    };
    let people_url = &context.platform.settings.people_url;
    let registration = Registration {
        issuer: settings.issuer.clone(),
        client_id: settings.client_id.clone(),
        client_secret,
        scopes: settings.scopes.clone(),
        redirect_url: format!("{people_url}/api/v1/oidc/callback"),
    };
    Ok(Some((settings, registration)))
}

pub(crate) async fn load(
    tx: &dyn StoreTx,
    tenant: TenantId,
) -> Result<Option<SsoSettings>, StoreError> {
    let set = tx.settings().find(tenant, SETTING).await?;
    let read = |set| {
        serde_json::from_value(set).map_err(|error| StoreError::Corrupt {
            entity: "setting",
            column: SETTING,
            source: error.into(),
        })
    };
    set.map(read).transpose()
}

/// The settings as they are kept, if they make sense.
fn checked(mut settings: SsoSettings) -> Result<SsoSettings, Error> {
    settings.name = integrations::name(&settings.name)?;
    settings.issuer = word("issuer", &settings.issuer)?;
    settings.client_id = word("client_id", &settings.client_id)?;
    if settings.scopes.len() > MOST || !settings.scopes.iter().any(|scope| scope == "openid") {
        let message = "must have `openid` among them: without it there is no login";
        return Err(Error::invalid("scopes", message));
    }
    for scope in &settings.scopes {
        word("scopes", scope)?;
    }
    let claim = settings.role_claim.as_deref().map(str::trim);
    let claim = claim.filter(|claim| !claim.is_empty());
    settings.role_claim = claim.map(|claim| word("role_claim", claim)).transpose()?;
    let values = &settings.roles;
    if values.len() > MOST || values.keys().any(|value| !is_sound(value)) {
        let message = format!("must be {MOST} values at most, each of 1 to {LONGEST} characters");
        return Err(Error::invalid("roles", message));
    }
    if settings.role_claim.is_none() && !values.is_empty() {
        let message = "name the claim that has these values, or leave the roles out";
        return Err(Error::invalid("role_claim", message));
    }
    if settings.default_role == Some(Role::Owner) {
        let message = "cannot be owner: everybody at the issuer would be one";
        return Err(Error::invalid("default_role", message));
    }
    Ok(settings)
}

fn is_sound(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

/// A text without white space.
fn word(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if is_sound(text) && !text.contains(char::is_whitespace) {
        return Ok(text.to_owned());
    }
    let message = format!("must have 1 to {LONGEST} characters and no white space");
    Err(Error::invalid(field, message))
}

fn place(tenant: TenantId) -> SealedPlace<'static> {
    SealedPlace {
        tenant_id: tenant,
        table: "settings",
        column: SECRET,
        row: tenant.as_uuid(),
    }
}

fn noted(
    action: &'static str,
    before: Option<&SsoSettings>,
    after: Option<&SsoSettings>,
) -> Change {
    let change = Change {
        action,
        subject: Subject {
            kind: "settings",
            id: None,
            name: Some(SETTING.to_owned()),
        },
        before: before.map(|settings| json!(settings)),
        after: after.map(|settings| json!(settings)),
    };
    change.narrowed()
}
