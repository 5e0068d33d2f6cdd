//! What is done to files as such: removed, renamed, copied, given other rights.

use super::{bits, join, octal, refusal::FileRefusal};
use crate::{app::Target, body};
use axum::{Json, body::Bytes, extract::Query};
use ports::sandbox::{DirectoryEntry, EntryKind};
use serde::Deserialize;
use serde_json::{Value, json};
use sprites::wire::{
    error::FileCode,
    file::{Affected, Changed, Chmod, Copied, Deleted, PathQuery, Transfer, Transferred},
};

/// The query or the body of deleting; clients differ in where they say it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DeleteQuery {
    path: Option<String>,
    working_dir: Option<String>,
    recursive: bool,
}

/// `DELETE …/fs/delete`.
pub(crate) async fn delete(
    target: Target,
    Query(query): Query<DeleteQuery>,
    given: Bytes,
) -> Result<Json<Deleted>, FileRefusal> {
    let query = match query.path {
        Some(path) => PathQuery {
            path,
            working_dir: query.working_dir,
            recursive: query.recursive,
        },
        None => body::json(&given)?,
    };
    let path = join(query.working_dir.as_deref(), &query.path);
    let _used = target.used();
    let removed = target.sprite.remove(&path, query.recursive).await;
    removed.map_err(|error| FileRefusal::of(&path, error))?;
    Ok(Json(Deleted {
        deleted: vec![path],
        count: 1,
    }))
}

/// `POST …/fs/rename`.
pub(crate) async fn rename(target: Target, given: Bytes) -> Result<Json<Transferred>, FileRefusal> {
    let moved = transfer(&given)?;
    let _used = target.used();
    let done = target.sprite.rename(&moved.0.source, &moved.0.dest).await;
    done.map_err(|error| FileRefusal::of(&moved.0.source, error))?;
    Ok(Json(moved.0))
}

/// `POST …/fs/copy`.
pub(crate) async fn copy(target: Target, given: Bytes) -> Result<Json<Copied>, FileRefusal> {
    let (copied, recursive) = transfer(&given)?;
    let _used = target.used();
    let told = |error| FileRefusal::of(&copied.source, error);
    let at = target.sprite.stat(&copied.source).await.map_err(told)?;
    if at.kind == EntryKind::Directory && !recursive {
        let text = "it is a directory; set recursive to copy it with all in it";
        return Err(FileRefusal::new(
            FileCode::IsDirectory,
            &copied.source,
            text,
        ));
    }
    let Transferred { source, dest } = &copied;
    target
        .sprite
        .copy(source, dest, recursive)
        .await
        .map_err(told)?;
    Ok(Json(Copied {
        copied: vec![copied],
        count: 1,
        total_bytes: at.bytes,
    }))
}

fn transfer(given: &[u8]) -> Result<(Transferred, bool), FileRefusal> {
    let asked: Transfer = body::json(given)?;
    let at = |path: &str| join(asked.working_dir.as_deref(), path);
    let moved = Transferred {
        source: at(&asked.source),
        dest: at(&asked.dest),
    };
    Ok((moved, asked.recursive))
}

/// `POST …/fs/chmod`.
pub(crate) async fn chmod(target: Target, given: Bytes) -> Result<Json<Affected>, FileRefusal> {
    let asked: Chmod = body::json(&given)?;
    let path = join(asked.working_dir.as_deref(), &asked.path);
    let mode = bits(&asked.mode, &path)?;
    let _used = target.used();
    let done = target.sprite.chmod(&path, mode, asked.recursive).await;
    done.map_err(|error| FileRefusal::of(&path, error))?;
    let mode = octal(mode);
    Ok(Json(Affected {
        affected: vec![Changed { path, mode }],
        count: 1,
    }))
}

/// The body of `POST …/fs/chown`. A user is a number or a name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chown {
    path: String,
    #[serde(default)]
    working_dir: Option<String>,
    #[serde(default)]
    uid: Value,
    #[serde(default)]
    gid: Value,
}

/// `POST …/fs/chown`: everything belongs to the sprite's one user, and stays so.
pub(crate) async fn chown(target: Target, given: Bytes) -> Result<Json<Value>, FileRefusal> {
    let asked: Chown = body::json(&given)?;
    let path = join(asked.working_dir.as_deref(), &asked.path);
    let _used = target.used();
    let at = target.sprite.stat(&path).await;
    let _entry: DirectoryEntry = at.map_err(|error| FileRefusal::of(&path, error))?;
    if ![&asked.uid, &asked.gid].into_iter().all(is_own) {
        let text = "files of a sprite belong to its user `sprite` (1000) and cannot be given away";
        return Err(FileRefusal::new(FileCode::NotPermitted, &path, text));
    }
    Ok(Json(json!({
        "affected": [{"path": path, "uid": asked.uid, "gid": asked.gid}],
        "count": 1,
    })))
}

fn is_own(user: &Value) -> bool {
    const NUMBER: u64 = 1000;
    match user {
        Value::Null => true,
        Value::Number(number) => number.as_u64() == Some(NUMBER),
        Value::String(name) => name == "sprite" || name == "1000",
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}
