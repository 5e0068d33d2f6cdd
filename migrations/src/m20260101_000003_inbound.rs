//! What comes in: people, threads, deliveries and the work they make.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{
        json_binary, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
        uuid, uuid_null,
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
        identities(schema).await?;
        conversations(schema).await?;
        inbound_events(schema).await?;
        work_items(schema).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Integrations {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Identities {
    Table,
    Id,
    TenantId,
    Provider,
    ExternalId,
    DisplayName,
    UserId,
}

#[derive(Clone, Copy, DeriveIden)]
enum Conversations {
    Table,
    Id,
    TenantId,
    IntegrationId,
    Channel,
    Thread,
    Chat,
    Title,
    CreatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum InboundEvents {
    Table,
    Id,
    TenantId,
    IntegrationId,
    ProviderEventId,
    ReceivedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum WorkItems {
    Table,
    Id,
    TenantId,
    IntegrationId,
    ConversationId,
    InboundEventId,
    Message,
    Text,
    Assigned,
    Status,
    Reason,
    CreatedAt,
    ClosedAt,
}

async fn identities(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Identities::Table)
                .col(key(Identities::Id))
                .col(uuid(Identities::TenantId))
                .col(text(Identities::Provider))
                .col(text(Identities::ExternalId))
                .col(text(Identities::DisplayName))
                .col(uuid_null(Identities::UserId))
                .foreign_key(&mut references(
                    Identities::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .foreign_key(&mut references(Identities::UserId, Users::Table, Users::Id))
                .to_owned(),
        )
        .await?;
    let mut unique = index(
        "identities_external",
        Identities::Table,
        [
            Identities::TenantId,
            Identities::Provider,
            Identities::ExternalId,
        ],
    );
    schema.create_index(unique.unique().to_owned()).await
}

async fn conversations(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Conversations::Table)
                .col(key(Conversations::Id))
                .col(uuid(Conversations::TenantId))
                .col(uuid(Conversations::IntegrationId))
                .col(text(Conversations::Channel))
                // Empty when there is none: NULLs would not collide in the unique key.
                .col(text(Conversations::Thread))
                .col(words(Conversations::Chat, ["direct", "group"]))
                .col(text_null(Conversations::Title))
                .col(timestamp_with_time_zone(Conversations::CreatedAt))
                .foreign_key(&mut references(
                    Conversations::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .foreign_key(&mut references(
                    Conversations::IntegrationId,
                    Integrations::Table,
                    Integrations::Id,
                ))
                .to_owned(),
        )
        .await?;
    let mut unique = index(
        "conversations_place",
        Conversations::Table,
        [
            Conversations::IntegrationId,
            Conversations::Channel,
            Conversations::Thread,
        ],
    );
    schema.create_index(unique.unique().to_owned()).await
}

async fn inbound_events(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(InboundEvents::Table)
                .col(key(InboundEvents::Id))
                .col(uuid(InboundEvents::TenantId))
                .col(uuid(InboundEvents::IntegrationId))
                .col(text(InboundEvents::ProviderEventId))
                .col(timestamp_with_time_zone(InboundEvents::ReceivedAt))
                .foreign_key(&mut references(
                    InboundEvents::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .foreign_key(&mut references(
                    InboundEvents::IntegrationId,
                    Integrations::Table,
                    Integrations::Id,
                ))
                .to_owned(),
        )
        .await?;
    let mut unique = index(
        "inbound_events_once",
        InboundEvents::Table,
        [InboundEvents::IntegrationId, InboundEvents::ProviderEventId],
    );
    schema.create_index(unique.unique().to_owned()).await
}

async fn work_items(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(WorkItems::Table)
                .col(key(WorkItems::Id))
                .col(uuid(WorkItems::TenantId))
                .col(uuid(WorkItems::IntegrationId))
                .col(uuid(WorkItems::ConversationId))
                .col(uuid(WorkItems::InboundEventId).unique_key())
                .col(json_binary(WorkItems::Message))
                // The message's text in lower case, for searching.
                .col(text(WorkItems::Text))
                .col(json_binary(WorkItems::Assigned))
                .col(words(
                    WorkItems::Status,
                    ["open", "replied", "passed", "failed"],
                ))
                .col(text_null(WorkItems::Reason))
                .col(timestamp_with_time_zone(WorkItems::CreatedAt))
                .col(timestamp_with_time_zone_null(WorkItems::ClosedAt))
                .foreign_key(&mut references(
                    WorkItems::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .foreign_key(&mut references(
                    WorkItems::IntegrationId,
                    Integrations::Table,
                    Integrations::Id,
                ))
                .foreign_key(&mut references(
                    WorkItems::ConversationId,
                    Conversations::Table,
                    Conversations::Id,
                ))
                .foreign_key(&mut references(
                    WorkItems::InboundEventId,
                    InboundEvents::Table,
                    InboundEvents::Id,
                ))
                .to_owned(),
        )
        .await?;
    for (name, column) in [
        ("work_items_by_integration", WorkItems::IntegrationId),
        ("work_items_by_status", WorkItems::Status),
    ] {
        let columns = [WorkItems::TenantId, column, WorkItems::Id];
        schema
            .create_index(index(name, WorkItems::Table, columns))
            .await?;
    }
    schema
        .create_index(index(
            "work_items_list",
            WorkItems::Table,
            [WorkItems::TenantId, WorkItems::Id],
        ))
        .await
}
