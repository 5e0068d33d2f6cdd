//! People on channels and the users they are, by tenant.

use crate::{
    entity::{identity, link_code},
    error::db_error,
    query::{insert_all, upsert_all},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    id::{IdentityId, TenantId, UserId},
    identity::{Identity, LinkCode},
};
use ports::store::{IdentityRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

const ENTITY: &str = "identity";

pub(crate) struct SqlIdentities<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl IdentityRepository for SqlIdentities<'_> {
    async fn find(
        &self,
        tenant: TenantId,
        provider: &str,
        external_id: &str,
    ) -> Result<Option<Identity>, StoreError> {
        let one = of(tenant)
            .filter(identity::Column::Provider.eq(provider))
            .filter(identity::Column::ExternalId.eq(external_id));
        Ok(self.linked(one).await?.pop())
    }

    async fn of_user(&self, tenant: TenantId, user: UserId) -> Result<Vec<Identity>, StoreError> {
        let own = of(tenant)
            .filter(identity::Column::UserId.eq(user.as_uuid()))
            .order_by_asc(identity::Column::LinkedAt)
            .order_by_asc(identity::Column::Id);
        self.linked(own).await
    }

    async fn link(&self, identity: &Identity) -> Result<(), StoreError> {
        use identity::Column;
        let row = identity::Model {
            id: identity.id.as_uuid(),
            tenant_id: identity.tenant_id.as_uuid(),
            provider: identity.provider.clone(),
            external_id: identity.external_id.clone(),
            display_name: identity.name.clone(),
            user_id: Some(identity.user_id.as_uuid()),
            linked_at: Some(identity.linked_at),
        };
        let known = OnConflict::columns([Column::TenantId, Column::Provider, Column::ExternalId])
            .update_columns([Column::DisplayName, Column::UserId, Column::LinkedAt])
            .to_owned();
        insert_all(&self.0.conn, vec![row], Some(known))
            .await
            .map_err(db_error(ENTITY))
    }

    async fn unlink(
        &self,
        tenant: TenantId,
        user: UserId,
        id: IdentityId,
    ) -> Result<bool, StoreError> {
        use identity::Column;
        let unlinked = identity::Entity::update_many()
            .col_expr(Column::UserId, Expr::value(None::<Uuid>))
            .col_expr(Column::LinkedAt, Expr::value(None::<Timestamp>))
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(Column::UserId.eq(user.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(unlinked.rows_affected > 0)
    }

    async fn put_code(&self, code: &LinkCode) -> Result<(), StoreError> {
        use link_code::Column;
        let newer = OnConflict::column(Column::UserId)
            .update_columns([Column::Hash, Column::ExpiresAt])
            .to_owned();
        upsert_all(&self.0.conn, vec![link_code::Model::from(code)], &newer)
            .await
            .map_err(db_error("link code"))?;
        Ok(())
    }

    async fn take_code(
        &self,
        tenant: TenantId,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        use link_code::Column;
        let taken = link_code::Entity::delete_many()
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(Column::Hash.eq(hash))
            .exec_with_returning(&self.0.conn)
            .await
            .map_err(db_error("link code"))?
            .pop();
        let live = taken.filter(|code| now < code.expires_at);
        Ok(live.map(|code| UserId::from_uuid(code.user_id)))
    }
}

impl SqlIdentities<'_> {
    async fn linked(&self, select: Select<identity::Entity>) -> Result<Vec<Identity>, StoreError> {
        let rows = select.all(&self.0.conn).await.map_err(db_error(ENTITY))?;
        Ok(rows
            .into_iter()
            .filter_map(identity::Model::linked)
            .collect())
    }
}

fn of(tenant: TenantId) -> Select<identity::Entity> {
    identity::Entity::find().filter(identity::Column::TenantId.eq(tenant.as_uuid()))
}
