//! One-time links on the wire. The link itself is in one answer only, the one to its creation.

use super::words::{LinkKind, Role};
use chrono::{DateTime, Utc};
use domain::{login::UserLink, secret::Secret};
use serde::{Deserialize, Serialize};
use services::links::{NewLink, Redeem};
use utoipa::ToSchema;
use uuid::Uuid;

/// An invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateInvitation {
    #[schema(example = "kim@example.com")]
    pub(crate) email: String,
    pub(crate) role: Role,
}

/// An invitation that nobody has followed yet, without the link itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationView {
    id: Uuid,
    kind: LinkKind,
    #[schema(required)]
    email: Option<String>,
    #[schema(required)]
    role: Option<Role>,
    /// After it the link opens nothing.
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl From<UserLink> for InvitationView {
    fn from(link: UserLink) -> Self {
        Self {
            id: link.id.as_uuid(),
            kind: LinkKind(link.kind),
            email: link.email,
            role: link.role.map(Role),
            expires_at: link.expires_at,
            created_at: link.created_at,
        }
    }
}

/// A new link: the only answer that holds it.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkView {
    #[serde(flatten)]
    row: InvitationView,
    /// Give it to the person it is for, and to nobody else: it cannot be shown again.
    url: String,
}

impl From<NewLink> for LinkView {
    fn from(new: NewLink) -> Self {
        Self {
            row: new.link.into(),
            url: new.url.expose().to_owned(),
        }
    }
}

/// A question about a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateLinkInspection {
    /// What stands after `#token=` in the link.
    pub(crate) token: String,
}

/// What a link is for.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkInspectionView {
    kind: LinkKind,
    /// For whom; null where the person says so themselves.
    #[schema(required)]
    email: Option<String>,
    /// What they will be; null where they are somebody already.
    #[schema(required)]
    role: Option<Role>,
    expires_at: DateTime<Utc>,
}

impl From<UserLink> for LinkInspectionView {
    fn from(link: UserLink) -> Self {
        Self {
            kind: LinkKind(link.kind),
            email: link.email,
            role: link.role.map(Role),
            expires_at: link.expires_at,
        }
    }
}

/// What somebody gives who follows a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateLinkRedemption {
    /// What stands after `#token=` in the link.
    token: String,
    /// What people call them; needed of who is new.
    name: Option<String>,
    /// Their address; needed of the first owner, known of everybody else.
    email: Option<String>,
    /// 10 characters or more.
    #[schema(format = Password, min_length = 10)]
    password: String,
    /// A code of the second factor, where a password is reset and there is one.
    code: Option<String>,
}

impl From<CreateLinkRedemption> for Redeem {
    fn from(body: CreateLinkRedemption) -> Self {
        Self {
            token: Secret::new(body.token),
            name: body.name,
            email: body.email,
            password: Secret::new(body.password),
            code: body.code,
        }
    }
}
