//! What the first start makes: the tenant with its budget, the built-in integration, the owner's token,
//! and the proof that the encryption key is the right one.

use anyhow::Context as _;
use domain::{
    Timestamp,
    access::{Actor, Role},
    budget::{BudgetScope, Limit, Micros, Period},
    id::TenantId,
    secret::Secret,
};
use ports::{
    cipher::{Cipher, SealedPlace},
    store::{Durability, Store, SystemStore},
};
use serde_json::Value;
use services::{Context, Platform, tokens};
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The name of the one tenant of a self-hosted install.
const TENANT: &str = "home";
/// What all agents together may spend in a day until somebody decides otherwise.
const TENANT_BUDGET: Limit = Limit::Of(Micros(100_000_000));
/// The setting that holds a sealed text which only the right key opens.
const KEY_CHECK: &str = "encryption_check";
const KEY_CHECK_TEXT: &str = "the key is right";

/// The tenant of a self-hosted install, with its budget; quick when it is all there.
pub async fn home<S: Store + SystemStore>(store: &S, now: Timestamp) -> anyhow::Result<TenantId> {
    let tenant = store.ensure_tenant(TENANT, now).await?.id;
    let tx = store.read().await?;
    if tx
        .ledger()
        .find_budget(tenant, BudgetScope::Tenant)
        .await?
        .is_some()
    {
        return Ok(tenant);
    }
    drop(tx);
    let tx = store.write(Durability::Durable).await?;
    tx.ledger()
        .set_budget(tenant, BudgetScope::Tenant, Period::Day, TENANT_BUDGET, now)
        .await?;
    tx.commit().await?;
    Ok(tenant)
}

/// Proves that the key opens what was sealed before; the first start seals the proof. `Err` inside is
/// the reason in words for a person.
pub async fn check_key<S: Store + SystemStore>(
    store: &S,
    cipher: &dyn Cipher,
    now: Timestamp,
) -> anyhow::Result<Result<(), String>> {
    let tenant = store.ensure_tenant(TENANT, now).await?.id;
    let place = SealedPlace {
        tenant_id: tenant,
        table: "settings",
        column: KEY_CHECK,
        row: tenant.as_uuid(),
    };
    let sealed = store
        .read()
        .await?
        .settings()
        .find(tenant, KEY_CHECK)
        .await?;
    if let Some(sealed) = sealed.as_ref().and_then(Value::as_str) {
        return Ok(match cipher.open(place, sealed) {
            Ok(_text) => Ok(()),
            Err(error) => Err(format!(
                "does not fit this database: its secrets are {error}"
            )),
        });
    }
    let sealed = cipher.seal(place, &Secret::new(KEY_CHECK_TEXT));
    let tx = store.write(Durability::Durable).await?;
    tx.settings()
        .put(tenant, KEY_CHECK, &Value::String(sealed), now)
        .await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Makes the owner's token when there is no live one, and returns the file it was written to.
pub async fn owner_token(
    platform: &Arc<Platform>,
    data_dir: &Path,
) -> anyhow::Result<Option<PathBuf>> {
    let context = Context {
        actor: Actor::System,
        tenant: platform.settings.home_tenant,
        platform: Arc::clone(platform),
    };
    let now = platform.clock.now();
    let existing = tokens::list(&context).await?;
    if existing
        .iter()
        .any(|token| token.role == Role::Owner && token.is_live(now))
    {
        return Ok(None);
    }
    let request = tokens::CreateToken {
        name: "owner (first start)".to_owned(),
        role: Role::Owner,
        expires_at: None,
    };
    let (_row, secret) = tokens::create(&context, request).await?;
    let path = data_dir.join("admin.token");
    write_private(&path, &secret)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Some(path))
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
    fs::rename(&beside, path)
}
