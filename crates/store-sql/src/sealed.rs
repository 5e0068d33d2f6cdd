//! Every sealed value of every tenant. What a column and a row mean here must be what the code that
//! seals says: the place is authenticated, so a value listed under another one would not open.

use crate::{
    backend::{Backend, Scope},
    entity::{idempotency_key, integration, provider, setting, user, worker},
    error::db_error,
    store::SqlStore,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{Timestamp, id::TenantId};
use ports::store::{Durability, Resealed, SealedStore, SealedValue, StoreError};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use serde_json::Value;
use uuid::Uuid;

const MARK: &str = "enc:";
const INTEGRATIONS: &str = "integrations";
const SETTINGS: &str = "settings";
const ANSWERS: &str = "idempotency_keys";
const USERS: &str = "users";
/// The one sealed column of users.
const TOTP: &str = "totp_secret";
const PROVIDERS: &str = "providers";
/// The one sealed column of providers.
const API_KEY: &str = "api_key";
/// What stands before the name of a field, and before a key, in a place.
const FIELD: &str = "config.";
const KEY: &str = "response.";

#[async_trait]
impl<B: Backend> SealedStore for SqlStore<B> {
    async fn sealed(
        &self,
        after: Option<&SealedValue>,
        rows: u32,
    ) -> Result<Vec<SealedValue>, StoreError> {
        let tx = self.backend.read(Scope::System).await?;
        let within = |table| after.filter(|value| value.table == table);
        let mut found = Vec::new();
        if after.is_none_or(|value| value.table == INTEGRATIONS) {
            found = integrations(&tx, within(INTEGRATIONS), rows).await?;
        }
        if found.is_empty()
            && after.is_none_or(|value| ![ANSWERS, USERS, PROVIDERS].contains(&value.table))
        {
            found = settings(&tx, within(SETTINGS), rows).await?;
        }
        if found.is_empty() && after.is_none_or(|value| ![USERS, PROVIDERS].contains(&value.table))
        {
            found = answers(&tx, within(ANSWERS), rows).await?;
        }
        if found.is_empty() && after.is_none_or(|value| value.table != PROVIDERS) {
            found = second_factors(&tx, within(USERS), rows).await?;
        }
        if found.is_empty() {
            found = keys(&tx, within(PROVIDERS), rows).await?;
        }
        Ok(found)
    }

    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError> {
        let tx = self.begin(Scope::System, Durability::Durable).await?;
        let mut exchanged = 0;
        for change in values {
            exchanged += match change.value.table {
                INTEGRATIONS => exchange_field(&tx, change).await?,
                SETTINGS => exchange_setting(&tx, change).await?,
                ANSWERS => exchange_answer(&tx, change).await?,
                PROVIDERS => exchange_key(&tx, change).await?,
                _ => exchange_second_factor(&tx, change).await?,
            };
        }
        tx.commit().await?;
        Ok(exchanged)
    }

    async fn alive(&self, since: Timestamp) -> Result<u64, StoreError> {
        worker::Entity::find()
            .filter(worker::Column::HeartbeatAt.gte(since))
            .count(self.backend.reader(Scope::System))
            .await
            .map_err(db_error("worker"))
    }
}

/// Rows without a sealed value are passed over here, not in SQL: no two databases look into JSON alike.
async fn integrations(
    db: &impl ConnectionTrait,
    after: Option<&SealedValue>,
    rows: u32,
) -> Result<Vec<SealedValue>, StoreError> {
    use integration::Column;
    let mut last = after.map_or(Uuid::nil(), |value| value.row);
    loop {
        let page = integration::Entity::find()
            .filter(Column::Id.gt(last))
            .order_by_asc(Column::Id)
            .limit(u64::from(rows))
            .all(db)
            .await
            .map_err(db_error("integration"))?;
        let Some(end) = page.last() else {
            return Ok(Vec::new());
        };
        last = end.id;
        let found: Vec<_> = page.into_iter().flat_map(fields).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
}

fn fields(row: integration::Model) -> Vec<SealedValue> {
    let Value::Object(config) = row.config else {
        return Vec::new();
    };
    let sealed = config.into_iter().filter_map(|(field, value)| {
        Some(SealedValue {
            tenant_id: TenantId::from_uuid(row.tenant_id),
            table: INTEGRATIONS,
            column: format!("{FIELD}{field}"),
            row: row.id,
            text: text(value)?,
        })
    });
    sealed.collect()
}

async fn settings(
    db: &impl ConnectionTrait,
    after: Option<&SealedValue>,
    rows: u32,
) -> Result<Vec<SealedValue>, StoreError> {
    use setting::Column;
    let mut last = after.map(|value| (value.tenant_id.as_uuid(), value.column.clone()));
    loop {
        let mut select = setting::Entity::find();
        if let Some((tenant, name)) = last {
            select = select.filter(beyond(Column::TenantId, tenant, Column::Name, &name));
        }
        let page = select
            .order_by_asc(Column::TenantId)
            .order_by_asc(Column::Name)
            .limit(u64::from(rows))
            .all(db)
            .await
            .map_err(db_error("setting"))?;
        let Some(end) = page.last() else {
            return Ok(Vec::new());
        };
        last = Some((end.tenant_id, end.name.clone()));
        let found: Vec<_> = page
            .into_iter()
            .filter_map(|row| {
                Some(SealedValue {
                    tenant_id: TenantId::from_uuid(row.tenant_id),
                    table: SETTINGS,
                    column: row.name,
                    row: row.tenant_id,
                    text: text(row.value)?,
                })
            })
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
}

async fn answers(
    db: &impl ConnectionTrait,
    after: Option<&SealedValue>,
    rows: u32,
) -> Result<Vec<SealedValue>, StoreError> {
    use idempotency_key::Column;
    let mut select = idempotency_key::Entity::find().filter(Column::Body.starts_with(MARK));
    if let Some(value) = after {
        let key = value.column.strip_prefix(KEY).unwrap_or_default();
        let tenant = value.tenant_id.as_uuid();
        select = select.filter(beyond(Column::TenantId, tenant, Column::Key, key));
    }
    let page = select
        .order_by_asc(Column::TenantId)
        .order_by_asc(Column::Key)
        .limit(u64::from(rows))
        .all(db)
        .await
        .map_err(db_error("idempotency key"))?;
    let values = page.into_iter().filter_map(|row| {
        Some(SealedValue {
            tenant_id: TenantId::from_uuid(row.tenant_id),
            table: ANSWERS,
            column: format!("{KEY}{}", row.key),
            row: Uuid::nil(),
            text: row.body?,
        })
    });
    Ok(values.collect())
}

async fn second_factors(
    db: &impl ConnectionTrait,
    after: Option<&SealedValue>,
    rows: u32,
) -> Result<Vec<SealedValue>, StoreError> {
    use user::Column;
    let page = user::Entity::find()
        .filter(Column::TotpSecret.is_not_null())
        .filter(Column::Id.gt(after.map_or(Uuid::nil(), |value| value.row)))
        .order_by_asc(Column::Id)
        .limit(u64::from(rows))
        .all(db)
        .await
        .map_err(db_error("user"))?;
    let values = page.into_iter().filter_map(|row| {
        Some(SealedValue {
            tenant_id: TenantId::from_uuid(row.tenant_id),
            table: USERS,
            column: TOTP.to_owned(),
            row: row.id,
            text: row.totp_secret?,
        })
    });
    Ok(values.collect())
}

async fn keys(
    db: &impl ConnectionTrait,
    after: Option<&SealedValue>,
    rows: u32,
) -> Result<Vec<SealedValue>, StoreError> {
    use provider::Column;
    let page = provider::Entity::find()
        .filter(Column::ApiKey.is_not_null())
        .filter(Column::Id.gt(after.map_or(Uuid::nil(), |value| value.row)))
        .order_by_asc(Column::Id)
        .limit(u64::from(rows))
        .all(db)
        .await
        .map_err(db_error("provider"))?;
    let values = page.into_iter().filter_map(|row| {
        Some(SealedValue {
            tenant_id: TenantId::from_uuid(row.tenant_id),
            table: PROVIDERS,
            column: API_KEY.to_owned(),
            row: row.id,
            text: row.api_key?,
        })
    });
    Ok(values.collect())
}

/// What comes after a row in the order of tenant and name.
fn beyond(
    tenant_column: impl ColumnTrait,
    tenant: Uuid,
    name_column: impl ColumnTrait,
    name: &str,
) -> Condition {
    let same = Condition::all()
        .add(tenant_column.eq(tenant))
        .add(name_column.gt(name));
    Condition::any().add(tenant_column.gt(tenant)).add(same)
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if text.starts_with(MARK) => Some(text),
        _ => None,
    }
}

/// The row is locked before it is compared: databases do not agree on how JSON compares.
async fn exchange_field(tx: &SqlTx, change: &Resealed) -> Result<u64, StoreError> {
    use integration::Column;
    let value = &change.value;
    let row = integration::Entity::find_by_id(value.row)
        .filter(Column::TenantId.eq(value.tenant_id.as_uuid()))
        .lock_exclusive()
        .all(&tx.conn)
        .await
        .map_err(db_error("integration"))?
        .pop();
    let field = value.column.strip_prefix(FIELD).unwrap_or_default();
    let Some(mut config) = row.map(|row| row.config) else {
        return Ok(0);
    };
    match config.get_mut(field) {
        Some(Value::String(stored)) if *stored == value.text => stored.clone_from(&change.text),
        _ => return Ok(0),
    }
    let updated = integration::Entity::update_many()
        .col_expr(Column::Config, Expr::value(config))
        .filter(Column::Id.eq(value.row))
        .exec(&tx.conn)
        .await
        .map_err(db_error("integration"))?;
    Ok(updated.rows_affected)
}

async fn exchange_setting(tx: &SqlTx, change: &Resealed) -> Result<u64, StoreError> {
    use setting::Column;
    let value = &change.value;
    let key = (value.tenant_id.as_uuid(), value.column.clone());
    let row = setting::Entity::find_by_id(key)
        .lock_exclusive()
        .all(&tx.conn)
        .await
        .map_err(db_error("setting"))?
        .pop();
    if row.is_none_or(|row| row.value != Value::String(value.text.clone())) {
        return Ok(0);
    }
    let updated = setting::Entity::update_many()
        .col_expr(
            Column::Value,
            Expr::value(Value::String(change.text.clone())),
        )
        .filter(Column::TenantId.eq(value.tenant_id.as_uuid()))
        .filter(Column::Name.eq(value.column.as_str()))
        .exec(&tx.conn)
        .await
        .map_err(db_error("setting"))?;
    Ok(updated.rows_affected)
}

async fn exchange_answer(tx: &SqlTx, change: &Resealed) -> Result<u64, StoreError> {
    use idempotency_key::Column;
    let value = &change.value;
    let key = value.column.strip_prefix(KEY).unwrap_or_default();
    let updated = idempotency_key::Entity::update_many()
        .col_expr(Column::Body, Expr::value(change.text.as_str()))
        .filter(Column::TenantId.eq(value.tenant_id.as_uuid()))
        .filter(Column::Key.eq(key))
        .filter(Column::Body.eq(value.text.as_str()))
        .exec(&tx.conn)
        .await
        .map_err(db_error("idempotency key"))?;
    Ok(updated.rows_affected)
}

async fn exchange_second_factor(tx: &SqlTx, change: &Resealed) -> Result<u64, StoreError> {
    use user::Column;
    let value = &change.value;
    let updated = user::Entity::update_many()
        .col_expr(Column::TotpSecret, Expr::value(change.text.as_str()))
        .filter(Column::Id.eq(value.row))
        .filter(Column::TenantId.eq(value.tenant_id.as_uuid()))
        .filter(Column::TotpSecret.eq(value.text.as_str()))
        .exec(&tx.conn)
        .await
        .map_err(db_error("user"))?;
    Ok(updated.rows_affected)
}

async fn exchange_key(tx: &SqlTx, change: &Resealed) -> Result<u64, StoreError> {
    use provider::Column;
    let value = &change.value;
    let updated = provider::Entity::update_many()
        .col_expr(Column::ApiKey, Expr::value(change.text.as_str()))
        .filter(Column::Id.eq(value.row))
        .filter(Column::TenantId.eq(value.tenant_id.as_uuid()))
        .filter(Column::ApiKey.eq(value.text.as_str()))
        .exec(&tx.conn)
        .await
        .map_err(db_error("provider"))?;
    Ok(updated.rows_affected)
}
