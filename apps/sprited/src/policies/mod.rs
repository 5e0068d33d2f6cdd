//! What a sprite may do. Only what is enforced is accepted and answered.

mod fixed;
mod network;

pub(crate) use fixed::{
    privileges, reset_privileges, reset_resources, resources, set_privileges, set_resources,
};
pub(crate) use network::{get, set};
