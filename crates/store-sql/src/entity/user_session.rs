//! Logins.

use domain::{
    id::{TenantId, UserId, UserSessionId},
    login::UserSession,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "user_sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) hash: String,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) last_seen_at: DateTimeUtc,
    pub(crate) expires_at: DateTimeUtc,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&UserSession> for Model {
    fn from(session: &UserSession) -> Self {
        Self {
            id: session.id.as_uuid(),
            tenant_id: session.tenant_id.as_uuid(),
            user_id: session.user_id.as_uuid(),
            hash: session.hash.clone(),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            address: session.address.clone(),
            user_agent: session.user_agent.clone(),
        }
    }
}

impl From<Model> for UserSession {
    fn from(row: Model) -> Self {
        Self {
            id: UserSessionId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            user_id: UserId::from_uuid(row.user_id),
            hash: row.hash,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}
