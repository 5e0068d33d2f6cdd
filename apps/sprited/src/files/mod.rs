//! The file API. Paths are joined here and resolved in the sandbox, where no path leads out; what
//! the sandbox says of them is given the codes that clients know in [`refusal`].

mod change;
mod content;
mod refusal;
mod watch;

pub(crate) use change::{chmod, chown, copy, delete, rename};
pub(crate) use content::{read, write};
pub(crate) use watch::watch;

use crate::app::Target;
use axum::{Json, extract::Query};
use ports::sandbox::{DirectoryEntry, EntryKind};
use refusal::FileRefusal;
use serde::Deserialize;
use sprites::wire::{
    error::FileCode,
    file::{Entry, EntryType, Listing, PathQuery},
};

/// What listing takes besides a path.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    pattern: String,
}

/// `GET …/fs/list`. Clients take the first entry of a file for what the file is.
pub(crate) async fn list(
    target: Target,
    Query(query): Query<PathQuery>,
    Query(more): Query<ListQuery>,
) -> Result<Json<Listing>, FileRefusal> {
    let path = join(query.working_dir.as_deref(), &query.path);
    if more.recursive || !more.pattern.is_empty() {
        let text = "only one directory is listed at a time, whole; search with a command";
        return Err(FileRefusal::new(FileCode::Invalid, &path, text));
    }
    let _used = target.used();
    let told = |error| FileRefusal::of(&path, error);
    let at = target.sprite.stat(&path).await.map_err(told)?;
    let inside = match at.kind {
        EntryKind::Directory => Some(target.sprite.list_directory(&path).await.map_err(told)?),
        // It may lead to a directory.
        EntryKind::Symlink => target.sprite.list_directory(&path).await.ok(),
        EntryKind::File | EntryKind::Other => None,
    };
    let entries: Vec<_> = match inside {
        Some(entries) => {
            let inside = |entry: DirectoryEntry| {
                let path = join(Some(&path), &entry.name);
                wire(entry, path)
            };
            entries.into_iter().map(inside).collect()
        }
        None => vec![wire(at, path.clone())],
    };
    let count = entries.len();
    Ok(Json(Listing {
        path,
        entries,
        count,
    }))
}

fn wire(entry: DirectoryEntry, path: String) -> Entry {
    Entry {
        path,
        kind: Some(match entry.kind {
            EntryKind::File => EntryType::File,
            EntryKind::Directory => EntryType::Directory,
            EntryKind::Symlink => EntryType::Symlink,
            EntryKind::Other => EntryType::Other,
        }),
        size: entry.bytes,
        mode: octal(entry.mode),
        mod_time: Some(entry.modified_at),
        is_dir: entry.kind == EntryKind::Directory,
        name: entry.name,
    }
}

fn octal(mode: u32) -> String {
    format!("{:o}", mode & 0o7777)
}

/// Where a path points: relative ones start at the working directory, which is `/` when absent.
fn join(working_dir: Option<&str>, path: &str) -> String {
    let base = working_dir.filter(|base| !base.is_empty()).unwrap_or("/");
    if path.starts_with('/') {
        path.to_owned()
    } else if path.is_empty() || path == "." {
        base.to_owned()
    } else {
        format!("{}/{path}", base.trim_end_matches('/'))
    }
}

/// Octal permission bits.
fn bits(mode: &str, path: &str) -> Result<u32, FileRefusal> {
    let bits = u32::from_str_radix(mode.trim_start_matches("0o"), 8).ok();
    bits.filter(|bits| *bits <= 0o7777).ok_or_else(|| {
        let text = format!("`{mode}` is not a mode; write it octal, such as 0644");
        FileRefusal::new(FileCode::Invalid, path, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_at_the_working_directory() {
        for (base, path, joined) in [
            (None, "a", "/a"),
            (Some(""), "a/b", "/a/b"),
            (Some("/home/sprite"), "a", "/home/sprite/a"),
            (Some("/x/"), "./a", "/x/./a"),
            (Some("/x"), ".", "/x"),
            (Some("/x"), "", "/x"),
            (Some("/x"), "/etc", "/etc"),
            (Some("x"), "../a", "x/../a"),
        ] {
            assert_eq!(join(base, path), joined, "{base:?} {path}");
        }
    }

    #[test]
    fn modes_are_octal() {
        for (mode, expected) in [("644", 0o644), ("0755", 0o755), ("0o4755", 0o4755)] {
            assert_eq!(bits(mode, "x").unwrap(), expected);
        }
        for bad in ["", "rw", "8", "17777", "-1"] {
            assert!(bits(bad, "x").is_err(), "{bad}");
        }
    }
}
