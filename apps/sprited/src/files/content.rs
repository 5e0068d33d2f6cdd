//! Bytes out of files and into them.

use super::{bits, join, octal, refusal::FileRefusal};
use crate::{
    app::{Target, Used},
    body,
};
use axum::{
    Json,
    body::Body,
    extract::Query,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use ports::sandbox::{
    Command, EntryKind, Exit, OutputStream, ProcessEvent, ProcessOutput, SandboxError,
};
use sprites::wire::{
    WRITE_LIMIT,
    error::FileCode,
    file::{PathQuery, WriteQuery, Written},
};
use std::{io, time::Duration};

/// Files up to here are read at once; larger ones come as they are sent.
const AT_ONCE: u64 = 1 << 20;

/// `GET …/fs/read`.
pub(crate) async fn read(
    target: Target,
    Query(query): Query<PathQuery>,
) -> Result<Response, FileRefusal> {
    let path = join(query.working_dir.as_deref(), &query.path);
    let used = target.used();
    let told = |error| FileRefusal::of(&path, error);
    let at = target.sprite.stat(&path).await.map_err(told)?;
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    // What a link leads to is found out by reading it.
    if at.kind != EntryKind::File || at.bytes <= AT_ONCE {
        match target.sprite.read_file(&path, AT_ONCE).await {
            Err(SandboxError::Refused(text)) if text.contains("more than the") => {}
            content => return Ok((kind, content.map_err(told)?).into_response()),
        }
    }
    let body = Body::from_stream(stream(&target, &path, used).await.map_err(told)?);
    Ok((kind, body).into_response())
}

/// The bytes of a file of any size, as fast as they are taken.
async fn stream(
    target: &Target,
    path: &str,
    used: Used,
) -> Result<impl stream::Stream<Item = io::Result<Bytes>> + use<>, SandboxError> {
    let attached = target
        .sprite
        .start(Command {
            program: None,
            arguments: ["cat", "--", path].map(str::to_owned).to_vec(),
            environment: Vec::new(),
            directory: None,
            terminal: None,
            input: false,
            linger: Some(Duration::ZERO),
        })
        .await?;
    let state = (attached.output, used);
    Ok(stream::unfold(state, |(mut output, used)| async move {
        let piece = next(&mut output).await?;
        Some((piece, (output, used)))
    }))
}

/// A file that cannot be read to its end breaks the answer off, so that nobody takes it for whole.
async fn next(output: &mut ProcessOutput) -> Option<io::Result<Bytes>> {
    loop {
        match output.next().await {
            Some(Ok(ProcessEvent::Output(OutputStream::Stdout, bytes))) => return Some(Ok(bytes)),
            Some(Ok(ProcessEvent::Output(OutputStream::Stderr, _))) => {}
            Some(Ok(ProcessEvent::Ended(Exit::Code(0)))) => return None,
            Some(Ok(ProcessEvent::Ended(_))) | None => {
                return Some(Err(io::Error::other("the file cannot be read to its end")));
            }
            Some(Err(error)) => return Some(Err(io::Error::other(error))),
        }
    }
}

/// `PUT …/fs/write`.
pub(crate) async fn write(
    target: Target,
    Query(query): Query<WriteQuery>,
    given: Body,
) -> Result<Json<Written>, FileRefusal> {
    let path = join(query.working_dir.as_deref(), &query.path);
    let mode = query.mode.as_deref().filter(|mode| !mode.is_empty());
    let mode = mode.map(|mode| bits(mode, &path)).transpose()?;
    let content = body::limited(given, WRITE_LIMIT).await?;
    let _used = target.used();
    let told = |error| FileRefusal::of(&path, error);
    if query.mkdir_parents == Some(false) {
        parent_is_there(&target, &path).await?;
    }
    let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
    target
        .sprite
        .write_file(&path, content)
        .await
        .map_err(told)?;
    let mode = match mode {
        Some(mode) => {
            target
                .sprite
                .chmod(&path, mode, false)
                .await
                .map_err(told)?;
            mode
        }
        None => target.sprite.stat(&path).await.map_err(told)?.mode,
    };
    Ok(Json(Written {
        path,
        size,
        mode: octal(mode),
    }))
}

async fn parent_is_there(target: &Target, path: &str) -> Result<(), FileRefusal> {
    let parent = match path.trim_end_matches('/').rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() => parent,
        _ => return Ok(()),
    };
    match target.sprite.stat(parent).await {
        Ok(_) => Ok(()),
        Err(SandboxError::NotFound { .. }) => {
            let text = format!("the directory {parent} is not there, and mkdirParents is false");
            Err(FileRefusal::new(FileCode::NotFound, path, text))
        }
        Err(error) => Err(FileRefusal::of(path, error)),
    }
}
