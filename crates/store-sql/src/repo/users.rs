//! People with a login, by tenant.

use crate::{
    entity::{grant, identity, token, user, user_link, user_session},
    error::db_error,
    query::insert,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Role,
    id::{TenantId, UserId},
    login::{Totp, User},
};
use ports::store::{StoreError, UserRepository};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, UpdateMany,
    sea_query::{Expr, ExprTrait},
};

const ENTITY: &str = "user";

pub(crate) struct SqlUsers<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl UserRepository for SqlUsers<'_> {
    async fn insert(&self, user: &User) -> Result<(), StoreError> {
        insert(&self.0.conn, user::Model::from(user))
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn update(&self, user: &User) -> Result<(), StoreError> {
        use user::Column;
        let row = user::Model::from(user);
        this(user.tenant_id, user.id)
            .col_expr(Column::Name, Expr::value(row.name))
            .col_expr(Column::Email, Expr::value(row.email))
            .col_expr(Column::Role, Expr::value(row.role))
            .col_expr(Column::PasswordHash, Expr::value(row.password_hash))
            .col_expr(Column::TotpSecret, Expr::value(row.totp_secret))
            .col_expr(Column::TotpConfirmedAt, Expr::value(row.totp_confirmed_at))
            .col_expr(Column::TotpStep, Expr::value(row.totp_step))
            .col_expr(Column::RecoveryHashes, Expr::value(row.recovery_hashes))
            .col_expr(Column::OidcSubject, Expr::value(row.oidc_subject))
            .col_expr(Column::DisabledAt, Expr::value(row.disabled_at))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn find(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        self.one(of(tenant).filter(user::Column::Id.eq(id.as_uuid())))
            .await
    }

    async fn find_by_email(
        &self,
        tenant: TenantId,
        email: &str,
    ) -> Result<Option<User>, StoreError> {
        self.one(of(tenant).filter(user::Column::Email.eq(email)))
            .await
    }

    async fn find_by_subject(
        &self,
        tenant: TenantId,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        self.one(of(tenant).filter(user::Column::OidcSubject.eq(subject)))
            .await
    }

    async fn list(&self, tenant: TenantId) -> Result<Vec<User>, StoreError> {
        self.all(of(tenant).order_by_asc(user::Column::Id)).await
    }

    async fn owners(&self, tenant: TenantId) -> Result<Vec<User>, StoreError> {
        let owners = of(tenant)
            .filter(user::Column::Role.eq(Role::Owner.as_str()))
            .filter(user::Column::DisabledAt.is_null())
            .order_by_asc(user::Column::Id)
            .lock_exclusive();
        self.all(owners).await
    }

    async fn spend_code(&self, user: &User, after: &Totp) -> Result<bool, StoreError> {
        use user::Column;
        let before = user::Model::from(user);
        let spent = this(user.tenant_id, user.id)
            .col_expr(Column::TotpStep, Expr::value(after.last_step))
            .col_expr(
                Column::RecoveryHashes,
                Expr::value(after.recovery.join(" ")),
            )
            .filter(Column::TotpStep.eq(before.totp_step))
            .filter(Column::RecoveryHashes.eq(before.recovery_hashes))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(spent.rows_affected > 0)
    }

    async fn delete(&self, tenant: TenantId, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        use user::Column;
        let (db, error) = (&self.0.conn, db_error(ENTITY));
        let nothing = || Expr::value(Option::<String>::None);
        this(tenant, id)
            .col_expr(Column::Email, nothing())
            .col_expr(Column::PasswordHash, nothing())
            .col_expr(Column::TotpSecret, nothing())
            .col_expr(Column::RecoveryHashes, nothing())
            .col_expr(Column::OidcSubject, nothing())
            .col_expr(Column::DeletedAt, Expr::value(now))
            .exec(db)
            .await
            .map_err(error)?;
        user_session::Entity::delete_many()
            .filter(user_session::Column::UserId.eq(id.as_uuid()))
            .filter(user_session::Column::TenantId.eq(tenant.as_uuid()))
            .exec(db)
            .await
            .map_err(db_error("user session"))?;
        user_link::Entity::delete_many()
            .filter(user_link::Column::UserId.eq(id.as_uuid()))
            .filter(user_link::Column::TenantId.eq(tenant.as_uuid()))
            .exec(db)
            .await
            .map_err(db_error("user link"))?;
        grant::Entity::delete_many()
            .filter(grant::Column::UserId.eq(id.as_uuid()))
            .filter(grant::Column::TenantId.eq(tenant.as_uuid()))
            .exec(db)
            .await
            .map_err(db_error("grant"))?;
        let revoked = Expr::col(token::Column::RevokedAt).if_null(now);
        token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, revoked)
            .filter(token::Column::UserId.eq(id.as_uuid()))
            .filter(token::Column::TenantId.eq(tenant.as_uuid()))
            .exec(db)
            .await
            .map_err(db_error("token"))?;
        let nobody = Expr::value(Option::<sea_orm::prelude::Uuid>::None);
        identity::Entity::update_many()
            .col_expr(identity::Column::UserId, nobody)
            .filter(identity::Column::UserId.eq(id.as_uuid()))
            .filter(identity::Column::TenantId.eq(tenant.as_uuid()))
            .exec(db)
            .await
            .map_err(db_error("identity"))?;
        Ok(())
    }
}

impl SqlUsers<'_> {
    async fn one(&self, select: Select<user::Entity>) -> Result<Option<User>, StoreError> {
        Ok(self.all(select).await?.pop())
    }

    async fn all(&self, select: Select<user::Entity>) -> Result<Vec<User>, StoreError> {
        let rows = select.all(&self.0.conn).await.map_err(db_error(ENTITY))?;
        rows.into_iter().map(User::try_from).collect()
    }
}

fn of(tenant: TenantId) -> Select<user::Entity> {
    user::Entity::find()
        .filter(user::Column::TenantId.eq(tenant.as_uuid()))
        .filter(user::Column::DeletedAt.is_null())
}

fn this(tenant: TenantId, id: UserId) -> UpdateMany<user::Entity> {
    user::Entity::update_many()
        .filter(user::Column::Id.eq(id.as_uuid()))
        .filter(user::Column::TenantId.eq(tenant.as_uuid()))
        .filter(user::Column::DeletedAt.is_null())
}
