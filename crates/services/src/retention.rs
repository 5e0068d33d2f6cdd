//! How long what jobs leave behind is kept: the operator's default, until people decide otherwise in the settings.
//! Forgets nothing itself.

use crate::{Context, Error, Platform};
use domain::{
    access::{Area, Right},
    audit::{Change, Subject},
    retention::{Kept, Retention},
};
use ports::store::{StoreError, StoreTx};
use serde_json::json;

/// A hundred years: more is meant to be for good, and says so.
const MOST_DAYS: u32 = 36_500;
/// The name of the setting.
const SETTING: &str = "retention";

/// What counts now.
pub async fn show(context: &Context) -> Result<Retention, Error> {
    context.authorise(Area::Settings, Right::Read)?;
    let tx = context.read().await?;
    Ok(decided(context, tx.as_ref()).await?)
}

/// Decides anew; it takes hold within the hour.
#[tracing::instrument(name = "retention.set", skip_all, fields(tenant.id = %context.tenant))]
pub async fn set(context: &Context, retention: Retention) -> Result<Retention, Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    for (field, kept) in [
        ("tool_output_days", retention.tool_output),
        ("event_days", retention.events),
        ("transcript_days", retention.transcripts),
    ] {
        if matches!(kept, Kept::Days(days) if days.get() > MOST_DAYS) {
            let text = format!("must be 1 to {MOST_DAYS} days, or null for good");
            return Err(Error::invalid(field, text));
        }
    }
    let tx = context.write().await?;
    let before = decided(context, tx.as_ref()).await?;
    let now = context.now();
    tx.settings()
        .put(context.tenant, SETTING, &json!(retention), now)
        .await?;
    let change = Change {
        action: "retention.updated",
        subject: Subject {
            kind: "settings",
            id: None,
            name: Some(SETTING.to_owned()),
        },
        before: Some(json!(before)),
        after: Some(json!(retention)),
    };
    context.audit(tx.as_ref(), change.narrowed()).await?;
    tx.commit().await?;
    Ok(retention)
}

/// What counts for everything this server keeps.
pub async fn current(platform: &Platform) -> Result<Retention, StoreError> {
    let tenant = platform.settings.home_tenant;
    let tx = platform.store.read(tenant).await?;
    let set = tx.settings().find(tenant, SETTING).await?;
    set.map_or(Ok(platform.settings.retention), read)
}

async fn decided(context: &Context, tx: &dyn StoreTx) -> Result<Retention, StoreError> {
    let set = tx.settings().find(context.tenant, SETTING).await?;
    set.map_or(Ok(context.platform.settings.retention), read)
}

fn read(set: serde_json::Value) -> Result<Retention, StoreError> {
    serde_json::from_value(set).map_err(|error| StoreError::Corrupt {
        entity: "setting",
        column: SETTING,
        source: error.into(),
    })
}
