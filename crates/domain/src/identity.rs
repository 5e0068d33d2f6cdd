//! A person as a channel knows them, and the user they are. Who is nobody's user is a guest.

use crate::{
    Timestamp,
    id::{IdentityId, TenantId, UserId},
};
use chrono::TimeDelta;

/// How long a person has to tell a channel the code that links them.
pub const CODE_LIVES: TimeDelta = TimeDelta::minutes(10);

/// A person on a channel who is known to be a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The type of the channel.
    pub provider: String,
    /// The person's id there.
    pub external_id: String,
    /// What the channel shows of them.
    pub name: String,
    /// The user they are.
    pub user_id: UserId,
    /// Since when that is known.
    pub linked_at: Timestamp,
}

/// A code as the database knows it: never the code, only its hash. A user has one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkCode {
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Who says it is who.
    pub user_id: UserId,
    /// Hex SHA-256 of the code.
    pub hash: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}
