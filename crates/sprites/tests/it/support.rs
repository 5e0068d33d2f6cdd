//! Hosts and helpers for the tests.

use crate::machine::{Machine, TOKEN};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    id::{AgentId, SpriteSessionId, TenantId},
    secret::Secret,
    sprite::SpriteKey,
};
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Command, ExecOutcome, ExecRequest, Exit, OutputSink, OutputStream, ProcessEvent,
    ProcessOutput, Sandbox, SandboxError, SandboxHost as _, Sprite,
};
use sprites::{SpritesHost, SpritesSettings, Timing};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

pub(crate) const SHELL: u128 = 11;

/// A service and a client of it.
pub(crate) struct Bench {
    pub(crate) machine: Arc<Machine>,
    pub(crate) host: SpritesHost,
    pub(crate) sprite: Arc<dyn Sprite>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no server to inject one"
)]
pub(crate) fn settings(address: &str) -> SpritesSettings {
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().http1_only().build().unwrap();
    SpritesSettings {
        base_url: address.to_owned(),
        token: Secret::new(TOKEN),
        http,
        accept_open_network: false,
        timing: Timing {
            backoff: Duration::from_millis(10),
            ..Timing::default()
        },
    }
}

pub(crate) async fn bench() -> Bench {
    bench_with(|settings| settings).await
}

pub(crate) async fn bench_with(change: impl FnOnce(SpritesSettings) -> SpritesSettings) -> Bench {
    let machine = Machine::start().await;
    let host = SpritesHost::new(change(settings(&machine.address))).unwrap();
    let sprite = host.sprite(key(1));
    Bench {
        machine,
        host,
        sprite,
    }
}

pub(crate) fn key(agent: u128) -> SpriteKey {
    SpriteKey {
        tenant_id: TenantId::from_uuid(uuid::Uuid::from_u128(7)),
        agent_id: AgentId::from_uuid(uuid::Uuid::from_u128(agent)),
    }
}

pub(crate) fn shell(number: u128) -> SpriteSessionId {
    SpriteSessionId::from_uuid(uuid::Uuid::from_u128(number))
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    Command {
        program: None,
        arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
        environment: Vec::new(),
        directory: None,
        terminal: None,
        input: true,
        linger: None,
    }
}

/// Everything a process puts out, by stream, and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct All {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) exit: Option<Exit>,
}

pub(crate) async fn all(mut output: ProcessOutput) -> Result<All, SandboxError> {
    let mut all = All::default();
    while let Some(event) = output.next().await {
        match event? {
            ProcessEvent::Output(OutputStream::Stdout, bytes) => all.stdout.extend(bytes),
            ProcessEvent::Output(OutputStream::Stderr, bytes) => all.stderr.extend(bytes),
            ProcessEvent::Ended(exit) => {
                assert!(all.exit.is_none());
                all.exit = Some(exit);
            }
        }
    }
    Ok(all)
}

/// Runs a program to its end.
pub(crate) async fn run(bench: &Bench, arguments: &[&str]) -> Result<All, SandboxError> {
    let Attached { output, .. } = bench.sprite.start(command(arguments)).await?;
    all(output).await
}

/// The next piece of output.
pub(crate) async fn next(attached: &mut Attached) -> Bytes {
    match attached.output.next().await {
        Some(Ok(ProcessEvent::Output(_, bytes))) => bytes,
        other => panic!("{other:?}"),
    }
}

/// Keeps all output of a command and tells when some comes.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) stdout: Mutex<Vec<u8>>,
    pub(crate) stderr: Mutex<Vec<u8>>,
    pub(crate) came: Notify,
}

impl Kept {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout.lock().unwrap()).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    pub(crate) async fn until(&self, text: &str) {
        while !self.stdout().contains(text) {
            self.came.notified().await;
        }
    }
}

#[async_trait]
impl OutputSink for Kept {
    async fn write(&self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout => self.stdout.lock().unwrap().extend_from_slice(bytes),
            OutputStream::Stderr => self.stderr.lock().unwrap().extend_from_slice(bytes),
        }
        self.came.notify_one();
    }
}

pub(crate) fn request(script: &str) -> ExecRequest {
    ExecRequest {
        shell: shell(SHELL),
        script: script.to_owned(),
        timeout: Duration::from_secs(30),
    }
}

pub(crate) async fn script(sandbox: &(impl Sandbox + ?Sized), text: &str) -> (ExecOutcome, Kept) {
    let kept = Kept::default();
    let outcome = sandbox.exec(request(text), &kept).await.unwrap();
    (outcome, kept)
}

/// Runs a script that must end with 0 and gives its standard output.
pub(crate) async fn output(sandbox: &(impl Sandbox + ?Sized), text: &str) -> String {
    let (outcome, kept) = script(sandbox, text).await;
    assert_eq!(outcome.exit, Exit::Code(0), "{text}: {}", kept.stderr());
    kept.stdout()
}

pub(crate) fn lost<T: std::fmt::Debug>(result: Result<T, SandboxError>) -> String {
    match result {
        Err(SandboxError::Lost(text)) => text,
        other => panic!("not lost: {other:?}"),
    }
}

pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, SandboxError>) -> String {
    match result {
        Err(SandboxError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}
