//! Who acts and what they may do. Decided here, never in a handler.

use crate::{
    Timestamp,
    id::{AgentId, TenantId, TokenId, UserId},
    text::words,
};

words!(
    /// What a human, or a token made for one, may do.
    Role {
        /// Everything, including other owners.
        Owner = "owner",
        /// Everything but owners.
        Admin = "admin",
        /// Talk to agents and steer their work.
        Member = "member",
        /// Look.
        Viewer = "viewer",
    }
);

words!(
    /// The three levels a use case may ask for.
    Right {
        /// See agents, work and receipts.
        Read = "read",
        /// Create work, cancel and retry jobs, release effects.
        Operate = "operate",
        /// Change agents, integrations, budgets and tokens.
        Administer = "administer",
    }
);

impl Role {
    /// Whether this role carries the right.
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Read => true,
            Right::Operate => !matches!(self, Self::Viewer),
            Right::Administer => matches!(self, Self::Owner | Self::Admin),
        }
    }
}

/// Who is behind a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A bearer token and the role it carries.
    Token {
        /// The token, absent for the one given by the environment.
        id: Option<TokenId>,
        /// What it may do.
        role: Role,
    },
    /// An agent acting for itself.
    Agent(AgentId),
    /// The server: sweeps, start-up, ingest.
    System,
}

impl Actor {
    /// Whether this actor carries the right. Agents never administer.
    pub const fn may(&self, right: Right) -> bool {
        match self {
            Self::Token { role, .. } => role.may(right),
            Self::Agent(_) => !matches!(right, Right::Administer),
            Self::System => true,
        }
    }
}

/// The isolation boundary; a self-hosted install has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Shown to people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A human with a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Unique per tenant.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A bearer token as the database knows it: never the token, only its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// The tenant it opens.
    pub tenant_id: TenantId,
    /// Whose it is, when it was made for a person.
    pub user_id: Option<UserId>,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Hex SHA-256 of the token.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// When somebody stopped it.
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    /// Whether the token still opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}
