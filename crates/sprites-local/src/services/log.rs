//! The log of one service: lines with a time in a file that is rotated once it is full, and sent to
//! whoever follows. It is the server's, so nothing inside can change what was said.

use bytes::{Bytes, BytesMut};
use chrono::SecondsFormat;
use domain::Timestamp;
use ports::sandbox::{Exit, OutputStream, ProcessEvent, ServiceEvent};
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;

/// A file is put aside when it is this large, in bytes; there are two at most.
const FULL: u64 = 1 << 20;
/// A longer line is cut into pieces, in bytes.
const LONGEST_LINE: usize = 8 << 10;
/// How many lines a slow follower may be behind before it misses some.
const BEHIND: usize = 1024;

/// A log.
pub(super) struct Log {
    path: PathBuf,
    open: Mutex<Option<(File, u64)>>,
    lines: broadcast::Sender<ServiceEvent>,
}

impl Log {
    /// The log in a file, which need not be there.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: Mutex::default(),
            lines: broadcast::Sender::new(BEHIND),
        }
    }

    /// Adds events; blocks. Followers hear them also when the disk takes no more.
    pub(super) fn append(&self, events: Vec<ServiceEvent>) -> io::Result<()> {
        let text: Vec<u8> = events.iter().flat_map(line).collect();
        let mut open = self.open();
        let written = self.write(&mut open, &text);
        for event in events {
            // Nobody may follow.
            drop(self.lines.send(event));
        }
        written
    }

    /// The last lines, and what comes after them; blocks.
    pub(super) fn tail(
        &self,
        lines: usize,
    ) -> io::Result<(Vec<ServiceEvent>, broadcast::Receiver<ServiceEvent>)> {
        let open = self.open();
        let mut last = VecDeque::new();
        for path in [self.aside(), self.path.clone()] {
            for line in read(&path)?.split(|byte| *byte == b'\n') {
                last.extend(parse(line));
                if last.len() > lines {
                    last.pop_front();
                }
            }
        }
        let following = self.lines.subscribe();
        drop(open);
        Ok((last.into(), following))
    }

    /// Forgets all of it; blocks.
    pub(super) fn remove(&self) -> io::Result<()> {
        *self.open() = None;
        for path in [self.aside(), self.path.clone()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn write(&self, open: &mut Option<(File, u64)>, text: &[u8]) -> io::Result<()> {
        let (mut file, mut length) = match open.take() {
            Some(open) => open,
            None => append_to(&self.path)?,
        };
        if length >= FULL {
            fs::rename(&self.path, self.aside())?;
            (file, length) = append_to(&self.path)?;
        }
        file.write_all(text)?;
        length += u64::try_from(text.len()).unwrap_or(u64::MAX);
        *open = Some((file, length));
        Ok(())
    }

    fn aside(&self) -> PathBuf {
        self.path.with_extension("log.1")
    }

    fn open(&self) -> MutexGuard<'_, Option<(File, u64)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append_to(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// A line of the file: when, what kind, and the bytes. `+` means that the line went on.
fn line(event: &ServiceEvent) -> Vec<u8> {
    let (kind, bytes) = match &event.event {
        ProcessEvent::Output(stream, bytes) => {
            let name = match stream {
                OutputStream::Stdout => "stdout",
                OutputStream::Stderr => "stderr",
            };
            match bytes.strip_suffix(b"\n") {
                Some(line) => (name.to_owned(), Bytes::copy_from_slice(line)),
                None => (format!("{name}+"), bytes.clone()),
            }
        }
        ProcessEvent::Ended(exit) => {
            let (kind, number) = match exit {
                Exit::Code(code) => ("exit", *code),
                Exit::Signal(signal) => ("signal", *signal),
                Exit::TimedOut => ("timeout", 0),
            };
            (kind.to_owned(), number.to_string().into())
        }
    };
    let at = event.at.to_rfc3339_opts(SecondsFormat::Micros, true);
    [at.as_bytes(), b" ", kind.as_bytes(), b" ", &bytes, b"\n"].concat()
}

/// What [`line`] wrote; anything else is no event.
fn parse(line: &[u8]) -> Option<ServiceEvent> {
    let mut fields = line.splitn(3, |byte| *byte == b' ');
    let at = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let (kind, bytes) = (fields.next()?, fields.next()?);
    let number = || std::str::from_utf8(bytes).ok()?.parse().ok();
    let output =
        |stream, end: &[u8]| ProcessEvent::Output(stream, Bytes::from([bytes, end].concat()));
    let event = match kind {
        b"stdout" => output(OutputStream::Stdout, b"\n"),
        b"stdout+" => output(OutputStream::Stdout, b""),
        b"stderr" => output(OutputStream::Stderr, b"\n"),
        b"stderr+" => output(OutputStream::Stderr, b""),
        b"exit" => ProcessEvent::Ended(Exit::Code(number()?)),
        b"signal" => ProcessEvent::Ended(Exit::Signal(number()?)),
        b"timeout" => ProcessEvent::Ended(Exit::TimedOut),
        _ => return None,
    };
    Some(ServiceEvent { at, event })
}

/// Cuts the output of one process into lines, each stream by itself.
#[derive(Default)]
pub(super) struct Lines {
    stdout: BytesMut,
    stderr: BytesMut,
}

impl Lines {
    /// The lines that a piece of output completes.
    pub(super) fn push(
        &mut self,
        at: Timestamp,
        stream: OutputStream,
        bytes: &[u8],
    ) -> Vec<ServiceEvent> {
        let rest = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        loop {
            let newline = rest
                .iter()
                .take(LONGEST_LINE)
                .position(|byte| *byte == b'\n');
            let length = match newline {
                Some(position) => position + 1,
                None if rest.len() >= LONGEST_LINE => LONGEST_LINE,
                None => return lines,
            };
            let line = rest.split_to(length).freeze();
            let event = ProcessEvent::Output(stream, line);
            lines.push(ServiceEvent { at, event });
        }
    }

    /// What was printed last without a newline.
    pub(super) fn finish(&mut self, at: Timestamp) -> Vec<ServiceEvent> {
        let rest = [
            (OutputStream::Stdout, self.stdout.split().freeze()),
            (OutputStream::Stderr, self.stderr.split().freeze()),
        ];
        let rest = rest.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        rest.map(|(stream, bytes)| ServiceEvent {
            at,
            event: ProcessEvent::Output(stream, bytes),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{FULL, LONGEST_LINE, Lines, Log, line, parse};
    use domain::Timestamp;
    use ports::sandbox::{Exit, OutputStream, ProcessEvent, ServiceEvent};
    use proptest::prelude::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn said(text: &str) -> ServiceEvent {
        ServiceEvent {
            at: AT,
            event: ProcessEvent::Output(OutputStream::Stdout, text.to_owned().into()),
        }
    }

    #[test]
    fn the_last_lines_are_kept_over_a_reopening_and_two_files_at_most() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs/web.log");
        let filling = "x".repeat(8000);
        let count = 3 * FULL / 8000;
        for number in 0..count {
            // Opened anew each time: a restart loses nothing.
            let event = said(&format!("{number} {filling}\n"));
            Log::new(path.clone()).append(vec![event]).unwrap();
        }
        let log = Log::new(path.clone());
        let (last, _) = log.tail(3).unwrap();
        let expected = (count - 3..count).map(|number| said(&format!("{number} {filling}\n")));
        assert_eq!(last, expected.collect::<Vec<_>>());
        let (all, _) = log.tail(usize::MAX).unwrap();
        assert!((130..270).contains(&all.len()), "{}", all.len());
        let bytes: u64 = std::fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        assert!(bytes <= 2 * FULL + 16_384, "{bytes}");
        log.remove().unwrap();
        assert_eq!(log.tail(9).unwrap().0, []);
    }

    #[test]
    fn a_follower_gets_what_comes_after_the_tail() {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::new(directory.path().join("a.log"));
        log.append(vec![said("before\n")]).unwrap();
        let (last, mut following) = log.tail(9).unwrap();
        log.append(vec![said("after\n")]).unwrap();
        assert_eq!(last, [said("before\n")]);
        assert_eq!(following.try_recv().unwrap(), said("after\n"));
    }

    proptest! {
        #[test]
        fn lines_put_together_are_what_was_printed(pieces: Vec<Vec<u8>>, long in 0..3 * LONGEST_LINE) {
            let mut lines = Lines::default();
            let mut events = Vec::new();
            let long = vec![b'x'; long];
            for piece in pieces.iter().chain([&long]) {
                events.extend(lines.push(AT, OutputStream::Stderr, piece));
            }
            events.extend(lines.finish(AT));
            let mut together = Vec::new();
            for event in &events {
                let written = line(event);
                let read = written.strip_suffix(b"\n").and_then(parse);
                prop_assert_eq!(read.as_ref(), Some(event));
                if let ProcessEvent::Output(OutputStream::Stderr, bytes) = &event.event {
                    prop_assert!(bytes.len() <= LONGEST_LINE);
                    together.extend_from_slice(bytes);
                }
            }
            prop_assert_eq!(together, [pieces.concat(), long].concat());
        }

        #[test]
        fn no_line_of_a_file_is_too_much(bytes: Vec<u8>) {
            drop(parse(&bytes));
            for kind in ["exit", "signal", "stdout"] {
                let known = [format!("1970-01-01T00:00:00Z {kind} ").as_bytes(), &bytes].concat();
                drop(parse(&known));
            }
        }
    }

    #[test]
    fn ends_are_kept_too() {
        for exit in [Exit::Code(3), Exit::Signal(9), Exit::TimedOut] {
            let event = ServiceEvent {
                at: AT,
                event: ProcessEvent::Ended(exit),
            };
            assert_eq!(
                line(&event).strip_suffix(b"\n").and_then(parse),
                Some(event)
            );
        }
    }
}
