//! Jobs and the shells they use.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, integer, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null,
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
        jobs(schema).await?;
        job_indexes(schema).await?;
        sprite_sessions(schema).await
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
enum Conversations {
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
    TenantId,
    WorkItemId,
    AgentId,
    LaneId,
    ConversationId,
    Attempt,
    Status,
    Model,
    ParentId,
    RootId,
    RetryOf,
    CancelRequestedAt,
    FailureCode,
    FailureMessage,
    InputTokens,
    OutputTokens,
    CacheReadTokens,
    CacheWriteTokens,
    CostMicros,
    EventSeq,
    CreatedAt,
    StartedAt,
    FinishedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum SpriteSessions {
    Table,
    Id,
    TenantId,
    AgentId,
    JobId,
    Status,
    CreatedAt,
    ClosedAt,
}

const JOB_STATUSES: [&str; 6] = [
    "queued",
    "running",
    "waiting",
    "completed",
    "failed",
    "cancelled",
];

async fn jobs(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(Jobs::Table)
        .col(key(Jobs::Id))
        .col(uuid(Jobs::TenantId))
        .col(uuid(Jobs::WorkItemId))
        .col(uuid(Jobs::AgentId))
        .col(uuid(Jobs::LaneId))
        .col(uuid(Jobs::ConversationId))
        .col(integer(Jobs::Attempt))
        .col(words(Jobs::Status, JOB_STATUSES))
        .col(text(Jobs::Model))
        .col(uuid_null(Jobs::ParentId))
        .col(uuid(Jobs::RootId))
        .col(uuid_null(Jobs::RetryOf))
        .col(timestamp_with_time_zone_null(Jobs::CancelRequestedAt))
        .col(text_null(Jobs::FailureCode))
        .col(text_null(Jobs::FailureMessage))
        .col(big_integer(Jobs::InputTokens))
        .col(big_integer(Jobs::OutputTokens))
        .col(big_integer(Jobs::CacheReadTokens))
        .col(big_integer(Jobs::CacheWriteTokens))
        .col(big_integer(Jobs::CostMicros))
        .col(big_integer(Jobs::EventSeq))
        .col(timestamp_with_time_zone(Jobs::CreatedAt))
        .col(timestamp_with_time_zone_null(Jobs::StartedAt))
        .col(timestamp_with_time_zone_null(Jobs::FinishedAt))
        .foreign_key(&mut references(Jobs::TenantId, Tenants::Table, Tenants::Id))
        .foreign_key(&mut references(
            Jobs::WorkItemId,
            WorkItems::Table,
            WorkItems::Id,
        ))
        .foreign_key(&mut references(Jobs::AgentId, Agents::Table, Agents::Id))
        .foreign_key(&mut references(Jobs::LaneId, Lanes::Table, Lanes::Id))
        .foreign_key(&mut references(
            Jobs::ConversationId,
            Conversations::Table,
            Conversations::Id,
        ))
        .foreign_key(&mut references(Jobs::ParentId, Jobs::Table, Jobs::Id))
        .foreign_key(&mut references(Jobs::RootId, Jobs::Table, Jobs::Id))
        .foreign_key(&mut references(Jobs::RetryOf, Jobs::Table, Jobs::Id));
    schema.create_table(table).await
}

async fn job_indexes(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut attempts = index(
        "jobs_attempt",
        Jobs::Table,
        [Jobs::WorkItemId, Jobs::AgentId, Jobs::Attempt],
    );
    schema.create_index(attempts.unique().to_owned()).await?;
    // The tenant comes first in each: a planner that knows nothing of the data takes the index that
    // fits the most conditions, and the list of all jobs would fit as many as one without it.
    for (name, column) in [
        ("jobs_by_agent", Jobs::AgentId),
        ("jobs_by_item", Jobs::WorkItemId),
        ("jobs_by_lane", Jobs::LaneId),
        ("jobs_by_status", Jobs::Status),
        ("jobs_by_conversation", Jobs::ConversationId),
    ] {
        let columns = [Jobs::TenantId, column, Jobs::Id];
        schema
            .create_index(index(name, Jobs::Table, columns))
            .await?;
    }
    schema
        .create_index(index("jobs_list", Jobs::Table, [Jobs::TenantId, Jobs::Id]))
        .await?;
    let columns = [Jobs::TenantId, Jobs::LaneId, Jobs::Id];
    let mut head = index("jobs_head", Jobs::Table, columns);
    head.and_where(Expr::col(Jobs::Status).is_in(["queued", "running", "waiting"]));
    schema.create_index(head).await
}

async fn sprite_sessions(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(SpriteSessions::Table)
        .col(key(SpriteSessions::Id))
        .col(uuid(SpriteSessions::TenantId))
        .col(uuid(SpriteSessions::AgentId))
        .col(uuid(SpriteSessions::JobId))
        .col(words(SpriteSessions::Status, ["open", "closed", "lost"]))
        .col(timestamp_with_time_zone(SpriteSessions::CreatedAt))
        .col(timestamp_with_time_zone_null(SpriteSessions::ClosedAt))
        .foreign_key(&mut references(
            SpriteSessions::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(
            SpriteSessions::AgentId,
            Agents::Table,
            Agents::Id,
        ))
        .foreign_key(&mut references(
            SpriteSessions::JobId,
            Jobs::Table,
            Jobs::Id,
        ));
    schema.create_table(table).await?;
    let mut open = index(
        "sprite_sessions_open",
        SpriteSessions::Table,
        [SpriteSessions::JobId],
    );
    open.unique()
        .and_where(Expr::col(SpriteSessions::Status).eq("open"));
    schema.create_index(open).await?;
    schema
        .create_index(index(
            "sprite_sessions_by_agent",
            SpriteSessions::Table,
            [SpriteSessions::AgentId, SpriteSessions::Id],
        ))
        .await
}
