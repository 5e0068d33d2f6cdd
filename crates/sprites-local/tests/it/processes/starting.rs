//! How a process starts, what it is given, and how its end is told.

use super::{Outcome, command, computer, rest, run, script, text, with_input};
use crate::support::{Bench, bench, output};
use domain::sprite::SandboxTier;
use ports::sandbox::{Command, Exit, SandboxError, SandboxHost as _};

processes!(
    arguments_and_variables_pass_unchanged,
    exit_codes_and_signals_are_told,
    what_cannot_be_started_ends_as_in_shells,
);

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
