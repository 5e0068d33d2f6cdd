//! Programs without a shell in between.

use super::{
    Harness,
    support::{
        code, eventually, execute, is_missing, nap, noise, output, program, read, script, until,
    },
};
use ports::sandbox::{Command, ProcessState, SandboxError, Sprite};
use std::time::Duration;

const TERM: i32 = 15;
const PATIENCE: Duration = Duration::from_secs(10);

fn with_input(mut command: Command) -> Command {
    command.input = true;
    command
}

async fn runs(sprite: &dyn Sprite) -> bool {
    let all = sprite.processes().await.unwrap();
    all.iter()
        .any(|process| process.state == ProcessState::Running)
}

/// Quotes, spaces, unicode, nothing at all; no shell reads them.
pub async fn arguments_reach_the_program_unchanged(h: &mut Harness) {
    let odd = [
        "a b",
        "it's",
        "\"q\"",
        "$HOME",
        "$(id)",
        "`id`",
        "\\",
        "\\n",
        "*",
        "-n",
        "",
        "\u{1f600} \u{e9}",
        "a\nb",
        "%s",
        "a&b=c#d+e",
    ];
    let mut arguments = vec!["printf", "%s|"];
    arguments.extend(odd);
    let ended = execute(h.sprite.as_ref(), program(&arguments)).await;
    assert_eq!(ended.text(), format!("{}|", odd.join("|")));
}

/// What is there stays, unless it is said anew.
pub async fn the_environment_is_added_to(h: &mut Harness) {
    let mut command = script("echo $HOME:$ODD:$LANG; command -v env");
    command.environment = [("ODD", "a b=c;\u{e9}"), ("LANG", "xx")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let ended = execute(h.sprite.as_ref(), command).await;
    let text = ended.text();
    assert!(
        text.contains(":a b=c;\u{e9}:xx\n") && text.starts_with('/'),
        "{text}"
    );
    assert!(text.ends_with("/env\n"), "{text}");
}

/// A hundred thousand bytes of it.
pub async fn a_huge_environment_arrives(h: &mut Harness) {
    let mut command = script("env | grep ^BIG | wc -c");
    command.environment = (0..100)
        .map(|number| (format!("BIG{number:02}"), "x".repeat(1_000)))
        .collect();
    let ended = execute(h.sprite.as_ref(), command).await;
    assert_eq!(ended.text().trim(), "100700");
}

/// A directory that is not there is told.
pub async fn it_starts_at_home_or_where_it_is_told(h: &mut Harness) {
    let home = output(h.sprite.as_ref(), "mkdir -p 'my work'; pwd").await;
    let mut command = program(&["pwd"]);
    assert_eq!(
        execute(h.sprite.as_ref(), command.clone()).await.text(),
        home
    );
    let below = format!("{}/my work", home.trim_end());
    command.directory = Some(below.clone());
    assert_eq!(
        execute(h.sprite.as_ref(), command.clone()).await.text(),
        format!("{below}\n")
    );
    command.directory = Some("/nowhere at all".to_owned());
    match h.sprite.start(command).await {
        Ok(attached) => assert_ne!(read(attached).await.code, 0),
        Err(error) => assert!(matches!(
            error,
            SandboxError::Refused(_) | SandboxError::NotFound { .. }
        )),
    }
}

/// All of them.
pub async fn exit_codes_are_reported(h: &mut Harness) {
    for expected in [0, 1, 7, 127, 255] {
        let command = script(&format!("exit {expected}"));
        assert_eq!(execute(h.sprite.as_ref(), command).await.code, expected);
    }
}

/// As 128 and its number.
pub async fn death_by_a_signal_is_reported(h: &mut Harness) {
    for signal in [9, 15] {
        let command = script(&format!("kill -{signal} $$"));
        assert_eq!(execute(h.sprite.as_ref(), command).await.code, 128 + signal);
    }
}

/// With the reason where errors go.
pub async fn a_missing_program_ends_with_127(h: &mut Harness) {
    for missing in ["no-such-program", "/no/such/program", "./none"] {
        let ended = execute(h.sprite.as_ref(), program(&[missing, "x"])).await;
        let reason = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.code, 127, "{missing}: {reason}");
        assert!(reason.contains(missing), "{reason}");
    }
}

/// A directory, a file without the right.
pub async fn what_cannot_be_executed_ends_with_126(h: &mut Harness) {
    output(h.sprite.as_ref(), "echo x > plain").await;
    for path in ["./plain", "/etc"] {
        let ended = execute(h.sprite.as_ref(), program(&[path])).await;
        assert_eq!(ended.code, 126, "{path}");
        assert!(!ended.stderr.is_empty());
    }
}

/// Five megabytes through a program and back, at once.
pub async fn input_arrives_whole_and_ends(h: &mut Harness) {
    let all = noise(5 << 20);
    let attached = h.sprite.start(with_input(program(&["cat"]))).await.unwrap();
    let input = attached.input.clone();
    let sent = all.clone();
    let (ended, ()) = tokio::join!(read(attached), async {
        input.write(sent).await.unwrap();
        input.finish().await.unwrap();
    });
    assert_eq!(ended.code, 0);
    assert!(
        ended.stdout == all,
        "{} bytes came back",
        ended.stdout.len()
    );
}

/// It is empty, it does not wait.
pub async fn without_input_there_is_none(h: &mut Harness) {
    let ended = execute(h.sprite.as_ref(), script("cat; echo done")).await;
    assert_eq!(ended.text(), "done\n");
}

/// Three megabytes on each stream.
pub async fn bursts_arrive_whole(h: &mut Harness) {
    let all = noise(3 << 20);
    h.sprite.write_file("burst", all.clone()).await.unwrap();
    let ended = execute(h.sprite.as_ref(), script("cat burst & cat burst >&2; wait")).await;
    assert!(
        ended.stdout == all,
        "{} bytes of output",
        ended.stdout.len()
    );
    assert!(
        ended.stderr == all,
        "{} bytes of errors",
        ended.stderr.len()
    );
}

/// Also a program below the one that was started.
pub async fn signals_reach_the_group(h: &mut Harness) {
    let source = "trap 'echo got; exit 3' TERM; echo ready; sleep 1000 & wait";
    let mut attached = h.sprite.start(script(source)).await.unwrap();
    until(&mut attached, "ready").await;
    attached.input.signal(TERM).await.unwrap();
    let ended = read(attached).await;
    assert_eq!((ended.code, ended.text().as_str()), (3, "got\n"));
    let none = format!("until ! pgrep -f '^{}'; do sleep 0.01; done", nap());
    output(h.sprite.as_ref(), &none).await;
}

/// From the beginning, whenever they come.
pub async fn two_readers_see_the_same(h: &mut Harness) {
    let source = "echo first; read line; echo $line; seq 1 1000";
    let mut one = h.sprite.start(with_input(script(source))).await.unwrap();
    let mut first = until(&mut one, "first\n").await;
    let two = h.sprite.attach(&one.process.id).await.unwrap();
    assert_eq!(two.process.id, one.process.id);
    let input = two.input.clone();
    input.write("second\n".into()).await.unwrap();
    let (one, two) = tokio::join!(read(one), read(two));
    first.push_str(&one.text());
    assert_eq!(first, two.text());
    assert!(first.starts_with("first\nsecond\n1\n2\n") && first.ends_with("1000\n"));
    assert_eq!((one.code, two.code), (0, 0));
}

/// And then what comes, once.
pub async fn who_comes_back_sees_what_was_said(h: &mut Harness) {
    let source = "echo one; read line; echo $line";
    let mut attached = h.sprite.start(with_input(script(source))).await.unwrap();
    until(&mut attached, "one\n").await;
    let id = attached.process.id.clone();
    drop(attached);
    let again = h.sprite.attach(&id).await.unwrap();
    again.input.write("two\n".into()).await.unwrap();
    assert_eq!(read(again).await.text(), "one\ntwo\n");
}

/// It is as good as never there.
pub async fn nobody_attaches_to_what_has_ended(h: &mut Harness) {
    let attached = h.sprite.start(program(&["true"])).await.unwrap();
    let id = attached.process.id.clone();
    assert_eq!(read(attached).await.code, 0);
    eventually("the end", async || is_missing(&h.sprite.attach(&id).await)).await;
    assert!(!runs(h.sprite.as_ref()).await);
}

/// Whatever it does about it.
pub async fn what_nobody_reads_ends_after_its_time(h: &mut Harness) {
    let mut command = script("trap '' HUP TERM; echo ready; sleep 1000");
    command.linger = Some(Duration::from_millis(300));
    let mut attached = h.sprite.start(command).await.unwrap();
    until(&mut attached, "ready").await;
    assert!(runs(h.sprite.as_ref()).await);
    drop(attached);
    eventually("the end", async || !runs(h.sprite.as_ref()).await).await;
}

/// And its output is kept.
pub async fn what_is_left_for_ever_goes_on(h: &mut Harness) {
    let mut command =
        script("echo started; read line < <(sleep 0.7; echo later); echo $line; sleep 1000");
    command.linger = None;
    let attached = h.sprite.start(command).await.unwrap();
    let id = attached.process.id.clone();
    drop(attached);
    eventually("what it says later", async || {
        h.sprite.last_output(&id).await.unwrap() == "started\nlater\n"
    })
    .await;
    let all = h.sprite.processes().await.unwrap();
    let ours = all.iter().find(|process| process.id == id).unwrap();
    assert_eq!(ours.state, ProcessState::Running);
    assert!(
        ours.arguments.join(" ").contains("started"),
        "{:?}",
        ours.arguments
    );
    let exit = h.sprite.kill(&id, TERM, PATIENCE).await.unwrap();
    assert_eq!(exit.map(code), Some(143));
}

/// Daemons and what ignores the signal too.
pub async fn a_kill_takes_the_whole_tree(h: &mut Harness) {
    let source = "trap '' TERM; (setsid sh -c 'trap \"\" TERM HUP; sleep 1000; sleep 1000' &); sleep 1000 & echo ready; wait; sleep 1000";
    let mut attached = h.sprite.start(script(source)).await.unwrap();
    until(&mut attached, "ready").await;
    let id = attached.process.id.clone();
    let exit = h
        .sprite
        .kill(&id, TERM, Duration::from_millis(200))
        .await
        .unwrap();
    assert_eq!(exit.map(code), Some(137));
    assert_eq!(read(attached).await.code, 137);
    let left = format!("pgrep -fc '^{}'; true", nap());
    eventually("an empty sprite", async || {
        output(h.sprite.as_ref(), &left).await == "0\n"
    })
    .await;
}

/// Whether it never was or has ended.
pub async fn a_kill_of_nothing_says_so(h: &mut Harness) {
    let unknown = ports::sandbox::ProcessId("999999".to_owned());
    assert!(is_missing(&h.sprite.kill(&unknown, TERM, PATIENCE).await));
    let attached = h.sprite.start(program(&["true"])).await.unwrap();
    let id = attached.process.id.clone();
    read(attached).await;
    let ended = h.sprite.kill(&id, TERM, PATIENCE).await;
    let told = matches!(
        ended,
        Err(SandboxError::Conflict(_) | SandboxError::NotFound { .. })
    );
    assert!(told, "{ended:?}");
}

/// The end is the program's own, and all it said is there.
pub async fn children_that_hold_the_output_do_not_hold_the_end(h: &mut Harness) {
    let command = script("echo said; sleep 1000 & sleep 1000 & exit 4");
    let ended = tokio::time::timeout(PATIENCE, execute(h.sprite.as_ref(), command))
        .await
        .unwrap();
    assert_eq!((ended.code, ended.text().as_str()), (4, "said\n"));
}

/// However long, and whatever is on the way.
pub async fn a_silent_command_is_waited_for(h: &mut Harness) {
    let source = format!(
        "sleep {}; echo woke; exit 5",
        h.place.silence().as_secs_f32()
    );
    let ended = execute(h.sprite.as_ref(), script(&source)).await;
    assert_eq!((ended.code, ended.text().as_str()), (5, "woke\n"));
}

/// Each with its own output.
pub async fn many_run_side_by_side(h: &mut Harness) {
    let commands = (0..20).map(|number| {
        let sprite = h.sprite.clone();
        async move {
            let ended = execute(
                sprite.as_ref(),
                script(&format!("echo {number}; exit {number}")),
            )
            .await;
            assert_eq!((ended.code, ended.text()), (number, format!("{number}\n")));
        }
    });
    futures_util::future::join_all(commands).await;
}
