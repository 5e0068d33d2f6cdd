//! The built-in door is called `web` on the wire, so it is in the table too.

use crate::columns::index;
use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut old = Index::drop();
        old.name("integrations_manual").table(Integrations::Table);
        schema.drop_index(old).await?;
        let rename = Query::update()
            .table(Integrations::Table)
            .value(Integrations::Channel, "web")
            .and_where(Expr::col(Integrations::Channel).eq("manual"))
            .to_owned();
        let database = schema.get_connection();
        // Whoever owns the tables does not see their rows.
        let is_closed = schema.get_database_backend() == DbBackend::Postgres;
        if is_closed {
            database
                .execute_unprepared("SET LOCAL ROLE nitejar_system")
                .await?;
        }
        database.execute(&rename).await?;
        if is_closed {
            database.execute_unprepared("RESET ROLE").await?;
        }
        let mut door = index(
            "integrations_web",
            Integrations::Table,
            [Integrations::TenantId],
        );
        door.unique()
            .and_where(Expr::col(Integrations::Channel).eq("web"))
            .and_where(Expr::col(Integrations::DeletedAt).is_null());
        schema.create_index(door).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Integrations {
    Table,
    TenantId,
    Channel,
    DeletedAt,
}
