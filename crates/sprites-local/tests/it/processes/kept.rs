//! Processes that are left, found again, killed and lost.

use super::{
    PATIENCE, command, computer, eventually, napping, noise, rest, run, script, until, with_input,
};
use crate::support::{
    Bench, Kept, SHELL, bench, bench_with, output, request, settings, shell, sprite,
};
use domain::sprite::SandboxTier;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Command, Exit, ProcessEvent, ProcessId, ProcessState, SandboxError, SandboxHost as _,
    SpriteStatus,
};
use sprites_local::{LocalHost, LocalSettings};
use std::time::Duration;
use tokio::time::timeout;

processes!(
    a_reader_who_comes_back_gets_what_was_missed,
    a_slow_reader_slows_the_process,
    a_tree_is_killed_with_its_daemons,
    processes_survive_the_server_as_lost,
    two_readers_see_everything,
    what_holds_the_output_open_does_not_hold_the_end_up,
    what_nobody_comes_back_to_is_killed,
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

#[tokio::test]
async fn only_so_many_processes_run() {
    let Some(bench) = bench(SandboxTier::Plain).await else {
        return;
    };
    let computer = computer(&bench);
    let mut all = Vec::new();
    let refused = loop {
        match computer.start(with_input(command(&["cat"]))).await {
            Ok(attached) => all.push(attached),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(refused, SandboxError::Exhausted { .. }),
        "{refused:?}"
    );
    assert_eq!(all.len(), 256);
    let one = all.pop().unwrap();
    one.input.finish().await.unwrap();
    rest(one.output).await.unwrap();
    let again = computer.start(command(&["true"])).await.unwrap();
    assert_eq!(rest(again.output).await.unwrap().exit, Exit::Code(0));
    bench.host.shutdown().await;
}

/// Says its port, then gives one connection back what it sends, and more when that is all.
const ECHO: &str = r#"$| = 1; use IO::Socket::INET; my $all = IO::Socket::INET->new(LocalAddr => "127.0.0.1:0", Listen => 5) or die; print $all->sockport, "\n"; while (my $one = $all->accept) { while (sysread($one, my $piece, 65536)) { syswrite($one, $piece) } syswrite($one, "bye"); close $one }"#;

#[tokio::test]
async fn ports_inside_are_listed_and_reached() {
    for tier in [SandboxTier::Namespaces, SandboxTier::Plain] {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let computer = computer(&bench);
        let mut listener = computer
            .start(command(&["perl", "-e", ECHO]))
            .await
            .unwrap();
        let said = until(&mut listener.output, "\n").await;
        let port: u16 = said.trim_end().parse().unwrap();
        let listed = computer.listening().await.unwrap();
        let found: Vec<_> = listed.iter().filter(|one| one.port == port).collect();
        assert_eq!(found.len(), 1, "{listed:?}");
        assert_eq!(found[0].address, "127.0.0.1");
        let name = format!("cat /proc/{}/comm", found[0].process.unwrap());
        assert_eq!(output(&*bench.sandbox, &name).await, "perl\n");
        for _ in 0..2 {
            let tunnel = computer.connect("localhost", port).await.unwrap();
            let all = noise(3 << 20);
            let sent = all.clone();
            let writing = async {
                tunnel.input.write(sent).await.unwrap();
                tunnel.input.finish().await.unwrap();
            };
            let reading = tunnel.output.map(|bytes| bytes.unwrap().to_vec()).concat();
            let ((), back) = timeout(PATIENCE, async { tokio::join!(writing, reading) })
                .await
                .unwrap();
            assert!(back[..] == [&all[..], b"bye"].concat());
        }
        let nobody = computer.connect("localhost", 1).await.map(drop);
        assert!(
            matches!(nobody, Err(SandboxError::Refused(_))),
            "{nobody:?}"
        );
        let elsewhere = computer.connect("example.com", 80).await.map(drop);
        assert!(matches!(elsewhere, Err(SandboxError::Refused(_))));
        // A port of the host is none of the sprite.
        let outside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = outside.local_addr().unwrap().port();
        assert!(
            computer
                .listening()
                .await
                .unwrap()
                .iter()
                .all(|one| one.port != host)
        );
        let reached = computer.connect("127.0.0.1", host).await.map(drop);
        assert!(matches!(reached, Err(SandboxError::Refused(_))), "{tier}");
        bench.host.shutdown().await;
    }
}
