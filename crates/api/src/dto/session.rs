//! Who is asking, and their logins, on the wire.

use super::{
    user::UserView,
    words::{Right, Role},
};
use chrono::{DateTime, Utc};
use domain::access::{Actor, Area, Scope};
use serde::{Deserialize, Serialize};
use services::{
    Context,
    sessions::{Current, Listed, Login},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What everybody may know before they sign in.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccessView {
    /// Nobody is an owner yet: follow the set-up link that the server made at its first start.
    pub(crate) setup_required: bool,
    /// Whether people sign in with a password.
    pub(crate) password_login: bool,
    /// The identity provider, where there is one.
    #[schema(required)]
    pub(crate) oidc: Option<OidcHintView>,
    /// Whether agents use the built-in model without AI unless they name another.
    pub(crate) demo_model: bool,
    #[schema(example = "0.1.0")]
    pub(crate) version: &'static str,
}

/// An identity provider that people may sign in with.
#[derive(Serialize, ToSchema)]
pub(crate) struct OidcHintView {
    /// What people call it.
    pub(crate) name: String,
}

/// A login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateSession {
    #[schema(example = "kim@example.com")]
    pub(crate) email: String,
    #[schema(format = Password)]
    pub(crate) password: String,
    /// Six digits of the second factor, or a recovery code; when the answer to a login without it is
    /// `second_factor_required`.
    pub(crate) code: Option<String>,
}

impl From<CreateSession> for Login {
    fn from(body: CreateSession) -> Self {
        Self {
            email: body.email,
            password: domain::secret::Secret::new(body.password),
            code: body.code,
        }
    }
}

/// Who is asking and what they may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// The person behind the request; null for service tokens.
    #[schema(required)]
    user: Option<UserView>,
    actor: SessionActorView,
    role: Role,
    rights: RightsView,
    /// What a token is limited to; null: all its role carries.
    #[schema(required, example = json!(["work:operate"]))]
    scopes: Option<Vec<String>>,
    /// Send it as `X-CSRF-Token` with everything that changes something; null with a bearer token, which needs none.
    #[schema(required)]
    csrf_token: Option<String>,
    /// When the login or token stops working by itself.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
}

/// Who acts.
#[derive(Serialize, ToSchema)]
struct SessionActorView {
    /// `user` for a login, `token` for a bearer token.
    kind: ActorKind,
    /// Null for the token of the environment.
    #[schema(required)]
    id: Option<Uuid>,
    name: String,
}

/// What kind of credential a request came with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ActorKind {
    User,
    Token,
}

/// The most that may be done in every area; null: nothing.
#[derive(Serialize, ToSchema)]
struct RightsView {
    #[schema(required)]
    agents: Option<Right>,
    #[schema(required)]
    integrations: Option<Right>,
    #[schema(required)]
    work: Option<Right>,
    #[schema(required)]
    effects: Option<Right>,
    #[schema(required)]
    approvals: Option<Right>,
    #[schema(required)]
    sprites: Option<Right>,
    #[schema(required)]
    costs: Option<Right>,
    #[schema(required)]
    people: Option<Right>,
    #[schema(required)]
    audit: Option<Right>,
    #[schema(required)]
    settings: Option<Right>,
}

impl RightsView {
    fn of(actor: &Actor) -> Self {
        let right = |area| actor.right(area).map(Right);
        Self {
            agents: right(Area::Agents),
            integrations: right(Area::Integrations),
            work: right(Area::Work),
            effects: right(Area::Effects),
            approvals: right(Area::Approvals),
            sprites: right(Area::Sprites),
            costs: right(Area::Costs),
            people: right(Area::People),
            audit: right(Area::Audit),
            settings: right(Area::Settings),
        }
    }
}

impl SessionView {
    pub(crate) fn new(context: &Context, current: Current, csrf_token: Option<String>) -> Self {
        let actor = &context.actor;
        let (kind, id, name, scopes) = match actor {
            Actor::User { id, name, .. } => {
                (ActorKind::User, Some(id.as_uuid()), name.clone(), None)
            }
            Actor::Token {
                id, name, scopes, ..
            } => {
                let id = id.map(domain::id::TokenId::as_uuid);
                (ActorKind::Token, id, name.clone(), scopes.as_ref())
            }
            // Neither sends requests.
            Actor::Agent(_) | Actor::System => (ActorKind::Token, None, String::new(), None),
        };
        Self {
            user: current.user.map(Into::into),
            actor: SessionActorView { kind, id, name },
            role: Role(actor.role().unwrap_or(domain::access::Role::Viewer)),
            rights: RightsView::of(actor),
            scopes: scopes.map(|scopes| scopes.iter().map(Scope::to_string).collect()),
            csrf_token,
            expires_at: current.expires_at,
        }
    }
}

/// Whose logins to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionQuery {
    /// Somebody else's, for who may decide about people; one's own when absent.
    pub(crate) user_id: Option<Uuid>,
}

/// A login.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserSessionView {
    id: Uuid,
    user_id: Uuid,
    user_name: String,
    created_at: DateTime<Utc>,
    /// To the minute.
    last_seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// Where from.
    #[schema(required)]
    address: Option<String>,
    /// What the browser called itself.
    #[schema(required)]
    user_agent: Option<String>,
    /// Whether it is the one that asks.
    is_current: bool,
}

impl From<Listed> for UserSessionView {
    fn from(listed: Listed) -> Self {
        let session = listed.session;
        Self {
            id: session.id.as_uuid(),
            user_id: session.user_id.as_uuid(),
            user_name: listed.user_name,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            address: session.address,
            user_agent: session.user_agent,
            is_current: listed.is_current,
        }
    }
}
