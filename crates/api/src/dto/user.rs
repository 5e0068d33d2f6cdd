//! People with a login on the wire, and what they change about themselves.

use super::words::Role;
use chrono::{DateTime, Utc};
use domain::{access::People, id::UserId};
use serde::{Deserialize, Serialize};
use services::{second_factor::Enrolment, users};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person with a login. Who may not decide about people sees name and role; the rest is null.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    id: Uuid,
    #[schema(example = "Kim")]
    name: String,
    #[schema(required, example = "kim@example.com")]
    email: Option<String>,
    role: Role,
    /// Whether they may sign in.
    enabled: bool,
    /// Whether they may sign in with a password.
    #[schema(required)]
    has_password: Option<bool>,
    /// Whether a second factor is asked for.
    #[schema(required)]
    has_totp: Option<bool>,
    /// Who they are at the identity provider.
    #[schema(required)]
    oidc_subject: Option<String>,
    created_at: DateTime<Utc>,
    /// To the minute.
    #[schema(required)]
    last_seen_at: Option<DateTime<Utc>>,
}

impl From<users::Shown> for UserView {
    fn from(shown: users::Shown) -> Self {
        let users::Shown { user, in_full } = shown;
        Self {
            id: user.id.as_uuid(),
            role: Role(user.role),
            enabled: user.disabled_at.is_none(),
            has_password: in_full.then_some(user.password_hash.is_some()),
            has_totp: in_full.then_some(user.has_totp()),
            name: user.name,
            email: in_full.then_some(user.email),
            oidc_subject: user.oidc_subject.filter(|_| in_full),
            created_at: user.created_at,
            last_seen_at: user.last_seen_at.filter(|_| in_full),
        }
    }
}

/// A change of a user; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateUser {
    name: Option<String>,
    role: Option<Role>,
    /// False ends all their logins and stops their tokens at once.
    enabled: Option<bool>,
}

impl From<UpdateUser> for users::UpdateUser {
    fn from(body: UpdateUser) -> Self {
        Self {
            name: body.name,
            role: body.role.map(|role| role.0),
            enabled: body.enabled,
        }
    }
}

/// A change of oneself; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateMe {
    pub(crate) name: Option<String>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdatePassword {
    #[schema(format = Password)]
    pub(crate) current_password: String,
    /// 10 characters or more.
    #[schema(format = Password, min_length = 10)]
    pub(crate) new_password: String,
}

/// What proves that it is really the person who is signed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateTotp {
    #[schema(format = Password)]
    pub(crate) password: String,
}

/// What an authenticator app is given.
#[derive(Serialize, ToSchema)]
pub(crate) struct TotpView {
    /// For typing.
    secret: String,
    /// For scanning.
    otpauth_url: String,
}

impl From<Enrolment> for TotpView {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            secret: enrolment.secret.expose().to_owned(),
            otpauth_url: enrolment.url.expose().to_owned(),
        }
    }
}

/// A first code from the authenticator app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTotpConfirmation {
    #[schema(example = "123456")]
    pub(crate) code: String,
}

/// Codes for the day the authenticator app is lost: the only answer that holds them.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodesView {
    /// Each is good once.
    pub(crate) recovery_codes: Vec<String>,
}

/// For whom an agent or integration is.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleView {
    /// Whether it is for some people only. Owners and admins see it whatever this says.
    restricted: bool,
    /// For whom, when it is.
    user_ids: Vec<Uuid>,
}

impl From<People> for PeopleView {
    fn from(people: People) -> Self {
        Self {
            restricted: people.restricted,
            user_ids: people.users.into_iter().map(UserId::as_uuid).collect(),
        }
    }
}

impl From<PeopleView> for People {
    fn from(body: PeopleView) -> Self {
        Self {
            restricted: body.restricted,
            users: body.user_ids.into_iter().map(UserId::from_uuid).collect(),
        }
    }
}
