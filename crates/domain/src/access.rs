//! Who acts and what they may do. Decided here, never in a handler.

use crate::{
    Timestamp,
    id::{AgentId, IntegrationId, TenantId, TokenId, UserId, UserSessionId},
    text::{UnknownWord, words},
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
    /// What there is to have rights on; one word per part of the product.
    Area {
        /// Who works here.
        Agents = "agents",
        /// Where people talk to agents.
        Integrations = "integrations",
        /// Work items, jobs, conversations and everything that happens in them.
        Work = "work",
        /// Changes to the outside world.
        Effects = "effects",
        /// Questions to people.
        Approvals = "approvals",
        /// The computers of agents.
        Sprites = "sprites",
        /// What it costs.
        Costs = "costs",
        /// Users, invitations, service tokens, who sees what.
        People = "people",
        /// Who changed what.
        Audit = "audit",
        /// Providers, sign-in, retention.
        Settings = "settings",
    }
);

words!(
    /// The three levels a use case may ask for; each includes the ones before.
    Right {
        /// Look.
        Read = "read",
        /// Work with it: create work, cancel and retry jobs, release effects.
        Operate = "operate",
        /// Change what it is: agents, integrations, budgets and tokens.
        Administer = "administer",
    }
);

impl Role {
    /// The most this role may do in an area; `None` = nothing.
    pub const fn right(self, area: Area) -> Option<Right> {
        match (self, area) {
            (Self::Owner | Self::Admin, _) => Some(Right::Administer),
            (Self::Member, Area::Work | Area::Effects | Area::Approvals | Area::Sprites) => {
                Some(Right::Operate)
            }
            (Self::Member, Area::Agents | Area::Integrations | Area::Costs | Area::People)
            | (
                Self::Viewer,
                Area::Agents
                | Area::Integrations
                | Area::Work
                | Area::Effects
                | Area::Approvals
                | Area::Sprites
                | Area::Costs,
            ) => Some(Right::Read),
            (Self::Member, Area::Audit | Area::Settings)
            | (Self::Viewer, Area::People | Area::Audit | Area::Settings) => None,
        }
    }

    /// Whether this role carries the right.
    pub fn may(self, area: Area, right: Right) -> bool {
        self.right(area) >= Some(right)
    }

    /// Whether this role carries everything that the other does.
    pub const fn is_at_least(self, other: Self) -> bool {
        // The words stand in this order: the most first.
        self as u8 <= other as u8
    }

    /// Whether this role sees every agent and integration, whoever they are restricted to.
    pub const fn sees_all(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// One right in one area, as tokens are limited to them: `area:right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Where.
    pub area: Area,
    /// How much.
    pub right: Right,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.area, self.right)
    }
}

impl std::str::FromStr for Scope {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord {
            kind: "Scope",
            value: text.to_owned(),
        };
        let (area, right) = text.split_once(':').ok_or_else(unknown)?;
        Ok(Self {
            area: area.parse().map_err(|_not_an_area| unknown())?,
            right: right.parse().map_err(|_not_a_right| unknown())?,
        })
    }
}

/// Who is behind a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person who signed in.
    User {
        /// Who.
        id: UserId,
        /// What people call them.
        name: String,
        /// What they may do at this moment.
        role: Role,
        /// The login that carries this request.
        session: UserSessionId,
    },
    /// A bearer token and the role it carries.
    Token {
        /// The token, absent for the one given by the environment.
        id: Option<TokenId>,
        /// Whose it is, when it is a personal one.
        user: Option<UserId>,
        /// What people call it.
        name: String,
        /// What it may do: of a personal one, what its user may do at this moment.
        role: Role,
        /// What it is limited to; absent = all its role carries.
        scopes: Option<Vec<Scope>>,
    },
    /// An agent acting for itself.
    Agent(AgentId),
    /// The server: sweeps, start-up, ingest.
    System,
}

impl Actor {
    /// The most this actor may do in an area. Agents never administer, and are shut out of what governs them.
    pub fn right(&self, area: Area) -> Option<Right> {
        match self {
            Self::User { role, .. }
            | Self::Token {
                role, scopes: None, ..
            } => role.right(area),
            Self::Token {
                role,
                scopes: Some(scopes),
                ..
            } => {
                let here = scopes.iter().filter(|scope| scope.area == area);
                let most = here.map(|scope| scope.right).max();
                role.right(area).min(most)
            }
            Self::Agent(_) => match area {
                Area::People | Area::Audit | Area::Settings => None,
                Area::Agents
                | Area::Integrations
                | Area::Work
                | Area::Effects
                | Area::Approvals
                | Area::Sprites
                | Area::Costs => Some(Right::Operate),
            },
            Self::System => Some(Right::Administer),
        }
    }

    /// Whether this actor carries the right.
    pub fn may(&self, area: Area, right: Right) -> bool {
        self.right(area) >= Some(right)
    }

    /// The role, of who has one.
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::User { role, .. } | Self::Token { role, .. } => Some(*role),
            Self::Agent(_) | Self::System => None,
        }
    }

    /// The login that carries it, where it is one.
    pub const fn session(&self) -> Option<UserSessionId> {
        match self {
            Self::User { session, .. } => Some(*session),
            Self::Token { .. } | Self::Agent(_) | Self::System => None,
        }
    }

    /// The person behind it, signed in or with a token of their own.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Token { user, .. } => *user,
            Self::Agent(_) | Self::System => None,
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

words!(
    /// For whom a token was made.
    TokenKind {
        /// A person: it may what they may, at every moment.
        Personal = "personal",
        /// A program, with a role of its own.
        Service = "service",
    }
);

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
    /// What it may do; of a personal one, what its user may do decides.
    pub role: Role,
    /// What it is limited to; absent = all its role carries.
    pub scopes: Option<Vec<Scope>>,
    /// Hex SHA-256 of the token.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// When somebody stopped it.
    pub revoked_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl ApiToken {
    /// For whom it was made.
    pub const fn kind(&self) -> TokenKind {
        match self.user_id {
            Some(_) => TokenKind::Personal,
            None => TokenKind::Service,
        }
    }

    /// Whether the token still opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

words!(
    /// What can be kept for some people only.
    Restrictable {
        /// An agent, its jobs and its sprite.
        Agent = "agent",
        /// An integration and what came in there.
        Integration = "integration",
    }
);

/// For whom an agent or integration is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Whether it is for some only; owners and admins see it whatever this says.
    pub restricted: bool,
    /// For whom, when it is.
    pub users: Vec<UserId>,
}

/// What somebody does not see, with all that belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Agents that are kept for others.
    pub agents: Vec<AgentId>,
    /// Integrations that are kept for others.
    pub integrations: Vec<IntegrationId>,
}

impl Hidden {
    /// Whether the agent is, if there is one.
    pub fn hides(&self, agent: Option<AgentId>) -> bool {
        agent.is_some_and(|agent| self.agents.contains(&agent))
    }

    /// Whether nothing is.
    pub const fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.integrations.is_empty()
    }
}
