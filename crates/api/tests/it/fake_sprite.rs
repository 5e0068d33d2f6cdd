//! Sprites as the surface sees them: shells that a test says run, a policy that is kept, checkpoints that can be
//! made and forgotten, one file, one process, `7`, that runs until it is killed, and commands that all say the same.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Timestamp,
    id::SpriteSessionId,
    sprite::{NetworkPolicy, SandboxTier, SpriteKey},
};
use futures_util::stream;
use ports::sandbox::{
    Attached, Checkpoint, Checkpoints, Command, DirectoryEntry, EntryKind, ExecOutcome,
    ExecRequest, Exit, Files, Found, GrepMatch, GrepRequest, ListeningPort, Network, OutputSink,
    OutputStream, ProcessEvent, ProcessId, ProcessInput, ProcessReport, ProcessState, Processes,
    Progress, Sandbox, SandboxBackend, SandboxError, SandboxHost, SandboxReport, ServiceDefinition,
    ServiceLog, ServiceReport, Services, Sprite, SpriteReport, SpriteStatus, TerminalSize, Tunnel,
};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// All sprites are this one; it is awake while shells run there.
#[derive(Clone, Default)]
pub(crate) struct Shells(
    pub(crate) Arc<Mutex<Vec<SpriteSessionId>>>,
    Arc<Mutex<Kept>>,
);

impl Shells {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.1.lock().unwrap()
    }
}

#[async_trait]
impl SandboxHost for Shells {
    fn report(&self) -> SandboxReport {
        SandboxReport {
            backend: SandboxBackend::Local(SandboxTier::Landlock),
            missing: vec!["bubblewrap".to_owned()],
        }
    }

    async fn open(&self, sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError> {
        let status = self.inspect(sprite).await?.status;
        assert_ne!(status, SpriteStatus::Cold, "the surface wakes no sprite");
        Ok(Arc::new(self.clone()))
    }

    fn sprite(&self, _sprite: SpriteKey) -> Arc<dyn Sprite> {
        Arc::new(self.clone())
    }

    async fn destroy(&self, _sprite: SpriteKey) -> Result<(), SandboxError> {
        self.0.lock().unwrap().clear();
        Ok(())
    }

    async fn inspect(&self, _sprite: SpriteKey) -> Result<SpriteReport, SandboxError> {
        let shells = self.0.lock().unwrap().clone();
        Ok(SpriteReport {
            provisioned: !shells.is_empty(),
            status: if shells.is_empty() {
                SpriteStatus::Cold
            } else {
                SpriteStatus::Running
            },
            disk_bytes: Some(0),
            disk_limit: None,
            shells,
        })
    }

    async fn shutdown(&self) {}
}

#[async_trait]
impl Sandbox for Shells {
    async fn exec(&self, _: ExecRequest, _: &dyn OutputSink) -> Result<ExecOutcome, SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn close_shell(&self, shell: SpriteSessionId) -> Result<(), SandboxError> {
        self.0.lock().unwrap().retain(|running| *running != shell);
        Ok(())
    }

    async fn read_file(&self, path: &str, _: u64) -> Result<Bytes, SandboxError> {
        read(path)
    }

    async fn write_file(&self, _: &str, _: Bytes) -> Result<(), SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
        list(path)
    }

    async fn create_directory(&self, _: &str) -> Result<(), SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn glob(&self, _: &str, _: &str, _: usize) -> Result<Found<String>, SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn grep(&self, _: GrepRequest) -> Result<Found<GrepMatch>, SandboxError> {
        panic!("{NO_HANDS}")
    }
}

const NO_HANDS: &str = "the surface ends shells, looks at files and does nothing else in a sandbox";

/// What the fake keeps.
#[derive(Default)]
struct Kept {
    policy: NetworkPolicy,
    checkpoints: Vec<Checkpoint>,
    killed: bool,
}

fn absent<T>(what: &str) -> Result<T, SandboxError> {
    Err(SandboxError::NotFound {
        path: what.to_owned(),
    })
}

/// The content of the one file.
fn read(path: &str) -> Result<Bytes, SandboxError> {
    match path {
        "./notes.md" => Ok(Bytes::from_static(b"# Notes\n")),
        path => absent(path),
    }
}

/// What is in the one directory.
fn list(path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
    let notes = DirectoryEntry {
        name: "notes.md".to_owned(),
        kind: EntryKind::File,
        bytes: 8,
        mode: 0o644,
        modified_at: Timestamp::default(),
    };
    match path {
        "." => Ok(vec![notes]),
        path => absent(path),
    }
}

fn seven() -> ProcessReport {
    ProcessReport {
        id: ProcessId("7".to_owned()),
        arguments: vec!["sleep".to_owned(), "1000".to_owned()],
        directory: "/home/sprite".to_owned(),
        terminal: false,
        started_at: Timestamp::default(),
        active_at: Timestamp::default(),
        readers: 0,
        state: ProcessState::Running,
    }
}

/// Takes no input.
struct Deaf;

#[async_trait]
impl ProcessInput for Deaf {
    async fn write(&self, _: Bytes) -> Result<(), SandboxError> {
        absent("input")
    }

    async fn finish(&self) -> Result<(), SandboxError> {
        absent("input")
    }

    async fn resize(&self, _: TerminalSize) -> Result<(), SandboxError> {
        absent("input")
    }

    async fn signal(&self, _: i32) -> Result<(), SandboxError> {
        absent("input")
    }
}

#[async_trait]
impl Network for Shells {
    async fn network_policy(&self) -> Result<NetworkPolicy, SandboxError> {
        Ok(self.kept().policy.clone())
    }

    async fn set_network_policy(&self, policy: NetworkPolicy) -> Result<(), SandboxError> {
        if policy.allows("unenforceable.example") {
            let text = "this tier cannot enforce that".to_owned();
            return Err(SandboxError::Refused(text));
        }
        self.kept().policy = policy;
        Ok(())
    }

    async fn connect(&self, _: &str, _: u16) -> Result<Tunnel, SandboxError> {
        absent("port")
    }

    async fn listening(&self) -> Result<Vec<ListeningPort>, SandboxError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Checkpoints for Shells {
    async fn checkpoint(
        &self,
        comment: Option<String>,
        _: &dyn Progress,
    ) -> Result<Checkpoint, SandboxError> {
        let mut kept = self.kept();
        let made = Checkpoint {
            id: format!("v{}", kept.checkpoints.len() + 1),
            created_at: Timestamp::default(),
            comment,
            automatic: false,
            bytes: Some(10),
        };
        kept.checkpoints.push(made.clone());
        Ok(made)
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, SandboxError> {
        Ok(self.kept().checkpoints.clone())
    }

    async fn restore(&self, id: &str, _: &dyn Progress) -> Result<(), SandboxError> {
        let known = self.kept().checkpoints.iter().any(|known| known.id == id);
        if known { Ok(()) } else { absent(id) }
    }

    async fn delete_checkpoint(&self, id: &str) -> Result<(), SandboxError> {
        self.restore(id, &()).await?;
        self.kept().checkpoints.retain(|known| known.id != id);
        Ok(())
    }
}

#[async_trait]
impl Processes for Shells {
    async fn start(&self, command: Command) -> Result<Attached, SandboxError> {
        assert_eq!(command.directory.as_deref(), Some("."));
        let said = Bytes::from_static(b"done\n");
        let said = ProcessEvent::Output(OutputStream::Stdout, said);
        let output = [Ok(said), Ok(ProcessEvent::Ended(Exit::Code(3)))];
        Ok(Attached {
            process: seven(),
            input: Arc::new(Deaf),
            output: Box::pin(stream::iter(output)),
        })
    }

    async fn attach(&self, id: &ProcessId) -> Result<Attached, SandboxError> {
        absent(&id.0)
    }

    async fn processes(&self) -> Result<Vec<ProcessReport>, SandboxError> {
        let killed = self.kept().killed;
        Ok(if killed { Vec::new() } else { vec![seven()] })
    }

    async fn last_output(&self, _: &ProcessId) -> Result<Bytes, SandboxError> {
        Ok(Bytes::from_static(b"listening\0\n"))
    }

    async fn kill(
        &self,
        id: &ProcessId,
        signal: i32,
        _: Duration,
    ) -> Result<Option<Exit>, SandboxError> {
        if id.0 != "7" {
            return absent(&id.0);
        }
        self.kept().killed = true;
        Ok(Some(Exit::Signal(signal)))
    }
}

#[async_trait]
impl Files for Shells {
    async fn stat(&self, path: &str) -> Result<DirectoryEntry, SandboxError> {
        absent(path)
    }

    async fn remove(&self, path: &str, _: bool) -> Result<(), SandboxError> {
        absent(path)
    }

    async fn rename(&self, from: &str, _: &str) -> Result<(), SandboxError> {
        absent(from)
    }

    async fn copy(&self, from: &str, _: &str, _: bool) -> Result<(), SandboxError> {
        absent(from)
    }

    async fn chmod(&self, path: &str, _: u32, _: bool) -> Result<(), SandboxError> {
        absent(path)
    }
}

#[async_trait]
impl Services for Shells {
    async fn services(&self) -> Result<Vec<ServiceReport>, SandboxError> {
        Ok(Vec::new())
    }

    async fn put_service(&self, _: ServiceDefinition) -> Result<(), SandboxError> {
        absent("service")
    }

    async fn start_service(&self, name: &str) -> Result<(), SandboxError> {
        absent(name)
    }

    async fn stop_service(&self, name: &str, _: Duration) -> Result<(), SandboxError> {
        absent(name)
    }

    async fn signal_service(&self, name: &str, _: i32) -> Result<(), SandboxError> {
        absent(name)
    }

    async fn delete_service(&self, name: &str) -> Result<(), SandboxError> {
        absent(name)
    }

    async fn service_log(&self, name: &str, _: usize, _: bool) -> Result<ServiceLog, SandboxError> {
        absent(name)
    }
}
