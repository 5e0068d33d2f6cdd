//! What people see of the files of a sprite. Looking provisions nothing; an agent whose sprite was never used has no
//! files.

use crate::{Context, Error, error::found, people::see_agent, sprites::key};
use domain::{
    access::{Area, Right},
    agent::Agent,
    id::AgentId,
};
use ports::sandbox::{DirectoryEntry, SandboxError, Sprite};
use std::sync::Arc;

/// What people call the home of a sprite, wherever its host has it.
pub(crate) const HOME: &str = "/home/sprite";
/// How many entries of a directory are shown.
const ENTRIES: usize = 1_000;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 4_096;
/// The largest file that is opened, in bytes.
const LARGEST_FILE: u64 = 16 << 20;
/// How much of a file is shown, in bytes.
const SHOWN: usize = 256 << 10;
/// A NUL in the beginning makes a file binary.
const SNIFFED: usize = 8 << 10;

/// What a directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which one.
    pub path: String,
    /// Sorted by name.
    pub entries: Vec<DirectoryEntry>,
    /// Whether there are more.
    pub truncated: bool,
}

/// A file, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// Which one.
    pub path: String,
    /// Its size in bytes.
    pub size: usize,
    /// What it says; absent where it is not text.
    pub text: Option<String>,
    /// Whether it goes on.
    pub truncated: bool,
}

/// What a directory of an agent's sprite holds; its home when none is named.
#[tracing::instrument(name = "sprite_files.list", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn list(
    context: &Context,
    agent: AgentId,
    path: Option<String>,
) -> Result<Listing, Error> {
    let sprite = used(context, agent).await?;
    let path = absolute("path", path.unwrap_or_else(|| HOME.to_owned()))?;
    let mut entries = match sprite {
        Some(sprite) => {
            let entries = sprite.list_directory(&inside(&path)).await;
            entries.map_err(named("directory"))?
        }
        None => Vec::new(),
    };
    let truncated = entries.len() > ENTRIES;
    entries.truncate(ENTRIES);
    Ok(Listing {
        path,
        entries,
        truncated,
    })
}

/// A file of an agent's sprite.
#[tracing::instrument(name = "sprite_files.read", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn read(context: &Context, agent: AgentId, path: String) -> Result<FileText, Error> {
    let sprite = used(context, agent).await?;
    let path = absolute("path", path)?;
    let sprite = found(sprite, "file")?;
    let bytes = sprite.read_file(&inside(&path), LARGEST_FILE).await;
    let bytes = bytes.map_err(named("file"))?;
    let text = beginning(&bytes);
    Ok(FileText {
        path,
        size: bytes.len(),
        truncated: text.is_some_and(|text| text.len() < bytes.len()),
        text: text.map(str::to_owned),
    })
}

/// The agent, when the caller sees it.
pub(crate) async fn seen(context: &Context, agent: AgentId) -> Result<Agent, Error> {
    let tx = context.read().await?;
    let agent = found(tx.agents().find(context.tenant, agent).await?, "agent")?;
    see_agent(context, &tx, agent.id, "agent").await?;
    Ok(agent)
}

/// A path that means the same to everybody: there is nothing it could be relative to.
pub(crate) fn absolute(field: &'static str, path: String) -> Result<String, Error> {
    let sound = path.starts_with('/') && path.len() <= LONGEST_PATH && !path.contains('\0');
    if sound {
        Ok(path)
    } else {
        Err(Error::invalid(
            field,
            format!("must begin with / and have at most {LONGEST_PATH} bytes, none of them NUL"),
        ))
    }
}

/// The path as the sprite takes it: what lies in its home is found from there.
pub(crate) fn inside(path: &str) -> String {
    match path.strip_prefix(HOME) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!(".{rest}"),
        Some(_) | None => path.to_owned(),
    }
}

/// The sprite, when it was ever used.
async fn used(context: &Context, agent: AgentId) -> Result<Option<Arc<dyn Sprite>>, Error> {
    context.authorise(Area::Sprites, Right::Read)?;
    let agent = seen(context, agent).await?;
    let (sandboxes, key) = (&context.platform.sandboxes, key(context, agent.id));
    let provisioned = sandboxes.inspect(key).await?.provisioned;
    Ok(provisioned.then(|| sandboxes.sprite(key)))
}

fn named(what: &'static str) -> impl Fn(SandboxError) -> Error {
    move |error| match error {
        SandboxError::NotFound { .. } => Error::NotFound { what },
        SandboxError::Refused(text) => Error::invalid("path", text),
        other @ (SandboxError::Conflict(_)
        | SandboxError::Exhausted { .. }
        | SandboxError::Lost(_)
        | SandboxError::Unavailable(_)) => other.into(),
    }
}

/// As much of a text as is shown; nothing where it is none.
fn beginning(content: &[u8]) -> Option<&str> {
    if content.iter().take(SNIFFED).any(|byte| *byte == 0) {
        return None;
    }
    let shown = content.get(..SHOWN).unwrap_or(content);
    match std::str::from_utf8(shown) {
        Ok(text) => Some(text),
        // A character that the cut went through.
        Err(error) if error.error_len().is_none() && shown.len() < content.len() => {
            std::str::from_utf8(shown.get(..error.valid_up_to())?).ok()
        }
        Err(_not_text) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, absolute, beginning, inside};

    #[test]
    fn text_is_shown_up_to_a_whole_character() {
        assert_eq!(beginning(b""), Some(""));
        assert_eq!(beginning("häuser\r\n".as_bytes()), Some("häuser\r\n"));
        let long = format!("{}ü{}", "x".repeat(SHOWN - 1), "x".repeat(9));
        assert_eq!(beginning(long.as_bytes()), long.get(..SHOWN - 1));
        let other = "x".repeat(SHOWN + 9);
        assert_eq!(beginning(other.as_bytes()), other.get(..SHOWN));
    }

    #[test]
    fn what_is_not_text_is_not_shown() {
        for content in [&b"PNG\0"[..], b"\xff\xfe", b"h\xc3", b"\xe4"] {
            assert_eq!(beginning(content), None, "{content:?}");
        }
    }

    #[test]
    fn a_path_is_absolute_and_can_be_one() {
        for sound in ["/", "/home/sprite/a b", "/a/../b"] {
            assert_eq!(absolute("path", sound.to_owned()).unwrap(), sound);
        }
        for bad in [
            "",
            "a",
            "~/a",
            "../a",
            "/a\0b",
            &format!("/{}", "a".repeat(4_096)),
        ] {
            assert!(absolute("path", bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn home_is_where_the_host_has_it() {
        for (path, taken) in [
            ("/home/sprite", "."),
            ("/home/sprite/~x/y", "./~x/y"),
            ("/home/sprites", "/home/sprites"),
            ("/", "/"),
        ] {
            assert_eq!(inside(path), taken);
        }
    }
}
