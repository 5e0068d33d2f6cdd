//! Tenants, who may enter, and single values.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, integer_null, json_binary, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        tenants(schema).await?;
        people(schema).await?;
        values(schema).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
    Name,
    CreatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Feeds {
    Table,
    TenantId,
    LastSeq,
}

#[derive(Clone, Copy, DeriveIden)]
enum Users {
    Table,
    Id,
    TenantId,
    Name,
    Role,
    CreatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Tokens {
    Table,
    Id,
    TenantId,
    UserId,
    Name,
    Role,
    Hash,
    CreatedAt,
    ExpiresAt,
    RevokedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Settings {
    Table,
    TenantId,
    Name,
    Value,
    UpdatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum IdempotencyKeys {
    Table,
    TenantId,
    Key,
    Fingerprint,
    Status,
    Body,
    CreatedAt,
}

async fn tenants(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Tenants::Table)
                .col(key(Tenants::Id))
                .col(text(Tenants::Name))
                .col(timestamp_with_time_zone(Tenants::CreatedAt))
                .to_owned(),
        )
        .await?;
    schema
        .create_table(
            Table::create()
                .table(Feeds::Table)
                .col(key(Feeds::TenantId))
                .col(big_integer(Feeds::LastSeq))
                .foreign_key(&mut references(
                    Feeds::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .to_owned(),
        )
        .await
}

async fn people(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let roles = ["owner", "admin", "member", "viewer"];
    schema
        .create_table(
            Table::create()
                .table(Users::Table)
                .col(key(Users::Id))
                .col(uuid(Users::TenantId))
                .col(text(Users::Name))
                .col(words(Users::Role, roles))
                .col(timestamp_with_time_zone(Users::CreatedAt))
                .foreign_key(&mut references(
                    Users::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .to_owned(),
        )
        .await?;
    let mut names = index("users_name", Users::Table, [Users::TenantId, Users::Name]);
    schema.create_index(names.unique().to_owned()).await?;
    schema
        .create_table(
            Table::create()
                .table(Tokens::Table)
                .col(key(Tokens::Id))
                .col(uuid(Tokens::TenantId))
                .col(uuid_null(Tokens::UserId))
                .col(text(Tokens::Name))
                .col(words(Tokens::Role, roles))
                .col(text(Tokens::Hash).unique_key())
                .col(timestamp_with_time_zone(Tokens::CreatedAt))
                .col(timestamp_with_time_zone_null(Tokens::ExpiresAt))
                .col(timestamp_with_time_zone_null(Tokens::RevokedAt))
                .foreign_key(&mut references(
                    Tokens::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .foreign_key(&mut references(Tokens::UserId, Users::Table, Users::Id))
                .to_owned(),
        )
        .await?;
    schema
        .create_index(index(
            "tokens_list",
            Tokens::Table,
            [Tokens::TenantId, Tokens::Id],
        ))
        .await
}

async fn values(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Settings::Table)
                .col(uuid(Settings::TenantId))
                .col(text(Settings::Name))
                .col(json_binary(Settings::Value))
                .col(timestamp_with_time_zone(Settings::UpdatedAt))
                .primary_key(Index::create().col(Settings::TenantId).col(Settings::Name))
                .foreign_key(&mut references(
                    Settings::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .to_owned(),
        )
        .await?;
    schema
        .create_table(
            Table::create()
                .table(IdempotencyKeys::Table)
                .col(uuid(IdempotencyKeys::TenantId))
                .col(text(IdempotencyKeys::Key))
                .col(text(IdempotencyKeys::Fingerprint))
                .col(integer_null(IdempotencyKeys::Status))
                .col(text_null(IdempotencyKeys::Body))
                .col(timestamp_with_time_zone(IdempotencyKeys::CreatedAt))
                .primary_key(
                    Index::create()
                        .col(IdempotencyKeys::TenantId)
                        .col(IdempotencyKeys::Key),
                )
                .foreign_key(&mut references(
                    IdempotencyKeys::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .to_owned(),
        )
        .await?;
    schema
        .create_index(index(
            "idempotency_keys_age",
            IdempotencyKeys::Table,
            [IdempotencyKeys::TenantId, IdempotencyKeys::CreatedAt],
        ))
        .await
}
