//! What makes looking at the whole cheap: when jobs, items and model calls ended or began, and conversations that
//! belong to one agent.

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
        schema.create_index(own).await?;
        let mut ended = index(
            "jobs_by_end",
            Jobs::Table,
            [Jobs::TenantId, Jobs::FinishedAt],
        );
        ended.and_where(Expr::col(Jobs::FinishedAt).is_not_null());
        schema.create_index(ended).await?;
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
    TenantId,
    FinishedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum WorkItems {
    Table,
    TenantId,
    ClosedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum ModelCalls {
    Table,
    TenantId,
    StartedAt,
}
