//! Questions to people, and the codes by which people say who they are on a channel.

use crate::columns::{index, key, references, words};
use sea_orm_migration::{
    prelude::*,
    schema::{
        json_binary, json_binary_null, text, text_null, timestamp_with_time_zone,
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
        approvals(schema).await?;
        approval_indexes(schema).await?;
        link_codes(schema).await?;
        let mut identities = Table::alter();
        identities
            .table(Identities::Table)
            .add_column(timestamp_with_time_zone_null(Identities::LinkedAt));
        schema.alter_table(identities).await?;
        let mut people = index(
            "identities_user",
            Identities::Table,
            [Identities::TenantId, Identities::UserId],
        );
        people.and_where(Expr::col(Identities::UserId).is_not_null());
        schema.create_index(people).await
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
enum Agents {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Jobs {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Effects {
    Table,
    Id,
}

#[derive(Clone, Copy, DeriveIden)]
enum Identities {
    Table,
    TenantId,
    UserId,
    LinkedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum LinkCodes {
    Table,
    UserId,
    TenantId,
    Hash,
    ExpiresAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Approvals {
    Table,
    Id,
    TenantId,
    Kind,
    Status,
    AgentId,
    JobId,
    WorkItemId,
    ConversationId,
    IntegrationId,
    EffectId,
    ToolCallId,
    Question,
    Action,
    Digest,
    Approvers,
    Requesters,
    RequestedAt,
    ExpiresAt,
    DecidedAt,
    DecidedBy,
    Note,
}

async fn approvals(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use Approvals as A;
    let mut table = Table::create();
    table
        .table(A::Table)
        .col(key(A::Id))
        .col(uuid(A::TenantId))
        .col(words(A::Kind, ["reply", "action"]))
        .col(words(
            A::Status,
            ["pending", "approved", "denied", "expired", "withdrawn"],
        ))
        .col(uuid(A::AgentId))
        .col(uuid(A::JobId))
        .col(uuid(A::WorkItemId))
        .col(uuid(A::ConversationId))
        .col(uuid(A::IntegrationId))
        .col(uuid_null(A::EffectId))
        // No foreign key: what a tool answered may be forgotten, that people were asked may not.
        .col(uuid_null(A::ToolCallId))
        .col(text(A::Question))
        .col(json_binary(A::Action))
        .col(text(A::Digest))
        .col(json_binary(A::Approvers))
        .col(json_binary(A::Requesters))
        .col(timestamp_with_time_zone(A::RequestedAt))
        .col(timestamp_with_time_zone(A::ExpiresAt))
        .col(timestamp_with_time_zone_null(A::DecidedAt))
        .col(json_binary_null(A::DecidedBy))
        .col(text_null(A::Note))
        .foreign_key(&mut references(A::TenantId, Tenants::Table, Tenants::Id))
        .foreign_key(&mut references(A::AgentId, Agents::Table, Agents::Id))
        .foreign_key(&mut references(A::JobId, Jobs::Table, Jobs::Id))
        .foreign_key(&mut references(A::EffectId, Effects::Table, Effects::Id));
    schema.create_table(table).await
}

async fn approval_indexes(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use Approvals as A;
    let pending = || Expr::col(A::Status).eq("pending");
    schema
        .create_index(index("approvals_list", A::Table, [A::TenantId, A::Id]))
        .await?;
    for (name, column) in [
        ("approvals_by_status", A::Status),
        ("approvals_by_agent", A::AgentId),
        ("approvals_by_job", A::JobId),
    ] {
        let columns = [A::TenantId, column, A::Id];
        schema.create_index(index(name, A::Table, columns)).await?;
    }
    for (name, column) in [
        ("approvals_of_effect", A::EffectId),
        ("approvals_of_call", A::ToolCallId),
    ] {
        let mut once = index(name, A::Table, [column]);
        let once = once.unique().and_where(pending());
        schema.create_index(once.to_owned()).await?;
    }
    let mut due = index("approvals_due", A::Table, [A::ExpiresAt]);
    due.and_where(pending());
    schema.create_index(due).await
}

async fn link_codes(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut user = references(LinkCodes::UserId, Users::Table, Users::Id);
    user.on_delete(ForeignKeyAction::Cascade);
    let mut table = Table::create();
    table
        .table(LinkCodes::Table)
        .col(key(LinkCodes::UserId))
        .col(uuid(LinkCodes::TenantId))
        .col(text(LinkCodes::Hash).unique_key())
        .col(timestamp_with_time_zone(LinkCodes::ExpiresAt))
        .foreign_key(&mut references(
            LinkCodes::TenantId,
            Tenants::Table,
            Tenants::Id,
        ))
        .foreign_key(&mut user);
    schema.create_table(table).await
}
