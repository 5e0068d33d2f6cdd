//! Logins and one-time links, by tenant.

use crate::{
    entity::{user, user_link, user_session},
    error::db_error,
    query::insert,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    id::{TenantId, UserId, UserLinkId, UserSessionId},
    login::{UserLink, UserSession},
};
use ports::store::{LoginRepository, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};

const SESSION: &str = "user session";
const LINK: &str = "user link";

pub(crate) struct SqlLogins<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl LoginRepository for SqlLogins<'_> {
    async fn insert_session(&self, session: &UserSession) -> Result<(), StoreError> {
        user_session::Entity::delete_many()
            .filter(user_session::Column::TenantId.eq(session.tenant_id.as_uuid()))
            .filter(user_session::Column::ExpiresAt.lte(session.created_at))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(SESSION))?;
        insert(&self.0.conn, user_session::Model::from(session))
            .await
            .map_err(db_error(SESSION))?;
        Ok(())
    }

    async fn sessions(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
    ) -> Result<Vec<UserSession>, StoreError> {
        let mut select = user_session::Entity::find()
            .filter(user_session::Column::TenantId.eq(tenant.as_uuid()))
            .order_by_desc(user_session::Column::Id);
        if let Some(user) = user {
            select = select.filter(user_session::Column::UserId.eq(user.as_uuid()));
        }
        let rows = select.all(&self.0.conn).await.map_err(db_error(SESSION))?;
        Ok(rows.into_iter().map(UserSession::from).collect())
    }

    async fn touch_session(&self, session: &UserSession, now: Timestamp) -> Result<(), StoreError> {
        user_session::Entity::update_many()
            .col_expr(user_session::Column::LastSeenAt, Expr::value(now))
            .filter(user_session::Column::Id.eq(session.id.as_uuid()))
            .filter(user_session::Column::TenantId.eq(session.tenant_id.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(SESSION))?;
        user::Entity::update_many()
            .col_expr(user::Column::LastSeenAt, Expr::value(now))
            .filter(user::Column::Id.eq(session.user_id.as_uuid()))
            .filter(user::Column::TenantId.eq(session.tenant_id.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error("user"))?;
        Ok(())
    }

    async fn delete_session(&self, tenant: TenantId, id: UserSessionId) -> Result<(), StoreError> {
        user_session::Entity::delete_many()
            .filter(user_session::Column::Id.eq(id.as_uuid()))
            .filter(user_session::Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(SESSION))?;
        Ok(())
    }

    async fn delete_sessions(
        &self,
        tenant: TenantId,
        user: UserId,
        but: Option<UserSessionId>,
    ) -> Result<(), StoreError> {
        let mut delete = user_session::Entity::delete_many()
            .filter(user_session::Column::UserId.eq(user.as_uuid()))
            .filter(user_session::Column::TenantId.eq(tenant.as_uuid()));
        if let Some(but) = but {
            delete = delete.filter(user_session::Column::Id.ne(but.as_uuid()));
        }
        delete.exec(&self.0.conn).await.map_err(db_error(SESSION))?;
        Ok(())
    }

    async fn insert_link(&self, link: &UserLink) -> Result<(), StoreError> {
        insert(&self.0.conn, user_link::Model::from(link))
            .await
            .map_err(db_error(LINK))?;
        Ok(())
    }

    async fn links(&self, tenant: TenantId) -> Result<Vec<UserLink>, StoreError> {
        user_link::Entity::find()
            .filter(user_link::Column::TenantId.eq(tenant.as_uuid()))
            .filter(user_link::Column::UsedAt.is_null())
            .order_by_desc(user_link::Column::Id)
            .all(&self.0.conn)
            .await
            .map_err(db_error(LINK))?
            .into_iter()
            .map(UserLink::try_from)
            .collect()
    }

    async fn use_link(
        &self,
        tenant: TenantId,
        id: UserLinkId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let used = user_link::Entity::update_many()
            .col_expr(user_link::Column::UsedAt, Expr::value(now))
            .filter(user_link::Column::Id.eq(id.as_uuid()))
            .filter(user_link::Column::TenantId.eq(tenant.as_uuid()))
            .filter(user_link::Column::UsedAt.is_null())
            .exec(&self.0.conn)
            .await
            .map_err(db_error(LINK))?;
        Ok(used.rows_affected > 0)
    }

    async fn delete_link(&self, tenant: TenantId, id: UserLinkId) -> Result<bool, StoreError> {
        let deleted = user_link::Entity::delete_many()
            .filter(user_link::Column::Id.eq(id.as_uuid()))
            .filter(user_link::Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(LINK))?;
        Ok(deleted.rows_affected > 0)
    }
}
