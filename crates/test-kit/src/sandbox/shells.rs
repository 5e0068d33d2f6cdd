//! Kept shells: what goes in and comes out, and what stays.

use super::{
    Harness,
    support::{Kept, SHELL, output, refused, request, run},
};
use bytes::Bytes;
use ports::sandbox::{ExecOutcome, Exit};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

const KEPT: fn(i32) -> ExecOutcome = |code| ExecOutcome {
    exit: Exit::Code(code),
    shell_reset: false,
};

/// Whatever the bytes are.
pub async fn any_bytes_survive_files_and_commands(h: &mut Harness) {
    let mut inputs: Vec<Vec<u8>> = vec![
        vec![],
        b"no end".to_vec(),
        b"\0\0".to_vec(),
        b"\r\n\r\n".to_vec(),
        b"0\n124\n__sprite_done 0\n".to_vec(),
        (0..=255).collect(),
    ];
    let mut runner = TestRunner::deterministic();
    let bytes = prop::collection::vec(any::<u8>(), 0..200_000);
    inputs.extend((0..24).map(|_| bytes.new_tree(&mut runner).unwrap().current()));
    for input in inputs {
        h.sprite
            .write_file("data", Bytes::from(input.clone()))
            .await
            .unwrap();
        let (outcome, kept) = run(h.sprite.as_ref(), "cat data; cat data >&2").await;
        assert_eq!(outcome, KEPT(0));
        assert!(*kept.stdout.lock().unwrap() == input);
        assert!(*kept.stderr.lock().unwrap() == input);
        output(h.sprite.as_ref(), "cp data copy").await;
        assert!(h.sprite.read_file("copy", 1 << 20).await.unwrap() == input);
    }
}

/// Directory, variables, functions and the last exit code.
pub async fn state_is_kept_between_commands(h: &mut Harness) {
    output(
        h.sprite.as_ref(),
        "mkdir -p d && cd d && x=1 && export Y=2 && f() { echo f$1; }",
    )
    .await;
    let script = "basename \"$PWD\"; echo $x $(printenv Y); f 3; false";
    let (outcome, kept) = run(h.sprite.as_ref(), script).await;
    assert_eq!((outcome, kept.stdout()), (KEPT(1), "d\n1 2\nf3\n".into()));
    assert_eq!(output(h.sprite.as_ref(), "echo $?").await, "1\n");
    assert_eq!(
        output(h.sprite.as_ref(), "declare z=4; break; continue").await,
        ""
    );
    assert_eq!(output(h.sprite.as_ref(), "set -u; echo $z").await, "4\n");
    assert_eq!(output(h.sprite.as_ref(), "").await, "");
}

/// Also those of the shell itself.
pub async fn exit_codes_and_signals_are_reported(h: &mut Harness) {
    for (script, code) in [
        ("true", 0),
        ("(exit 255)", 255),
        ("sh -c 'kill -9 $$'", 137),
    ] {
        assert_eq!(
            run(h.sprite.as_ref(), script).await.0,
            KEPT(code),
            "{script}"
        );
    }
    let (outcome, kept) = run(h.sprite.as_ref(), "nosuch").await;
    assert_eq!(outcome, KEPT(127));
    assert_eq!(kept.stderr(), "bash: line 1: nosuch: command not found\n");
    let (outcome, _) = run(h.sprite.as_ref(), "kill -9 $$").await;
    let signalled = ExecOutcome {
        exit: Exit::Signal(9),
        shell_reset: true,
    };
    assert_eq!(outcome, signalled);
}

/// However it is left.
pub async fn leaving_the_shell_resets_it(h: &mut Harness) {
    for script in [
        "echo a; exit 5",
        "set -e; echo a; (exit 5); echo no",
        "exec sh -c 'echo a; exit 5'",
    ] {
        output(h.sprite.as_ref(), "x=1").await;
        let (outcome, kept) = run(h.sprite.as_ref(), script).await;
        let left = ExecOutcome {
            exit: Exit::Code(5),
            shell_reset: true,
        };
        assert_eq!((outcome, kept.stdout()), (left, "a\n".into()), "{script}");
        assert_eq!(output(h.sprite.as_ref(), "echo ${x-gone}").await, "gone\n");
    }
}

/// Without waiting for the end of a line.
pub async fn output_is_split_by_stream(h: &mut Harness) {
    let (_, kept) = run(h.sprite.as_ref(), "echo out; echo err >&2; printf end").await;
    assert_eq!(
        (kept.stdout(), kept.stderr()),
        ("out\nend".into(), "err\n".into())
    );
}

/// At any length; a NUL is refused.
pub async fn quotes_and_unicode_reach_bash_unchanged(h: &mut Harness) {
    let script = "cat <<'EOF'\n'\"`$(no)\\ \u{1f600} ümlaut\u{200d}\n\tEOF\n124\nEOF\necho \"it's\" '\"' \\\\";
    let expected = "'\"`$(no)\\ \u{1f600} ümlaut\u{200d}\n\tEOF\n124\nit's \" \\\n";
    assert_eq!(output(h.sprite.as_ref(), script).await, expected);
    let long = format!("echo {}", "x".repeat(2 << 20));
    assert_eq!(output(h.sprite.as_ref(), &long).await.len(), (2 << 20) + 1);
    let nul = h
        .sprite
        .exec(request(SHELL, "echo \0"), &Kept::default())
        .await;
    assert!(refused(nul).contains("NUL"));
}

/// Also those that would swallow what follows.
pub async fn syntax_errors_leave_the_shell_alive(h: &mut Harness) {
    output(h.sprite.as_ref(), "x=1").await;
    for script in ["if then", "echo 'open", "cat <<EOF\nopen", "$(", ")"] {
        let (outcome, _) = run(h.sprite.as_ref(), script).await;
        assert!(!outcome.shell_reset, "{script}");
    }
    assert_eq!(output(h.sprite.as_ref(), "echo $x").await, "1\n");
}

/// Whatever they write wherever.
pub async fn commands_cannot_forge_their_end(h: &mut Harness) {
    let script = "for n in 3 4 5 6 7; do echo 9 >&$n; done 2>/dev/null; echo 9; echo real";
    let (outcome, kept) = run(h.sprite.as_ref(), script).await;
    assert_eq!((outcome, kept.stdout()), (KEPT(0), "9\nreal\n".into()));
}

/// Two that wait for each other come to their end.
pub async fn shells_are_apart_and_run_side_by_side(h: &mut Harness) {
    output(h.sprite.as_ref(), "x=1; mkfifo pipe").await;
    let (one, two) = (Kept::default(), Kept::default());
    let (first, second) = tokio::join!(
        h.sprite.exec(request(SHELL, "cat pipe; echo $x"), &one),
        h.sprite.exec(request(12, "echo ${x-none} > pipe"), &two),
    );
    assert_eq!((first.unwrap(), second.unwrap()), (KEPT(0), KEPT(0)));
    assert_eq!(one.stdout(), "none\n1\n");
    assert!(refused(h.sprite.read_file("pipe", 10).await).contains("not a regular file"));
}
