//! Processes of their own, beside the kept shells.

use crate::support::{Bench, bench, nap, output, sprite};
use bytes::{Bytes, BytesMut};
use domain::sprite::SandboxTier;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Command, Exit, OutputStream, ProcessEvent, ProcessOutput, SandboxError,
    SandboxHost as _, Sprite, TerminalSize,
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

macro_rules! processes {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use super::{SandboxTier, bench};
            use ports::sandbox::SandboxHost as _;

            #[tokio::test]
            async fn in_namespaces() {
                check(SandboxTier::Namespaces).await;
            }

            #[tokio::test]
            async fn under_landlock() {
                check(SandboxTier::Landlock).await;
            }

            #[tokio::test]
            async fn plain() {
                check(SandboxTier::Plain).await;
            }

            async fn check(tier: SandboxTier) {
                if let Some(bench) = bench(tier).await {
                    super::$name(&bench).await;
                    bench.host.shutdown().await;
                }
            }
        }
    )*};
}

processes!(
    a_terminal_has_a_size_and_echoes,
    arguments_and_variables_pass_unchanged,
    bursts_arrive_whole,
    exit_codes_and_signals_are_told,
    five_megabytes_pass_both_ways,
    input_ends_when_it_is_closed,
    signals_reach_the_process_group,
    silence_is_no_end,
    what_cannot_be_started_ends_as_in_shells,
);

mod kept;

const PATIENCE: Duration = Duration::from_secs(50);

fn computer(bench: &Bench) -> Arc<dyn Sprite> {
    bench.host.sprite(sprite(1))
}

fn command(arguments: &[&str]) -> Command {
    Command {
        program: None,
        arguments: arguments.iter().map(|&argument| argument.into()).collect(),
        environment: vec![],
        directory: None,
        terminal: None,
        input: false,
        linger: None,
    }
}

fn script(script: &str) -> Command {
    command(&["bash", "-c", &script.replace("sleep 1000", &nap())])
}

fn with_input(command: Command) -> Command {
    let input = true;
    Command { input, ..command }
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    exit: Exit,
    stdout: Bytes,
    stderr: Bytes,
}

/// Reads to the end.
async fn rest(mut output: ProcessOutput) -> Result<Outcome, SandboxError> {
    let (mut stdout, mut stderr) = (BytesMut::new(), BytesMut::new());
    let reading = async {
        loop {
            match output.next().await.expect("an end")? {
                ProcessEvent::Output(OutputStream::Stdout, bytes) => stdout.extend(bytes),
                ProcessEvent::Output(OutputStream::Stderr, bytes) => stderr.extend(bytes),
                ProcessEvent::Ended(exit) => {
                    assert!(output.next().await.is_none());
                    return Ok::<_, SandboxError>(exit);
                }
            }
        }
    };
    let exit = timeout(PATIENCE, reading).await.expect("it ends in time")?;
    Ok(Outcome {
        exit,
        stdout: stdout.freeze(),
        stderr: stderr.freeze(),
    })
}

/// Reads until standard output has a text in it.
async fn until(output: &mut ProcessOutput, text: &str) -> String {
    let mut all = Vec::new();
    let reading = async {
        loop {
            match output.next().await {
                Some(Ok(ProcessEvent::Output(_, bytes))) => all.extend(bytes),
                other => panic!("{text} did not come: {other:?}"),
            }
            let seen = String::from_utf8_lossy(&all).into_owned();
            if seen.contains(text) {
                return seen;
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("it comes in time")
}

async fn run(computer: &Arc<dyn Sprite>, command: Command) -> Outcome {
    let attached = computer.start(command).await.unwrap();
    rest(attached.output).await.unwrap()
}

async fn text(computer: &Arc<dyn Sprite>, command: Command) -> String {
    let outcome = run(computer, command).await;
    assert_eq!(outcome.exit, Exit::Code(0), "{outcome:?}");
    String::from_utf8(outcome.stdout.to_vec()).unwrap()
}

/// How many processes of this test run, as the sandbox sees it.
async fn napping(bench: &Bench) -> String {
    output(&*bench.sandbox, "pgrep -fc '^sleep 1000$'; true").await
}

/// What is there in the end, or panics.
async fn eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looking)
        .await
        .expect("it happens in time")
}

async fn exit_codes_and_signals_are_told(bench: &Bench) {
    let computer = computer(bench);
    for (source, exit) in [
        ("exit 0", Exit::Code(0)),
        ("exit 3", Exit::Code(3)),
        ("exit 255", Exit::Code(255)),
        ("kill -TERM $$", Exit::Signal(15)),
        ("kill -KILL $$", Exit::Signal(9)),
    ] {
        let ended = run(
            &computer,
            script(&format!("echo out; echo err >&2; {source}")),
        )
        .await;
        let expected = Outcome {
            exit,
            stdout: "out\n".into(),
            stderr: "err\n".into(),
        };
        assert_eq!(ended, expected, "{source}");
    }
    let named = Command {
        program: Some("bash".into()),
        ..command(&["zero", "-c", "echo $0; pwd; ps -o pid=,pgid=,sid= -p $$"])
    };
    let said = text(&computer, named).await;
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("zero"));
    let home = output(&*bench.sandbox, "echo $HOME").await;
    assert_eq!(lines.next(), Some(home.trim_end()));
    // It leads a group and a session of its own.
    let numbers: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert!(numbers.iter().all(|one| *one == numbers[0]), "{numbers:?}");
}

async fn what_cannot_be_started_ends_as_in_shells(bench: &Bench) {
    let computer = computer(bench);
    let make = "echo text > plain; printf '#!/no/such\\n' > broken; chmod +x broken; printf 'echo $0 ran' > bare; chmod +x bare; mkdir -p sub";
    output(&*bench.sandbox, make).await;
    let inside = |directory: &str| Command {
        directory: Some(directory.into()),
        ..command(&["true"])
    };
    for (command, code, said) in [
        (command(&["nosuch"]), 127, "nosuch: command not found\n"),
        (command(&[""]), 127, ": command not found\n"),
        (command(&["./no"]), 127, "./no: no such file or directory\n"),
        (command(&["./plain"]), 126, "./plain: permission denied\n"),
        (command(&["./sub"]), 126, "./sub: it is a directory\n"),
        (
            command(&["./broken"]),
            127,
            "./broken: its interpreter is missing\n",
        ),
        (
            inside("nowhere"),
            126,
            "nowhere: No such file or directory (os error 2)\n",
        ),
        (
            inside("plain"),
            126,
            "plain: Not a directory (os error 20)\n",
        ),
    ] {
        let ended = run(&computer, command.clone()).await;
        assert_eq!(ended.exit, Exit::Code(code), "{command:?}");
        assert_eq!(ended.stderr, said, "{command:?}");
    }
    // The system cannot execute it, a shell can.
    let said = text(&computer, command(&["./bare"])).await;
    assert!(said.ends_with("/./bare ran\n"), "{said}");
    let missing = computer.start(command(&[])).await.map(drop);
    assert!(matches!(missing, Err(SandboxError::Refused(_))));
    let nul = computer.start(command(&["echo", "a\0b"])).await.map(drop);
    assert!(matches!(nul, Err(SandboxError::Refused(_))));
}

async fn arguments_and_variables_pass_unchanged(bench: &Bench) {
    let computer = computer(bench);
    let hard = [
        "",
        " ",
        "it's \"quoted\"",
        "$(no) `no` $HOME \\",
        "*",
        "a\nb\r\n\t",
        "ümlaut \u{1f600} \u{200d}",
    ];
    let mut print = vec!["printf", "[%s]"];
    print.extend(hard);
    let printed = text(&computer, command(&print)).await;
    let expected = hard.map(|word| format!("[{word}]")).concat();
    assert_eq!(printed, expected);
    let huge = (0..8).map(|number| (format!("BIG{number}"), "x".repeat(64 << 10)));
    let given = Command {
        environment: huge
            .chain([
                ("ODD".into(), "a=b 'c' \u{1f600}".into()),
                ("PATH".into(), "/nowhere".into()),
            ])
            .collect(),
        ..command(&["env", "-0"])
    };
    let printed = text(&computer, given).await;
    let mut variables: Vec<_> = printed.split_terminator('\0').collect();
    variables.sort_unstable();
    assert!(variables.contains(&"ODD=a=b 'c' \u{1f600}") && variables.contains(&"PATH=/nowhere"));
    let big: usize = variables
        .iter()
        .filter(|one| one.starts_with("BIG"))
        .map(|one| one.len())
        .sum();
    assert_eq!(big, 8 * ((64 << 10) + 5));
    assert!(variables.iter().any(|one| one.starts_with("HOME=/")));
    let sub = Command {
        directory: Some("sub dir".into()),
        ..command(&["pwd"])
    };
    output(&*bench.sandbox, "mkdir 'sub dir'").await;
    assert!(text(&computer, sub).await.ends_with("/sub dir\n"));
}

async fn input_ends_when_it_is_closed(bench: &Bench) {
    let computer = computer(bench);
    assert_eq!(text(&computer, command(&["cat"])).await, "");
    let Attached { input, output, .. } = computer.start(command(&["cat"])).await.unwrap();
    let refused = input.write("x".into()).await;
    assert!(matches!(refused, Err(SandboxError::Refused(_))));
    rest(output).await.unwrap();
    let cat = with_input(script("cat; echo end"));
    let Attached {
        input, mut output, ..
    } = computer.start(cat).await.unwrap();
    input.write("one ".into()).await.unwrap();
    until(&mut output, "one ").await;
    input.write("two ".into()).await.unwrap();
    input.finish().await.unwrap();
    let ended = rest(output).await.unwrap();
    assert_eq!(
        (ended.exit, ended.stdout),
        (Exit::Code(0), "two end\n".into())
    );
    let late = input.write("three".into()).await;
    assert!(matches!(late, Err(SandboxError::Conflict(_))), "{late:?}");
    // One that reads nothing does not hold its writer up for ever.
    let Attached { input, output, .. } = computer
        .start(with_input(script("exec <&-; read -r; echo over")))
        .await
        .unwrap();
    let written = async {
        for _ in 0..32 {
            input.write(vec![0; 64 << 10].into()).await.unwrap_or(());
        }
    };
    let ((), ended) = tokio::join!(written, rest(output));
    assert_eq!(ended.unwrap().stdout, "over\n");
}

/// Bytes without a pattern.
fn noise(length: usize) -> Bytes {
    let mut state = 7_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

async fn five_megabytes_pass_both_ways(bench: &Bench) {
    let computer = computer(bench);
    let all = noise(5 << 20);
    let Attached { input, output, .. } =
        computer.start(with_input(command(&["cat"]))).await.unwrap();
    let sent = all.clone();
    let writing = async {
        input.write(sent).await.unwrap();
        input.finish().await.unwrap();
    };
    let ((), ended) = tokio::join!(writing, rest(output));
    assert!(ended.unwrap().stdout == all);
}

async fn bursts_arrive_whole(bench: &Bench) {
    let computer = computer(bench);
    let all = noise(3 << 20);
    bench
        .sandbox
        .write_file("noise", all.clone())
        .await
        .unwrap();
    let ended = run(&computer, script("cat noise; cat noise >&2; exit 7")).await;
    assert_eq!(ended.exit, Exit::Code(7));
    assert!(ended.stdout == all && ended.stderr == all);
}

async fn silence_is_no_end(bench: &Bench) {
    let computer = computer(bench);
    assert_eq!(text(&computer, script("sleep 3; echo end")).await, "end\n");
}

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

async fn a_terminal_has_a_size_and_echoes(bench: &Bench) {
    let computer = computer(bench);
    let on_terminal = |size, source: &str| Command {
        terminal: Some(size),
        ..with_input(script(source))
    };
    let size = TerminalSize::default();
    let asked =
        "stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && : > /dev/tty && echo $TERM; echo err >&2";
    let said = text(&computer, on_terminal(size, asked)).await;
    assert_eq!(said, "24 80\r\nxterm-256color\r\nerr\r\n");
    let wide = TerminalSize {
        rows: 50,
        columns: 132,
    };
    let source = "trap 'stty size; exit 3' WINCH; stty size; sleep 1000 & wait";
    let Attached {
        input,
        mut output,
        process,
    } = computer.start(on_terminal(wide, source)).await.unwrap();
    assert!(process.terminal);
    until(&mut output, "50 132\r\n").await;
    input
        .resize(TerminalSize {
            rows: 10,
            columns: 20,
        })
        .await
        .unwrap();
    let ended = rest(output).await.unwrap();
    assert_eq!(
        (ended.exit, ended.stdout),
        (Exit::Code(3), "10 20\r\n".into())
    );
    let Attached {
        input, mut output, ..
    } = computer.start(on_terminal(size, "cat")).await.unwrap();
    input.write("typed\n".into()).await.unwrap();
    // Once the terminal echoes it, once cat says it.
    until(&mut output, "typed\r\ntyped\r\n").await;
    input.finish().await.unwrap();
    input.write("\x04".into()).await.unwrap();
    assert_eq!(rest(output).await.unwrap().exit, Exit::Code(0));
    let Attached {
        input, mut output, ..
    } = computer
        .start(on_terminal(size, "echo go; exec sleep 1000"))
        .await
        .unwrap();
    until(&mut output, "go").await;
    input.write("\x03".into()).await.unwrap();
    assert_eq!(rest(output).await.unwrap().exit, Exit::Signal(2));
    let Attached { input, .. } = computer.start(command(&["cat"])).await.unwrap();
    let refused = input.resize(size).await;
    assert!(matches!(refused, Err(SandboxError::Refused(_))));
}
