//! Codes by which people say who they are on a channel.

use domain::identity::LinkCode;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "link_codes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) hash: String,
    pub(crate) expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&LinkCode> for Model {
    fn from(code: &LinkCode) -> Self {
        Self {
            user_id: code.user_id.as_uuid(),
            tenant_id: code.tenant_id.as_uuid(),
            hash: code.hash.clone(),
            expires_at: code.expires_at,
        }
    }
}
