//! Kept shells: state, marks, timeouts and what background processes may do.

use crate::machine::Habit;
use crate::support::{Kept, bench, lost, output, refused, request, run, script, shell};
use ports::sandbox::{ExecOutcome, Exit, OutputSink, OutputStream};
use std::time::Duration;

const fn kept(code: i32) -> ExecOutcome {
    ExecOutcome {
        exit: Exit::Code(code),
        shell_reset: false,
    }
}

const TIMED_OUT: ExecOutcome = ExecOutcome {
    exit: Exit::TimedOut,
    shell_reset: false,
};

#[tokio::test]
async fn state_is_kept_between_commands() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    output(
        sprite,
        "mkdir -p d && cd d && x=1 && export Y=2 && f() { echo f$1; }",
    )
    .await;
    let (outcome, said) = script(
        sprite,
        "basename \"$PWD\"; echo $x $(printenv Y); f 3; false",
    )
    .await;
    assert_eq!((outcome, said.stdout()), (kept(1), "d\n1 2\nf3\n".into()));
    assert_eq!(output(sprite, "echo $?").await, "1\n");
    assert_eq!(output(sprite, "declare z=4; break; continue").await, "");
    assert_eq!(output(sprite, "set -u; echo $z").await, "4\n");
    assert_eq!(output(sprite, "").await, "");
    assert_eq!(bench.machine.kept.lock().unwrap().started.len(), 1);
}

#[tokio::test]
async fn output_is_exact_and_apart() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    let (outcome, said) = script(
        sprite,
        "printf 'a\\036b'; echo err >&2; cat; head -c 300000 /dev/zero",
    )
    .await;
    assert_eq!((outcome, said.stderr()), (kept(0), "err\n".into()));
    let out = said.stdout.lock().unwrap().clone();
    assert_eq!((out.len(), &out[..3]), (300_003, b"a\x1eb".as_slice()));
    let text =
        "cat <<'EOF'\n'\"`$(no)\\ \u{1f600} ümlaut\n\tEOF\n124\nEOF\necho \"it's\" '\"' \\\\";
    let expected = "'\"`$(no)\\ \u{1f600} ümlaut\n\tEOF\n124\nit's \" \\\n";
    assert_eq!(output(sprite, text).await, expected);
    let long = format!("echo {}\necho \"é\"\n\n", "x".repeat(2 << 20));
    assert_eq!(output(sprite, &long).await.len(), (2 << 20) + 4);
    let nul = sprite.exec(request("echo \0"), &Kept::default()).await;
    assert!(refused(nul).contains("NUL"));
}

#[tokio::test]
async fn errors_are_those_of_the_command() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    let (outcome, said) = script(sprite, "nosuch").await;
    assert_eq!(
        (outcome, said.stderr()),
        (
            kept(127),
            "bash: line 1: nosuch: command not found\n".into()
        )
    );
    output(sprite, "x=1").await;
    for text in ["if then", "echo 'open", "cat <<EOF\nopen", "$(", ")"] {
        assert!(!script(sprite, text).await.0.shell_reset, "{text}");
    }
    assert_eq!(output(sprite, "echo $x").await, "1\n");
    let names = output(sprite, "env | cut -d= -f1 | grep -v '^_$' | sort | xargs").await;
    assert_eq!(
        names,
        "HOME LANG LOGNAME PATH PWD SHELL SHLVL TERM TMPDIR USER\n"
    );
    // None of the loop's own are seen, only what the server gives every program.
    let list = "ls /proc/self/fd | xargs";
    let plain = run(&bench, &["sh", "-c", list]).await.unwrap();
    assert_eq!(output(sprite, list).await.as_bytes(), plain.stdout);
    let forged = "for n in 3 4 5 6 7; do echo 9 >&$n; done 2>/dev/null; echo 9; echo real";
    assert_eq!(output(sprite, forged).await, "9\nreal\n");
}

#[tokio::test]
async fn leaving_the_shell_resets_it() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    for text in [
        "echo a; exit 5",
        "set -e; echo a; (exit 5); echo no",
        "exec sh -c 'echo a; exit 5'",
    ] {
        output(sprite, "x=1").await;
        let (outcome, said) = script(sprite, text).await;
        let left = ExecOutcome {
            exit: Exit::Code(5),
            shell_reset: true,
        };
        assert_eq!((outcome, said.stdout()), (left, "a\n".into()), "{text}");
        assert_eq!(output(sprite, "echo ${x-gone}").await, "gone\n");
    }
    let (outcome, _) = script(sprite, "kill -9 $$").await;
    assert_eq!((outcome.exit, outcome.shell_reset), (Exit::Signal(9), true));
}

#[tokio::test]
async fn background_processes_hold_nothing_up() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    let (outcome, said) = script(
        sprite,
        "yes flood & echo $! > pid; sleep 1000 & printf done >&2",
    )
    .await;
    assert_eq!((outcome, said.stderr()), (kept(0), "done".into()));
    assert_eq!(script(sprite, "echo next").await.0, kept(0));
    output(sprite, "kill $(cat pid); wait $(cat pid); true").await;
    assert_eq!(output(sprite, "echo clean").await, "clean\n");
    sprite.close_shell(shell(11)).await.unwrap();
}

#[tokio::test]
async fn timeouts_keep_the_shell_and_skip_the_rest() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    output(
        sprite,
        "x=1; f() { sleep 1000; echo no; }; sleep 1000 & echo $! > pid; sleep 0.05",
    )
    .await;
    let texts = [
        "sleep 1000; echo no",
        "f; echo no",
        "while :; do :; done; echo no",
        "for i in 1 2 3; do sleep 1000; done; echo no",
        "sleep 1000 | cat && echo no || echo no",
        "x=2; trap '' TERM; (trap '' TERM; while :; do sleep 0.01; done); echo no",
    ];
    for text in texts {
        let said = Kept::default();
        let mut exec = request(text);
        exec.timeout = Duration::from_millis(50);
        let outcome = sprite.exec(exec, &said).await.unwrap();
        assert_eq!(
            (outcome, said.stdout()),
            (TIMED_OUT, String::new()),
            "{text}"
        );
    }
    assert_eq!(output(sprite, "echo $x").await, "2\n");
    // What an earlier command left in the background is still there, and nothing else.
    assert_eq!(
        output(sprite, "pgrep -P $$ -x sleep; cat pid")
            .await
            .lines()
            .count(),
        2
    );
    sprite.close_shell(shell(11)).await.unwrap();
}

#[tokio::test]
async fn a_shell_that_does_not_listen_is_replaced() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    for text in ["exec sleep 1000", "trap '' RTMAX; x=1; while :; do :; done"] {
        let mut exec = request(text);
        exec.timeout = Duration::from_millis(50);
        let outcome = sprite.exec(exec, &Kept::default()).await.unwrap();
        assert_eq!(
            (outcome.exit, outcome.shell_reset),
            (Exit::TimedOut, true),
            "{text}"
        );
        assert_eq!(output(sprite, "echo ${x-gone}").await, "gone\n");
    }
    for microseconds in [0, 200, 1000, 4000] {
        let mut exec = request("sleep 1000");
        exec.shell = shell(20 + u128::from(microseconds));
        exec.timeout = Duration::from_micros(microseconds);
        let outcome = sprite.exec(exec, &Kept::default()).await.unwrap();
        assert_eq!(outcome.exit, Exit::TimedOut);
    }
}

#[tokio::test]
async fn dropping_a_command_ends_its_processes() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    output(sprite, "x=1").await;
    let said = Kept::default();
    let text = "(setsid sh -c 'trap \"\" TERM; echo $$ > pid; echo started; sleep 1000') & sleep 1000; echo no";
    tokio::select! {
        outcome = sprite.exec(request(text), &said) => panic!("{outcome:?}"),
        () = said.until("started") => {}
    }
    assert_eq!(
        output(
            sprite,
            "echo $x; ps -o pid= $(cat pid); pgrep -P $$ -c -x sleep; true"
        )
        .await,
        "1\n0\n"
    );
}

#[tokio::test]
async fn closing_a_shell_ends_it_and_what_it_started() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    output(sprite, "(setsid sh -c 'trap \"\" TERM HUP; echo $$ > pid; sleep 1000') & until [ -s pid ]; do :; done").await;
    let said = Kept::default();
    let text = "echo on; sleep 1000";
    let mut other = request(text);
    other.shell = shell(12);
    let running = sprite.exec(other, &said);
    let closing = async {
        said.until("on").await;
        sprite.close_shell(shell(12)).await.unwrap();
    };
    let (ended, ()) = tokio::join!(running, closing);
    assert!(lost(ended).contains("closed"));
    sprite.close_shell(shell(11)).await.unwrap();
    sprite.close_shell(shell(11)).await.unwrap();
    assert_eq!(
        output(sprite, "ps -o stat= $(cat pid) | grep -v Z; true").await,
        ""
    );
}

#[tokio::test]
async fn slow_readers_slow_the_command() {
    struct Stuck(tokio::sync::Notify);
    #[async_trait::async_trait]
    impl OutputSink for Stuck {
        async fn write(&self, _: OutputStream, _: &[u8]) {
            self.0.notify_one();
            std::future::pending::<()>().await;
        }
    }
    let bench = bench().await;
    let sprite = &*bench.sprite;
    let stuck = Stuck(tokio::sync::Notify::new());
    let flood = sprite.exec(
        request("head -c 50000000 /dev/zero; echo no > finished"),
        &stuck,
    );
    tokio::select! {
        outcome = flood => panic!("{outcome:?}"),
        () = stuck.0.notified() => {}
    }
    assert_eq!(
        output(sprite, "ls finished 2>/dev/null; echo fine").await,
        "fine\n"
    );
}

#[tokio::test]
async fn a_cut_does_not_show_in_a_command() {
    let bench = bench().await;
    let sprite = &*bench.sprite;
    // Between the marks the connection breaks several times.
    bench.machine.behave(|it| {
        it.habits.insert(Habit::TellsReplay);
        it.cuts.extend([4, 3, 6]);
    });
    let text = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done; x=5";
    assert_eq!(output(sprite, text).await, "1\n2\n3\n4\n5\n6\n");
    assert_eq!(output(sprite, "echo $x").await, "5\n");
    let kept = bench.machine.kept.lock().unwrap();
    assert_eq!(kept.started.len(), 1);
    assert!(kept.requests.iter().any(|it| it.ends_with("/exec/1")));
}
