//! What every sandbox does, whatever its tier.

use crate::support::{Kept, SHELL, bench, nap, output, refused, request, run, shell};
use bytes::Bytes;
use domain::sprite::SandboxTier;
use ports::sandbox::{EntryKind, ExecOutcome, Exit, GrepRequest, Sandbox, SandboxError};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use std::{sync::Arc, time::Duration};

macro_rules! contract {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use super::{SandboxTier, bench};

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
                    super::$name(&bench.sandbox).await;
                }
            }
        }
    )*};
}

contract!(
    any_bytes_survive_files_and_commands,
    background_processes_do_not_hold_a_command_up,
    background_processes_survive_a_later_timeout,
    binary_files_are_not_searched,
    closing_a_shell_ends_what_it_started,
    commands_cannot_forge_their_end,
    dropping_a_command_ends_its_processes,
    exit_codes_and_signals_are_reported,
    fifty_megabytes_pass_unchanged,
    files_are_found_by_name_and_content,
    files_that_are_not_there_are_told_apart,
    leaving_the_shell_resets_it,
    modes_and_links_survive_a_write,
    output_is_split_by_stream,
    quotes_and_unicode_reach_bash_unchanged,
    shells_are_apart_and_run_side_by_side,
    slow_readers_slow_the_command,
    state_is_kept_between_commands,
    syntax_errors_leave_the_shell_alive,
    the_environment_is_made_from_scratch,
    timeouts_keep_the_shell_and_skip_the_rest,
    timeouts_replace_a_shell_that_does_not_listen,
);

type Box_ = Arc<dyn Sandbox>;

const KEPT: fn(i32) -> ExecOutcome = |code| ExecOutcome {
    exit: Exit::Code(code),
    shell_reset: false,
};

async fn any_bytes_survive_files_and_commands(sandbox: &Box_) {
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
        sandbox
            .write_file("data", Bytes::from(input.clone()))
            .await
            .unwrap();
        let (outcome, kept) = run(&**sandbox, "cat data; cat data >&2").await;
        assert_eq!(outcome, KEPT(0));
        assert!(*kept.stdout.lock().unwrap() == input);
        assert!(*kept.stderr.lock().unwrap() == input);
        output(&**sandbox, "cp data copy").await;
        assert!(sandbox.read_file("copy", 1 << 20).await.unwrap() == input);
    }
}

async fn fifty_megabytes_pass_unchanged(sandbox: &Box_) {
    const SIZE: usize = 50 << 20;
    let mut state = 1_u32;
    let all: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(SIZE)
    .collect();
    let all = Bytes::from(all);
    sandbox.write_file("big", all.clone()).await.unwrap();
    let (outcome, kept) = run(&**sandbox, "cat big").await;
    assert_eq!(outcome, KEPT(0));
    assert!(*kept.stdout.lock().unwrap() == all);
    assert!(sandbox.read_file("big", SIZE as u64).await.unwrap() == all);
    let text = refused(sandbox.read_file("big", 1000).await);
    assert_eq!(
        text,
        "big: the file has 52428800 bytes, more than the 1000 allowed here"
    );
}

async fn state_is_kept_between_commands(sandbox: &Box_) {
    output(
        &**sandbox,
        "mkdir -p d && cd d && x=1 && export Y=2 && f() { echo f$1; }",
    )
    .await;
    let script = "basename \"$PWD\"; echo $x $(printenv Y); f 3; false";
    let (outcome, kept) = run(&**sandbox, script).await;
    assert_eq!((outcome, kept.stdout()), (KEPT(1), "d\n1 2\nf3\n".into()));
    assert_eq!(output(&**sandbox, "echo $?").await, "1\n");
    assert_eq!(output(&**sandbox, "declare z=4; break; continue").await, "");
    assert_eq!(output(&**sandbox, "set -u; echo $z").await, "4\n");
    assert_eq!(output(&**sandbox, "").await, "");
}

async fn exit_codes_and_signals_are_reported(sandbox: &Box_) {
    for (script, code) in [
        ("true", 0),
        ("(exit 255)", 255),
        ("sh -c 'kill -9 $$'", 137),
    ] {
        assert_eq!(run(&**sandbox, script).await.0, KEPT(code), "{script}");
    }
    let (outcome, kept) = run(&**sandbox, "nosuch").await;
    assert_eq!(outcome, KEPT(127));
    assert_eq!(kept.stderr(), "bash: line 1: nosuch: command not found\n");
    let (outcome, _) = run(&**sandbox, "kill -9 $$").await;
    let signalled = ExecOutcome {
        exit: Exit::Signal(9),
        shell_reset: true,
    };
    assert_eq!(outcome, signalled);
}

async fn leaving_the_shell_resets_it(sandbox: &Box_) {
    for script in [
        "echo a; exit 5",
        "set -e; echo a; (exit 5); echo no",
        "exec sh -c 'echo a; exit 5'",
    ] {
        output(&**sandbox, "x=1").await;
        let (outcome, kept) = run(&**sandbox, script).await;
        let left = ExecOutcome {
            exit: Exit::Code(5),
            shell_reset: true,
        };
        assert_eq!((outcome, kept.stdout()), (left, "a\n".into()), "{script}");
        assert_eq!(output(&**sandbox, "echo ${x-gone}").await, "gone\n");
    }
}

async fn output_is_split_by_stream(sandbox: &Box_) {
    let (_, kept) = run(&**sandbox, "echo out; echo err >&2; printf end").await;
    assert_eq!(
        (kept.stdout(), kept.stderr()),
        ("out\nend".into(), "err\n".into())
    );
}

async fn quotes_and_unicode_reach_bash_unchanged(sandbox: &Box_) {
    let script = "cat <<'EOF'\n'\"`$(no)\\ \u{1f600} ümlaut\u{200d}\n\tEOF\n124\nEOF\necho \"it's\" '\"' \\\\";
    let expected = "'\"`$(no)\\ \u{1f600} ümlaut\u{200d}\n\tEOF\n124\nit's \" \\\n";
    assert_eq!(output(&**sandbox, script).await, expected);
    let long = format!("echo {}", "x".repeat(2 << 20));
    assert_eq!(output(&**sandbox, &long).await.len(), (2 << 20) + 1);
    let nul = sandbox
        .exec(request(SHELL, "echo \0"), &Kept::default())
        .await;
    assert!(refused(nul).contains("NUL"));
}

async fn syntax_errors_leave_the_shell_alive(sandbox: &Box_) {
    output(&**sandbox, "x=1").await;
    for script in ["if then", "echo 'open", "cat <<EOF\nopen", "$(", ")"] {
        let (outcome, _) = run(&**sandbox, script).await;
        assert!(!outcome.shell_reset, "{script}");
    }
    assert_eq!(output(&**sandbox, "echo $x").await, "1\n");
}

async fn the_environment_is_made_from_scratch(sandbox: &Box_) {
    let names = output(
        &**sandbox,
        "env | cut -d= -f1 | grep -v '^_$' | sort | xargs",
    )
    .await;
    assert_eq!(
        names,
        "HOME LANG LOGNAME PATH PWD SHELL SHLVL TERM TMPDIR USER\n"
    );
    let home = output(&**sandbox, "echo $HOME; pwd").await;
    assert_eq!(home, format!("{0}\n{0}\n", sandbox.home()));
    let inherited =
        "cat; ls /proc/self/fd | xargs; echo hi > \"$TMPDIR/t\" && cat \"$TMPDIR/t\" > /dev/stdout";
    assert_eq!(output(&**sandbox, inherited).await, "0 1 2 3\nhi\n");
}

async fn commands_cannot_forge_their_end(sandbox: &Box_) {
    let script = "for n in 3 4 5 6 7; do echo 9 >&$n; done 2>/dev/null; echo 9; echo real";
    let (outcome, kept) = run(&**sandbox, script).await;
    assert_eq!((outcome, kept.stdout()), (KEPT(0), "9\nreal\n".into()));
}

async fn background_processes_do_not_hold_a_command_up(sandbox: &Box_) {
    let script = "yes 'sleep 1000' & sleep 1000 & setsid sleep 1000 & printf done >&2";
    let (outcome, kept) = run(&**sandbox, script).await;
    assert_eq!((outcome, kept.stderr()), (KEPT(0), "done".into()));
    // The flood goes on and may show, but it does not hold anything up.
    assert_eq!(run(&**sandbox, "echo next").await.0, KEPT(0));
    let all = "until [ $(pgrep -fc '^(yes )?sleep 1000') = 3 ]; do :; done; while pkill -f '^(yes )?sleep 1000'; do :; done";
    assert_eq!(run(&**sandbox, all).await.0, KEPT(0));
    let clean = output(&**sandbox, "echo clean").await;
    assert!(
        clean == "clean\n",
        "{} bytes: {}",
        clean.len(),
        clean.get(..60).unwrap_or(&clean)
    );
}

async fn timeouts_keep_the_shell_and_skip_the_rest(sandbox: &Box_) {
    output(&**sandbox, "x=1; f() { sleep 1000; echo no; }").await;
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
        let outcome = sandbox.exec(exec, &kept).await.unwrap();
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
    assert_eq!(output(&**sandbox, "echo $x").await, "2\n");
    assert_eq!(
        output(&**sandbox, "pgrep -fc '^sleep 1000'; true").await,
        "0\n"
    );
}

async fn timeouts_replace_a_shell_that_does_not_listen(sandbox: &Box_) {
    // Before bash is ready it cannot listen, and it may be ready or not.
    for number in 20..40 {
        let mut exec = request(number, "sleep 1000");
        exec.timeout = Duration::from_micros(u64::try_from(number - 20).unwrap() * 200);
        let outcome = sandbox.exec(exec, &Kept::default()).await.unwrap();
        assert_eq!(outcome.exit, Exit::TimedOut);
        sandbox.close_shell(shell(number)).await.unwrap();
    }
    let mut exec = request(SHELL, "exec sleep 1000");
    exec.timeout = Duration::from_millis(50);
    let outcome = sandbox.exec(exec, &Kept::default()).await.unwrap();
    assert_eq!((outcome.exit, outcome.shell_reset), (Exit::TimedOut, true));
    let mut exec = request(SHELL, "trap '' RTMAX; x=1; while :; do :; done");
    exec.timeout = Duration::from_millis(50);
    let outcome = sandbox.exec(exec, &Kept::default()).await.unwrap();
    let replaced = ExecOutcome {
        exit: Exit::TimedOut,
        shell_reset: true,
    };
    assert_eq!(outcome, replaced);
    assert_eq!(output(&**sandbox, "echo ${x-gone}").await, "gone\n");
}

async fn background_processes_survive_a_later_timeout(sandbox: &Box_) {
    output(&**sandbox, "sleep 1000 & echo $! > pid; sleep 0.05").await;
    let mut exec = request(SHELL, "sleep 2000");
    exec.timeout = Duration::from_millis(50);
    sandbox.exec(exec, &Kept::default()).await.unwrap();
    assert_eq!(
        output(&**sandbox, "ps -o args= $(cat pid)").await,
        format!("{}\n", nap())
    );
}

async fn dropping_a_command_ends_its_processes(sandbox: &Box_) {
    output(&**sandbox, "x=1").await;
    let kept = Kept::default();
    let script = "(setsid sh -c 'trap \"\" TERM; echo started; sleep 1000') & sleep 1000; echo no";
    tokio::select! {
        outcome = sandbox.exec(request(SHELL, script), &kept) => panic!("{outcome:?}"),
        () = kept.until("started") => {}
    }
    assert_eq!(
        output(&**sandbox, "echo $x; pgrep -fc '^sleep 1000'; true").await,
        "1\n0\n"
    );
}

async fn closing_a_shell_ends_what_it_started(sandbox: &Box_) {
    let script = "sleep 1000 & (setsid sh -c 'trap \"\" TERM HUP; sleep 1000' &) ; echo ok";
    output(&**sandbox, script).await;
    let kept = Kept::default();
    let other = sandbox.exec(request(12, "sleep 1000"), &kept);
    tokio::select! {
        outcome = other => panic!("{outcome:?}"),
        () = async {
            sandbox.close_shell(shell(SHELL)).await.unwrap();
            sandbox.close_shell(shell(SHELL)).await.unwrap();
        } => {}
    }
    sandbox.close_shell(shell(12)).await.unwrap();
    let kept = Kept::default();
    sandbox
        .exec(request(13, "pgrep -fc '^sleep 1000'"), &kept)
        .await
        .unwrap();
    assert_eq!(kept.stdout(), "0\n");
}

async fn shells_are_apart_and_run_side_by_side(sandbox: &Box_) {
    output(&**sandbox, "x=1; mkfifo pipe").await;
    let (one, two) = (Kept::default(), Kept::default());
    let (first, second) = tokio::join!(
        sandbox.exec(request(SHELL, "cat pipe; echo $x"), &one),
        sandbox.exec(request(12, "echo ${x-none} > pipe"), &two),
    );
    assert_eq!((first.unwrap(), second.unwrap()), (KEPT(0), KEPT(0)));
    assert_eq!(one.stdout(), "none\n1\n");
    assert!(refused(sandbox.read_file("pipe", 10).await).contains("not a regular file"));
}

async fn slow_readers_slow_the_command(sandbox: &Box_) {
    struct Stuck(tokio::sync::Notify);
    #[async_trait::async_trait]
    impl ports::sandbox::OutputSink for Stuck {
        async fn write(&self, _: ports::sandbox::OutputStream, _: &[u8]) {
            self.0.notify_one();
            std::future::pending::<()>().await;
        }
    }
    let stuck = Stuck(tokio::sync::Notify::new());
    let script = "echo $BASHPID > flood; head -c 50000000 /dev/zero; echo no > finished";
    let flood = sandbox.exec(request(12, script), &stuck);
    tokio::select! {
        outcome = flood => panic!("{outcome:?}"),
        () = async {
            stuck.0.notified().await;
            // Other shells are not held up by it, and it stands still with its output in the way.
            let wait = "until grep -q pipe /proc/$(pgrep -x head)/wchan 2>/dev/null || [ $((++n)) -gt 50 ]; do sleep 0.01; done; ls finished";
            assert_eq!(run(&**sandbox, wait).await.0, KEPT(2));
        } => {}
    }
    assert_eq!(output(&**sandbox, "echo fine").await, "fine\n");
}

async fn files_that_are_not_there_are_told_apart(sandbox: &Box_) {
    let missing = sandbox.read_file("none/at all", 10).await;
    assert!(matches!(missing, Err(SandboxError::NotFound { path }) if path == "none/at all"));
    let missing = sandbox.list_directory("none").await;
    assert!(matches!(missing, Err(SandboxError::NotFound { .. })));
    sandbox
        .write_file("a/b/file", Bytes::from_static(b"x"))
        .await
        .unwrap();
    sandbox.create_directory("a/c/d").await.unwrap();
    sandbox.create_directory("a/c/d").await.unwrap();
    assert!(refused(sandbox.read_file("a", 10).await).contains("directory"));
    assert!(refused(sandbox.write_file("a", Bytes::new()).await).contains("directory"));
    assert!(refused(sandbox.create_directory("a/b/file").await).contains("file"));
    assert!(refused(sandbox.list_directory("a/b/file").await).contains("not a directory"));
    output(&**sandbox, "ln -s nowhere a/link").await;
    let entries = sandbox.list_directory("~/a").await.unwrap();
    let listed: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind))
        .collect();
    let expected = [
        ("b", EntryKind::Directory),
        ("c", EntryKind::Directory),
        ("link", EntryKind::Symlink),
    ];
    assert_eq!(listed, expected);
}

async fn modes_and_links_survive_a_write(sandbox: &Box_) {
    output(
        &**sandbox,
        "echo old > tool; chmod 750 tool; ln -s tool link",
    )
    .await;
    sandbox
        .write_file("link", Bytes::from_static(b"new\r\n"))
        .await
        .unwrap();
    let seen = output(
        &**sandbox,
        "stat -c '%a %F' tool; stat -c %F link; cat tool; ls -A | xargs",
    )
    .await;
    assert_eq!(seen, "750 regular file\nsymbolic link\nnew\r\nlink tool\n");
}

async fn files_are_found_by_name_and_content(sandbox: &Box_) {
    let script = "mkdir -p src/deep .hidden target .git && echo 'fn main() {}' > src/main.rs && echo 'fn Deep() {}' > src/deep/a.rs && echo fn > target/out.rs && echo target > .gitignore && echo fn > .git/x.rs && echo 'fn h' > .hidden/h.rs && echo text > src/b.txt";
    output(&**sandbox, script).await;
    let all = sandbox.glob("", "**/*.rs", 10).await.unwrap();
    assert_eq!(all.items, [".hidden/h.rs", "src/deep/a.rs", "src/main.rs"]);
    let some = sandbox.glob("src", "*", 2).await.unwrap();
    assert_eq!(
        (some.items, some.truncated),
        (vec!["src/b.txt".into(), "src/deep/".into()], true)
    );
    assert!(refused(sandbox.glob("", "[", 10).await).contains("bad glob"));
    let mut search = GrepRequest {
        pattern: "fn [a-z]+\\(".into(),
        path: ".".into(),
        glob: Some("src/**".into()),
        ignore_case: true,
        limit: 10,
    };
    let found = sandbox.grep(search.clone()).await.unwrap();
    let lines: Vec<_> = found
        .items
        .iter()
        .map(|found| (found.path.as_str(), found.line, found.text.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            ("src/deep/a.rs", 1, "fn Deep() {}"),
            ("src/main.rs", 1, "fn main() {}")
        ]
    );
    search.limit = 1;
    assert!(sandbox.grep(search.clone()).await.unwrap().truncated);
    search.path = "src/main.rs".into();
    assert_eq!(sandbox.grep(search.clone()).await.unwrap().items.len(), 1);
    search.pattern = "(".into();
    assert!(refused(sandbox.grep(search).await).contains("bad pattern"));
}

async fn binary_files_are_not_searched(sandbox: &Box_) {
    sandbox
        .write_file("bin", Bytes::from_static(b"needle\0\n"))
        .await
        .unwrap();
    let long = [
        "needle".as_bytes(),
        "y".repeat(3 << 20).as_bytes(),
        b"\r\n\xff",
    ]
    .concat();
    sandbox.write_file("long", long.into()).await.unwrap();
    let search = GrepRequest {
        pattern: "needle".into(),
        path: String::new(),
        glob: None,
        ignore_case: false,
        limit: 10,
    };
    let found = sandbox.grep(search).await.unwrap();
    let [found] = found.items.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (found.path.as_str(), found.text.chars().count()),
        ("long", 501)
    );
}
