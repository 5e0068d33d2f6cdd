//! Bearer tokens, by tenant.

use crate::{entity::token, error::db_error, query::insert, tx::SqlTx};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::ApiToken,
    id::{TenantId, TokenId},
};
use ports::store::{AccessRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait},
};

pub(crate) struct SqlAccess<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl AccessRepository for SqlAccess<'_> {
    async fn insert_token(&self, token: &ApiToken) -> Result<(), StoreError> {
        insert(&self.0.conn, token::Model::from(token))
            .await
            .map_err(db_error("token"))?;
        Ok(())
    }

    async fn list_tokens(&self, tenant: TenantId) -> Result<Vec<ApiToken>, StoreError> {
        token::Entity::find()
            .filter(token::Column::TenantId.eq(tenant.as_uuid()))
            .order_by_desc(token::Column::Id)
            .all(&self.0.conn)
            .await
            .map_err(db_error("token"))?
            .into_iter()
            .map(ApiToken::try_from)
            .collect()
    }

    async fn revoke_token(
        &self,
        tenant: TenantId,
        token: TokenId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // The first revocation counts, whatever follows.
        let revoked = token::Entity::update_many()
            .col_expr(
                token::Column::RevokedAt,
                Expr::col(token::Column::RevokedAt).if_null(now),
            )
            .filter(token::Column::Id.eq(token.as_uuid()))
            .filter(token::Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error("token"))?;
        Ok(revoked.rows_affected > 0)
    }
}
