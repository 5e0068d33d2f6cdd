//! What cannot know its tenant beforehand: credentials, webhook paths, start-up.

use crate::{
    backend::{Backend, Scope},
    entity::{approval, feed, integration, lease, tenant, token, user, user_link, user_session},
    error::db_error,
    query::{insert, insert_all, is},
    repo::{idempotency, integrations::with_agents},
    store::SqlStore,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::{ApiToken, Tenant},
    approval::ApprovalStatus,
    id::{ApprovalId, IntegrationId, TenantId, UserId},
    integration::Integration,
    login::{User, UserLink, UserSession},
};
use ports::store::{Durability, StoreError, SystemStore};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use uuid::Uuid;

#[async_trait]
impl<B: Backend> SystemStore for SqlStore<B> {
    async fn find_token(&self, hash: &str) -> Result<Option<ApiToken>, StoreError> {
        token::Entity::find()
            .filter(token::Column::Hash.eq(hash))
            .all(self.backend.reader(Scope::System))
            .await
            .map_err(db_error("token"))?
            .pop()
            .map(ApiToken::try_from)
            .transpose()
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        user(self.backend.reader(Scope::System), id.as_uuid()).await
    }

    async fn find_session(&self, hash: &str) -> Result<Option<(UserSession, User)>, StoreError> {
        let db = self.backend.reader(Scope::System);
        let session = user_session::Entity::find()
            .filter(user_session::Column::Hash.eq(hash))
            .all(db)
            .await
            .map_err(db_error("user session"))?
            .pop();
        let Some(session) = session.map(UserSession::from) else {
            return Ok(None);
        };
        let user = user(db, session.user_id.as_uuid()).await?;
        Ok(user.map(|user| (session, user)))
    }

    async fn find_link(&self, hash: &str) -> Result<Option<UserLink>, StoreError> {
        user_link::Entity::find()
            .filter(user_link::Column::Hash.eq(hash))
            .all(self.backend.reader(Scope::System))
            .await
            .map_err(db_error("user link"))?
            .pop()
            .map(UserLink::try_from)
            .transpose()
    }

    async fn find_integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let db = self.backend.reader(Scope::System);
        let row = integration::Entity::find_by_id(id.as_uuid())
            .filter(integration::Column::DeletedAt.is_null())
            .all(db)
            .await
            .map_err(db_error("integration"))?
            .pop();
        Ok(with_agents(db, row.into_iter().collect()).await?.pop())
    }

    async fn active_integrations(&self) -> Result<Vec<Integration>, StoreError> {
        let db = self.backend.reader(Scope::System);
        let rows = integration::Entity::find()
            .filter(integration::Column::Enabled.eq(true))
            .filter(integration::Column::DeletedAt.is_null())
            .order_by_asc(integration::Column::Id)
            .all(db)
            .await
            .map_err(db_error("integration"))?;
        with_agents(db, rows).await
    }

    async fn ensure_tenant(&self, name: &str, now: Timestamp) -> Result<Tenant, StoreError> {
        if let Some(tenant) = oldest(self.backend.reader(Scope::System)).await? {
            return Ok(tenant);
        }
        let tx = self.begin(Scope::System, Durability::Durable).await?;
        take_turn(&tx).await?;
        // Somebody else may have made it between the look and the lock.
        if let Some(tenant) = oldest(&tx.conn).await? {
            return Ok(tenant);
        }
        let tenant = Tenant {
            id: TenantId::from_uuid(tx.ids.next()),
            name: name.to_owned(),
            created_at: now,
        };
        let row = tenant::Model {
            id: tenant.id.as_uuid(),
            name: tenant.name.clone(),
            created_at: now,
        };
        insert(&tx.conn, row).await.map_err(db_error("tenant"))?;
        let feed = feed::Model {
            tenant_id: tenant.id.as_uuid(),
            last_seq: 0,
        };
        insert(&tx.conn, feed).await.map_err(db_error("feed"))?;
        lease::Entity::delete_by_id(FIRST.to_owned())
            .exec(&tx.conn)
            .await
            .map_err(db_error("lease"))?;
        tx.commit().await?;
        Ok(tenant)
    }

    async fn free_keys(&self, instance: &str) -> Result<u64, StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let freed = idempotency::free(&tx, instance).await?;
        tx.commit().await?;
        Ok(freed)
    }

    async fn overdue_approvals(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, ApprovalId)>, StoreError> {
        use approval::Column;
        let overdue: Vec<(Uuid, Uuid)> = approval::Entity::find()
            .filter(is(Column::Status, ApprovalStatus::Pending.as_str()))
            .filter(Column::ExpiresAt.lte(now))
            .select_only()
            .column(Column::TenantId)
            .column(Column::Id)
            .order_by_asc(Column::ExpiresAt)
            .limit(u64::from(limit))
            .into_tuple()
            .all(self.backend.reader(Scope::System))
            .await
            .map_err(db_error("approval"))?;
        let ids = |(tenant, id)| (TenantId::from_uuid(tenant), ApprovalId::from_uuid(id));
        Ok(overdue.into_iter().map(ids).collect())
    }
}

/// The lease of whoever makes the first tenant, held by nobody else until the transaction ends. Nothing
/// about the tenant itself is unique.
const FIRST: &str = "first tenant";

async fn take_turn(tx: &SqlTx) -> Result<(), StoreError> {
    let row = lease::Model {
        name: FIRST.to_owned(),
        worker_id: Uuid::nil(),
    };
    let again = OnConflict::column(lease::Column::Name)
        .update_column(lease::Column::WorkerId)
        .to_owned();
    insert_all(&tx.conn, vec![row], Some(again))
        .await
        .map_err(db_error("lease"))
}

async fn user(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<User>, StoreError> {
    user::Entity::find()
        .filter(user::Column::Id.eq(id))
        .filter(user::Column::DeletedAt.is_null())
        .all(db)
        .await
        .map_err(db_error("user"))?
        .pop()
        .map(User::try_from)
        .transpose()
}

async fn oldest(db: &impl ConnectionTrait) -> Result<Option<Tenant>, StoreError> {
    let row = tenant::Entity::find()
        .order_by_asc(tenant::Column::Id)
        .one(db)
        .await
        .map_err(db_error("tenant"))?;
    Ok(row.map(Tenant::from))
}
