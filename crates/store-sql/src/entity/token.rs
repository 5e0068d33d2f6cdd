//! Bearer tokens.

use crate::error::word;
use domain::{
    access::{ApiToken, Scope},
    id::{TenantId, TokenId, UserId},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tokens")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) hash: String,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) expires_at: Option<DateTimeUtc>,
    pub(crate) revoked_at: Option<DateTimeUtc>,
    pub(crate) scopes: Option<String>,
    pub(crate) last_used_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&ApiToken> for Model {
    fn from(token: &ApiToken) -> Self {
        Self {
            id: token.id.as_uuid(),
            tenant_id: token.tenant_id.as_uuid(),
            user_id: token.user_id.map(UserId::as_uuid),
            name: token.name.clone(),
            role: token.role.as_str().to_owned(),
            hash: token.hash.clone(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            scopes: token.scopes.as_ref().map(|scopes| {
                let words: Vec<String> = scopes.iter().map(Scope::to_string).collect();
                words.join(" ")
            }),
            last_used_at: token.last_used_at,
        }
    }
}

impl TryFrom<Model> for ApiToken {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: TokenId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            user_id: row.user_id.map(UserId::from_uuid),
            name: row.name,
            role: word("token", "role", &row.role)?,
            hash: row.hash,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            scopes: row.scopes.as_deref().map(scopes).transpose()?,
            last_used_at: row.last_used_at,
        })
    }
}

fn scopes(text: &str) -> Result<Vec<Scope>, StoreError> {
    let words = text.split_whitespace();
    words.map(|scope| word("token", "scopes", scope)).collect()
}
