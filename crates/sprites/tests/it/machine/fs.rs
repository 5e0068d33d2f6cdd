//! The file API of the service, on the directory it was given.

use super::{Habit, Machine, refusal};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sprites::wire::{
    WRITE_LIMIT,
    error::{ErrorBody, FileCode},
    file::{Entry, EntryType, Listing, PathQuery, WriteQuery, Written},
};
use std::{fs, io, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

fn failure(path: &str, error: &io::Error) -> Response {
    let (status, code) = match error.kind() {
        io::ErrorKind::NotFound => (404, FileCode::NotFound),
        io::ErrorKind::IsADirectory => (400, FileCode::IsDirectory),
        io::ErrorKind::NotADirectory => (400, FileCode::NotDirectory),
        io::ErrorKind::DirectoryNotEmpty => (409, FileCode::NotEmpty),
        _ => (400, FileCode::Io),
    };
    refusal(status, ErrorBody::file(code, path, error.to_string()))
}

pub(crate) async fn read(
    State(machine): State<Arc<Machine>>,
    Query(query): Query<PathQuery>,
) -> Response {
    assert!(query.path.starts_with('/'));
    match fs::read(&query.path) {
        Ok(bytes) if machine.has(Habit::NoLength) => {
            let pieces: Vec<_> = bytes.chunks(1000).map(Bytes::copy_from_slice).collect();
            let pieces = pieces.into_iter().map(Ok::<_, io::Error>);
            Body::from_stream(futures_util::stream::iter(pieces)).into_response()
        }
        Ok(bytes) => bytes.into_response(),
        Err(error) => failure(&query.path, &error),
    }
}

pub(crate) async fn write(Query(query): Query<WriteQuery>, body: Body) -> Response {
    let Ok(bytes) = axum::body::to_bytes(body, WRITE_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = Path::new(&query.path);
    let written = fs::create_dir_all(path.parent().unwrap()).and_then(|()| fs::write(path, bytes));
    match written {
        Ok(()) => Json(Written::default()).into_response(),
        Err(error) => failure(&query.path, &error),
    }
}

fn entry(path: &Path) -> io::Result<Entry> {
    let metadata = path.symlink_metadata()?;
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => EntryType::Directory,
        kind if kind.is_symlink() => EntryType::Symlink,
        kind if kind.is_file() => EntryType::File,
        _ => EntryType::Other,
    };
    Ok(Entry {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        path: path.display().to_string(),
        kind: Some(kind),
        size: metadata.len(),
        mode: format!("{:o}", metadata.permissions().mode() & 0o7777),
        mod_time: Some(metadata.modified()?.into()),
        is_dir: metadata.is_dir(),
    })
}

fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    if path.metadata()?.is_file() {
        return Ok(vec![entry(path)?]);
    }
    fs::read_dir(path)?.map(|it| entry(&it?.path())).collect()
}

pub(crate) async fn list(Query(query): Query<PathQuery>) -> Response {
    match entries(Path::new(&query.path)) {
        Ok(entries) => {
            let count = entries.len();
            let path = query.path;
            Json(Listing {
                path,
                entries,
                count,
            })
            .into_response()
        }
        Err(error) => failure(&query.path, &error),
    }
}

pub(crate) async fn delete(Query(query): Query<PathQuery>) -> Response {
    let path = Path::new(&query.path);
    let removed = match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_dir() => fs::remove_file(path),
        Ok(_) if query.recursive => fs::remove_dir_all(path),
        Ok(_) => fs::remove_dir(path),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => failure(&query.path, &error),
    }
}
