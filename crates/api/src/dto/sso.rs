//! Single sign-on on the wire. The client secret goes in and never comes out.

use super::{Field, words::Role};
use domain::{secret::Secret, sso::SsoSettings};
use serde::{Deserialize, Serialize};
use services::sso;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What is to be set for single sign-on; all but the secret is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateOidc {
    /// What people call it; it is on the button of the login page.
    #[schema(example = "Company login")]
    name: String,
    /// The issuer, letter by letter as it calls itself.
    #[schema(example = "https://login.example.com")]
    issuer: String,
    #[schema(example = "nitejar")]
    client_id: String,
    /// Left out, the stored one stays; null: the issuer gave none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    client_secret: Field<String>,
    /// What is asked for; `openid` is among it.
    #[schema(example = json!(["openid", "profile", "email"]))]
    scopes: Vec<String>,
    /// Where the issuer says what somebody may do, with dots where it is nested; null: it does not decide on that.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, example = "groups")]
    role_claim: Option<String>,
    /// What the values of that claim mean here; of several, the highest counts.
    roles: BTreeMap<String, Role>,
    /// What people become whom the claim does not name; null: strangers are refused. Not `owner`.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    default_role: Option<Role>,
    /// Whether a verified address makes somebody the user who has it.
    link_by_email: bool,
}

/// What is set for single sign-on.
#[derive(Serialize, ToSchema)]
pub(crate) struct OidcView {
    #[schema(example = "Company login")]
    name: String,
    #[schema(example = "https://login.example.com")]
    issuer: String,
    #[schema(example = "nitejar")]
    client_id: String,
    #[schema(example = json!(["openid", "profile", "email"]))]
    scopes: Vec<String>,
    /// Null: the issuer does not decide on roles.
    #[schema(required, example = "groups")]
    role_claim: Option<String>,
    roles: BTreeMap<String, Role>,
    /// Null: strangers are refused.
    #[schema(required)]
    default_role: Option<Role>,
    link_by_email: bool,
}

/// Where a login at the issuer is to lead.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OidcLoginQuery {
    /// A path of this server; `/` when absent.
    pub(crate) return_to: Option<String>,
}

/// What an issuer sends a browser back with. What else it sends is passed over.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OidcCallbackQuery {
    /// What this server gave along.
    state: Option<String>,
    /// What it exchanges for a proof.
    code: Option<String>,
    /// What went wrong instead.
    error: Option<String>,
    /// Who says so.
    iss: Option<String>,
}

impl From<UpdateOidc> for sso::UpdateSso {
    fn from(body: UpdateOidc) -> Self {
        let roles = body.roles.into_iter();
        Self {
            settings: SsoSettings {
                name: body.name,
                issuer: body.issuer,
                client_id: body.client_id,
                scopes: body.scopes,
                role_claim: body.role_claim,
                roles: roles.map(|(value, role)| (value, role.0)).collect(),
                default_role: body.default_role.map(|role| role.0),
                link_by_email: body.link_by_email,
            },
            client_secret: body.client_secret.given(|secret| secret.map(Secret::new)),
        }
    }
}

impl From<SsoSettings> for OidcView {
    fn from(settings: SsoSettings) -> Self {
        let roles = settings.roles.into_iter();
        Self {
            name: settings.name,
            issuer: settings.issuer,
            client_id: settings.client_id,
            scopes: settings.scopes,
            role_claim: settings.role_claim,
            roles: roles.map(|(value, role)| (value, Role(role))).collect(),
            default_role: settings.default_role.map(Role),
            link_by_email: settings.link_by_email,
        }
    }
}

impl From<OidcCallbackQuery> for sso::Callback {
    fn from(query: OidcCallbackQuery) -> Self {
        Self {
            state: query.state,
            code: query.code.map(Secret::new),
            error: query.error,
            issuer: query.iss,
        }
    }
}
