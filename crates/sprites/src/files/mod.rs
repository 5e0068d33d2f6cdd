//! Files by the service's file API. It has no request for what is at a path, so the directory above
//! is listed; and none for making a directory, so a program does it.

mod failure;
mod path;
mod read;
mod write;

pub(crate) use failure::failure;
pub(crate) use path::absolute;
pub(crate) use read::read;
pub(crate) use write::write;

use crate::{
    api::Twice,
    sprite::{Place, RemoteSprite},
    wire::file::{Chmod, Entry, EntryType, Listing, PathQuery, Transfer},
};
use async_trait::async_trait;
use path::{normal, parent_and_name};
use ports::sandbox::{DirectoryEntry, EntryKind, Exit, Files, SandboxError};
use reqwest::{Method, RequestBuilder};

const MESSAGES: usize = 64 << 10;

/// The entries of a directory as the service has them.
async fn listing(place: &Place, path: &str) -> Result<Vec<Entry>, SandboxError> {
    let whole = place.absolute(path);
    let query = query(place, whole.clone(), false);
    let request = place.request(Method::GET, "list").query(&query);
    let listing: Result<Listing, _> = place.door.api.json(request, Twice::Same).await;
    let listing = listing.map_err(|error| failure(place, path, error))?;
    // A file is listed as itself.
    if let [entry] = listing.entries.as_slice()
        && kind_of(entry) != EntryKind::Directory
        && normal(&entry.path) == normal(&whole)
    {
        return Err(SandboxError::Refused(format!("{path}: not a directory")));
    }
    Ok(listing.entries)
}

/// What a directory holds, sorted by name.
pub(crate) async fn list(place: &Place, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
    let entries = listing(place, path).await?;
    let mut entries: Vec<_> = entries.into_iter().map(entry_of).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// What is at a path; a link is itself.
pub(crate) async fn stat(place: &Place, path: &str) -> Result<DirectoryEntry, SandboxError> {
    let whole = normal(&place.absolute(path));
    let missing = || SandboxError::NotFound {
        path: path.to_owned(),
    };
    let Some((parent, name)) = parent_and_name(&whole) else {
        return Ok(DirectoryEntry {
            name: "/".to_owned(),
            kind: EntryKind::Directory,
            bytes: 0,
            mode: 0o755,
            modified_at: domain::Timestamp::UNIX_EPOCH,
        });
    };
    let entries = listing(place, parent).await.map_err(|error| match error {
        SandboxError::NotFound { .. } => missing(),
        error => error,
    })?;
    let entry = entries.into_iter().find(|entry| entry.name == name);
    entry.map(entry_of).ok_or_else(missing)
}

/// Makes a directory and its parents.
pub(crate) async fn make_directory(place: &Place, path: &str) -> Result<(), SandboxError> {
    let whole = place.absolute(path);
    let ran = place.run(&["mkdir", "-p", "--", &whole], MESSAGES).await?;
    if ran.exit == Some(Exit::Code(0)) {
        return Ok(());
    }
    let complaint = ran.complaint();
    // What it complains of begins with its own name and the path in quotes.
    let why = complaint.rsplit(": ").next().unwrap_or_default();
    let why = match why {
        "File exists" => "it exists already and is not a directory",
        "Not a directory" => "a part of the path is not a directory",
        why => why,
    };
    Err(SandboxError::Refused(format!("{path}: {why}")))
}

fn query(place: &Place, path: String, recursive: bool) -> PathQuery {
    PathQuery {
        path,
        working_dir: Some(place.home.clone()),
        recursive,
    }
}

impl Place {
    pub(crate) fn request(&self, method: Method, what: &str) -> RequestBuilder {
        self.door.api.request(method, &self.path(&["fs", what]))
    }
}

fn kind_of(entry: &Entry) -> EntryKind {
    match entry.kind {
        Some(EntryType::Symlink) => EntryKind::Symlink,
        Some(EntryType::Other) => EntryKind::Other,
        Some(EntryType::Directory) => EntryKind::Directory,
        None if entry.is_dir => EntryKind::Directory,
        Some(EntryType::File) | None => EntryKind::File,
    }
}

fn entry_of(entry: Entry) -> DirectoryEntry {
    let kind = kind_of(&entry);
    DirectoryEntry {
        kind,
        bytes: if kind == EntryKind::File {
            entry.size
        } else {
            0
        },
        mode: u32::from_str_radix(&entry.mode, 8).unwrap_or(0) & 0o7777,
        modified_at: entry.mod_time.unwrap_or_default(),
        name: entry.name,
    }
}

impl RemoteSprite {
    async fn change(
        &self,
        path: &str,
        request: impl FnOnce(&Place) -> RequestBuilder,
    ) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let sent = place.door.api.send(request(&place), Twice::Differs).await;
        sent.map(drop).map_err(|error| failure(&place, path, error))
    }
}

#[async_trait]
impl Files for RemoteSprite {
    async fn stat(&self, path: &str) -> Result<DirectoryEntry, SandboxError> {
        let place = self.place().await?;
        stat(&place, path).await
    }

    async fn remove(&self, path: &str, recursive: bool) -> Result<(), SandboxError> {
        self.change(path, |place| {
            let query = query(place, place.absolute(path), recursive);
            place.request(Method::DELETE, "delete").query(&query)
        })
        .await
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), SandboxError> {
        self.change(from, |place| {
            let body = transfer(place, from, to, false);
            place.request(Method::POST, "rename").json(&body)
        })
        .await
    }

    async fn copy(&self, from: &str, to: &str, recursive: bool) -> Result<(), SandboxError> {
        self.change(from, |place| {
            let body = transfer(place, from, to, recursive);
            place.request(Method::POST, "copy").json(&body)
        })
        .await
    }

    async fn chmod(&self, path: &str, mode: u32, recursive: bool) -> Result<(), SandboxError> {
        self.change(path, |place| {
            let body = Chmod {
                path: place.absolute(path),
                working_dir: Some(place.home.clone()),
                mode: format!("{:04o}", mode & 0o7777),
                recursive,
            };
            place.request(Method::POST, "chmod").json(&body)
        })
        .await
    }
}

fn transfer(place: &Place, from: &str, to: &str, recursive: bool) -> Transfer {
    Transfer {
        source: place.absolute(from),
        dest: place.absolute(to),
        working_dir: Some(place.home.clone()),
        recursive,
    }
}
