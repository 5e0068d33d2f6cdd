//! Commands that agents leave running in their sprites, so that later jobs of the conversation find them.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{
        integer_null, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
        uuid,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        use BackgroundProcesses as P;
        let mut table = Table::create();
        table
            .table(P::Table)
            .col(key(P::Id))
            .col(uuid(P::TenantId))
            .col(uuid(P::AgentId))
            .col(uuid(P::ConversationId))
            .col(uuid(P::JobId))
            .col(text_null(P::Process))
            .col(text(P::Command))
            .col(words(P::Status, ["running", "ended", "stopped", "lost"]))
            .col(integer_null(P::ExitCode))
            .col(text_null(P::Output))
            .col(timestamp_with_time_zone(P::CreatedAt))
            .col(timestamp_with_time_zone_null(P::EndedAt))
            .foreign_key(&mut references(P::TenantId, Tenants::Table, Tenants::Id))
            .foreign_key(&mut references(P::AgentId, Agents::Table, Agents::Id))
            .foreign_key(&mut references(
                P::ConversationId,
                Conversations::Table,
                Conversations::Id,
            ))
            .foreign_key(&mut references(P::JobId, Jobs::Table, Jobs::Id));
        schema.create_table(table).await?;
        schema
            .create_index(index(
                "background_processes_by_agent",
                P::Table,
                [P::AgentId, P::Id],
            ))
            .await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum BackgroundProcesses {
    Table,
    Id,
    TenantId,
    AgentId,
    ConversationId,
    JobId,
    Process,
    Command,
    Status,
    ExitCode,
    Output,
    CreatedAt,
    EndedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Agents {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Conversations {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Jobs {
    Table,
    Id,
}
