//! Processes that are left, found again and lost.

use super::{PATIENCE, command, computer, eventually, rest, script, until, with_input};
use crate::support::{Bench, Kept, SHELL, bench, bench_with, output, request, settings, sprite};
use domain::sprite::SandboxTier;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Exit, ProcessEvent, ProcessId, ProcessState, SandboxError, SandboxHost as _,
    SpriteStatus,
};
use sprites_local::{LocalHost, LocalSettings};
use std::time::Duration;
use tokio::time::timeout;

processes!(
    a_reader_who_comes_back_gets_what_was_missed,
    a_slow_reader_slows_the_process,
    processes_survive_the_server_as_lost,
    two_readers_see_everything,
);

async fn two_readers_see_everything(bench: &Bench) {
    let computer = computer(bench);
    let first = computer
        .start(with_input(script("echo begin; cat")))
        .await
        .unwrap();
    let second = computer.attach(&first.process.id).await.unwrap();
    assert_eq!(second.process.readers, 2);
    first.input.write("from one\n".into()).await.unwrap();
    second.input.write("from the other\n".into()).await.unwrap();
    second.input.finish().await.unwrap();
    let (one, other) = tokio::join!(rest(first.output), rest(second.output));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.stdout, "begin\nfrom one\nfrom the other\n");
    assert_eq!(one, other);
}

async fn a_reader_who_comes_back_gets_what_was_missed(bench: &Bench) {
    let computer = computer(bench);
    let source = "echo first; read -r; head -c 100000 /dev/zero | tr '\\0' x; echo; echo second >&2; read -r; echo third";
    let Attached {
        process,
        input,
        mut output,
    } = computer.start(with_input(script(source))).await.unwrap();
    until(&mut output, "first").await;
    input.write("\n".into()).await.unwrap();
    drop((input, output));
    eventually(async || {
        let last = computer.last_output(&process.id).await.unwrap();
        last.ends_with(b"second\n").then_some(())
    })
    .await;
    let listed = computer.processes().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id.clone(), listed[0].readers),
        (process.id.clone(), 0)
    );
    assert_eq!(listed[0].state, ProcessState::Running);
    let again = computer.attach(&process.id).await.unwrap();
    again.input.write("\n".into()).await.unwrap();
    let ended = rest(again.output).await.unwrap();
    let stdout = format!("first\n{}\nthird\n", "x".repeat(100_000));
    assert!(ended.stdout == stdout && ended.stderr == "second\n");
    assert_eq!(computer.processes().await.unwrap(), []);
    let last = computer.last_output(&process.id).await.unwrap();
    assert!(last.len() == 64 << 10 && last.ends_with(b"x\nsecond\nthird\n"));
    let gone = computer.attach(&process.id).await.map(drop);
    assert!(matches!(gone, Err(SandboxError::NotFound { .. })));
    let killed = computer.kill(&process.id, 15, PATIENCE).await;
    assert!(matches!(killed, Err(SandboxError::Conflict(_))));
    let unknown = ProcessId("4711".into());
    let killed = computer.kill(&unknown, 15, PATIENCE).await;
    assert!(matches!(killed, Err(SandboxError::NotFound { .. })));
}

async fn a_slow_reader_slows_the_process(bench: &Bench) {
    let computer = computer(bench);
    let flood = script("head -c 20000000 /dev/zero; echo end; : > over");
    let slow = computer.start(flood).await.unwrap();
    let quick = computer.attach(&slow.process.id).await.unwrap();
    let mut seen = 0;
    let mut reading = quick.output;
    // Even who reads at once gets no further than the other lets the process go.
    let stuck = async {
        while let Some(Ok(ProcessEvent::Output(_, bytes))) = reading.next().await {
            seen += bytes.len();
        }
    };
    assert!(timeout(Duration::from_millis(500), stuck).await.is_err());
    assert!((64 << 10..5_000_000).contains(&seen), "{seen}");
    assert_eq!(
        output(&*bench.sandbox, "ls over 2>/dev/null; true").await,
        ""
    );
    drop((slow.input, slow.output));
    let ended = rest(reading).await.unwrap();
    assert_eq!(
        (ended.exit, seen + ended.stdout.len()),
        (Exit::Code(0), 20_000_004)
    );
    // Nobody reads: nothing waits.
    let left = computer
        .start(script("head -c 20000000 /dev/zero; echo end"))
        .await
        .unwrap();
    let id = left.process.id.clone();
    drop(left);
    eventually(async || {
        let last = computer.last_output(&id).await.unwrap();
        last.ends_with(b"end\n").then_some(())
    })
    .await;
}

async fn processes_survive_the_server_as_lost(bench: &Bench) {
    let first = computer(bench);
    let source = "echo working; echo 'on it' >&2; sleep 1000";
    let mut started = first.start(script(source)).await.unwrap();
    until(&mut started.output, "on it").await;
    let ended = first.start(command(&["true"])).await.unwrap();
    let later = ended.process.id.clone();
    rest(ended.output).await.unwrap();
    let tier = match bench.host.report().backend {
        ports::sandbox::SandboxBackend::Local(tier) => tier,
        ports::sandbox::SandboxBackend::Sprites(_) => unreachable!(),
    };
    bench.host.shutdown().await;
    let lost = rest(started.output).await;
    assert!(matches!(lost, Err(SandboxError::Lost(_))), "{lost:?}");
    let now = first.processes().await.unwrap();
    assert_eq!(now.len(), 1);
    assert_eq!(now[0].state, ProcessState::Lost);
    let host = LocalHost::start(settings(bench.directory.path(), tier))
        .await
        .unwrap();
    let again = host.sprite(sprite(1));
    let id = started.process.id;
    let listed = again.processes().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, listed[0].state), (&id, ProcessState::Lost));
    assert_eq!(listed[0].arguments, script(source).arguments);
    assert_eq!(listed[0].started_at, started.process.started_at);
    let output = again.last_output(&id).await.unwrap();
    let mut lines: Vec<_> = output.split_inclusive(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    assert_eq!(lines, [b"on it\n".as_slice(), b"working\n"]);
    // Looking woke nothing.
    assert_eq!(
        host.inspect(sprite(1)).await.unwrap().status,
        SpriteStatus::Cold
    );
    let attached = again.attach(&id).await.map(drop);
    assert!(matches!(attached, Err(SandboxError::NotFound { .. })));
    let killed = again.kill(&id, 9, PATIENCE).await;
    assert!(matches!(killed, Err(SandboxError::Conflict(_))));
    let new = again.start(command(&["true"])).await.unwrap();
    let number = |id: &ProcessId| id.0.parse::<u64>().unwrap();
    assert!(number(&new.process.id) > number(&later));
    rest(new.output).await.unwrap();
    host.shutdown().await;
}

#[tokio::test]
async fn a_killed_supervisor_leaves_its_processes_lost() {
    let Some(bench) = bench(SandboxTier::Namespaces).await else {
        return;
    };
    let computer = computer(&bench);
    let mut started = computer.start(script("echo up; sleep 1000")).await.unwrap();
    until(&mut started.output, "up").await;
    let ended = bench
        .sandbox
        .exec(request(SHELL, "kill -TERM 1; sleep 1000"), &Kept::default())
        .await;
    assert!(matches!(ended, Err(SandboxError::Lost(_))), "{ended:?}");
    let lost = rest(started.output).await;
    assert!(matches!(lost, Err(SandboxError::Lost(_))), "{lost:?}");
    let listed = computer.processes().await.unwrap();
    assert_eq!(listed[0].state, ProcessState::Lost);
    assert_eq!(computer.last_output(&listed[0].id).await.unwrap(), "up\n");
    // The sprite wakes again, and its old process stays lost.
    let next = computer.start(command(&["true"])).await.unwrap();
    rest(next.output).await.unwrap();
    assert_eq!(computer.processes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_sprite_with_processes_stays_awake() {
    let soon = |settings| LocalSettings {
        idle: Duration::from_millis(1),
        ..settings
    };
    let Some(bench) = bench_with(SandboxTier::Plain, soon).await else {
        return;
    };
    let status = async || bench.host.inspect(sprite(1)).await.unwrap().status;
    let computer = computer(&bench);
    let mut started = computer.start(script("echo up; sleep 1000")).await.unwrap();
    until(&mut started.output, "up").await;
    assert_eq!(status().await, SpriteStatus::Running);
    let id = started.process.id.clone();
    drop(started);
    // Nobody watches and it is silent: the sprite has nothing to do, but it is not stopped.
    eventually(async || (status().await == SpriteStatus::Warm).then_some(())).await;
    assert_eq!(
        computer.processes().await.unwrap()[0].state,
        ProcessState::Running
    );
    computer.kill(&id, 9, PATIENCE).await.unwrap();
    eventually(async || (status().await == SpriteStatus::Cold).then_some(())).await;
}
