//! Who works on a request with an idempotency key, since when, and the id that what it makes will have: so that a
//! request whose process is gone can be sent again.

use crate::columns::index;
use sea_orm_migration::{
    prelude::*,
    schema::{text_null, timestamp_with_time_zone_null, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // Requests of before that have no answer have no holder: they are free.
        add(schema, text_null(IdempotencyKeys::Holder)).await?;
        let claimed_at = timestamp_with_time_zone_null(IdempotencyKeys::ClaimedAt);
        add(schema, claimed_at).await?;
        add(schema, uuid_null(IdempotencyKeys::RequestId)).await?;
        let mut unfinished = index(
            "idempotency_keys_unfinished",
            IdempotencyKeys::Table,
            [IdempotencyKeys::Holder],
        );
        unfinished.and_where(Expr::col(IdempotencyKeys::Status).is_null());
        schema.create_index(unfinished).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum IdempotencyKeys {
    Table,
    Status,
    Holder,
    ClaimedAt,
    RequestId,
}

/// One column per statement: SQLite takes no more.
async fn add(schema: &SchemaManager<'_>, column: ColumnDef) -> Result<(), DbErr> {
    let mut change = Table::alter();
    change.table(IdempotencyKeys::Table).add_column(column);
    schema.alter_table(change).await
}
