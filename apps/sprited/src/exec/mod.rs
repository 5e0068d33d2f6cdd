//! Commands: started, attached to, listed and ended. What a command is to the executor is made from
//! the query here; its connection is in [`relay`], its answer over plain HTTP in [`plain`].

mod plain;
mod relay;
mod sessions;

pub(crate) use plain::run as run_over_http;
pub(crate) use sessions::{kill, list, output};

use crate::{
    answer::Refusal,
    app::{App, Target},
};
use axum::{
    extract::{
        Path, Query,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use ports::sandbox::{
    Attached, Command, Exit, ProcessId, ProcessState, SandboxError, TerminalSize,
};
use relay::Relay;
use sprites::wire::{self, exec::ExecQuery};
use std::{sync::Arc, time::Duration};

/// How long a command without a terminal runs on alone when nobody said otherwise.
const LINGER: Duration = Duration::from_secs(10);
/// The largest message a client may send: SDKs send a buffer as one.
const MESSAGE: usize = 16 << 20;

/// A query's names and values, in order and repeated.
pub(crate) type Pairs = Query<Vec<(String, String)>>;
/// Whether a request asks for a WebSocket.
pub(crate) type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `GET …/exec`: with an upgrade a command, without the list of those that run.
pub(crate) async fn start(
    target: Target,
    upgrade: Upgrade,
    Query(pairs): Pairs,
) -> Result<Response, Refusal> {
    let Ok(upgrade) = upgrade else {
        return Ok(list(target).await?.into_response());
    };
    let query = read(pairs)?;
    if let Some(session) = query.session.clone() {
        return connect(target, upgrade, &session, &query).await;
    }
    let size = size(&query);
    let command = command(query)?;
    let terminal = command.terminal;
    let attached = target.sprite.start(command).await?;
    let relay = Relay {
        attached,
        size: terminal.map(|_| size),
        owner: true,
    };
    Ok(relayed(&target, upgrade, relay))
}

/// `GET …/exec/{session}`: a connection to a command that runs.
pub(crate) async fn attach(
    target: Target,
    Path((_, session)): Path<(String, String)>,
    upgrade: Upgrade,
    Query(pairs): Pairs,
) -> Result<Response, Refusal> {
    let Ok(upgrade) = upgrade else {
        let message = "attaching to a session needs a WebSocket";
        return Err(Refusal::bad(message).status(StatusCode::UPGRADE_REQUIRED));
    };
    connect(target, upgrade, &session, &read(pairs)?).await
}

async fn connect(
    target: Target,
    upgrade: WebSocketUpgrade,
    session: &str,
    query: &ExecQuery,
) -> Result<Response, Refusal> {
    let attached = find(&target, session).await?;
    let given = query.rows.is_some() || query.columns.is_some();
    let size = (attached.process.terminal && given).then(|| size(query));
    if let Some(size) = size {
        attached.input.resize(size).await?;
    }
    let relay = Relay {
        attached,
        size,
        owner: false,
    };
    Ok(relayed(&target, upgrade, relay))
}

/// A session that runs; one that ended is as unknown as one that never was.
async fn find(target: &Target, session: &str) -> Result<Attached, Refusal> {
    let unknown = || Refusal::missing(format!("session not found: {session}"));
    let id = ProcessId(session.to_owned());
    let processes = target.sprite.processes().await?;
    let running = processes
        .iter()
        .any(|process| process.id == id && process.state == ProcessState::Running);
    if !running {
        return Err(unknown());
    }
    match target.sprite.attach(&id).await {
        Err(SandboxError::NotFound { .. } | SandboxError::Conflict(_)) => Err(unknown()),
        attached => Ok(attached?),
    }
}

fn relayed(target: &Target, upgrade: WebSocketUpgrade, relay: Relay) -> Response {
    let app = Arc::clone(&target.app);
    let used = target.used();
    let mut response = accept(&app, upgrade, async move |socket, app: Arc<App>| {
        relay.run(socket, &app).await;
        drop(used);
    });
    response.headers_mut().insert(
        HeaderName::from_static(wire::CAPABILITIES_HEADER),
        HeaderValue::from_static(wire::SIGNAL_CAPABILITY),
    );
    response
}

/// Takes a WebSocket over; what is done with it is waited for when the server stops.
pub(crate) fn accept<F>(
    app: &Arc<App>,
    upgrade: WebSocketUpgrade,
    serve: impl FnOnce(axum::extract::ws::WebSocket, Arc<App>) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let (app, running) = (Arc::clone(app), app.tasks.token());
    upgrade
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .on_upgrade(async move |socket| {
            serve(socket, app).await;
            drop(running);
        })
}

fn read(pairs: Vec<(String, String)>) -> Result<ExecQuery, Refusal> {
    ExecQuery::from_pairs(pairs).map_err(|error| Refusal::bad(error.to_string()))
}

/// What the query asks to be started.
fn command(query: ExecQuery) -> Result<Command, Refusal> {
    let size = size(&query);
    let mut arguments = query.arguments;
    if arguments.is_empty() {
        let program = query.program.clone().unwrap_or_else(|| "bash".to_owned());
        arguments.push(program);
    }
    let strings = arguments
        .iter()
        .chain(&query.program)
        .chain(&query.directory)
        .chain(
            query
                .environment
                .iter()
                .flat_map(|(name, value)| [name, value]),
        );
    if strings.into_iter().any(|text| text.contains('\0')) {
        return Err(Refusal::bad("a command cannot hold NUL characters"));
    }
    let usual = (!query.terminal).then_some(LINGER);
    let asked = query
        .linger
        .map(|linger| (!linger.is_zero()).then_some(linger));
    Ok(Command {
        program: query.program,
        arguments,
        environment: query.environment,
        directory: query.directory,
        terminal: query.terminal.then_some(size),
        input: query.input.unwrap_or(query.terminal),
        linger: match (query.detachable, asked) {
            (_, Some(asked)) => asked,
            (true, None) => None,
            (false, None) => usual,
        },
    })
}

fn size(query: &ExecQuery) -> TerminalSize {
    let usual = TerminalSize::default();
    TerminalSize {
        rows: query.rows.unwrap_or(usual.rows),
        columns: query.columns.unwrap_or(usual.columns),
    }
}

/// An end as a code of one byte, and the signal behind it (zero for none).
pub(crate) fn exit_code(exit: Exit) -> (u8, i32) {
    const KILLED: i32 = 9;
    let by = |signal: i32| {
        (
            u8::try_from((128 + signal) & 0xff).unwrap_or(u8::MAX),
            signal,
        )
    };
    match exit {
        Exit::Code(code) => (u8::try_from(code & 0xff).unwrap_or(u8::MAX), 0),
        Exit::Signal(signal) => by(signal),
        Exit::TimedOut => by(KILLED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Command {
        let pairs = pairs.iter().map(|(name, value)| (*name, *value));
        command(ExecQuery::from_pairs(pairs).unwrap()).unwrap()
    }

    #[test]
    fn a_command_is_bash_unless_something_is_named() {
        assert_eq!(of(&[]).arguments, ["bash"]);
        assert_eq!(of(&[("path", "/bin/sh")]).arguments, ["/bin/sh"]);
        let two = of(&[("cmd", "a b"), ("cmd", "$c"), ("path", "a")]);
        assert_eq!(two.arguments, ["a b", "$c"]);
        assert_eq!(two.program.as_deref(), Some("a"));
    }

    #[test]
    fn input_and_lingering_follow_the_terminal_unless_they_are_said() {
        type Case = (&'static [(&'static str, &'static str)], bool, Option<u64>);
        let cases: [Case; 7] = [
            (&[], false, Some(10)),
            (&[("stdin", "true")], true, Some(10)),
            (&[("tty", "true")], true, None),
            (&[("tty", "true"), ("stdin", "false")], false, None),
            (&[("detachable", "true")], false, None),
            (&[("max_run_after_disconnect", "0")], false, None),
            (
                &[("tty", "true"), ("max_run_after_disconnect", "1m")],
                true,
                Some(60),
            ),
        ];
        for (pairs, input, linger) in cases {
            let command = of(pairs);
            assert_eq!(command.input, input, "{pairs:?}");
            assert_eq!(command.linger, linger.map(Duration::from_secs), "{pairs:?}");
        }
        let size = of(&[("tty", "true"), ("cols", "100")]).terminal.unwrap();
        assert_eq!((size.rows, size.columns), (24, 100));
    }

    #[test]
    fn ends_become_codes_of_a_byte() {
        for (exit, code, signal) in [
            (Exit::Code(0), 0, 0),
            (Exit::Code(256 + 7), 7, 0),
            (Exit::Code(-1), 255, 0),
            (Exit::Signal(15), 143, 15),
            (Exit::TimedOut, 137, 9),
        ] {
            assert_eq!(exit_code(exit), (code, signal), "{exit:?}");
        }
    }
}
