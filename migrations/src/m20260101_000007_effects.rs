//! What a job writes down: its transcript, its events, and what it does to the outside world.
//!
//! Kinds of event and of effect are open vocabularies and carry no CHECK.

use crate::columns::{index, key, references, words, words_null};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, integer, json_binary, json_binary_null, text, text_null,
        timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
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
        messages(schema).await?;
        tool_calls(schema).await?;
        job_events(schema).await?;
        effects(schema).await?;
        effect_indexes(schema).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Integrations {
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

#[derive(Clone, Copy, DeriveIden)]
enum Messages {
    Table,
    Id,
    TenantId,
    JobId,
    Seq,
    Role,
    Parts,
    CreatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum ToolCalls {
    Table,
    Id,
    TenantId,
    JobId,
    MessageId,
    Position,
    ProviderCallId,
    Name,
    Arguments,
    Status,
    Result,
    Detail,
    StartedAt,
    FinishedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum JobEvents {
    Table,
    TenantId,
    JobId,
    Seq,
    FeedSeq,
    Kind,
    Payload,
    CreatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Effects {
    Table,
    Id,
    TenantId,
    JobId,
    Slot,
    IntegrationId,
    ConversationId,
    Kind,
    Action,
    Status,
    DeadReason,
    Detail,
    Attempts,
    NextAttemptAt,
    ExpiresAt,
    ProviderReference,
    WorkerId,
    CreatedAt,
    SettledAt,
}

async fn messages(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(Messages::Table)
        .col(key(Messages::Id))
        .col(uuid(Messages::TenantId))
        .col(uuid(Messages::JobId))
        .col(big_integer(Messages::Seq))
        .col(words(Messages::Role, ["user", "assistant", "tool"]))
        .col(json_binary(Messages::Parts))
        .col(timestamp_with_time_zone(Messages::CreatedAt))
        .foreign_key(&mut references(
            Messages::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(Messages::JobId, Jobs::Table, Jobs::Id));
    schema.create_table(table).await?;
    let mut order = index(
        "messages_order",
        Messages::Table,
        [Messages::JobId, Messages::Seq],
    );
    schema.create_index(order.unique().to_owned()).await
}

async fn tool_calls(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(ToolCalls::Table)
        .col(key(ToolCalls::Id))
        .col(uuid(ToolCalls::TenantId))
        .col(uuid(ToolCalls::JobId))
        .col(uuid(ToolCalls::MessageId))
        .col(integer(ToolCalls::Position))
        .col(text(ToolCalls::ProviderCallId))
        .col(text(ToolCalls::Name))
        .col(json_binary(ToolCalls::Arguments))
        .col(words(
            ToolCalls::Status,
            ["running", "succeeded", "failed", "interrupted"],
        ))
        .col(text_null(ToolCalls::Result))
        .col(json_binary_null(ToolCalls::Detail))
        .col(timestamp_with_time_zone(ToolCalls::StartedAt))
        .col(timestamp_with_time_zone_null(ToolCalls::FinishedAt))
        .foreign_key(&mut references(
            ToolCalls::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(ToolCalls::JobId, Jobs::Table, Jobs::Id))
        .foreign_key(&mut references(
            ToolCalls::MessageId,
            Messages::Table,
            Messages::Id,
        ));
    schema.create_table(table).await?;
    let mut once = index(
        "tool_calls_once",
        ToolCalls::Table,
        [ToolCalls::MessageId, ToolCalls::Position],
    );
    schema.create_index(once.unique().to_owned()).await?;
    schema
        .create_index(index(
            "tool_calls_by_job",
            ToolCalls::Table,
            [ToolCalls::JobId, ToolCalls::Id],
        ))
        .await
}

async fn job_events(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(JobEvents::Table)
        .col(uuid(JobEvents::TenantId))
        .col(uuid(JobEvents::JobId))
        .col(big_integer(JobEvents::Seq))
        .col(big_integer(JobEvents::FeedSeq))
        .col(text(JobEvents::Kind))
        .col(json_binary(JobEvents::Payload))
        .col(timestamp_with_time_zone(JobEvents::CreatedAt))
        .primary_key(Index::create().col(JobEvents::JobId).col(JobEvents::Seq))
        .foreign_key(&mut references(
            JobEvents::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(JobEvents::JobId, Jobs::Table, Jobs::Id));
    schema.create_table(table).await?;
    let mut feed = index(
        "job_events_feed",
        JobEvents::Table,
        [JobEvents::TenantId, JobEvents::FeedSeq],
    );
    schema.create_index(feed.unique().to_owned()).await
}

async fn effects(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(Effects::Table)
        .col(key(Effects::Id))
        .col(uuid(Effects::TenantId))
        .col(uuid(Effects::JobId))
        .col(text(Effects::Slot))
        .col(uuid(Effects::IntegrationId))
        .col(uuid(Effects::ConversationId))
        .col(text(Effects::Kind))
        .col(json_binary(Effects::Action))
        .col(words(
            Effects::Status,
            [
                "pending",
                "held",
                "sending",
                "sent",
                "unknown",
                "failed",
                "cancelled",
            ],
        ))
        .col(words_null(
            Effects::DeadReason,
            ["expired", "blocked", "attempts"],
        ))
        .col(text_null(Effects::Detail))
        .col(integer(Effects::Attempts))
        .col(timestamp_with_time_zone(Effects::NextAttemptAt))
        .col(timestamp_with_time_zone(Effects::ExpiresAt))
        .col(text_null(Effects::ProviderReference))
        .col(uuid_null(Effects::WorkerId))
        .col(timestamp_with_time_zone(Effects::CreatedAt))
        .col(timestamp_with_time_zone_null(Effects::SettledAt))
        .foreign_key(&mut references(
            Effects::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(Effects::JobId, Jobs::Table, Jobs::Id))
        .foreign_key(&mut references(
            Effects::IntegrationId,
            Integrations::Table,
            Integrations::Id,
        ))
        .foreign_key(&mut references(
            Effects::ConversationId,
            Conversations::Table,
            Conversations::Id,
        ));
    schema.create_table(table).await
}

async fn effect_indexes(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut slots = index(
        "effects_slot",
        Effects::Table,
        [Effects::JobId, Effects::Slot],
    );
    schema.create_index(slots.unique().to_owned()).await?;
    for (name, column) in [
        ("effects_by_job", Effects::JobId),
        ("effects_by_integration", Effects::IntegrationId),
        ("effects_by_status", Effects::Status),
    ] {
        let columns = [Effects::TenantId, column, Effects::Id];
        schema
            .create_index(index(name, Effects::Table, columns))
            .await?;
    }
    schema
        .create_index(index(
            "effects_list",
            Effects::Table,
            [Effects::TenantId, Effects::Id],
        ))
        .await?;
    let status = || Expr::col(Effects::Status);
    let mut due = index("effects_due", Effects::Table, [Effects::NextAttemptAt]);
    schema
        .create_index(due.and_where(status().eq("pending")).to_owned())
        .await?;
    let mut ahead = index(
        "effects_ahead",
        Effects::Table,
        [Effects::ConversationId, Effects::Id],
    );
    schema
        .create_index(
            ahead
                .and_where(status().is_in(["pending", "sending"]))
                .to_owned(),
        )
        .await?;
    let mut held = index("effects_in_flight", Effects::Table, [Effects::WorkerId]);
    schema
        .create_index(held.and_where(status().eq("sending")).to_owned())
        .await
}
