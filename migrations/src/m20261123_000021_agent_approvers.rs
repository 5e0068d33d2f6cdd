//! Who may answer what an agent asks.

use sea_orm_migration::{prelude::*, schema::json_binary_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut agents = Table::alter();
        agents
            .table(Agents::Table)
            .add_column(json_binary_null(Agents::Approvers));
        schema.alter_table(agents).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Agents {
    Table,
    Approvers,
}
