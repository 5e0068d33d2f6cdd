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
    use sea_orm::{Database, EntityTrait};
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
}
