//! Model providers that people add beside those of the environment. Keys go in and never come out.

mod connected;
mod resolve;
mod testing;

pub use connected::Providers;
pub use resolve::{ModelProblem, resolve};
pub use testing::{Tested, test, test_model};

use crate::{Context, Error, error::found};
use domain::{
    access::{Area, Right},
    audit::Change,
    id::ProviderId,
    provider::{Provider, ProviderHealth, ProviderKind, ProviderName},
    secret::Secret,
};
use ports::{
    inference::ProviderFacts,
    store::{StoreError, StoreTx},
};
use serde_json::{Value, json};

/// What is asked of a new provider.
#[derive(Clone)]
pub struct CreateProvider {
    /// The part before the slash in `provider/model`.
    pub name: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Its key, in the clear; local servers need none.
    pub api_key: Option<Secret>,
    /// Where it is; the vendor's own address when absent.
    pub base_url: Option<String>,
}

/// What is to change; absent fields stay.
#[derive(Clone, Default)]
pub struct UpdateProvider {
    /// A new name.
    pub name: Option<String>,
    /// Another key; `Some(None)` = none.
    pub api_key: Option<Option<Secret>>,
    /// Another place; `Some(None)` = the vendor's own address.
    pub base_url: Option<Option<String>>,
}

/// Those of the environment, then those that people added, each by name.
pub async fn list(context: &Context) -> Result<(Vec<ProviderFacts>, Vec<Provider>), Error> {
    context.authorise(Area::Settings, Right::Read)?;
    let tx = context.read().await?;
    let added = tx.providers().list(context.tenant).await?;
    Ok((context.platform.providers.own(), added))
}

/// One that people added.
pub async fn find(context: &Context, id: ProviderId) -> Result<Provider, Error> {
    context.authorise(Area::Settings, Right::Read)?;
    let tx = context.read().await?;
    load(context, tx.as_ref(), id).await
}

/// Adds one.
#[tracing::instrument(name = "providers.create", skip_all, fields(tenant.id = %context.tenant))]
pub async fn create(context: &Context, request: CreateProvider) -> Result<Provider, Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    let now = context.now();
    let mut provider = Provider {
        id: ProviderId::from_uuid(context.new_id()),
        tenant_id: context.tenant,
        name: name(context, &request.name)?,
        kind: request.kind,
        base_url: place(request.base_url),
        api_key: None,
        health: ProviderHealth::Unknown,
        health_detail: None,
        created_at: now,
        updated_at: now,
    };
    let key = request.api_key.filter(|key| !key.is_empty());
    check(context, &provider, key.as_ref())?;
    provider.api_key = key.map(|key| context.platform.providers.seal(&provider, &key));
    let tx = context.write().await?;
    if let Some(made) = tx.providers().find(context.tenant, provider.id).await? {
        return Ok(made);
    }
    tx.providers()
        .insert(&provider)
        .await
        .map_err(|error| name_taken(error, &provider))?;
    note(
        context,
        tx.as_ref(),
        "provider.created",
        (None, Some(&provider)),
    )
    .await?;
    tx.commit().await?;
    Ok(provider)
}

/// Changes one that people added.
///
/// # Errors
/// `Invalid` when it is to be somewhere else and its key was not given again: the old one would go to whoever is there.
#[tracing::instrument(name = "providers.update", skip_all, fields(tenant.id = %context.tenant, provider.id = %id))]
pub async fn update(
    context: &Context,
    id: ProviderId,
    change: UpdateProvider,
) -> Result<Provider, Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    let providers = &context.platform.providers;
    let tx = context.change().await?;
    let before = load(context, tx.as_ref(), id).await?;
    let mut provider = before.clone();
    if let Some(text) = &change.name {
        provider.name = name(context, text)?;
    }
    if let Some(url) = change.base_url {
        provider.base_url = place(url);
    }
    let moves = provider.base_url != before.base_url;
    match change.api_key {
        Some(key) => {
            let key = key.filter(|key| !key.is_empty());
            check(context, &provider, key.as_ref())?;
            provider.api_key = key.map(|key| providers.seal(&provider, &key));
        }
        None if moves && provider.api_key.is_some() => {
            return Err(Error::invalid(
                "api_key",
                "give the key again with the new base_url: the stored one is for the old address",
            ));
        }
        None => check(context, &provider, None)?,
    }
    provider.health = ProviderHealth::Unknown;
    provider.health_detail = None;
    // Strictly later: connections are told apart by this instant.
    let after = before.updated_at + chrono::TimeDelta::microseconds(1);
    provider.updated_at = context.now().max(after);
    tx.providers()
        .update(&provider)
        .await
        .map_err(|error| name_taken(error, &provider))?;
    let states = (Some(&before), Some(&provider));
    note(context, tx.as_ref(), "provider.updated", states).await?;
    tx.commit().await?;
    Ok(provider)
}

/// Removes one that people added. Agents that think with its models fail until they are given others.
#[tracing::instrument(name = "providers.delete", skip_all, fields(tenant.id = %context.tenant, provider.id = %id))]
pub async fn delete(context: &Context, id: ProviderId) -> Result<(), Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    let tx = context.change().await?;
    let provider = load(context, tx.as_ref(), id).await?;
    tx.providers().delete(context.tenant, id).await?;
    note(
        context,
        tx.as_ref(),
        "provider.deleted",
        (Some(&provider), None),
    )
    .await?;
    tx.commit().await?;
    context.platform.providers.disconnect(id);
    Ok(())
}

/// What others may know of a provider.
pub(crate) fn facts(provider: &Provider) -> ProviderFacts {
    ProviderFacts {
        name: provider.name.to_string(),
        kind: provider.kind,
        base_url: provider.base_url.clone(),
        has_key: provider.api_key.is_some(),
    }
}

async fn load(context: &Context, tx: &dyn StoreTx, id: ProviderId) -> Result<Provider, Error> {
    found(tx.providers().find(context.tenant, id).await?, "provider")
}

fn name(context: &Context, text: &str) -> Result<ProviderName, Error> {
    let name =
        ProviderName::parse(text).map_err(|error| Error::invalid("name", error.to_string()))?;
    if context
        .platform
        .models
        .providers()
        .iter()
        .any(|own| own == text)
    {
        return Err(Error::conflict(
            "name_taken",
            format!("the environment gives a provider named `{text}`; choose another name"),
        ));
    }
    Ok(name)
}

fn place(url: Option<String>) -> Option<String> {
    url.map(|url| url.trim().to_owned())
        .filter(|url| !url.is_empty())
}

/// Whether it can be reached as it is set, as far as that is known without asking it.
fn check(context: &Context, provider: &Provider, key: Option<&Secret>) -> Result<(), Error> {
    context
        .platform
        .providers
        .check(&facts(provider), key)
        .map_err(|error| Error::invalid("base_url", error.to_string()))
}

async fn note(
    context: &Context,
    tx: &dyn StoreTx,
    action: &'static str,
    (before, after): (Option<&Provider>, Option<&Provider>),
) -> Result<(), Error> {
    let Some(provider) = after.or(before) else {
        return Ok(());
    };
    let shown = |provider: &Provider| -> Value {
        json!({
            "name": provider.name.to_string(),
            "kind": provider.kind,
            "base_url": provider.base_url,
            "has_key": provider.api_key.is_some(),
        })
    };
    let mut change = Change::to(
        action,
        "provider",
        provider.id.as_uuid(),
        Some(provider.name.to_string()),
    )
    .between(before.map(shown), after.map(shown));
    let key = |provider: Option<&Provider>| provider.and_then(|one| one.api_key.clone());
    if let (true, Some(Value::Object(now))) = (key(before) != key(after), &mut change.after) {
        now.insert("key_changed".to_owned(), true.into());
    }
    context.audit(tx, change).await
}

fn name_taken(error: StoreError, provider: &Provider) -> Error {
    match error {
        StoreError::Conflict { .. } => Error::conflict(
            "name_taken",
            format!(
                "there is a provider named `{}` already; choose another name",
                provider.name
            ),
        ),
        other @ (StoreError::Stale | StoreError::Corrupt { .. } | StoreError::Backend(_)) => {
            other.into()
        }
    }
}
