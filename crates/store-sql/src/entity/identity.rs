//! Senders as vendors know them.

use domain::{
    id::{IdentityId, TenantId, UserId},
    identity::Identity,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) provider: String,
    pub(crate) external_id: String,
    pub(crate) display_name: String,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) linked_at: Option<DateTimeUtc>,
}

impl Model {
    /// The identity, when somebody said which user it is.
    pub(crate) fn linked(self) -> Option<Identity> {
        Some(Identity {
            id: IdentityId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            provider: self.provider,
            external_id: self.external_id,
            name: self.display_name,
            user_id: UserId::from_uuid(self.user_id?),
            linked_at: self.linked_at?,
        })
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
