//! Processes: started, attached to, listed and ended.

use crate::{
    machine::{Ending, Habit},
    support::{All, all, bench, command, next, run},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Exit, OutputStream, ProcessEvent, ProcessId, ProcessState, SandboxError, TerminalSize,
};
use std::time::Duration;

#[tokio::test]
async fn streams_and_the_exit_code_come_apart() {
    let bench = bench().await;
    let ran = run(&bench, &["sh", "-c", "echo out; echo err >&2; exit 7"])
        .await
        .unwrap();
    let expected = All {
        stdout: b"out\n".into(),
        stderr: b"err\n".into(),
        exit: Some(Exit::Code(7)),
    };
    assert_eq!(ran, expected);
    let ran = run(&bench, &["sh", "-c", "kill -TERM $$"]).await.unwrap();
    assert_eq!(ran.exit, Some(Exit::Signal(15)));
}

#[tokio::test]
async fn every_way_to_end_is_understood() {
    let endings = [
        Ending::Usual,
        Ending::TextFirst,
        Ending::NoText,
        Ending::Dropped,
    ];
    for ending in endings {
        let bench = bench().await;
        bench.machine.behave(|it| it.ending = ending);
        let ran = run(&bench, &["sh", "-c", "seq 1000; echo e >&2; exit 3"])
            .await
            .unwrap();
        assert_eq!(
            (ran.stdout.len(), ran.stderr.len()),
            (3893, 2),
            "{ending:?}"
        );
        assert_eq!(ran.exit, Some(Exit::Code(3)), "{ending:?}");
    }
}

#[tokio::test]
async fn arguments_environment_and_directory_arrive_unchanged() {
    let bench = bench().await;
    let odd = "it's \"odd\" & ünïcode = % + ?\n$x `y` \\";
    let mut wanted = command(&["printf", "%s|", odd, "", "a b"]);
    let attached = bench.sprite.start(wanted.clone()).await.unwrap();
    assert_eq!(attached.process.arguments, wanted.arguments);
    let said = all(attached.output).await.unwrap().stdout;
    assert_eq!(String::from_utf8(said).unwrap(), format!("{odd}||a b|"));
    wanted.arguments = vec!["sh".into(), "-c".into(), "echo $A; pwd".into()];
    wanted.environment = vec![("A".into(), odd.into())];
    wanted.directory = Some("sub".into());
    std::fs::create_dir(bench.machine.home().join("sub")).unwrap();
    let attached = bench.sprite.start(wanted).await.unwrap();
    let said = String::from_utf8(all(attached.output).await.unwrap().stdout).unwrap();
    assert!(
        said.contains("ünïcode") && said.ends_with("/sub\n"),
        "{said}"
    );
}

#[tokio::test]
async fn large_input_and_output_pass_both_ways_at_once() {
    let bench = bench().await;
    let attached = bench.sprite.start(command(&["cat"])).await.unwrap();
    let bytes: Bytes = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let input = attached.input;
    let feeding = async {
        input.write(bytes.clone()).await.unwrap();
        input.finish().await.unwrap();
    };
    let ((), ran) = tokio::join!(feeding, all(attached.output));
    let ran = ran.unwrap();
    assert!(ran.stdout == bytes);
    assert_eq!(ran.exit, Some(Exit::Code(0)));
    let late = input.write(bytes).await;
    assert!(matches!(late, Err(SandboxError::Conflict(_))), "{late:?}");
}

#[tokio::test]
async fn terminals_are_raw_and_resized() {
    let bench = bench().await;
    let mut wanted = command(&["sh", "-c", "read a; echo got $a; read b; exit 4"]);
    wanted.terminal = Some(TerminalSize {
        rows: 30,
        columns: 100,
    });
    let mut attached = bench.sprite.start(wanted).await.unwrap();
    attached.input.finish().await.unwrap();
    attached.input.write("\u{1}\u{3}x\n".into()).await.unwrap();
    assert_eq!(next(&mut attached).await, "got \u{1}\u{3}x\n");
    attached
        .input
        .resize(TerminalSize {
            rows: 5,
            columns: 6,
        })
        .await
        .unwrap();
    attached.input.write("\n".into()).await.unwrap();
    assert_eq!(
        all(attached.output).await.unwrap().exit,
        Some(Exit::Code(4))
    );
    assert_eq!(bench.machine.asked("6x5"), 1);
}

#[tokio::test]
async fn two_may_be_attached_and_leaving_leaves_the_process() {
    let bench = bench().await;
    let mut first = bench
        .sprite
        .start(command(&["sh", "-c", "echo a; cat"]))
        .await
        .unwrap();
    assert_eq!(next(&mut first).await, "a\n");
    let id = first.process.id.clone();
    let mut second = bench.sprite.attach(&id).await.unwrap();
    assert_eq!(next(&mut second).await, "a\n");
    second.input.write("b\n".into()).await.unwrap();
    assert_eq!(next(&mut second).await, "b\n");
    assert_eq!(next(&mut first).await, "b\n");
    drop((first, second));
    let third = bench.sprite.attach(&id).await.unwrap();
    let listed = bench.sprite.processes().await.unwrap();
    assert_eq!(
        (listed.len(), &listed[0].id, listed[0].state),
        (1, &id, ProcessState::Running)
    );
    third.input.finish().await.unwrap();
    assert_eq!(all(third.output).await.unwrap().stdout, b"a\nb\n");
}

#[tokio::test]
async fn signals_and_kill_reach_the_process() {
    let bench = bench().await;
    let mut attached = bench
        .sprite
        .start(command(&[
            "sh",
            "-c",
            "trap 'echo usr; exit 9' USR1; echo on; while :; do sleep 0.02; done",
        ]))
        .await
        .unwrap();
    next(&mut attached).await;
    attached.input.signal(10).await.unwrap();
    let ended = loop {
        if let Some(Ok(ProcessEvent::Ended(exit))) = attached.output.next().await {
            break exit;
        }
    };
    assert_eq!(ended, Exit::Code(9));
    let gone = attached.process.id;
    assert!(matches!(
        bench.sprite.attach(&gone).await,
        Err(SandboxError::NotFound { .. })
    ));
    let killed = bench.sprite.kill(&gone, 15, Duration::ZERO).await;
    assert!(
        matches!(killed, Err(SandboxError::NotFound { .. })),
        "{killed:?}"
    );
    let attached = bench
        .sprite
        .start(command(&["sleep", "1000"]))
        .await
        .unwrap();
    let id = &attached.process.id;
    let killed = bench
        .sprite
        .kill(id, 15, Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(killed, Some(Exit::Signal(15)));
    let unknown = bench.sprite.last_output(&ProcessId("77".into())).await;
    assert!(matches!(unknown, Err(SandboxError::NotFound { .. })));
}

#[tokio::test]
async fn the_last_output_is_had_without_staying() {
    for tells in [true, false] {
        let bench = bench().await;
        bench
            .machine
            .behave(|it| it.habits.extend(tells.then_some(Habit::TellsReplay)));
        let text = "seq 20000; echo err >&2; echo end; cat";
        let mut attached = bench
            .sprite
            .start(command(&["sh", "-c", text]))
            .await
            .unwrap();
        let mut out = Vec::new();
        let mut errors = false;
        while !(errors && out.ends_with(b"end\n")) {
            match attached.output.next().await {
                Some(Ok(ProcessEvent::Output(OutputStream::Stdout, bytes))) => out.extend(bytes),
                Some(Ok(ProcessEvent::Output(OutputStream::Stderr, _))) => errors = true,
                other => panic!("{other:?}"),
            }
        }
        let kept = bench
            .sprite
            .last_output(&attached.process.id)
            .await
            .unwrap();
        assert_eq!(kept.len(), 64 << 10);
        let text = String::from_utf8_lossy(&kept);
        assert!(text.contains("err\n") && text.contains("end\n") && !text.contains("\n500\n"));
        attached.input.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_sprite_that_sleeps_is_not_asked_for_processes() {
    let bench = bench().await;
    assert_eq!(bench.sprite.processes().await.unwrap(), []);
    run(&bench, &["true"]).await.unwrap();
    assert_eq!(bench.sprite.processes().await.unwrap(), []);
    let name = bench
        .machine
        .kept
        .lock()
        .unwrap()
        .sprites
        .keys()
        .next()
        .cloned()
        .unwrap();
    // Only the start of the program asked for this path.
    assert_eq!(
        bench.machine.asked(&format!("GET /v1/sprites/{name}/exec")),
        1
    );
}
