//! What becomes of a command's processes: in the background, out of time, given up.

use super::{
    Harness,
    support::{Kept, SHELL, nap, output, request, run, shell},
};
use ports::sandbox::{ExecOutcome, Exit};
use std::time::Duration;

const KEPT: fn(i32) -> ExecOutcome = |code| ExecOutcome {
    exit: Exit::Code(code),
    shell_reset: false,
};

/// Not even one that floods its output.
pub async fn background_processes_do_not_hold_a_command_up(h: &mut Harness) {
    let script = "yes 'sleep 1000' & sleep 1000 & setsid sleep 1000 & printf done >&2";
    let (outcome, kept) = run(h.sprite.as_ref(), script).await;
    assert_eq!((outcome, kept.stderr()), (KEPT(0), "done".into()));
    // The flood goes on and may show, but it does not hold anything up.
    assert_eq!(run(h.sprite.as_ref(), "echo next").await.0, KEPT(0));
    let all = "until [ $(pgrep -fc '^(yes )?sleep 1000') = 3 ]; do :; done; while pkill -f '^(yes )?sleep 1000'; do :; done";
    assert_eq!(run(h.sprite.as_ref(), all).await.0, KEPT(0));
    let clean = output(h.sprite.as_ref(), "echo clean").await;
    assert!(
        clean == "clean\n",
        "{} bytes: {}",
        clean.len(),
        clean.get(..60).unwrap_or(&clean)
    );
}

/// A timeout ends what the command started, nothing else.
pub async fn background_processes_survive_a_later_timeout(h: &mut Harness) {
    output(h.sprite.as_ref(), "sleep 1000 & echo $! > pid; sleep 0.05").await;
    let mut exec = request(SHELL, "sleep 2000");
    exec.timeout = Duration::from_millis(50);
    h.sprite.exec(exec, &Kept::default()).await.unwrap();
    assert_eq!(
        output(h.sprite.as_ref(), "ps -o args= $(cat pid)").await,
        format!("{}\n", nap())
    );
}

/// And nothing of the command is left.
pub async fn timeouts_keep_the_shell_and_skip_the_rest(h: &mut Harness) {
    output(h.sprite.as_ref(), "x=1; f() { sleep 1000; echo no; }").await;
    let scripts = [
        "sleep 1000; echo no",
        "f; echo no",
        "while :; do :; done; echo no",
        "for i in 1 2 3; do sleep 1000; done; echo no",
        "sleep 1000 | cat && echo no || echo no",
        "x=2; trap '' TERM; (trap '' TERM; while :; do sleep 0.01; done); echo no",
    ];
    for script in scripts {
        let kept = Kept::default();
        let mut exec = request(SHELL, script);
        exec.timeout = Duration::from_millis(50);
        let outcome = h.sprite.exec(exec, &kept).await.unwrap();
        let timed_out = ExecOutcome {
            exit: Exit::TimedOut,
            shell_reset: false,
        };
        assert_eq!(
            (outcome, kept.stdout()),
            (timed_out, String::new()),
            "{script}"
        );
    }
    assert_eq!(output(h.sprite.as_ref(), "echo $x").await, "2\n");
    assert_eq!(
        output(h.sprite.as_ref(), "pgrep -fc '^sleep 1000'; true").await,
        "0\n"
    );
}

/// Who gives up waiting gives up the command.
pub async fn dropping_a_command_ends_its_processes(h: &mut Harness) {
    output(h.sprite.as_ref(), "x=1").await;
    let kept = Kept::default();
    let script = "(setsid sh -c 'trap \"\" TERM; echo started; sleep 1000') & sleep 1000; echo no";
    tokio::select! {
        outcome = h.sprite.exec(request(SHELL, script), &kept) => panic!("{outcome:?}"),
        () = kept.until("started") => {}
    }
    assert_eq!(
        output(h.sprite.as_ref(), "echo $x; pgrep -fc '^sleep 1000'; true").await,
        "1\n0\n"
    );
}

/// Daemons too; closing twice is fine.
pub async fn closing_a_shell_ends_what_it_started(h: &mut Harness) {
    let script = "sleep 1000 & (setsid sh -c 'trap \"\" TERM HUP; sleep 1000' &) ; echo ok";
    output(h.sprite.as_ref(), script).await;
    let kept = Kept::default();
    let other = h.sprite.exec(request(12, "sleep 1000"), &kept);
    tokio::select! {
        outcome = other => panic!("{outcome:?}"),
        () = async {
            h.sprite.close_shell(shell(SHELL)).await.unwrap();
            h.sprite.close_shell(shell(SHELL)).await.unwrap();
        } => {}
    }
    h.sprite.close_shell(shell(12)).await.unwrap();
    let kept = Kept::default();
    h.sprite
        .exec(request(13, "pgrep -fc '^sleep 1000'"), &kept)
        .await
        .unwrap();
    assert_eq!(kept.stdout(), "0\n");
}
