//! One file per resource, each ending in its router.

pub(crate) mod agents;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod conversations;
pub(crate) mod costs;
pub(crate) mod effects;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod identities;
pub(crate) mod integrations;
pub(crate) mod jobs;
pub(crate) mod links;
pub(crate) mod me;
pub(crate) mod oidc;
pub(crate) mod overview;
pub(crate) mod providers;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod sprite_files;
pub(crate) mod sprite_sessions;
pub(crate) mod sprites;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod webhooks;
pub(crate) mod work_items;
