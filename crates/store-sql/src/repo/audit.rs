//! The audit trail: added to at the end of a locked chain, and read. Nothing here changes or removes a row.

use crate::{
    entity::{audit_entry, audit_head},
    error::db_error,
    query::insert,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    audit::{AuditEntry, Link, Unreadable},
    id::TenantId,
};
use ports::store::{AuditFilter, AuditRepository, StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, LockType, OnConflict},
};

const ENTITY: &str = "audit entry";

pub(crate) struct SqlAudit<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl AuditRepository for SqlAudit<'_> {
    async fn lock(&self, tenant: TenantId) -> Result<Link, StoreError> {
        let first = Link::default();
        let row = audit_head::Model {
            tenant_id: tenant.as_uuid(),
            seq: first.seq,
            hash: first.hash,
        };
        let there = OnConflict::column(audit_head::Column::TenantId)
            .do_nothing()
            .to_owned();
        audit_head::Entity::insert(row.into_active_model())
            .on_conflict(there)
            .exec_without_returning(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        self.end(head(tenant).lock(LockType::NoKeyUpdate)).await
    }

    async fn hold(&self, tenant: TenantId) -> Result<(), StoreError> {
        let head = head(tenant).lock(LockType::NoKeyUpdate);
        self.end(head).await.map(drop)
    }

    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        use audit_head::Column;
        insert(&self.0.conn, audit_entry::Model::from(entry))
            .await
            .map_err(db_error(ENTITY))?;
        audit_head::Entity::update_many()
            .col_expr(Column::Seq, Expr::value(entry.seq))
            .col_expr(Column::Hash, Expr::value(entry.hash.as_str()))
            .filter(Column::TenantId.eq(entry.tenant_id.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn head(&self, tenant: TenantId) -> Result<Link, StoreError> {
        self.end(head(tenant)).await
    }

    async fn after(
        &self,
        tenant: TenantId,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<Result<AuditEntry, Unreadable>>, StoreError> {
        let select = of(tenant)
            .filter(audit_entry::Column::Seq.gt(seq))
            .order_by_asc(audit_entry::Column::Seq)
            .limit(u64::from(limit));
        let conn = &self.0.conn;
        let statement = select.build(conn.get_database_backend());
        let rows = conn.query_all_raw(statement).await;
        let read = |row: &QueryResult| {
            let model = audit_entry::Model::from_query_result(row, "");
            let entry = model.map(AuditEntry::try_from);
            // Why does not matter: it is not what was written.
            entry
                .map_err(|_undecodable| Unreadable)?
                .map_err(|_corrupt| Unreadable)
        };
        let rows = rows.map_err(db_error(ENTITY))?;
        Ok(rows.iter().map(read).collect())
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        before: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        use audit_entry::Column;
        let mut select = of(tenant).filter(Column::Seq.lt(before));
        if let Some(action) = &filter.action {
            select = select.filter(Column::Action.eq(action.as_str()));
        }
        if let Some(id) = filter.subject_id {
            select = select.filter(Column::SubjectId.eq(id));
        }
        if let Some(id) = filter.actor_id {
            select = select.filter(Column::ActorId.eq(id));
        }
        if let Some(from) = filter.from {
            select = select.filter(Column::At.gte(from));
        }
        if let Some(to) = filter.to {
            select = select.filter(Column::At.lt(to));
        }
        let select = select.order_by_desc(Column::Seq);
        self.all(select.limit(u64::from(limit))).await
    }
}

impl SqlAudit<'_> {
    async fn all(
        &self,
        select: Select<audit_entry::Entity>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        select
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(AuditEntry::try_from)
            .collect()
    }

    async fn end(&self, head: Select<audit_head::Entity>) -> Result<Link, StoreError> {
        let row = head
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop();
        Ok(row.map_or_else(Link::default, |row| Link {
            seq: row.seq,
            hash: row.hash,
        }))
    }
}

fn of(tenant: TenantId) -> Select<audit_entry::Entity> {
    audit_entry::Entity::find().filter(audit_entry::Column::TenantId.eq(tenant.as_uuid()))
}

fn head(tenant: TenantId) -> Select<audit_head::Entity> {
    audit_head::Entity::find().filter(audit_head::Column::TenantId.eq(tenant.as_uuid()))
}
