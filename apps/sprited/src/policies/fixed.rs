//! Privileges and resources. They are the same for every sprite of a server and decided with it, so
//! a policy that asks for them is accepted, and one that asks for anything else is not.

use crate::{
    answer::Refusal,
    app::{App, Target},
    body,
};
use axum::{Json, body::Bytes, http::StatusCode};
use domain::sprite::SandboxTier;
use serde::{Deserialize, Serialize};

/// The body of `…/policy/privileges`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Privileges {
    #[serde(default)]
    profile: String,
    #[serde(default)]
    devices: Vec<String>,
    #[serde(default, rename = "noNewPrivileges")]
    /// Whether no program gains privileges.
    fixed: Option<bool>,
}

impl Privileges {
    fn of(app: &App) -> Self {
        Self {
            profile: String::new(),
            devices: Vec::new(),
            fixed: Some(app.tier() != SandboxTier::Plain),
        }
    }
}

/// `GET …/policy/privileges`.
pub(crate) async fn privileges(target: Target) -> Json<Privileges> {
    Json(Privileges::of(&target.app))
}

/// `POST …/policy/privileges`.
pub(crate) async fn set_privileges(target: Target, given: Bytes) -> Result<StatusCode, Refusal> {
    let mut asked: Privileges = body::json(&given)?;
    let held = Privileges::of(&target.app);
    asked.fixed = asked.fixed.or(held.fixed);
    if asked == held {
        return Ok(StatusCode::NO_CONTENT);
    }
    let message = "sprites of this server have no profile and no devices, and cannot gain privileges where the \
                   sandbox walls them off; GET this policy for what holds";
    Err(Refusal::bad(message))
}

/// `DELETE …/policy/privileges`: what holds is what always held.
pub(crate) async fn reset_privileges(_target: Target) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The body of `…/policy/resources`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resources {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<Memory>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    limit_mb: u64,
    #[serde(default)]
    autoscale: bool,
}

impl Resources {
    fn of(app: &App) -> Self {
        Self {
            memory: Some(Memory {
                limit_mb: app.settings.local.quotas.memory_bytes >> 20,
                autoscale: false,
            }),
        }
    }
}

/// `GET …/policy/resources`.
pub(crate) async fn resources(target: Target) -> Json<Resources> {
    Json(Resources::of(&target.app))
}

/// `POST …/policy/resources`.
pub(crate) async fn set_resources(target: Target, given: Bytes) -> Result<StatusCode, Refusal> {
    let asked: Resources = body::json(&given)?;
    let held = Resources::of(&target.app);
    if asked.memory.is_none() || asked == held {
        return Ok(StatusCode::NO_CONTENT);
    }
    let message = "the memory of a sprite is decided for all of them, by SPRITE_MEMORY_BYTES; GET this policy for it";
    Err(Refusal::bad(message))
}

/// `DELETE …/policy/resources`: what holds is what always held.
pub(crate) async fn reset_resources(_target: Target) -> StatusCode {
    StatusCode::NO_CONTENT
}
