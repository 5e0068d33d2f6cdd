//! Entries of audit trails. `before` and `after` are text, not JSON: what was hashed must come back as it went in.

use crate::error::{corrupt, word};
use domain::{
    audit::{AuditActor, AuditEntry, Subject},
    id::TenantId,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seq: i64,
    pub(crate) at: DateTimeUtc,
    pub(crate) actor_kind: String,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) actor_name: Option<String>,
    pub(crate) action: String,
    pub(crate) subject_kind: String,
    pub(crate) subject_id: Option<Uuid>,
    pub(crate) subject_name: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) previous: String,
    pub(crate) hash: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&AuditEntry> for Model {
    fn from(entry: &AuditEntry) -> Self {
        let entry = entry.clone();
        Self {
            tenant_id: entry.tenant_id.as_uuid(),
            seq: entry.seq,
            at: entry.at,
            actor_kind: entry.actor.kind.as_str().to_owned(),
            actor_id: entry.actor.id,
            actor_name: entry.actor.name,
            action: entry.action,
            subject_kind: entry.subject.kind,
            subject_id: entry.subject.id,
            subject_name: entry.subject.name,
            before: entry.before,
            after: entry.after,
            address: entry.address.map(|address| address.to_string()),
            request_id: entry.request_id,
            previous: entry.previous,
            hash: entry.hash,
        }
    }
}

impl TryFrom<Model> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        const ENTITY: &str = "audit entry";
        let address = row.address.as_deref().map(str::parse).transpose();
        Ok(Self {
            tenant_id: TenantId::from_uuid(row.tenant_id),
            seq: row.seq,
            at: row.at,
            actor: AuditActor {
                kind: word(ENTITY, "actor_kind", &row.actor_kind)?,
                id: row.actor_id,
                name: row.actor_name,
            },
            action: row.action,
            subject: Subject {
                kind: row.subject_kind,
                id: row.subject_id,
                name: row.subject_name,
            },
            before: row.before,
            after: row.after,
            address: address.map_err(|error: std::net::AddrParseError| {
                corrupt(ENTITY, "address", error.into())
            })?,
            request_id: row.request_id,
            previous: row.previous,
            hash: row.hash,
        })
    }
}
