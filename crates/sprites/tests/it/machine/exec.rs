//! Exec connections of the service.

use super::{Ending, Habit, Machine, Process, refusal};
use axum::{
    Json,
    body::Bytes,
    extract::{
        FromRequestParts as _, Path, Query, Request, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::{IntoResponse, Response},
};
use sprites::wire::{
    duration,
    error::ErrorBody,
    exec::{
        ClientMessage, ExecQuery, ExitMessage, KillEvent, KillRequest, Replay, ServerMessage,
        Session, SessionInfo, SessionList,
    },
    frame::Frame,
    signal,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    time::timeout,
};

pub(crate) async fn start_or_list(
    State(machine): State<Arc<Machine>>,
    Path(name): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &machine).await else {
        return list(&machine);
    };
    if !machine.kept.lock().unwrap().sprites.contains_key(&name) {
        return refusal(404, ErrorBody::text("sprite not found"));
    }
    let query = ExecQuery::from_pairs(pairs).unwrap();
    let process = start(&machine, &query);
    upgrade.on_upgrade(async move |socket| {
        let connection = Connection {
            machine,
            process,
            owner: true,
        };
        connection.serve(socket).await;
    })
}

fn start(machine: &Machine, query: &ExecQuery) -> Arc<Process> {
    let mut kept = machine.kept.lock().unwrap();
    let id = (kept.started.len() + 1).to_string();
    kept.started.push(query.arguments.clone());
    let program = query.program.as_ref().unwrap_or(&query.arguments[0]);
    let mut command = Command::new(program);
    let home = machine.home();
    command
        .args(&query.arguments[1..])
        .current_dir(query.directory.clone().map_or(home.clone(), Into::into))
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(query.environment.clone());
    let process = Process::start(id.clone(), query.arguments.clone(), query.terminal, command);
    let process = process.unwrap();
    kept.processes.insert(id, Arc::clone(&process));
    process
}

fn list(machine: &Machine) -> Response {
    let kept = machine.kept.lock().unwrap();
    let running = kept.processes.values().filter(|it| it.runs());
    let sessions: Vec<_> = running
        .map(|it| Session {
            id: it.id.clone(),
            command: it.arguments.join(" "),
            tty: it.terminal,
            ..Session::default()
        })
        .collect();
    let count = sessions.len();
    Json(SessionList { count, sessions }).into_response()
}

pub(crate) async fn attach(
    State(machine): State<Arc<Machine>>,
    Path((_, id)): Path<(String, String)>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let process = machine.kept.lock().unwrap().processes.get(&id).cloned();
    match process.filter(|process| process.runs()) {
        Some(process) => upgrade.on_upgrade(async move |socket| {
            let connection = Connection {
                machine,
                process,
                owner: false,
            };
            connection.serve(socket).await;
        }),
        None => refusal(404, ErrorBody::text(format!("session not found: {id}"))),
    }
}

pub(crate) async fn kill(
    State(machine): State<Arc<Machine>>,
    Path((_, id)): Path<(String, String)>,
    Query(request): Query<KillRequest>,
) -> Response {
    let process = machine.kept.lock().unwrap().processes.get(&id).cloned();
    let Some(process) = process.filter(|process| process.runs()) else {
        return refusal(404, ErrorBody::text(format!("session not found: {id}")));
    };
    process.signal(signal::number(&request.signal.unwrap()).unwrap());
    let patience = duration::parse(&request.timeout.unwrap()).unwrap();
    let mut news = process.news.subscribe();
    drop(timeout(patience, news.wait_for(|_| !process.runs())).await);
    let code = process.code();
    let events = [
        KillEvent::Signal {
            message: "sent".into(),
            signal: "TERM".into(),
            pid: 1,
        },
        KillEvent::Unknown,
        KillEvent::Complete {
            exit_code: code.map(|it| it.0),
            signal: code.map(|it| it.1),
        },
    ];
    let lines = events.map(|event| serde_json::to_string(&event).unwrap() + "\n");
    lines.concat().into_response()
}

struct Connection {
    machine: Arc<Machine>,
    process: Arc<Process>,
    owner: bool,
}

impl Connection {
    async fn serve(self, mut socket: WebSocket) {
        let (ending, cut, ring) = {
            let mut behaviour = self.machine.behaviour.lock().unwrap();
            let cut = behaviour.cuts.pop_front();
            (behaviour.ending, cut, behaviour.ring)
        };
        let dropped = if self.owner { 0 } else { self.trimmed(ring) };
        self.introduce(&mut socket, dropped).await;
        if self.machine.has(Habit::Deaf) {
            std::future::pending::<()>().await;
        }
        let mut sent = dropped;
        let mut told = false;
        let mut news = self.process.news.subscribe();
        news.mark_changed();
        loop {
            tokio::select! {
                biased;
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    _ => return,
                },
                _ = news.changed() => {}
            }
            let ended = !self.process.runs();
            if ending == Ending::TextFirst {
                if !ended {
                    continue;
                }
                self.tell_exit(&mut socket).await;
                told = true;
            }
            let output = self.process.output.lock().unwrap().clone();
            for (stream, piece) in output.iter().skip(sent) {
                if cut == Some(sent - dropped) {
                    return;
                }
                self.send(&mut socket, *stream, piece.clone()).await;
                sent += 1;
            }
            if cut == Some(sent - dropped) {
                return;
            }
            if ended {
                return self.end(&mut socket, ending, told).await;
            }
        }
    }

    async fn introduce(&self, socket: &mut WebSocket, dropped: usize) {
        let tells = self.machine.has(Habit::TellsReplay) && !self.owner;
        let info = ServerMessage::SessionInfo(SessionInfo {
            session_id: self.process.id.clone(),
            command: self.process.arguments.join(" "),
            tty: self.process.terminal,
            is_owner: self.owner,
            replay: tells.then(|| self.replay(dropped)),
            ..SessionInfo::default()
        });
        let debug = r#"{"type":"debug","msg":"normal_path"}"#;
        self.say(socket, debug.into()).await;
        self.say(socket, serde_json::to_string(&info).unwrap())
            .await;
    }

    /// How many pieces are kept no longer.
    fn trimmed(&self, ring: Option<usize>) -> usize {
        let output = self.process.output.lock().unwrap();
        let mut room = ring.unwrap_or(usize::MAX);
        let kept = output.iter().rev().take_while(|(_, piece)| {
            let fits = piece.len() <= room;
            room = room.saturating_sub(piece.len());
            fits
        });
        output.len() - kept.count()
    }

    fn replay(&self, dropped: usize) -> Replay {
        let output = self.process.output.lock().unwrap();
        let count = |from: usize, to: usize, stream: u8| -> u64 {
            let pieces = output[from..to].iter().filter(|piece| piece.0 == stream);
            pieces.map(|piece| piece.1.len() as u64).sum()
        };
        Replay {
            stdout_dropped: count(0, dropped, 1),
            stdout_bytes: count(dropped, output.len(), 1),
            stderr_dropped: count(0, dropped, 2),
            stderr_bytes: count(dropped, output.len(), 2),
        }
    }

    async fn say(&self, socket: &mut WebSocket, text: String) {
        drop(socket.send(Message::Text(text.into())).await);
    }

    async fn send(&self, socket: &mut WebSocket, stream: u8, piece: Bytes) {
        let message = match (self.process.terminal, stream) {
            (true, _) => piece,
            (false, 1) => Frame::Stdout(piece).encode(),
            (false, _) => Frame::Stderr(piece).encode(),
        };
        drop(socket.send(Message::Binary(message)).await);
    }

    async fn hear(&self, message: Message) {
        match message {
            Message::Binary(bytes) if self.process.terminal => self.process.write(&bytes).await,
            Message::Binary(bytes) => match Frame::decode(bytes) {
                Some(Frame::Stdin(bytes)) => self.process.write(&bytes).await,
                Some(Frame::StdinEnd) => self.process.finish().await,
                other => panic!("{other:?}"),
            },
            Message::Text(text) => match serde_json::from_str(&text).unwrap() {
                ClientMessage::Signal { signal } => {
                    self.process.signal(signal::number(&signal).unwrap());
                }
                ClientMessage::Resize { cols, rows } => {
                    let text = format!("{cols}x{rows}");
                    self.machine.kept.lock().unwrap().requests.push(text);
                }
                ClientMessage::Unknown => panic!("{text}"),
            },
            _ => {}
        }
    }

    async fn tell_exit(&self, socket: &mut WebSocket) {
        let (code, signal) = self.process.code().unwrap();
        let exit = ExitMessage {
            exit_code: code,
            code,
            signal: Some(signal),
        };
        let text = serde_json::to_string(&ServerMessage::Exit(exit)).unwrap();
        self.say(socket, text).await;
    }

    async fn end(&self, socket: &mut WebSocket, ending: Ending, told: bool) {
        if !told && ending != Ending::NoText {
            self.tell_exit(socket).await;
        }
        if ending == Ending::Dropped {
            return;
        }
        let (code, _) = self.process.code().unwrap();
        if !self.process.terminal {
            let frame = Frame::Exit(u8::try_from(code & 255).unwrap());
            drop(socket.send(Message::Binary(frame.encode())).await);
        }
        drop(socket.send(Message::Close(None)).await);
    }
}

pub(crate) async fn proxy(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket| {
        let Some(Ok(Message::Text(text))) = socket.recv().await else {
            return;
        };
        let wanted: sprites::wire::proxy::ProxyRequest = serde_json::from_str(&text).unwrap();
        let target = (wanted.host.as_str(), wanted.port);
        let Ok(mut stream) = tokio::net::TcpStream::connect(target).await else {
            let answer = r#"{"status":"error","error":"connection refused"}"#;
            drop(socket.send(Message::Text(answer.into())).await);
            return;
        };
        drop(
            socket
                .send(Message::Text(r#"{"status":"connected"}"#.into()))
                .await,
        );
        let mut buffer = vec![0; 4096];
        loop {
            tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Binary(bytes))) => stream.write_all(&bytes).await.unwrap(),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return,
                },
                read = stream.read(&mut buffer) => {
                    let Ok(read @ 1..) = read else {
                        drop(socket.send(Message::Close(None)).await);
                        drop(timeout(Duration::from_secs(1), socket.recv()).await);
                        return;
                    };
                    let piece = Bytes::copy_from_slice(&buffer[..read]);
                    drop(socket.send(Message::Binary(piece)).await);
                }
            }
        }
    })
}
