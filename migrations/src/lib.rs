//! The one schema history of both databases, oldest first.
//!
//! A file that has shipped is never edited: databases out there have run it. A change is a new file
//! at the end of the list. Nothing here may import entities or domain types, for those move and
//! history must not; `tests/history.rs` holds the hash of every file.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the library's trait leaves this lifetime out, and an implementation must match it"
)]
mod columns;
mod m20260101_000001_access;
mod m20260101_000002_catalog;
mod m20260101_000003_inbound;
mod m20260101_000004_lanes;
mod m20260101_000005_jobs;
mod m20260101_000006_entries;
mod m20260101_000007_effects;
mod m20260101_000008_money;
mod m20261123_000009_guards;
mod m20261123_000010_row_level_security;
mod m20261123_000011_retention;
mod m20261123_000012_idempotency_holder;
mod m20261123_000013_shell_instance;
mod m20261123_000014_background_processes;
mod m20261123_000015_access;
mod m20261123_000016_audit;
mod m20261123_000017_approvals;
mod m20261123_000018_providers;
mod m20261123_000019_web_channel;
mod m20261123_000020_read_models;
mod m20261123_000021_agent_approvers;

use sea_orm_migration::{
    MigrationTrait, MigratorTrait,
    async_trait::async_trait,
    sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryOrder},
    seaql_migrations,
};

/// Runs the history.
pub struct Migrator;

#[async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000001_access::Migration),
            Box::new(m20260101_000002_catalog::Migration),
            Box::new(m20260101_000003_inbound::Migration),
            Box::new(m20260101_000004_lanes::Migration),
            Box::new(m20260101_000005_jobs::Migration),
            Box::new(m20260101_000006_entries::Migration),
            Box::new(m20260101_000007_effects::Migration),
            Box::new(m20260101_000008_money::Migration),
            Box::new(m20261123_000009_guards::Migration),
            Box::new(m20261123_000010_row_level_security::Migration),
            Box::new(m20261123_000011_retention::Migration),
            Box::new(m20261123_000012_idempotency_holder::Migration),
            Box::new(m20261123_000013_shell_instance::Migration),
            Box::new(m20261123_000014_background_processes::Migration),
            Box::new(m20261123_000015_access::Migration),
            Box::new(m20261123_000016_audit::Migration),
            Box::new(m20261123_000017_approvals::Migration),
            Box::new(m20261123_000018_providers::Migration),
            Box::new(m20261123_000019_web_channel::Migration),
            Box::new(m20261123_000020_read_models::Migration),
            Box::new(m20261123_000021_agent_approvers::Migration),
        ]
    }
}

/// Whether the database has run exactly this history: one cheap query, so that a start with nothing
/// to do stays fast. Fails on a database that has run nothing at all.
pub async fn is_current(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let applied = seaql_migrations::Entity::find()
        .order_by_asc(seaql_migrations::Column::Version)
        .all(db)
        .await?;
    let known = Migrator::migrations();
    Ok(applied
        .iter()
        .map(|row| row.version.as_str())
        .eq(known.iter().map(|migration| migration.name())))
}

/// The names of the history's steps, oldest first.
pub fn history() -> Vec<String> {
    let steps = Migrator::migrations();
    steps.iter().map(|step| step.name().to_owned()).collect()
}
