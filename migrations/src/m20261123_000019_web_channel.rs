//! The built-in channel is called `web` on the wire, so it is in the tables too.

use crate::columns::index;
use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

const OLD: &str = "manual";
const NEW: &str = "web";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let database = schema.get_connection();
        let mut old = Index::drop();
        old.name("integrations_manual").table(Integrations::Table);
        schema.drop_index(old).await?;
        let integrations = Query::update()
            .table(Integrations::Table)
            .value(Integrations::Channel, NEW)
            .and_where(Expr::col(Integrations::Channel).eq(OLD))
            .to_owned();
        database.execute(&integrations).await?;
        let senders = Query::update()
            .table(Identities::Table)
            .value(Identities::Provider, NEW)
            .and_where(Expr::col(Identities::Provider).eq(OLD))
            .to_owned();
        database.execute(&senders).await?;
        let mut door = index(
            "integrations_web",
            Integrations::Table,
            [Integrations::TenantId],
        );
        door.unique()
            .and_where(Expr::col(Integrations::Channel).eq(NEW))
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

#[derive(Clone, Copy, DeriveIden)]
enum Identities {
    Table,
    Provider,
}
