//! Finding files by name and by content, as a person's editor would: `.gitignore` is honoured,
//! hidden files are seen, the insides of `.git` are not.

use super::{
    files::{failure, resolve},
    responder::Responder,
};
use crate::protocol::{Answer, Failure, Reply, WireMatch};
use globset::{GlobBuilder, GlobMatcher};
use ignore::{DirEntry, WalkBuilder};
use regex::bytes::{Regex, RegexBuilder};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Lines are searched and shown up to so many bytes and characters.
const LINE_BYTES: usize = 1 << 20;
const SHOWN_CHARACTERS: usize = 500;
/// A file with a NUL in its beginning is binary.
const SNIFFED: usize = 8 << 10;

/// Sends the paths below `root` that match.
pub(super) fn glob(home: &Path, root: &str, pattern: &str, limit: usize, to: &Responder) -> Answer {
    let matcher = matcher(pattern)?;
    let mut found = Vec::new();
    let mut truncated = false;
    for (entry, below) in walk(home, root)? {
        if to.is_cancelled() {
            break;
        }
        if !matcher.is_match(&below) {
            continue;
        }
        if found.len() >= limit {
            truncated = true;
            break;
        }
        let slash = if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            "/"
        } else {
            ""
        };
        found.push(format!("{}{slash}", shown(root, &below)));
    }
    to.json_blocking(&found)?;
    Ok(Reply::List { truncated })
}

/// A search through contents.
pub(super) struct Grep {
    regex: Regex,
    glob: Option<GlobMatcher>,
    limit: usize,
}

impl Grep {
    pub(super) fn new(
        pattern: &str,
        glob: Option<&str>,
        ignore_case: bool,
        limit: usize,
    ) -> Result<Self, Failure> {
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .build()
            .map_err(|error| Failure::Refused(format!("bad pattern: {error}")))?;
        let glob = glob.map(matcher).transpose()?;
        Ok(Self { regex, glob, limit })
    }

    /// Sends the lines that match, of a file or of the files of a directory.
    pub(super) fn run(self, home: &Path, path: &str, to: &Responder) -> Answer {
        let start = resolve(home, path);
        let metadata = fs::metadata(&start).map_err(|error| failure(path, &error))?;
        let mut found = Vec::new();
        let complete = if metadata.is_file() {
            self.file(&start, path, to, &mut found)
                .map_err(|error| failure(path, &error))?
        } else {
            self.directory(home, path, to, &mut found)?
        };
        to.json_blocking(&found)?;
        let truncated = !complete;
        Ok(Reply::List { truncated })
    }

    fn directory(
        &self,
        home: &Path,
        path: &str,
        to: &Responder,
        found: &mut Vec<WireMatch>,
    ) -> Result<bool, Failure> {
        for (entry, below) in walk(home, path)? {
            let wanted = self.glob.as_ref().is_none_or(|glob| glob.is_match(&below));
            if !wanted || !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            // A file that cannot be read has no lines that match.
            let complete = self.file(entry.path(), &shown(path, &below), to, found);
            if !complete.unwrap_or(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Searches one file; false when the limit stopped it.
    fn file(
        &self,
        path: &Path,
        shown: &str,
        to: &Responder,
        found: &mut Vec<WireMatch>,
    ) -> io::Result<bool> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        let mut lines = BufReader::with_capacity(SNIFFED * 8, file);
        if lines
            .fill_buf()?
            .iter()
            .take(SNIFFED)
            .any(|byte| *byte == 0)
        {
            return Ok(true);
        }
        let mut line = Vec::new();
        let mut number = 0;
        while next_line(&mut lines, &mut line)? {
            number += 1;
            if to.is_cancelled() {
                return Ok(false);
            }
            if !self.regex.is_match(&line) {
                continue;
            }
            if found.len() >= self.limit {
                return Ok(false);
            }
            found.push(WireMatch {
                path: shown.to_owned(),
                line: number,
                text: cut(&line),
            });
        }
        Ok(true)
    }
}

/// Reads one line without its end; what is over the limit is passed over.
fn next_line(from: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(buffer.len());
        let room = LINE_BYTES.saturating_sub(line.len());
        line.extend(buffer.iter().take(length.min(room)));
        from.consume(end.map_or(length, |end| end + 1));
        if end.is_some() {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(any)
}

fn cut(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

fn matcher(pattern: &str) -> Result<GlobMatcher, Failure> {
    let glob = GlobBuilder::new(pattern.trim_start_matches("./"))
        .literal_separator(true)
        .build()
        .map_err(|error| Failure::Refused(format!("bad glob: {error}")))?;
    Ok(glob.compile_matcher())
}

/// The entries below `root` in path order, each with its path relative to it.
fn walk(home: &Path, root: &str) -> Result<impl Iterator<Item = (DirEntry, PathBuf)>, Failure> {
    let start = resolve(home, root);
    let metadata = fs::metadata(&start).map_err(|error| failure(root, &error))?;
    if !metadata.is_dir() {
        return Err(Failure::Refused(format!("{root}: not a directory")));
    }
    if start.ancestors().any(is_trap) {
        let text = format!("{root}: what says there which files to ignore is not a file");
        return Err(Failure::Refused(text));
    }
    let walk = WalkBuilder::new(&start)
        .hidden(false)
        .git_global(false)
        .require_git(false)
        .sort_by_file_name(Ord::cmp)
        .filter_entry(|entry| entry.file_name() != ".git" && !is_trap(entry.path()))
        .build();
    // What cannot be read is passed over, like what is not there.
    Ok(walk.flatten().filter_map(move |entry| {
        let below = entry.path().strip_prefix(&start).ok()?.to_owned();
        (!below.as_os_str().is_empty()).then_some((entry, below))
    }))
}

/// Whether the walk would read a pipe or a device in this directory, and wait for ever.
fn is_trap(directory: &Path) -> bool {
    [".gitignore", ".ignore", ".git/info/exclude"]
        .iter()
        .any(|name| {
            let found = fs::metadata(directory.join(name));
            found.is_ok_and(|found| !found.is_file() && !found.is_dir())
        })
}

/// A path as the caller would write it.
fn shown(root: &str, below: &Path) -> String {
    let below = below.to_string_lossy();
    match root.trim_end_matches('/').trim_start_matches("./") {
        "" if root.starts_with('/') => format!("/{below}"),
        "" | "." => below.into_owned(),
        root => format!("{root}/{below}"),
    }
}
