//! A program the service runs, with all it ever put out.

use bytes::Bytes;
use std::{
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStdin, Command},
    sync::{Mutex as Lock, watch},
};
use tokio_util::task::TaskTracker;

pub(crate) struct Process {
    pub(crate) id: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) terminal: bool,
    pub(crate) pid: i32,
    stdin: Lock<Option<ChildStdin>>,
    /// Pieces with their stream, 1 or 2.
    pub(crate) output: Mutex<Vec<(u8, Bytes)>>,
    /// Grows with each piece, and at the end.
    pub(crate) news: watch::Sender<usize>,
    pub(crate) exit: Mutex<Option<ExitStatus>>,
}

impl Process {
    pub(crate) fn start(
        id: String,
        arguments: Vec<String>,
        terminal: bool,
        mut command: Command,
    ) -> std::io::Result<Arc<Self>> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let process = Arc::new(Self {
            id,
            arguments,
            terminal,
            pid: i32::try_from(child.id().unwrap()).unwrap(),
            stdin: Lock::new(child.stdin.take()),
            output: Mutex::default(),
            news: watch::Sender::new(0),
            exit: Mutex::default(),
        });
        let out = Arc::clone(&process).pump(1, child.stdout.take().unwrap());
        let err = Arc::clone(&process).pump(2, child.stderr.take().unwrap());
        let tasks = TaskTracker::new();
        let (out, err) = (tasks.spawn(out), tasks.spawn(err));
        let watched = Arc::clone(&process);
        tasks.spawn(async move {
            let status = child.wait().await.unwrap();
            // What is left behind may hold the pipes open.
            let both = async { drop(tokio::join!(out, err)) };
            drop(tokio::time::timeout(std::time::Duration::from_millis(300), both).await);
            *watched.exit.lock().unwrap() = Some(status);
            watched.news.send_modify(|news| *news += 1);
        });
        Ok(process)
    }

    async fn pump(self: Arc<Self>, stream: u8, mut from: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 32 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let piece = Bytes::copy_from_slice(&buffer[..read]);
            self.output.lock().unwrap().push((stream, piece));
            self.news.send_modify(|news| *news += 1);
        }
    }

    pub(crate) async fn write(&self, bytes: &[u8]) {
        if let Some(stdin) = self.stdin.lock().await.as_mut() {
            drop(stdin.write_all(bytes).await);
        }
    }

    pub(crate) async fn finish(&self) {
        self.stdin.lock().await.take();
    }

    pub(crate) fn runs(&self) -> bool {
        self.exit.lock().unwrap().is_none()
    }

    /// The code as shells count, and the signal.
    pub(crate) fn code(&self) -> Option<(i32, i32)> {
        let status = (*self.exit.lock().unwrap())?;
        let signal = status.signal().unwrap_or(0);
        Some((status.code().unwrap_or(128 + signal), signal))
    }

    /// Signals all that descends from it, and itself.
    pub(crate) fn signal(&self, signal: i32) {
        let script = format!(
            "tree() {{ for c in $(pgrep -P $1); do tree $c; done; kill -{signal} $1; }}; tree {}",
            self.pid
        );
        let status = std::process::Command::new("bash")
            .args(["-c", &script])
            .output();
        assert!(status.is_ok());
    }
}
