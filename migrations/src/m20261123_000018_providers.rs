//! Model providers that people add, and which tools an agent may use.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{json_binary_null, text, text_null, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table(Providers::Table)
            .col(key(Providers::Id))
            .col(uuid(Providers::TenantId))
            .col(text(Providers::Name))
            .col(words(Providers::Kind, ["anthropic", "openai", "demo"]))
            .col(text_null(Providers::BaseUrl))
            .col(text_null(Providers::ApiKey))
            .col(words(Providers::Health, ["unknown", "ok", "failed"]))
            .col(text_null(Providers::HealthDetail))
            .col(timestamp_with_time_zone(Providers::CreatedAt))
            .col(timestamp_with_time_zone(Providers::UpdatedAt))
            .foreign_key(&mut references(
                Providers::TenantId,
                Tenants::Table,
                Tenants::Id,
            ));
        schema.create_table(table).await?;
        let mut names = index(
            "providers_name",
            Providers::Table,
            [Providers::TenantId, Providers::Name],
        );
        schema.create_index(names.unique().to_owned()).await?;
        let mut agents = Table::alter();
        agents
            .table(Agents::Table)
            .add_column(json_binary_null(Agents::Tools));
        schema.alter_table(agents).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Providers {
    Table,
    Id,
    TenantId,
    Name,
    Kind,
    BaseUrl,
    ApiKey,
    Health,
    HealthDetail,
    CreatedAt,
    UpdatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Agents {
    Table,
    Tools,
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}
