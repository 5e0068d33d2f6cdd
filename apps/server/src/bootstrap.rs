//! What the first start makes: the tenant with its budget, the built-in integration, the owner's token, the link for the owner,
//! and the proof that the encryption key is the right one.

use anyhow::Context as _;
use domain::{
    Timestamp,
    access::{ApiToken, Role},
    budget::{BudgetScope, Limit, Period},
    id::{TenantId, TokenId},
    secret::Secret,
};
use ports::{
    cipher::{Cipher, SealedPlace},
    store::{Durability, Store, SystemStore},
};
use serde_json::Value;
use services::{Context, Platform, links, tokens};
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The name of the one tenant of a self-hosted install.
pub(crate) const TENANT: &str = "home";
/// The setting that holds a sealed text which only the right key opens.
const KEY_CHECK: &str = "encryption_check";
const KEY_CHECK_TEXT: &str = "the key is right";

/// The tenant of a self-hosted install, with the budget the operator decided; quick when it is all there.
pub async fn home<S: Store + SystemStore + ?Sized>(
    store: &S,
    limit: Limit,
    now: Timestamp,
) -> anyhow::Result<TenantId> {
    let tenant = store.ensure_tenant(TENANT, now).await?.id;
    let tx = store.read(tenant).await?;
    let budget = tx.ledger().find_budget(tenant, BudgetScope::Tenant).await?;
    drop(tx);
    if budget.is_some_and(|budget| budget.limit == limit) {
        return Ok(tenant);
    }
    let tx = store.write(tenant, Durability::Durable).await?;
    tx.ledger()
        .set_budget(tenant, BudgetScope::Tenant, Period::Day, limit, now)
        .await?;
    tx.commit().await?;
    Ok(tenant)
}

/// How the key stands to what the database holds.
pub enum KeyCheck {
    /// It opens what was sealed before.
    Fits,
    /// Nothing was sealed yet, so any key will do.
    Unproven,
    /// It is another one; the reason in words for a person.
    Wrong(String),
}

/// Tries the key on the proof that the first start sealed. Changes nothing.
pub async fn check_key(
    store: &dyn Store,
    cipher: &dyn Cipher,
    tenant: TenantId,
) -> anyhow::Result<KeyCheck> {
    let tx = store.read(tenant).await?;
    let sealed = tx.settings().find(tenant, KEY_CHECK).await?;
    let Some(sealed) = sealed.as_ref().and_then(Value::as_str) else {
        return Ok(KeyCheck::Unproven);
    };
    Ok(match cipher.open(key_place(tenant), sealed) {
        Ok(_text) => KeyCheck::Fits,
        Err(error) => KeyCheck::Wrong(format!(
            "does not fit this database: its secrets are {error}"
        )),
    })
}

/// Seals the proof that later starts try their key on.
pub async fn seal_proof(
    store: &dyn Store,
    cipher: &dyn Cipher,
    tenant: TenantId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let sealed = cipher.seal(key_place(tenant), &Secret::new(KEY_CHECK_TEXT));
    let tx = store.write(tenant, Durability::Durable).await?;
    tx.settings()
        .put(tenant, KEY_CHECK, &Value::String(sealed), now)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Makes the owner's token when there is no live one, and returns the file it was written to.
pub async fn owner_token(
    platform: &Arc<Platform>,
    data_dir: &Path,
) -> anyhow::Result<Option<PathBuf>> {
    let context = Context::system(Arc::clone(platform), platform.settings.home_tenant);
    let now = platform.clock.now();
    let existing = tokens::list(&context).await?;
    if existing
        .iter()
        .any(|token| token.role == Role::Owner && token.is_live(now))
    {
        return Ok(None);
    }
    let secret = platform.secrets.generate();
    let token = ApiToken {
        id: TokenId::from_uuid(platform.ids.next()),
        tenant_id: context.tenant,
        user_id: None,
        name: "owner (first start)".to_owned(),
        role: Role::Owner,
        hash: platform.secrets.hash(&secret),
        created_at: now,
        expires_at: None,
        revoked_at: None,
        scopes: None,
        last_used_at: None,
    };
    // The file comes first: a live token that nobody holds would keep later starts from making one.
    let path = data_dir.join("admin.token");
    write_private(&path, &secret)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    if let Err(error) = insert(&context, &token).await {
        fs::remove_file(&path).with_context(|| format!("{} opens nothing", path.display()))?;
        return Err(error);
    }
    Ok(Some(path))
}

/// Makes the link for the first owner when there is no owner, and returns the file it is in. One of an earlier start
/// that still opens stays; one that nobody needs any more goes.
pub async fn setup_link(
    platform: &Arc<Platform>,
    data_dir: &Path,
) -> anyhow::Result<Option<SetupLink>> {
    let context = Context::system(Arc::clone(platform), platform.settings.home_tenant);
    let path = data_dir.join("setup.link");
    let url = fs::read_to_string(&path).unwrap_or_default();
    if !links::is_setup_required(&context).await? {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} is of no use any more", path.display()))
            }
            Ok(()) | Err(_) => Ok(None),
        };
    }
    if let Some(token) = links::token_of(&url)
        && links::inspect(&context, &token).await.is_ok()
    {
        let url = links::url(&platform.settings.people_url, &token);
        return Ok(Some(SetupLink { path, url }));
    }
    let Some(new) = links::set_up(&context).await? else {
        return Ok(None);
    };
    write_private(&path, &new.url)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    let url = new.url;
    Ok(Some(SetupLink { path, url }))
}

/// The link for the first owner.
pub struct SetupLink {
    /// The file it is in.
    pub path: PathBuf,
    /// Where to go; never for the log.
    pub url: Secret,
}

async fn insert(context: &Context, token: &ApiToken) -> anyhow::Result<()> {
    let store = &context.platform.store;
    let tx = store.write(token.tenant_id, Durability::Durable).await?;
    tx.access().insert_token(token).await?;
    let change = tokens::change("token.created", token).between(None, Some(tokens::facts(token)));
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(())
}

fn key_place(tenant: TenantId) -> SealedPlace<'static> {
    SealedPlace {
        tenant_id: tenant,
        table: "settings",
        column: KEY_CHECK,
        row: tenant.as_uuid(),
    }
}

/// Replaces the file whole; it is never readable by others, not even for an instant.
fn write_private(path: &Path, secret: &Secret) -> std::io::Result<()> {
    let beside = path.with_extension("token.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    writeln!(file, "{}", secret.expose())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name must survive power loss as the token's row does.
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
