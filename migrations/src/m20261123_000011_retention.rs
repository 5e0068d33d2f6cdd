//! Finding jobs in the order in which they finished, for forgetting what is old.

use crate::columns::index;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let columns = [Jobs::TenantId, Jobs::FinishedAt, Jobs::Id];
        let mut finished = index("jobs_finished", Jobs::Table, columns);
        finished.and_where(Expr::col(Jobs::FinishedAt).is_not_null());
        schema.create_index(finished).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Jobs {
    Table,
    Id,
    TenantId,
    FinishedAt,
}
