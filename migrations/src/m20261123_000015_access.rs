//! People who sign in, their logins, the links that let them in once, what tokens are limited to, and agents and
//! integrations that are kept for some people.

use crate::columns::{index, key, references, words, words_null};
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
        uuid, uuid_null,
    },
};

const ROLES: [&str; 4] = ["owner", "admin", "member", "viewer"];
const RESTRICTABLE: [&str; 2] = ["agent", "integration"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        users(schema).await?;
        tokens(schema).await?;
        sessions(schema).await?;
        links(schema).await?;
        restrictions(schema).await
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
    TenantId,
    Email,
    PasswordHash,
    TotpSecret,
    TotpConfirmedAt,
    TotpStep,
    RecoveryHashes,
    OidcSubject,
    DisabledAt,
    LastSeenAt,
    DeletedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Tokens {
    Table,
    UserId,
    Scopes,
    LastUsedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum UserSessions {
    Table,
    Id,
    TenantId,
    UserId,
    Hash,
    CreatedAt,
    LastSeenAt,
    ExpiresAt,
    Address,
    UserAgent,
}

#[derive(Clone, Copy, DeriveIden)]
enum UserLinks {
    Table,
    Id,
    TenantId,
    Kind,
    Hash,
    Email,
    Role,
    UserId,
    CreatedAt,
    ExpiresAt,
    UsedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Restrictions {
    Table,
    TenantId,
    Kind,
    SubjectId,
}

#[derive(Clone, Copy, DeriveIden)]
enum Grants {
    Table,
    TenantId,
    Kind,
    SubjectId,
    UserId,
}

/// Nobody could sign in before, so no user of before needs an address.
async fn users(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    // People may share a name; they cannot share an address.
    let mut names = Index::drop();
    names.name("users_name").table(Users::Table);
    schema.drop_index(names).await?;
    for column in [
        text_null(Users::Email),
        text_null(Users::PasswordHash),
        text_null(Users::TotpSecret),
        timestamp_with_time_zone_null(Users::TotpConfirmedAt),
        big_integer(Users::TotpStep).default(0).to_owned(),
        text_null(Users::RecoveryHashes),
        text_null(Users::OidcSubject),
        timestamp_with_time_zone_null(Users::DisabledAt),
        timestamp_with_time_zone_null(Users::LastSeenAt),
        timestamp_with_time_zone_null(Users::DeletedAt),
    ] {
        add(schema, Users::Table, column).await?;
    }
    let mut addresses = index("users_email", Users::Table, [Users::TenantId, Users::Email]);
    schema.create_index(addresses.unique().to_owned()).await?;
    let subject = [Users::TenantId, Users::OidcSubject];
    let mut subjects = index("users_oidc_subject", Users::Table, subject);
    schema.create_index(subjects.unique().to_owned()).await
}

async fn tokens(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    add(schema, Tokens::Table, text_null(Tokens::Scopes)).await?;
    let used = timestamp_with_time_zone_null(Tokens::LastUsedAt);
    add(schema, Tokens::Table, used).await?;
    schema
        .create_index(index("tokens_of_user", Tokens::Table, [Tokens::UserId]))
        .await
}

async fn sessions(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use UserSessions as S;
    let mut table = Table::create();
    table
        .table(S::Table)
        .col(key(S::Id))
        .col(uuid(S::TenantId))
        .col(uuid(S::UserId))
        .col(text(S::Hash).unique_key())
        .col(timestamp_with_time_zone(S::CreatedAt))
        .col(timestamp_with_time_zone(S::LastSeenAt))
        .col(timestamp_with_time_zone(S::ExpiresAt))
        .col(text_null(S::Address))
        .col(text_null(S::UserAgent))
        .foreign_key(&mut references(S::TenantId, Tenants::Table, Tenants::Id))
        .foreign_key(&mut references(S::UserId, Users::Table, Users::Id));
    schema.create_table(table).await?;
    let of_user = index("user_sessions_of_user", S::Table, [S::UserId, S::Id]);
    schema.create_index(of_user).await?;
    schema
        .create_index(index("user_sessions_list", S::Table, [S::TenantId, S::Id]))
        .await
}

async fn links(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use UserLinks as L;
    let mut table = Table::create();
    table
        .table(L::Table)
        .col(key(L::Id))
        .col(uuid(L::TenantId))
        .col(words(L::Kind, ["setup", "invitation", "reset"]))
        .col(text(L::Hash).unique_key())
        .col(text_null(L::Email))
        .col(words_null(L::Role, ROLES))
        .col(uuid_null(L::UserId))
        .col(timestamp_with_time_zone(L::CreatedAt))
        .col(timestamp_with_time_zone(L::ExpiresAt))
        .col(timestamp_with_time_zone_null(L::UsedAt))
        .foreign_key(&mut references(L::TenantId, Tenants::Table, Tenants::Id))
        .foreign_key(&mut references(L::UserId, Users::Table, Users::Id));
    schema.create_table(table).await?;
    schema
        .create_index(index("user_links_list", L::Table, [L::TenantId, L::Id]))
        .await
}

async fn restrictions(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    use Grants as G;
    use Restrictions as R;
    let mut table = Table::create();
    table
        .table(R::Table)
        .col(uuid(R::TenantId))
        .col(words(R::Kind, RESTRICTABLE))
        .col(uuid(R::SubjectId))
        .primary_key(
            Index::create()
                .col(R::TenantId)
                .col(R::Kind)
                .col(R::SubjectId),
        )
        .foreign_key(&mut references(R::TenantId, Tenants::Table, Tenants::Id));
    schema.create_table(table).await?;
    let mut table = Table::create();
    table
        .table(G::Table)
        .col(uuid(G::TenantId))
        .col(words(G::Kind, RESTRICTABLE))
        .col(uuid(G::SubjectId))
        .col(uuid(G::UserId))
        .primary_key(
            Index::create()
                .col(G::TenantId)
                .col(G::UserId)
                .col(G::Kind)
                .col(G::SubjectId),
        )
        .foreign_key(&mut references(G::TenantId, Tenants::Table, Tenants::Id))
        .foreign_key(&mut references(G::UserId, Users::Table, Users::Id));
    schema.create_table(table).await?;
    schema
        .create_index(index("grants_of", G::Table, [G::Kind, G::SubjectId]))
        .await
}

/// One column per statement: SQLite takes no more.
async fn add(
    schema: &SchemaManager<'_>,
    table: impl IntoTableRef,
    column: ColumnDef,
) -> Result<(), DbErr> {
    let mut change = Table::alter();
    change.table(table).add_column(column);
    schema.alter_table(change).await
}
