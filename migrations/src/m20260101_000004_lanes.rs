//! Processes, what they hold, and the lanes they claim.
//!
//! Holders are not foreign keys: a process comes and goes, and what it once held must not be
//! searched for when it leaves.

use crate::columns::{index, key, references};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
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
        workers(schema).await?;
        lanes(schema).await
    }
}

#[derive(Clone, Copy, DeriveIden)]
enum Tenants {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Agents {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Conversations {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Workers {
    Table,
    Id,
    Instance,
    StartedAt,
    HeartbeatAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Leases {
    Table,
    Name,
    WorkerId,
}

#[derive(Clone, Copy, DeriveIden)]
enum Lanes {
    Table,
    Id,
    TenantId,
    ConversationId,
    AgentId,
    LeaseWorker,
    Fence,
    ReadyAt,
}

async fn workers(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Workers::Table)
                .col(key(Workers::Id))
                .col(text(Workers::Instance))
                .col(timestamp_with_time_zone(Workers::StartedAt))
                .col(timestamp_with_time_zone(Workers::HeartbeatAt))
                .to_owned(),
        )
        .await?;
    schema
        .create_table(
            Table::create()
                .table(Leases::Table)
                .col(text(Leases::Name).primary_key())
                .col(uuid(Leases::WorkerId))
                .to_owned(),
        )
        .await
}

async fn lanes(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    schema
        .create_table(
            Table::create()
                .table(Lanes::Table)
                .col(key(Lanes::Id))
                .col(uuid(Lanes::TenantId))
                .col(uuid(Lanes::ConversationId))
                .col(uuid(Lanes::AgentId))
                .col(uuid_null(Lanes::LeaseWorker))
                .col(big_integer(Lanes::Fence))
                .col(timestamp_with_time_zone_null(Lanes::ReadyAt))
                .foreign_key(&mut references(
                    Lanes::TenantId,
                    Tenants::Table,
                    Tenants::Id,
                ))
                .foreign_key(&mut references(
                    Lanes::ConversationId,
                    Conversations::Table,
                    Conversations::Id,
                ))
                .foreign_key(&mut references(Lanes::AgentId, Agents::Table, Agents::Id))
                .to_owned(),
        )
        .await?;
    let mut unique = index(
        "lanes_once",
        Lanes::Table,
        [Lanes::ConversationId, Lanes::AgentId],
    );
    schema.create_index(unique.unique().to_owned()).await?;
    let mut ready = index("lanes_ready", Lanes::Table, [Lanes::ReadyAt]);
    ready
        .and_where(Expr::col(Lanes::ReadyAt).is_not_null())
        .and_where(Expr::col(Lanes::LeaseWorker).is_null());
    schema.create_index(ready).await?;
    let mut held = index("lanes_held", Lanes::Table, [Lanes::LeaseWorker]);
    held.and_where(Expr::col(Lanes::LeaseWorker).is_not_null());
    schema.create_index(held).await
}
