//! What people configure: integrations, agents, and which agents see which integration.
//!
//! Kinds of channel are an open vocabulary and carry no CHECK: every vendor adds one.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{
        boolean, json_binary, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid,
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
        integrations(schema).await?;
        agents(schema).await?;
        agent_integrations(schema).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Integrations {
    Table,
    Id,
    TenantId,
    Channel,
    Name,
    Config,
    AllAgents,
    Enabled,
    Health,
    HealthDetail,
    PollCursor,
    CreatedAt,
    UpdatedAt,
    DeletedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Agents {
    Table,
    Id,
    TenantId,
    Name,
    NameKey,
    Model,
    Instructions,
    Enabled,
    ReplyPolicy,
    CreatedAt,
    UpdatedAt,
    ArchivedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum AgentIntegrations {
    Table,
    AgentId,
    IntegrationId,
    TenantId,
}

async fn integrations(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Integrations::Table)
                .col(key(Integrations::Id))
                .col(uuid(Integrations::TenantId))
                .col(text(Integrations::Channel))
                .col(text(Integrations::Name))
                .col(json_binary(Integrations::Config))
                .col(boolean(Integrations::AllAgents))
                .col(boolean(Integrations::Enabled))
                .col(words(
                    Integrations::Health,
                    ["unknown", "ok", "degraded", "failed"],
                ))
                .col(text_null(Integrations::HealthDetail))
                .col(text_null(Integrations::PollCursor))
                .col(timestamp_with_time_zone(Integrations::CreatedAt))
                .col(timestamp_with_time_zone(Integrations::UpdatedAt))
                .col(timestamp_with_time_zone_null(Integrations::DeletedAt))
                .foreign_key(&mut references(
                    Integrations::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .to_owned(),
        )
        .await?;
    let live = Expr::col(Integrations::DeletedAt).is_null();
    let mut names = index(
        "integrations_name",
        Integrations::Table,
        [Integrations::TenantId, Integrations::Name],
    );
    schema
        .create_index(names.unique().and_where(live.clone()).to_owned())
        .await?;
    // The door for work handed in over the API is built in, so there is one.
    let mut manual = index(
        "integrations_manual",
        Integrations::Table,
        [Integrations::TenantId],
    );
    manual
        .unique()
        .and_where(Expr::col(Integrations::Channel).eq("manual"))
        .and_where(live);
    schema.create_index(manual).await?;
    schema
        .create_index(index(
            "integrations_list",
            Integrations::Table,
            [Integrations::TenantId, Integrations::Id],
        ))
        .await
}

async fn agents(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Agents::Table)
                .col(key(Agents::Id))
                .col(uuid(Agents::TenantId))
                .col(text(Agents::Name))
                // The name in lower case: databases disagree on what that is beyond ASCII.
                .col(text(Agents::NameKey))
                .col(text_null(Agents::Model))
                .col(text(Agents::Instructions))
                .col(boolean(Agents::Enabled))
                .col(words(Agents::ReplyPolicy, ["auto", "approve"]))
                .col(timestamp_with_time_zone(Agents::CreatedAt))
                .col(timestamp_with_time_zone(Agents::UpdatedAt))
                .col(timestamp_with_time_zone_null(Agents::ArchivedAt))
                .foreign_key(&mut references(
                    Agents::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .to_owned(),
        )
        .await?;
    let mut names = index(
        "agents_name",
        Agents::Table,
        [Agents::TenantId, Agents::NameKey],
    );
    names
        .unique()
        .and_where(Expr::col(Agents::ArchivedAt).is_null());
    schema.create_index(names).await?;
    schema
        .create_index(index(
            "agents_list",
            Agents::Table,
            [Agents::TenantId, Agents::Id],
        ))
        .await
}

async fn agent_integrations(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(AgentIntegrations::Table)
                .col(uuid(AgentIntegrations::AgentId))
                .col(uuid(AgentIntegrations::IntegrationId))
                .col(uuid(AgentIntegrations::TenantId))
                .primary_key(
                    Index::create()
                        .col(AgentIntegrations::AgentId)
                        .col(AgentIntegrations::IntegrationId),
                )
                .foreign_key(&mut references(
                    AgentIntegrations::AgentId,
                    Agents::Table,
                    Agents::Id,
                ))
                .foreign_key(&mut references(
                    AgentIntegrations::IntegrationId,
                    Integrations::Table,
                    Integrations::Id,
                ))
                .foreign_key(&mut references(
                    AgentIntegrations::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .to_owned(),
        )
        .await?;
    schema
        .create_index(index(
            "agent_integrations_by_integration",
            AgentIntegrations::Table,
            [AgentIntegrations::IntegrationId],
        ))
        .await
}
