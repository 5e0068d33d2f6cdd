//! Processes of the host, of other sprites, and the sandbox's own.

use super::{Siege, attacks};
use crate::support::output;
use ports::sandbox::SandboxHost as _;
use std::time::Duration;
use test_kit::sandbox::support::eventually;

attacks!(siege:
    nothing_is_read_of_other_processes,
    the_servers_environment_is_unknown,
    nobody_else_is_signalled,
    the_sandboxes_own_processes_may_be_lost,
    daemons_go_with_the_sprite,
);

/// The server, its parent, the first process and the neighbour's.
async fn others(siege: &Siege) -> Vec<String> {
    let server = std::process::id();
    let parent = nix::unistd::getppid();
    let group = nix::unistd::getpgrp();
    let neighbour = output(siege.neighbour.as_ref(), "cat pid").await;
    let mut all = vec![server.to_string(), parent.to_string(), group.to_string()];
    if siege.tier == super::SandboxTier::Landlock {
        // In namespaces these are numbers of the sandbox's own processes.
        all.extend(["1".to_owned(), neighbour.trim().to_owned()]);
    }
    all
}

async fn nothing_is_read_of_other_processes(siege: &Siege) {
    for process in others(siege).await {
        for file in ["environ", "mem", "maps", "auxv", "io", "syscall", "stack"] {
            let script = format!("head -c 100 /proc/{process}/{file} | grep -q .");
            siege.refused(&[&script]).await;
        }
        for link in ["root", "cwd", "exe", "fd/0"] {
            let script = format!("readlink /proc/{process}/{link}");
            siege.refused(&[&script]).await;
        }
        let within = format!(
            "ls /proc/{process}/root/ || ls /proc/{process}/cwd/ || cat /proc/{process}/fd/* || readlink /proc/{process}/fd/*"
        );
        siege.refused(&[&within]).await;
    }
}

async fn the_servers_environment_is_unknown(siege: &Siege) {
    siege
        .fruitless(&[
            "env; set; export -p",
            "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; tr '\\0' '\\n' < $p/task/*/environ; done",
            "strings /proc/*/environ",
            "ps eww -A",
            "cat /proc/*/cmdline | tr '\\0' '\\n' | grep -i _KEY=",
            "cat /proc/1/environ /proc/$PPID/environ",
        ])
        .await;
}

async fn nobody_else_is_signalled(siege: &Siege) {
    for process in others(siege).await {
        let scripts = ["0", "STOP", "KILL"].map(|signal| {
            // Where the number is one of the sandbox's own it says nothing about others.
            format!("kill -{signal} {process} && ! [ -e ~/own ]")
        });
        let own = siege.tier == super::SandboxTier::Namespaces;
        siege.attack(if own { "touch ~/own" } else { "true" }).await;
        for script in &scripts {
            siege.refused(&[script]).await;
        }
        let group = format!("kill -KILL -- -{process}; kill -STOP -- -{process}");
        siege.briefly(&group, Duration::from_secs(5)).await;
        siege.recovers().await;
    }
    // All that it may, itself included.
    siege
        .briefly("kill -KILL -1", Duration::from_secs(10))
        .await;
    siege
        .briefly(
            "setsid bash -c 'kill -STOP -1' & sleep 1",
            Duration::from_secs(10),
        )
        .await;
    siege.recovers().await;
}

/// Killed, stopped or written to: the sprite is lost and begun anew, and that is all.
async fn the_sandboxes_own_processes_may_be_lost(siege: &Siege) {
    let each = |what: &str| {
        format!(
            "for p in $(ps -A -o pid= | sort -n); do [ $p = $$ ] || [ $p = $BASHPID ] || {what}; done; true"
        )
    };
    for what in [
        "kill -KILL $p",
        "echo garbage > /proc/$p/fd/0",
        "dd if=/dev/zero of=/proc/$p/mem bs=4096 count=1",
        "renice -n 19 $p",
    ] {
        siege
            .briefly(
                &format!("{} 2>/dev/null", each(what)),
                Duration::from_secs(5),
            )
            .await;
        siege.recovers().await;
    }
}

/// Also those of a user that hides them behind sessions, parents and names.
async fn daemons_go_with_the_sprite(siege: &Siege) {
    let script = "export ATTACK; for i in 1 2 3 4 5; do \
        (setsid bash -c 'trap \"\" HUP TERM INT QUIT; (setsid bash -c \"trap : TERM; while :; do sleep 1000; done\" &) & sleep 1000' > /dev/null 2>&1 < /dev/null &); \
        done; (exec -a sshd setsid sleep 1000 &) ; nohup sleep 1000 & disown -a; echo";
    siege.attack(script).await;
    assert!(!siege.survivors().is_empty());
    siege
        .bench
        .host
        .destroy(super::sprite(super::ATTACKER))
        .await
        .unwrap();
    eventually("the end of all daemons", async || {
        siege.survivors().is_empty()
    })
    .await;
}
