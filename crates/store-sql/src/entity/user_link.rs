//! Links that let a person in once.

use crate::error::word;
use domain::{
    id::{TenantId, UserId, UserLinkId},
    login::UserLink,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "user_links")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) kind: String,
    pub(crate) hash: String,
    pub(crate) email: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) expires_at: DateTimeUtc,
    pub(crate) used_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&UserLink> for Model {
    fn from(link: &UserLink) -> Self {
        Self {
            id: link.id.as_uuid(),
            tenant_id: link.tenant_id.as_uuid(),
            kind: link.kind.as_str().to_owned(),
            hash: link.hash.clone(),
            email: link.email.clone(),
            role: link.role.map(|role| role.as_str().to_owned()),
            user_id: link.user_id.map(UserId::as_uuid),
            created_at: link.created_at,
            expires_at: link.expires_at,
            used_at: link.used_at,
        }
    }
}

impl TryFrom<Model> for UserLink {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let role = row.role.as_deref();
        Ok(Self {
            id: UserLinkId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            kind: word("user link", "kind", &row.kind)?,
            hash: row.hash,
            email: row.email,
            role: role
                .map(|role| word("user link", "role", role))
                .transpose()?,
            user_id: row.user_id.map(UserId::from_uuid),
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
        })
    }
}
