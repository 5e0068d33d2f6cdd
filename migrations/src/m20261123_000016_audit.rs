//! The audit trail: a chain per tenant whose rows can be added and nothing else.

use crate::columns::{index, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, text_null, timestamp_with_time_zone, uuid, uuid_null},
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        entries(schema).await?;
        heads(schema).await?;
        for columns in [
            [
                AuditEntries::TenantId,
                AuditEntries::SubjectId,
                AuditEntries::Seq,
            ],
            [
                AuditEntries::TenantId,
                AuditEntries::ActorId,
                AuditEntries::Seq,
            ],
            [
                AuditEntries::TenantId,
                AuditEntries::Action,
                AuditEntries::Seq,
            ],
        ] {
            let [_, by, _] = columns;
            let name = format!("audit_entries_by_{}", by.to_string());
            schema
                .create_index(index(&name, AuditEntries::Table, columns))
                .await?;
        }
        let database = schema.get_connection();
        let guards = match schema.get_database_backend() {
            DbBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        for guard in guards {
            database.execute_unprepared(guard).await?;
        }
        Ok(())
    }
}

async fn entries(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use AuditEntries as E;
    let mut table = Table::create();
    table
        .table(E::Table)
        .col(uuid(E::TenantId))
        .col(big_integer(E::Seq))
        .col(timestamp_with_time_zone(E::At))
        .col(words(E::ActorKind, ["user", "token", "agent", "system"]))
        .col(uuid_null(E::ActorId))
        .col(text_null(E::ActorName))
        .col(text(E::Action))
        .col(text(E::SubjectKind))
        .col(uuid_null(E::SubjectId))
        .col(text_null(E::SubjectName))
        .col(text_null(E::Before))
        .col(text_null(E::After))
        .col(text_null(E::Address))
        .col(text_null(E::RequestId))
        .col(text(E::Previous))
        .col(text(E::Hash))
        .primary_key(Index::create().col(E::TenantId).col(E::Seq))
        .foreign_key(&mut references(E::TenantId, Tenants::Table, Tenants::Id));
    schema.create_table(table).await
}

async fn heads(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use AuditHeads as H;
    let mut table = Table::create();
    table
        .table(H::Table)
        .col(uuid(H::TenantId).primary_key())
        .col(big_integer(H::Seq))
        .col(text(H::Hash))
        .foreign_key(&mut references(H::TenantId, Tenants::Table, Tenants::Id));
    schema.create_table(table).await
}

const SQLITE: &[&str] = &[
    "CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
     BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END",
    "CREATE TRIGGER audit_entries_remain BEFORE DELETE ON audit_entries
     BEGIN SELECT RAISE(ABORT, 'audit entries are never removed'); END",
];

const POSTGRES: &[&str] = &[
    "CREATE FUNCTION nitejar_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION 'audit entries are never changed or removed'; END $$",
    "CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries
     FOR EACH ROW EXECUTE FUNCTION nitejar_audit_stays()",
    "CREATE TRIGGER audit_entries_remain BEFORE TRUNCATE ON audit_entries
     FOR EACH STATEMENT EXECUTE FUNCTION nitejar_audit_stays()",
];

#[derive(Clone, Copy, DeriveIden)]
enum AuditEntries {
    Table,
    TenantId,
    Seq,
    At,
    ActorKind,
    ActorId,
    ActorName,
    Action,
    SubjectKind,
    SubjectId,
    SubjectName,
    Before,
    After,
    Address,
    RequestId,
    Previous,
    Hash,
}

#[derive(Clone, Copy, DeriveIden)]
enum AuditHeads {
    Table,
    TenantId,
    Seq,
    Hash,
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}
