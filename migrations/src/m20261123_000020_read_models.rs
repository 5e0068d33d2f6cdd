//! What makes looking at the whole cheap: when jobs, items and model calls ended or began, what a conversation shows
//! in the order it shows it, and conversations that belong to one agent.

use crate::columns::index;
use sea_orm_migration::{prelude::*, schema::uuid_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        conversations(schema).await?;
        entries(schema).await?;
        let mut closed = index(
            "work_items_by_close",
            WorkItems::Table,
            [WorkItems::TenantId, WorkItems::ClosedAt],
        );
        closed.and_where(Expr::col(WorkItems::ClosedAt).is_not_null());
        schema.create_index(closed).await?;
        schema
            .create_index(index(
                "model_calls_by_start",
                ModelCalls::Table,
                [ModelCalls::TenantId, ModelCalls::StartedAt],
            ))
            .await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Conversations {
    Table,
    Id,
    TenantId,
    AgentId,
}

#[derive(Clone, Copy, DeriveIden)]
enum Jobs {
    Table,
    Id,
    TenantId,
    ConversationId,
    FinishedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum WorkItems {
    Table,
    Id,
    TenantId,
    ConversationId,
    Status,
    CreatedAt,
    ClosedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum ModelCalls {
    Table,
    TenantId,
    StartedAt,
}

async fn conversations(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut change = Table::alter();
    change
        .table(Conversations::Table)
        .add_column(uuid_null(Conversations::AgentId));
    schema.alter_table(change).await?;
    let mut own = index(
        "conversations_of_one_agent",
        Conversations::Table,
        [Conversations::TenantId, Conversations::Id],
    );
    own.and_where(Expr::col(Conversations::AgentId).is_not_null());
    schema.create_index(own).await
}

/// What came in, what was answered and what was left alone.
async fn entries(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use WorkItems as W;
    let came = [W::TenantId, W::ConversationId, W::CreatedAt, W::Id];
    let came = index("work_items_in_conversation", W::Table, came);
    schema.create_index(came).await?;
    let left = [W::TenantId, W::ConversationId, W::ClosedAt, W::Id];
    let mut left = index("work_items_passed", W::Table, left);
    left.and_where(Expr::col(W::Status).eq("passed"));
    schema.create_index(left).await?;
    let mut over = index(
        "jobs_in_conversation",
        Jobs::Table,
        [
            Jobs::TenantId,
            Jobs::ConversationId,
            Jobs::FinishedAt,
            Jobs::Id,
        ],
    );
    over.and_where(Expr::col(Jobs::FinishedAt).is_not_null());
    schema.create_index(over).await
}
