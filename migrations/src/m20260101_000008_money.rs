//! Model calls and what may be spent on them.
//!
//! What a call was for is an open vocabulary and carries no CHECK.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, boolean, text, text_null, timestamp_with_time_zone,
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
        model_calls(schema).await?;
        budgets(schema).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum WorkItems {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Agents {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Jobs {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum ModelCalls {
    Table,
    Id,
    TenantId,
    WorkItemId,
    AgentId,
    JobId,
    Purpose,
    Model,
    Status,
    ReservedMicros,
    CostMicros,
    InputTokens,
    OutputTokens,
    CacheReadTokens,
    CacheWriteTokens,
    Outcome,
    StartedAt,
    FinishedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Budgets {
    Table,
    Id,
    TenantId,
    Scope,
    ScopeId,
    Period,
    Unlimited,
    LimitMicros,
    SpentMicros,
    ReservedMicros,
    PeriodStart,
}

async fn model_calls(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table(ModelCalls::Table)
        .col(key(ModelCalls::Id))
        .col(uuid(ModelCalls::TenantId))
        .col(uuid(ModelCalls::WorkItemId))
        .col(uuid(ModelCalls::AgentId))
        // Absent while an agent still decides whether to take a job.
        .col(uuid_null(ModelCalls::JobId))
        .col(text(ModelCalls::Purpose))
        .col(text(ModelCalls::Model))
        .col(words(ModelCalls::Status, ["reserved", "settled", "failed"]))
        .col(big_integer(ModelCalls::ReservedMicros))
        .col(big_integer(ModelCalls::CostMicros))
        .col(big_integer(ModelCalls::InputTokens))
        .col(big_integer(ModelCalls::OutputTokens))
        .col(big_integer(ModelCalls::CacheReadTokens))
        .col(big_integer(ModelCalls::CacheWriteTokens))
        .col(text_null(ModelCalls::Outcome))
        .col(timestamp_with_time_zone(ModelCalls::StartedAt))
        .col(timestamp_with_time_zone_null(ModelCalls::FinishedAt))
        .foreign_key(&mut references(
            ModelCalls::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut references(
            ModelCalls::WorkItemId,
            WorkItems::Table,
            WorkItems::Id,
        ))
        .foreign_key(&mut references(
            ModelCalls::AgentId,
            Agents::Table,
            Agents::Id,
        ))
        .foreign_key(&mut references(ModelCalls::JobId, Jobs::Table, Jobs::Id));
    schema.create_table(table).await?;
    for (name, column) in [
        ("model_calls_by_job", ModelCalls::JobId),
        ("model_calls_by_item", ModelCalls::WorkItemId),
    ] {
        let columns = [column, ModelCalls::Id];
        schema
            .create_index(index(name, ModelCalls::Table, columns))
            .await?;
    }
    Ok(())
}

async fn budgets(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    // Unlimited is a decision of its own: a limit that is merely missing is refused.
    let unlimited = || Expr::col(Budgets::Unlimited);
    let limit = || Expr::col(Budgets::LimitMicros);
    let explicit = unlimited()
        .and(limit().is_null())
        .or(unlimited().not().and(limit().is_not_null()));
    let mut table = Table::create();
    table
        .table(Budgets::Table)
        .col(key(Budgets::Id))
        .col(uuid(Budgets::TenantId))
        .col(words(Budgets::Scope, ["tenant", "agent", "job"]))
        .col(uuid(Budgets::ScopeId))
        .col(words(Budgets::Period, ["day", "total"]))
        .col(boolean(Budgets::Unlimited))
        .col(big_integer_null(Budgets::LimitMicros))
        .col(big_integer(Budgets::SpentMicros))
        .col(big_integer(Budgets::ReservedMicros))
        .col(timestamp_with_time_zone(Budgets::PeriodStart))
        .check(explicit)
        .foreign_key(&mut references(
            Budgets::TenantId,
            Tenants::Table,
            Tenants::Id,
        ));
    schema.create_table(table).await?;
    // Ids are unique over all tables, so a scope is known by its id; the word only says of what kind.
    let mut once = index(
        "budgets_once",
        Budgets::Table,
        [Budgets::ScopeId, Budgets::Scope],
    );
    schema.create_index(once.unique().to_owned()).await
}
