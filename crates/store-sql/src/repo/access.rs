//! Bearer tokens and what is kept for some people, by tenant.

use crate::{
    entity::{grant, restriction, token},
    error::{db_error, word},
    query::{insert, insert_all},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::{ApiToken, Hidden, People, Restrictable},
    id::{AgentId, IntegrationId, TenantId, TokenId, UserId},
};
use ports::store::{AccessRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait},
};
use std::collections::HashSet;
use uuid::Uuid;

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

    async fn touch_token(
        &self,
        tenant: TenantId,
        token: TokenId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        token::Entity::update_many()
            .col_expr(token::Column::LastUsedAt, Expr::value(now))
            .filter(token::Column::Id.eq(token.as_uuid()))
            .filter(token::Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error("token"))?;
        Ok(())
    }

    async fn people(
        &self,
        tenant: TenantId,
        kind: Restrictable,
        subject: Uuid,
    ) -> Result<People, StoreError> {
        let key = (tenant.as_uuid(), kind.as_str().to_owned(), subject);
        let restriction = restriction::Entity::find_by_id(key)
            .all(&self.0.conn)
            .await
            .map_err(db_error("restriction"))?;
        let users = grant::Entity::find()
            .filter(grant::Column::TenantId.eq(tenant.as_uuid()))
            .filter(grant::Column::Kind.eq(kind.as_str()))
            .filter(grant::Column::SubjectId.eq(subject))
            .order_by_asc(grant::Column::UserId)
            .all(&self.0.conn)
            .await
            .map_err(db_error("grant"))?;
        Ok(People {
            restricted: !restriction.is_empty(),
            users: users
                .into_iter()
                .map(|row| UserId::from_uuid(row.user_id))
                .collect(),
        })
    }

    async fn set_people(
        &self,
        tenant: TenantId,
        kind: Restrictable,
        subject: Uuid,
        people: &People,
    ) -> Result<(), StoreError> {
        let (tenant_id, kind) = (tenant.as_uuid(), kind.as_str().to_owned());
        restriction::Entity::delete_by_id((tenant_id, kind.clone(), subject))
            .exec(&self.0.conn)
            .await
            .map_err(db_error("restriction"))?;
        grant::Entity::delete_many()
            .filter(grant::Column::TenantId.eq(tenant_id))
            .filter(grant::Column::Kind.eq(kind.as_str()))
            .filter(grant::Column::SubjectId.eq(subject))
            .exec(&self.0.conn)
            .await
            .map_err(db_error("grant"))?;
        if people.restricted {
            let row = restriction::Model {
                tenant_id,
                kind: kind.clone(),
                subject_id: subject,
            };
            insert(&self.0.conn, row)
                .await
                .map_err(db_error("restriction"))?;
        }
        let users = people.users.iter().map(|user| grant::Model {
            tenant_id,
            user_id: user.as_uuid(),
            kind: kind.clone(),
            subject_id: subject,
        });
        insert_all(&self.0.conn, users.collect(), None)
            .await
            .map_err(db_error("grant"))
    }

    async fn hidden(&self, tenant: TenantId, from: Option<UserId>) -> Result<Hidden, StoreError> {
        let rows = restriction::Entity::find()
            .filter(restriction::Column::TenantId.eq(tenant.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error("restriction"))?;
        if rows.is_empty() {
            return Ok(Hidden::default());
        }
        let granted = match from {
            None => Vec::new(),
            Some(user) => grant::Entity::find()
                .filter(grant::Column::TenantId.eq(tenant.as_uuid()))
                .filter(grant::Column::UserId.eq(user.as_uuid()))
                .all(&self.0.conn)
                .await
                .map_err(db_error("grant"))?,
        };
        let granted: HashSet<Uuid> = granted.into_iter().map(|row| row.subject_id).collect();
        let mut hidden = Hidden::default();
        for row in rows {
            if granted.contains(&row.subject_id) {
                continue;
            }
            match word("restriction", "kind", &row.kind)? {
                Restrictable::Agent => hidden.agents.push(AgentId::from_uuid(row.subject_id)),
                Restrictable::Integration => hidden
                    .integrations
                    .push(IntegrationId::from_uuid(row.subject_id)),
            }
        }
        Ok(hidden)
    }
}
