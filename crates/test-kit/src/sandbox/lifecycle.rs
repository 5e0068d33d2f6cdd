//! Sprites from the first use to the last.

use super::{
    Ability, Harness,
    services::{is, service},
    support::{eventually, is_missing, output, script, until},
};
use domain::sprite::{NetworkAction, NetworkPolicy, NetworkRule};
use ports::sandbox::{ProcessState, ServiceStatus, SpriteStatus};

/// And wakes nothing.
pub async fn looking_provisions_nothing(h: &mut Harness) {
    let host = h.place.host();
    let report = host.inspect(h.key(1)).await.unwrap();
    assert!(!report.provisioned);
    assert_eq!((report.status, report.shells), (SpriteStatus::Cold, vec![]));
    assert_eq!(h.sprite.processes().await.unwrap(), vec![]);
    assert_eq!(h.sprite.checkpoints().await.unwrap(), vec![]);
    assert_eq!(h.sprite.services().await.unwrap(), vec![]);
    h.sprite.network_policy().await.unwrap();
    assert!(!host.inspect(h.key(1)).await.unwrap().provisioned);
    output(h.sprite.as_ref(), "true").await;
    let report = host.inspect(h.key(1)).await.unwrap();
    assert!(report.provisioned);
    assert_ne!(report.status, SpriteStatus::Cold);
    assert_eq!(report.shells.len(), 1);
}

/// In files and, where they can be, in processes.
pub async fn sprites_are_apart(h: &mut Harness) {
    let other = h.other(2);
    let home = output(h.sprite.as_ref(), "echo mine > f; pwd").await;
    assert!(is_missing(&other.read_file("f", 10).await));
    if h.place.can(Ability::Walls) {
        let path = format!("{}/f", home.trim_end());
        assert!(
            is_missing(&other.read_file(&path, 10).await)
                || other.read_file(&path, 10).await.is_err()
        );
    }
    if h.place.can(Ability::OwnProcesses) {
        let mut attached = h
            .sprite
            .start(script("echo ready; sleep 1000"))
            .await
            .unwrap();
        until(&mut attached, "ready").await;
        assert_eq!(
            output(other.as_ref(), "pgrep -fc '^sleep 1000'; true").await,
            "0\n"
        );
    }
    assert!(other.processes().await.unwrap().is_empty());
}

/// With nothing of what it had.
pub async fn a_destroyed_sprite_begins_anew(h: &mut Harness) {
    output(h.sprite.as_ref(), "echo x > f").await;
    h.sprite.checkpoint(None, &()).await.unwrap();
    let host = h.place.host();
    host.destroy(h.key(1)).await.unwrap();
    assert!(!host.inspect(h.key(1)).await.unwrap().provisioned);
    host.destroy(h.key(1)).await.unwrap();
    h.sprite = host.sprite(h.key(1));
    assert_eq!(output(h.sprite.as_ref(), "ls").await, "");
    assert_eq!(h.sprite.checkpoints().await.unwrap(), vec![]);
}

/// Files, checkpoints, the policy and services, which start again.
pub async fn what_is_kept_survives_a_restart(h: &mut Harness) {
    if !h.place.can(Ability::Restart) {
        return;
    }
    output(h.sprite.as_ref(), "echo kept > f").await;
    let checkpoint = h.sprite.checkpoint(None, &()).await.unwrap();
    let policy = NetworkPolicy {
        rules: vec![NetworkRule::new("example.com", NetworkAction::Allow).unwrap()],
        otherwise: NetworkAction::Deny,
    };
    if h.place.can(Ability::NamedHosts) {
        h.sprite.set_network_policy(policy.clone()).await.unwrap();
    }
    h.sprite
        .put_service(service("s", "echo up >> up; exec sleep 1000", &[]))
        .await
        .unwrap();
    eventually("the service", async || {
        is(h, "s", ServiceStatus::Running).await
    })
    .await;
    h.restart().await;
    eventually("the service", async || {
        is(h, "s", ServiceStatus::Running).await
    })
    .await;
    assert_eq!(output(h.sprite.as_ref(), "cat f").await, "kept\n");
    eventually("the second start", async || {
        output(h.sprite.as_ref(), "cat up").await == "up\nup\n"
    })
    .await;
    assert_eq!(h.sprite.checkpoints().await.unwrap()[0].id, checkpoint.id);
    if h.place.can(Ability::NamedHosts) {
        assert!(
            h.sprite
                .network_policy()
                .await
                .unwrap()
                .allows("example.com")
        );
        assert!(
            !h.sprite
                .network_policy()
                .await
                .unwrap()
                .allows("example.org")
        );
    }
    h.sprite.restore(&checkpoint.id, &()).await.unwrap();
    assert_eq!(output(h.sprite.as_ref(), "cat f").await, "kept\n");
}

/// Shells begin anew; a process is listed as lost, with what it said last.
pub async fn what_ran_is_lost_with_the_host(h: &mut Harness) {
    if !h.place.can(Ability::Restart) {
        return;
    }
    output(h.sprite.as_ref(), "x=1").await;
    let mut command = script("echo last words; sleep 1000");
    command.linger = None;
    let mut attached = h.sprite.start(command).await.unwrap();
    until(&mut attached, "words").await;
    let id = attached.process.id.clone();
    drop(attached);
    h.restart().await;
    if h.place.can(Ability::LostProcesses) {
        let all = h.sprite.processes().await.unwrap();
        let lost = all.iter().find(|process| process.id == id).unwrap();
        assert_eq!(lost.state, ProcessState::Lost);
        assert_eq!(h.sprite.last_output(&id).await.unwrap(), "last words\n");
    }
    assert!(h.sprite.attach(&id).await.is_err());
    assert_eq!(output(h.sprite.as_ref(), "echo ${x-gone}").await, "gone\n");
}
