//! Signals, what is killed, and what is left when a process ends.

use super::{PATIENCE, computer, eventually, napping, rest, run, script, until};
use crate::support::{Bench, SHELL, shell};
use ports::sandbox::{Attached, Command, Exit, SandboxError};
use std::time::Duration;
use tokio::time::timeout;

processes!(
    a_tree_is_killed_with_its_daemons,
    signals_reach_the_process_group,
    what_holds_the_output_open_does_not_hold_the_end_up,
    what_nobody_comes_back_to_is_killed,
);

async fn signals_reach_the_process_group(bench: &Bench) {
    let computer = computer(bench);
    let trapping = script("trap 'echo heard; exit 4' USR1; echo ready; sleep 1000 & wait");
    let Attached {
        input, mut output, ..
    } = computer.start(trapping).await.unwrap();
    until(&mut output, "ready").await;
    eventually(async || (napping(bench).await == "1\n").then_some(())).await;
    input.signal(10).await.unwrap();
    let ended = rest(output).await.unwrap();
    assert_eq!(
        (ended.exit, ended.stdout),
        (Exit::Code(4), "heard\n".into())
    );
    // Its child was of the group.
    assert_eq!(napping(bench).await, "0\n");
    let unknown = input.signal(4711).await;
    assert!(matches!(unknown, Err(SandboxError::Refused(_))));
    let over = input.signal(10).await;
    assert!(matches!(over, Err(SandboxError::Conflict(_))), "{over:?}");
}

async fn what_nobody_comes_back_to_is_killed(bench: &Bench) {
    let computer = computer(bench);
    let linger = Some(Duration::from_millis(200));
    let source = "setsid sleep 1000 & trap '' TERM HUP; echo ready; sleep 1000; sleep 1000";
    let command = Command {
        linger,
        ..script(source)
    };
    let Attached {
        process,
        mut output,
        input,
    } = computer.start(command).await.unwrap();
    until(&mut output, "ready").await;
    let other = computer.attach(&process.id).await.unwrap();
    drop((input, output));
    // Somebody is still there.
    let waited = timeout(Duration::from_millis(600), rest(other.output)).await;
    assert!(waited.is_err());
    drop(other.input);
    eventually(async || computer.processes().await.unwrap().is_empty().then_some(())).await;
    assert_eq!(napping(bench).await, "0\n");
}

async fn a_tree_is_killed_with_its_daemons(bench: &Bench) {
    let computer = computer(bench);
    let source = "(setsid sleep 1000 &); (setsid bash -c \"trap '' TERM; sleep 1000; sleep 1000\" &); trap 'exit 9' TERM; echo ready; sleep 1000 & wait";
    let Attached {
        process,
        mut output,
        input: _input,
    } = computer.start(script(source)).await.unwrap();
    until(&mut output, "ready").await;
    eventually(async || (napping(bench).await == "3\n").then_some(())).await;
    assert_eq!(
        computer
            .kill(&process.id, 0xbad, PATIENCE)
            .await
            .map_err(|error| error.to_string()),
        Err("there is no signal 2989".into())
    );
    let exit = computer
        .kill(&process.id, 15, Duration::from_millis(300))
        .await
        .unwrap();
    assert_eq!(exit, Some(Exit::Code(9)));
    assert_eq!(rest(output).await.unwrap().exit, Exit::Code(9));
    assert_eq!(napping(bench).await, "0\n");
    // One that does not listen, and whose reader does not read.
    let deaf = computer
        .start(script(
            "trap '' TERM; touch deaf; yes & while :; do sleep 1000; done",
        ))
        .await
        .unwrap();
    eventually(async || computer.stat("deaf").await.ok()).await;
    let exit = computer
        .kill(&deaf.process.id, 15, Duration::from_millis(300))
        .await
        .unwrap();
    assert_eq!(exit, Some(Exit::Signal(9)));
    let soft = computer.start(script("sleep 1000; exit 5")).await.unwrap();
    assert_eq!(
        computer
            .kill(&soft.process.id, 9, Duration::ZERO)
            .await
            .unwrap(),
        None
    );
    assert_eq!(rest(soft.output).await.unwrap().exit, Exit::Signal(9));
    // What one process left behind is none of another's.
    let left = run(
        &computer,
        script("setsid sleep 1000 >/dev/null 2>&1 & disown"),
    )
    .await;
    assert_eq!(left.exit, Exit::Code(0));
    eventually(async || (napping(bench).await == "1\n").then_some(())).await;
}

async fn what_holds_the_output_open_does_not_hold_the_end_up(bench: &Bench) {
    let computer = computer(bench);
    for source in [
        "sleep 1000 & echo done",
        "setsid sleep 1000 & echo done",
        "(while :; do echo more; sleep 0.01; done) & sleep 1000 & echo done",
    ] {
        let ended = run(&computer, script(source)).await;
        assert_eq!(ended.exit, Exit::Code(0));
        assert!(
            String::from_utf8_lossy(&ended.stdout).contains("done\n"),
            "{ended:?}"
        );
    }
    // They go on, and closing a shell is not their end.
    assert_eq!(napping(bench).await, "3\n");
    bench.sandbox.close_shell(shell(SHELL)).await.unwrap();
    assert_eq!(napping(bench).await, "3\n");
}
