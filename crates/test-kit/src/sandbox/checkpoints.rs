//! Going back.

use super::{
    Harness,
    support::{is_missing, output, script},
};
use ports::sandbox::ProcessState;

/// Contents, removals, modes and links; what came since is gone.
pub async fn files_come_back_as_they_were(h: &mut Harness) {
    let made = "mkdir -p d/e && echo one > d/f && chmod 741 d/f && ln -s f d/l && head -c 300000 /dev/urandom > d/e/noise && sha256sum d/e/noise > sum";
    output(h.sprite.as_ref(), made).await;
    let checkpoint = h
        .sprite
        .checkpoint(Some("good".to_owned()), &())
        .await
        .unwrap();
    let changed = "echo two > d/f; chmod 600 d/f; rm d/l; rm -r d/e; touch new";
    output(h.sprite.as_ref(), changed).await;
    h.sprite.restore(&checkpoint.id, &()).await.unwrap();
    let seen = "cat d/f d/l; stat -c %a d/f; sha256sum --status -c sum && echo same; ls";
    assert_eq!(
        output(h.sprite.as_ref(), seen).await,
        "one\none\n741\nsame\nd\nsum\n"
    );
}

/// So that a restore can be undone.
pub async fn the_present_is_kept_before_a_restore(h: &mut Harness) {
    output(h.sprite.as_ref(), "echo one > f").await;
    let first = h.sprite.checkpoint(None, &()).await.unwrap();
    output(h.sprite.as_ref(), "echo two > f").await;
    h.sprite.restore(&first.id, &()).await.unwrap();
    let all = h.sprite.checkpoints().await.unwrap();
    let kept = all.iter().find(|checkpoint| checkpoint.automatic).unwrap();
    assert_ne!(kept.id, first.id);
    h.sprite.restore(&kept.id, &()).await.unwrap();
    assert_eq!(output(h.sprite.as_ref(), "cat f").await, "two\n");
}

/// Shells and processes.
pub async fn a_restore_ends_what_runs(h: &mut Harness) {
    output(h.sprite.as_ref(), "echo one > f; x=1").await;
    let checkpoint = h.sprite.checkpoint(None, &()).await.unwrap();
    let mut command = script("sleep 1000");
    command.linger = None;
    drop(h.sprite.start(command).await.unwrap());
    h.sprite.restore(&checkpoint.id, &()).await.unwrap();
    assert_eq!(
        output(h.sprite.as_ref(), "echo ${x-gone}; cat f").await,
        "gone\none\n"
    );
    let all = h.sprite.processes().await.unwrap();
    let running = all
        .iter()
        .any(|process| process.state == ProcessState::Running);
    assert!(!running, "{all:?}");
}

/// With their comments; one that is deleted is gone.
pub async fn checkpoints_are_listed_newest_first(h: &mut Harness) {
    output(h.sprite.as_ref(), "true").await;
    let first = h
        .sprite
        .checkpoint(Some("it's \"one\"".to_owned()), &())
        .await
        .unwrap();
    let second = h.sprite.checkpoint(None, &()).await.unwrap();
    let listed = async |h: &Harness| -> Vec<_> {
        let all = h.sprite.checkpoints().await.unwrap();
        all.into_iter()
            .map(|checkpoint| (checkpoint.id, checkpoint.comment))
            .collect()
    };
    let expected = (first.id.clone(), Some("it's \"one\"".to_owned()));
    assert_eq!(
        listed(h).await,
        [(second.id.clone(), None), expected.clone()]
    );
    h.sprite.delete_checkpoint(&second.id).await.unwrap();
    assert_eq!(listed(h).await, [expected]);
    assert!(is_missing(&h.sprite.restore(&second.id, &()).await));
}

/// And nothing is changed.
pub async fn a_checkpoint_that_is_not_there_is_told(h: &mut Harness) {
    output(h.sprite.as_ref(), "echo one > f").await;
    for id in ["v99", "../v1", "", "x/y"] {
        assert!(h.sprite.restore(id, &()).await.is_err(), "{id}");
        assert!(h.sprite.delete_checkpoint(id).await.is_err(), "{id}");
    }
    assert!(is_missing(&h.sprite.restore("v99", &()).await));
    assert_eq!(output(h.sprite.as_ref(), "cat f").await, "one\n");
}
