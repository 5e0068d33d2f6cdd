//! People with a login: who they are, the logins they have open, the links that let them in once.

use crate::{
    Timestamp,
    access::Role,
    id::{TenantId, UserId, UserLinkId, UserSessionId},
    text::words,
};
use chrono::TimeDelta;

/// How long a login lasts that nobody uses.
const IDLE: TimeDelta = TimeDelta::days(7);

/// A human with a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What people call them.
    pub name: String,
    /// Lower case, unique per tenant.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// The password as argon2id hashes it; absent for those who only sign in elsewhere.
    pub password_hash: Option<String>,
    /// The second factor.
    pub totp: Option<Totp>,
    /// Who they are at the identity provider.
    pub oidc_subject: Option<String>,
    /// When they were shut out.
    pub disabled_at: Option<Timestamp>,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they were here last, to the minute.
    pub last_seen_at: Option<Timestamp>,
}

impl User {
    /// Whether a second factor is asked for.
    pub fn has_totp(&self) -> bool {
        self.totp
            .as_ref()
            .is_some_and(|totp| totp.confirmed_at.is_some())
    }
}

/// A second factor: codes that change with time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The shared secret, sealed.
    pub secret: String,
    /// When its owner proved that they have it; before, it asks for nothing.
    pub confirmed_at: Option<Timestamp>,
    /// The last time step whose code was taken: none is taken twice.
    pub last_step: i64,
    /// Hashes of the recovery codes that are left.
    pub recovery: Vec<String>,
}

/// A login as the database knows it: never the cookie, only its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSession {
    /// Its id.
    pub id: UserSessionId,
    /// The tenant it opens.
    pub tenant_id: TenantId,
    /// Whose it is.
    pub user_id: UserId,
    /// Hex SHA-256 of the cookie.
    pub hash: String,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends, used or not.
    pub expires_at: Timestamp,
    /// Where from.
    pub address: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

impl UserSession {
    /// Whether it still opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at && now < self.last_seen_at + IDLE
    }
}

words!(
    /// What a one-time link is for.
    LinkKind {
        /// Makes the first owner.
        Setup = "setup",
        /// Makes a user with a role.
        Invitation = "invitation",
        /// Gives a user a new password.
        Reset = "reset",
    }
);

impl LinkKind {
    /// How long such a link is good for. The one for the first owner must outlive the wait for its owner.
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Self::Setup => TimeDelta::days(30),
            Self::Invitation => TimeDelta::days(7),
            Self::Reset => TimeDelta::days(1),
        }
    }
}

/// A link that lets a person in once; the database has only its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLink {
    /// Its id.
    pub id: UserLinkId,
    /// The tenant it opens.
    pub tenant_id: TenantId,
    /// What it is for.
    pub kind: LinkKind,
    /// Hex SHA-256 of what the link carries.
    pub hash: String,
    /// For whom; of the first owner nobody knows it yet.
    pub email: Option<String>,
    /// What they will be; absent where the user exists.
    pub role: Option<Role>,
    /// The user it is for, where they exist.
    pub user_id: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

impl UserLink {
    /// A new one, for nobody in particular yet.
    pub fn new(
        id: UserLinkId,
        tenant_id: TenantId,
        kind: LinkKind,
        hash: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant_id,
            kind,
            hash,
            email: None,
            role: None,
            user_id: None,
            created_at: now,
            expires_at: now + kind.lifetime(),
            used_at: None,
        }
    }

    /// Whether it still opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }
}
