//! Things left lying about in the home for the server to step on: at a checkpoint, a restore, a
//! look, and at the end.

use super::{ATTACKER, Siege, attacks, canary::SECRET, sprite};
use crate::support::output;
use ports::sandbox::SandboxHost as _;
use std::time::Duration;
use tokio::time::timeout;

attacks!(siege:
    pipes_and_sockets_hold_nobody_up,
    checkpoints_follow_no_links,
    what_changes_during_a_checkpoint_leads_nowhere,
    a_home_that_is_shut_can_be_destroyed,
);

const TIME: Duration = Duration::from_secs(40);

async fn pipes_and_sockets_hold_nobody_up(siege: &Siege) {
    let script = "mkfifo fifo; perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) and bind(S, pack_sockaddr_un(\"socket\"))'; \
                  mknod whiteout c 0 0; mkdir .git; mkfifo .gitignore .git/config; ln -s fifo link; echo kept > kept";
    siege.attack(script).await;
    let sprite = &siege.sprite;
    for path in ["fifo", "link", "socket", "whiteout"] {
        let read = timeout(TIME, sprite.read_file(path, 100)).await.unwrap();
        assert!(read.is_err(), "{path}: {read:?}");
        let new = bytes::Bytes::from_static(b"x");
        drop(timeout(TIME, sprite.write_file(path, new)).await.unwrap());
        drop(
            timeout(TIME, sprite.copy(path, "copied", true))
                .await
                .unwrap(),
        );
    }
    siege.attack("rm -f fifo; mkfifo fifo").await;
    let search = ports::sandbox::GrepRequest {
        pattern: "x".into(),
        path: String::new(),
        glob: None,
        ignore_case: false,
        limit: 10,
    };
    // What says which files to ignore is a pipe: it is not read, and neither is what lies beside it.
    assert!(timeout(TIME, sprite.grep(search)).await.unwrap().is_err());
    siege
        .attack("mkdir in; mv .gitignore in; ln -s /dev/zero in/.ignore")
        .await;
    let found = timeout(TIME, sprite.glob("", "*", 10)).await.unwrap();
    assert!(!found.unwrap().items.is_empty());
    let host = &siege.bench.host;
    timeout(TIME, host.inspect(super::sprite(ATTACKER)))
        .await
        .unwrap()
        .unwrap();
    let kept = timeout(TIME, sprite.checkpoint(None, &()))
        .await
        .unwrap()
        .unwrap();
    siege.attack("echo changed > kept").await;
    timeout(TIME, sprite.restore(&kept.id, &()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(output(sprite.as_ref(), "cat kept").await, "kept\n");
}

async fn checkpoints_follow_no_links(siege: &Siege) {
    let outside = siege.canaries.directory.display();
    let script = format!(
        "ln -s {outside} out; ln -s {outside}/canary f; ln -s /etc/shadow shadow; mkdir d; ln -s ../../../.. d/up; \
         ln -s ../policy.json p; ln -s ../checkpoints c; echo x > 'a/../../b' 2>/dev/null; touch -- '..\\n' '-rf' '--absolute-names'"
    );
    siege.attack(&script).await;
    let kept = siege.sprite.checkpoint(None, &()).await.unwrap();
    siege
        .attack("rm -rf out f d; mkdir out f; echo x > out/canary; echo x > d")
        .await;
    siege.sprite.restore(&kept.id, &()).await.unwrap();
    let (_, seen) = siege
        .attack("readlink out f d/up; cat f shadow; grep -rs root: .")
        .await;
    let expected = format!("{outside}\n{outside}/canary\n../../../..\n");
    assert_eq!(seen.stdout(), expected, "{}", siege.tier);
    for id in ["../../outside", "..", "/etc", "v1/../..", "v1\0", "."] {
        assert!(siege.sprite.restore(id, &()).await.is_err(), "{id:?}");
        assert!(siege.sprite.delete_checkpoint(id).await.is_err(), "{id:?}");
    }
}

/// A directory that is a link the next moment, a file that grows, one that goes.
async fn what_changes_during_a_checkpoint_leads_nowhere(siege: &Siege) {
    let outside = siege.canaries.directory.display();
    let race = format!(
        "mkdir -p a/b; \
         (export ATTACK; while :; do rm -rf a/b 2>/dev/null; ln -sT {outside} a/b; rm -f a/b; mkdir -p a/b; echo x > a/b/canary; done) > /dev/null 2>&1 & \
         (while :; do echo more >> grows; [ $(stat -c %s grows) -gt 1000000 ] && : > grows; done) > /dev/null 2>&1 & \
         (while :; do touch t1 t2 t3; rm -f t1 t2 t3; done) > /dev/null 2>&1 & echo"
    );
    for _ in 0..5 {
        siege.attack(&race).await;
        for _ in 0..4 {
            let kept = timeout(TIME, siege.sprite.checkpoint(None, &()))
                .await
                .unwrap();
            let Ok(kept) = kept else { continue };
            siege.canaries.are_untouched();
            drop(siege.sprite.delete_checkpoint(&kept.id).await);
        }
        let Ok(kept) = siege.sprite.checkpoint(None, &()).await else {
            continue;
        };
        timeout(TIME, siege.sprite.restore(&kept.id, &()))
            .await
            .unwrap()
            .unwrap();
        siege.refused(&[&format!("grep -rs {SECRET} a")]).await;
        siege.canaries.are_untouched();
    }
}

/// Also one from which everybody is shut out, its owner included.
async fn a_home_that_is_shut_can_be_destroyed(siege: &Siege) {
    siege
        .attack("mkdir -p a/b/c; touch a/b/c/d; chmod 000 a/b/c a/b a; chmod 000 ~")
        .await;
    let host = &siege.bench.host;
    host.inspect(sprite(ATTACKER)).await.unwrap();
    host.destroy(sprite(ATTACKER)).await.unwrap();
    assert!(!siege.folder(ATTACKER).exists());
}
