//! What ends loops: an agent's limits and steering, who wrote an item when it was a bot, and how often a
//! job was resumed.

use crate::columns::{index, words};
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer, json_binary, text_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut steering = words(Agents::Steering, ["steer", "queue", "merge"]);
        add(schema, Agents::Table, steering.default("steer").take()).await?;
        // A limit that is not named has the default of the build that reads it.
        let mut limits = json_binary(Agents::LoopLimits);
        add(schema, Agents::Table, limits.default("{}").take()).await?;
        let mut resumes = integer(Jobs::Resumes);
        add(schema, Jobs::Table, resumes.default(0).take()).await?;
        let mut resumed_seq = big_integer(Jobs::ResumedSeq);
        add(schema, Jobs::Table, resumed_seq.default(0).take()).await?;
        // The bot's id at the vendor; nothing when a person wrote it.
        add(schema, WorkItems::Table, text_null(WorkItems::Bot)).await?;
        item_indexes(schema).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Agents {
    Table,
    Steering,
    LoopLimits,
}

#[derive(Clone, Copy, DeriveIden)]
enum Jobs {
    Table,
    Resumes,
    ResumedSeq,
}

#[derive(Clone, Copy, DeriveIden)]
enum WorkItems {
    Table,
    Id,
    TenantId,
    ConversationId,
    Bot,
}

/// One column per statement: SQLite takes no more.
async fn add(
    schema: &SchemaManager<'_>,
    table: impl IntoTableRef,
    column: ColumnDef,
) -> Result<(), DbErr> {
    let mut change = Table::alter();
    change.table(table).add_column(column);
    schema.alter_table(change).await
}

async fn item_indexes(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_index(index(
            "work_items_by_conversation",
            WorkItems::Table,
            [
                WorkItems::TenantId,
                WorkItems::ConversationId,
                WorkItems::Id,
            ],
        ))
        .await?;
    let mut bots = index(
        "work_items_by_bot",
        WorkItems::Table,
        [
            WorkItems::TenantId,
            WorkItems::ConversationId,
            WorkItems::Bot,
            WorkItems::Id,
        ],
    );
    bots.and_where(Expr::col(WorkItems::Bot).is_not_null());
    schema.create_index(bots).await
}
