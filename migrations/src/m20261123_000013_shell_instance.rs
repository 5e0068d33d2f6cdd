//! On which process's machine a shell runs, so that no other one takes it for lost.

use crate::columns::index;
use sea_orm_migration::{prelude::*, schema::text_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // Shells of before went with the processes of before.
        let mut change = Table::alter();
        change
            .table(SpriteSessions::Table)
            .add_column(text_null(SpriteSessions::Instance));
        schema.alter_table(change).await?;
        let mut open = index(
            "sprite_sessions_by_instance",
            SpriteSessions::Table,
            [SpriteSessions::Instance],
        );
        open.and_where(Expr::col(SpriteSessions::Status).eq("open"));
        schema.create_index(open).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum SpriteSessions {
    Table,
    Status,
    Instance,
}
