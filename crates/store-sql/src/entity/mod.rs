//! The tables as rows, and the way between rows and domain values. Domain types never learn of
//! columns; a row that they cannot hold is `Corrupt`.
#![expect(
    clippy::struct_field_names,
    reason = "fields are named as the columns are"
)]

pub(crate) mod agent;
pub(crate) mod agent_integration;
pub(crate) mod approval;
pub(crate) mod audit_entry;
pub(crate) mod audit_head;
pub(crate) mod background_process;
pub(crate) mod budget;
pub(crate) mod conversation;
pub(crate) mod decision;
pub(crate) mod effect;
pub(crate) mod feed;
pub(crate) mod grant;
pub(crate) mod idempotency_key;
pub(crate) mod identity;
pub(crate) mod inbound_event;
pub(crate) mod integration;
pub(crate) mod job;
pub(crate) mod job_event;
pub(crate) mod lane;
pub(crate) mod lane_entry;
pub(crate) mod lease;
pub(crate) mod link_code;
pub(crate) mod message;
pub(crate) mod model_call;
pub(crate) mod provider;
pub(crate) mod restriction;
pub(crate) mod setting;
pub(crate) mod sprite_session;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod tool_call;
pub(crate) mod user;
pub(crate) mod user_link;
pub(crate) mod user_session;
pub(crate) mod work_item;
pub(crate) mod worker;

#[cfg(test)]
mod tests {
    use super::*;
    use migrations::Migrator;
    use sea_orm::{ConnectionTrait, Database, EntityTrait};
    use sea_orm_migration::MigratorTrait;

    #[tokio::test]
    async fn every_entity_reads_the_table_the_migrations_made() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        Migrator::up(&db, None).await.unwrap();
        macro_rules! reads {
            ($($entity:ident),* $(,)?) => {$(
                assert_eq!($entity::Entity::find().all(&db).await.unwrap(), vec![]);
            )*};
        }
        reads!(
            agent,
            agent_integration,
            approval,
            audit_entry,
            audit_head,
            background_process,
            budget,
            conversation,
            decision,
            effect,
            feed,
            grant,
            idempotency_key,
            identity,
            inbound_event,
            integration,
            job,
            job_event,
            lane,
            lane_entry,
            lease,
            link_code,
            message,
            model_call,
            restriction,
            provider,
            setting,
            sprite_session,
            tenant,
            token,
            tool_call,
            user,
            user_link,
            user_session,
            work_item,
            worker,
        );
    }

    #[tokio::test]
    async fn rows_of_the_built_in_channel_get_its_new_word() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        Migrator::up(&db, Some(18)).await.unwrap();
        for old in [
            "PRAGMA foreign_keys = OFF",
            "INSERT INTO integrations
                (id, tenant_id, channel, name, config, all_agents, enabled, health, created_at, updated_at)
                VALUES (randomblob(16), randomblob(16), 'manual', 'API', '{}', 1, 1, 'ok',
                    '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')",
            "INSERT INTO identities (id, tenant_id, provider, external_id, display_name)
                VALUES (randomblob(16), randomblob(16), 'manual', 'token:admin', 'API')",
        ] {
            db.execute_unprepared(old).await.unwrap();
        }
        Migrator::up(&db, None).await.unwrap();
        let integrations = integration::Entity::find().all(&db).await.unwrap();
        assert_eq!(integrations[0].channel, "web");
        let identities = identity::Entity::find().all(&db).await.unwrap();
        assert_eq!(identities[0].provider, "web");
    }
}
