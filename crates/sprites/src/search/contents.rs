//! The contents of files of a sprite, searched as they arrive: one program leaves out the files that
//! surely do not match and hands the others over as an archive, which is never held whole.

use super::lines::Search;
use crate::{run::shutting_down, sprite::Place};
use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Exit, Found, GrepMatch, OutputStream, ProcessEvent, ProcessOutput, SandboxError,
};
use std::{
    borrow::Cow,
    io::{self, Read},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// The most that is handed over for one search; what is after that counts as cut off.
const HANDED_OVER: usize = 256 << 20;
const WAITING: usize = 8;
/// Of the archiver: something could not be read, which is passed over.
const INCOMPLETE: i32 = 2;

/// `$1` is the directory, `$2` what files must contain, `$3` how to look for it. The names come on
/// standard input, each with `./` before it, so none is taken for an option.
const SCRIPT: &str = r#"
cd -- "$1" || exit 9
export LC_ALL=C
if [ -n "$2" ]; then
  xargs -0 -r grep -lZas "$3" -e "$2" --
else
  cat
fi | tar --create --file=- --format=gnu --null --files-from=- --no-recursion \
  --hard-dereference --dereference --ignore-failed-read --warning=none 2>/dev/null
"#;

/// Searches files of a directory, in their order. `shown` says how each is called.
pub(super) async fn search(
    place: &Place,
    base: &str,
    files: Vec<PathBuf>,
    search: Search,
    shown: impl Fn(&Path) -> String + Send + 'static,
) -> Result<Found<GrepMatch>, SandboxError> {
    if files.is_empty() {
        return Ok(Found {
            items: Vec::new(),
            truncated: false,
        });
    }
    let needle = search.needle.clone().unwrap_or_default();
    let how = if search.ignore_case { "-Fi" } else { "-F" };
    let arguments = ["sh", "-c", SCRIPT, "sh", base, &needle, how];
    let Attached { input, output, .. } = place.begin(&arguments, true).await?;
    let (pieces, archive) = mpsc::channel(WAITING);
    let searching = place
        .door
        .tasks
        .spawn_blocking(move || run(Archive::new(archive), search, shown));
    let feeding = async {
        // It may have seen enough, or have failed, before it has read all names.
        if input.write(names(&files)).await.is_ok() {
            drop(input.finish().await);
        }
    };
    let work = async {
        let handed = hand_over(output, pieces).await;
        let searched = searching.await;
        let lost = |error: tokio::task::JoinError| SandboxError::Lost(error.to_string());
        (handed, searched.map_err(lost))
    };
    let (handed, searched) = tokio::select! {
        ended = work => ended,
        // Names are fed as long as there is work; then they are not needed any more.
        never = async { feeding.await; std::future::pending().await } => never,
    };
    let (items, complete) = searched?;
    let truncated = !complete || !handed?;
    Ok(Found { items, truncated })
}

fn names(files: &[PathBuf]) -> Bytes {
    let mut names = Vec::new();
    for file in files {
        names.extend_from_slice(b"./");
        names.extend_from_slice(file.as_os_str().as_bytes());
        names.push(0);
    }
    names.into()
}

/// Hands the archive on to the search; false when there is more than is handed over.
async fn hand_over(
    mut output: ProcessOutput,
    pieces: mpsc::Sender<Bytes>,
) -> Result<bool, SandboxError> {
    let mut room = HANDED_OVER;
    let mut complaint = Vec::new();
    while let Some(event) = output.next().await {
        match event? {
            ProcessEvent::Output(OutputStream::Stdout, bytes) => {
                let Some(left) = room.checked_sub(bytes.len()) else {
                    return Ok(false);
                };
                room = left;
                if pieces.send(bytes).await.is_err() {
                    return Ok(true);
                }
            }
            ProcessEvent::Output(OutputStream::Stderr, bytes) => {
                complaint.extend(bytes.iter().take(300));
            }
            ProcessEvent::Ended(Exit::Code(0..=INCOMPLETE)) => return Ok(true),
            ProcessEvent::Ended(_) => {
                let text = String::from_utf8_lossy(&complaint);
                let text = format!("the files cannot be searched: {}", text.trim());
                return Err(SandboxError::Refused(text));
            }
        }
    }
    Err(shutting_down())
}

/// Searches an archive to its end, or as far as it comes; false when the limit stopped it.
fn run(
    archive: Archive,
    mut search: Search,
    shown: impl Fn(&Path) -> String,
) -> (Vec<GrepMatch>, bool) {
    let mut archive = tar::Archive::new(archive);
    let Ok(entries) = archive.entries() else {
        return (search.found, true);
    };
    for entry in entries {
        // An archive that is cut off is told by whoever hands it over.
        let Ok(entry) = entry else {
            break;
        };
        let Ok(path) = entry.path().map(Cow::into_owned) else {
            continue;
        };
        let below = path.strip_prefix("./").unwrap_or(&path);
        let shown = shown(below);
        match search.file(entry, &shown) {
            Ok(true) => {}
            Ok(false) => return (search.found, false),
            Err(_) => break,
        }
    }
    (search.found, true)
}

/// An archive as it arrives.
struct Archive {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Archive {
    fn new(pieces: mpsc::Receiver<Bytes>) -> Self {
        Self {
            pieces,
            piece: Bytes::new(),
        }
    }
}

impl Read for Archive {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = self.piece.len().min(into.len());
        if let Some(into) = into.get_mut(..length) {
            self.piece.copy_to_slice(into);
        }
        Ok(length)
    }
}
