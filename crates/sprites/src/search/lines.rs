//! Searching one file line by line. Binary files have no lines.

use ports::sandbox::{GrepMatch, GrepRequest, SandboxError};
use regex::bytes::{Regex, RegexBuilder};
use std::io::{self, BufRead, BufReader, Read};

/// Lines are searched and shown up to so many bytes and characters.
const LINE_BYTES: usize = 1 << 20;
const SHOWN_CHARACTERS: usize = 500;
/// A file with a NUL in its beginning is binary.
const SNIFFED: usize = 8 << 10;

/// A search and what it found.
pub(super) struct Search {
    regex: Regex,
    limit: usize,
    pub(super) needle: Option<String>,
    pub(super) ignore_case: bool,
    pub(super) found: Vec<GrepMatch>,
}

impl Search {
    pub(super) fn new(request: &GrepRequest) -> Result<Self, SandboxError> {
        let regex = RegexBuilder::new(&request.pattern)
            .case_insensitive(request.ignore_case)
            .build()
            .map_err(|error| SandboxError::Refused(format!("bad pattern: {error}")))?;
        Ok(Self {
            regex,
            limit: request.limit,
            needle: super::needle::needle(&request.pattern, request.ignore_case),
            ignore_case: request.ignore_case,
            found: Vec::new(),
        })
    }

    /// Searches one file; false when the limit stopped it.
    pub(super) fn file(&mut self, content: impl Read, shown: &str) -> io::Result<bool> {
        let mut lines = BufReader::with_capacity(SNIFFED * 8, content);
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
            if !self.regex.is_match(&line) {
                continue;
            }
            if self.found.len() >= self.limit {
                return Ok(false);
            }
            self.found.push(GrepMatch {
                path: shown.to_owned(),
                line: number,
                text: cut(&line),
            });
        }
        Ok(true)
    }
}

/// Reads one line without its end; what is over the limit is passed over.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
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
