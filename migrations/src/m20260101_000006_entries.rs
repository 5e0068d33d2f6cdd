//! The work items in lanes, and why agents act on them or not.
//!
//! What settled a decision is an open vocabulary and carries no CHECK.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{text, timestamp_with_time_zone, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        lane_entries(schema).await?;
        lane_entry_indexes(schema).await?;
        decisions(schema).await
    }
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
enum WorkItems {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Lanes {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Jobs {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum LaneEntries {
    Table,
    Id,
    TenantId,
    LaneId,
    AgentId,
    WorkItemId,
    Status,
    JobId,
    CreatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Decisions {
    Table,
    Id,
    TenantId,
    WorkItemId,
    AgentId,
    Verdict,
    DecidedBy,
    Reason,
    CreatedAt,
}

async fn lane_entries(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(LaneEntries::Table)
        .col(key(LaneEntries::Id))
        .col(uuid(LaneEntries::TenantId))
        .col(uuid(LaneEntries::LaneId))
        // The lane's agent once more, so that an agent's items are found by an index alone.
        .col(uuid(LaneEntries::AgentId))
        .col(uuid(LaneEntries::WorkItemId))
        .col(words(
            LaneEntries::Status,
            ["queued", "running", "absorbed", "done"],
        ))
        .col(uuid_null(LaneEntries::JobId))
        .col(timestamp_with_time_zone(LaneEntries::CreatedAt))
        .foreign_key(&mut references(
            LaneEntries::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(
            LaneEntries::LaneId,
            Lanes::Table,
            Lanes::Id,
        ))
        .foreign_key(&mut references(
            LaneEntries::AgentId,
            Agents::Table,
            Agents::Id,
        ))
        .foreign_key(&mut references(
            LaneEntries::WorkItemId,
            WorkItems::Table,
            WorkItems::Id,
        ))
        .foreign_key(&mut references(LaneEntries::JobId, Jobs::Table, Jobs::Id));
    schema.create_table(table).await
}

async fn lane_entry_indexes(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    for (name, columns) in [
        (
            "lane_entries_once",
            [LaneEntries::LaneId, LaneEntries::WorkItemId],
        ),
        (
            "lane_entries_by_agent",
            [LaneEntries::AgentId, LaneEntries::WorkItemId],
        ),
    ] {
        let mut unique = index(name, LaneEntries::Table, columns);
        schema.create_index(unique.unique().to_owned()).await?;
    }
    schema
        .create_index(index(
            "lane_entries_by_item",
            LaneEntries::Table,
            [LaneEntries::WorkItemId],
        ))
        .await?;
    let mut queued = index(
        "lane_entries_queued",
        LaneEntries::Table,
        [LaneEntries::LaneId, LaneEntries::Id],
    );
    queued.and_where(Expr::col(LaneEntries::Status).eq("queued"));
    schema.create_index(queued).await?;
    let mut taken = index(
        "lane_entries_by_job",
        LaneEntries::Table,
        [LaneEntries::JobId, LaneEntries::Id],
    );
    taken.and_where(Expr::col(LaneEntries::JobId).is_not_null());
    schema.create_index(taken).await
}

async fn decisions(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(Decisions::Table)
        .col(key(Decisions::Id))
        .col(uuid(Decisions::TenantId))
        .col(uuid(Decisions::WorkItemId))
        .col(uuid(Decisions::AgentId))
        .col(words(Decisions::Verdict, ["act", "pass"]))
        .col(text(Decisions::DecidedBy))
        .col(text(Decisions::Reason))
        .col(timestamp_with_time_zone(Decisions::CreatedAt))
        .foreign_key(&mut references(
            Decisions::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(
            Decisions::WorkItemId,
            WorkItems::Table,
            WorkItems::Id,
        ))
        .foreign_key(&mut references(
            Decisions::AgentId,
            Agents::Table,
            Agents::Id,
        ));
    schema.create_table(table).await?;
    let mut once = index(
        "decisions_once",
        Decisions::Table,
        [Decisions::WorkItemId, Decisions::AgentId],
    );
    schema.create_index(once.unique().to_owned()).await
}
