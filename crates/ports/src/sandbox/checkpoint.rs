//! Checkpoints: the files of a sprite as they once were. Processes and their memory are not part.

use super::SandboxError;
use async_trait::async_trait;
use domain::Timestamp;

/// A state of a sprite's files that can be gone back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// `v1`, `v2` and so on, unique within the sprite.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why, in the words of whoever made it.
    pub comment: Option<String>,
    /// Whether it was made by itself, before a restore.
    pub automatic: bool,
    /// Bytes it takes on disk, where the backend says so.
    pub bytes: Option<u64>,
}

/// Hears of the progress of long work, a line at a time.
pub trait Progress: Send + Sync {
    /// One line for a person.
    fn line(&self, text: &str);
}

/// Nobody listens.
impl Progress for () {
    fn line(&self, _text: &str) {}
}

/// Makes and restores checkpoints.
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// Keeps the files as they are now; commands go on meanwhile.
    async fn checkpoint(
        &self,
        comment: Option<String>,
        progress: &dyn Progress,
    ) -> Result<Checkpoint, SandboxError>;

    /// Those there are, newest first.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, SandboxError>;

    /// Puts the files back: all or, when anything fails, nothing. What there is now is kept as an
    /// automatic checkpoint; processes and shells end.
    async fn restore(&self, id: &str, progress: &dyn Progress) -> Result<(), SandboxError>;

    /// Removes one.
    async fn delete_checkpoint(&self, id: &str) -> Result<(), SandboxError>;
}
