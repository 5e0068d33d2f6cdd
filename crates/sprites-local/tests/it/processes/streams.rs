//! What a process is told and what it says, through pipes and on a terminal.

use super::{command, computer, noise, rest, run, script, text, until, with_input};
use crate::support::Bench;
use ports::sandbox::{Attached, Command, Exit, SandboxError, TerminalSize};

processes!(
    a_terminal_has_a_size_and_echoes,
    bursts_arrive_whole,
    five_megabytes_pass_both_ways,
    input_ends_when_it_is_closed,
    silence_is_no_end,
);

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
