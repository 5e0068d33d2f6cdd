//! The file rules of the sandbox, enforced by the kernel on the supervisor and all it starts.
//! In the Landlock tier they are the wall; in the namespaces tier a second one.

use super::{ETC, SYSTEM};
use crate::protocol::Hello;
use domain::sprite::SandboxTier;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use std::path::Path;

const KNOWN: ABI = ABI::V6;
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
];

/// Only where they are the sandbox's own.
const TERMINALS: &[&str] = &["/dev/ptmx", "/dev/pts"];

/// Restricts this process and what it starts. Fails when the tier rests on it and the kernel
/// has no Landlock.
pub(crate) fn restrict(hello: &Hello) -> Result<(), String> {
    let status = rules(hello)
        .and_then(RulesetCreated::restrict_self)
        .map_err(|error| format!("Landlock failed: {error}"))?;
    if hello.tier == SandboxTier::Landlock && status.ruleset == RulesetStatus::NotEnforced {
        return Err("this kernel has no Landlock, or it is switched off at boot".into());
    }
    Ok(())
}

fn rules(hello: &Hello) -> Result<RulesetCreated, RulesetError> {
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    let (read, all) = (AccessFs::from_read(KNOWN), AccessFs::from_all(KNOWN));
    if hello.tier == SandboxTier::Namespaces {
        // The mounts already are the wall, and the network is its own.
        return ruleset
            .create()?
            .add_rules(path_beneath_rules(["/"], read))?
            .add_rules(path_beneath_rules(TERMINALS, AccessFs::from_file(KNOWN)))?
            .add_rules(path_beneath_rules(DEVICES, AccessFs::from_file(KNOWN)))?
            .add_rules(path_beneath_rules(["/dev/shm", "/tmp"], all))?
            .add_rules(path_beneath_rules([&hello.home], all));
    }
    let etc = ETC.iter().chain(&["passwd", "group"]);
    ruleset
        .handle_access(AccessNet::from_all(KNOWN))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(
            etc.map(|name| Path::new("/etc").join(name)),
            read,
        ))?
        .add_rules(path_beneath_rules(["/proc"], read))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::from_file(KNOWN)))?
        .add_rules(path_beneath_rules([&hello.home, &hello.tmp], all))
}
