//! Programs on a terminal.

use super::{
    Ability, Harness,
    support::{program, read, script, until},
};
use ports::sandbox::{Attached, Command, TerminalSize};

async fn on_terminal(h: &Harness, command: Command, size: TerminalSize) -> Option<Attached> {
    if !h.place.can(Ability::Terminals) {
        return None;
    }
    let command = Command {
        terminal: Some(size),
        input: true,
        ..command
    };
    Some(h.sprite.start(command).await.unwrap())
}

/// The one it was given, and 24 lines of 80 characters otherwise.
pub async fn a_terminal_has_a_size(h: &mut Harness) {
    let wide = TerminalSize {
        rows: 30,
        columns: 100,
    };
    for (size, text) in [(TerminalSize::default(), "24 80"), (wide, "30 100")] {
        let Some(attached) = on_terminal(h, program(&["stty", "size"]), size).await else {
            return;
        };
        assert!(attached.process.terminal);
        assert_eq!(read(attached).await.text().trim(), text);
    }
}

/// And the program hears of it.
pub async fn a_terminal_can_be_resized(h: &mut Harness) {
    let source = "trap 'stty size' WINCH; echo ready; while :; do read -t 0.1 line && break; done";
    let Some(mut attached) = on_terminal(h, script(source), TerminalSize::default()).await else {
        return;
    };
    until(&mut attached, "ready").await;
    let size = TerminalSize {
        rows: 11,
        columns: 22,
    };
    attached.input.resize(size).await.unwrap();
    until(&mut attached, "11 22").await;
    attached.input.write("x\n".into()).await.unwrap();
    assert_eq!(read(attached).await.code, 0);
}

/// Control-C ends the program, control-D the input.
pub async fn typing_is_echoed_and_interrupts(h: &mut Harness) {
    let Some(mut attached) = on_terminal(h, program(&["cat"]), TerminalSize::default()).await
    else {
        return;
    };
    attached.input.write("hello\r".into()).await.unwrap();
    until(&mut attached, "hello\r\nhello\r\n").await;
    attached.input.write("\u{4}".into()).await.unwrap();
    assert_eq!(read(attached).await.code, 0);
    let Some(mut attached) =
        on_terminal(h, script("echo ready; sleep 1000"), TerminalSize::default()).await
    else {
        return;
    };
    until(&mut attached, "ready").await;
    attached.input.write("\u{3}".into()).await.unwrap();
    assert_eq!(read(attached).await.code, 130);
}

/// As without one; what is a terminal is told.
pub async fn a_terminal_reports_its_exit(h: &mut Harness) {
    let source = "test -t 0 && test -t 1 && test -t 2 && echo all; exit 3";
    let Some(attached) = on_terminal(h, script(source), TerminalSize::default()).await else {
        return;
    };
    let ended = read(attached).await;
    assert_eq!((ended.code, ended.text().as_str()), (3, "all\r\n"));
    assert!(ended.stderr.is_empty());
}
