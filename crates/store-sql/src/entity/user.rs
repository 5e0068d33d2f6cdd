//! People with a login.

use crate::error::word;
use domain::{
    id::{TenantId, UserId},
    login::{Totp, User},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) email: Option<String>,
    pub(crate) password_hash: Option<String>,
    pub(crate) totp_secret: Option<String>,
    pub(crate) totp_confirmed_at: Option<DateTimeUtc>,
    pub(crate) totp_step: i64,
    pub(crate) recovery_hashes: Option<String>,
    pub(crate) oidc_subject: Option<String>,
    pub(crate) disabled_at: Option<DateTimeUtc>,
    pub(crate) last_seen_at: Option<DateTimeUtc>,
    pub(crate) deleted_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&User> for Model {
    fn from(user: &User) -> Self {
        let totp = user.totp.as_ref();
        Self {
            id: user.id.as_uuid(),
            tenant_id: user.tenant_id.as_uuid(),
            name: user.name.clone(),
            role: user.role.as_str().to_owned(),
            created_at: user.created_at,
            email: Some(user.email.clone()),
            password_hash: user.password_hash.clone(),
            totp_secret: totp.map(|totp| totp.secret.clone()),
            totp_confirmed_at: totp.and_then(|totp| totp.confirmed_at),
            totp_step: totp.map_or(0, |totp| totp.last_step),
            recovery_hashes: totp.map(|totp| totp.recovery.join(" ")),
            oidc_subject: user.oidc_subject.clone(),
            disabled_at: user.disabled_at,
            last_seen_at: user.last_seen_at,
            deleted_at: None,
        }
    }
}

impl TryFrom<Model> for User {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let totp = row.totp_secret.map(|secret| Totp {
            secret,
            confirmed_at: row.totp_confirmed_at,
            last_step: row.totp_step,
            recovery: words(row.recovery_hashes.as_deref()),
        });
        Ok(Self {
            id: UserId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            email: row.email.unwrap_or_default(),
            role: word("user", "role", &row.role)?,
            password_hash: row.password_hash,
            totp,
            oidc_subject: row.oidc_subject,
            disabled_at: row.disabled_at,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
        })
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split_whitespace();
    words.map(str::to_owned).collect()
}
