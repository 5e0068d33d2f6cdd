//! Which sprites there are: their names, labels and settings, kept over restarts, and how many may
//! be made. It knows nothing of what runs in them.

mod pace;
mod record;

pub(crate) use record::Record;

use crate::system;
use pace::Pace;
use std::{
    collections::BTreeMap,
    fs::DirBuilder,
    io,
    ops::Bound,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Why a sprite is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    #[error(
        "`{0}` cannot be a name: 1 to 63 lower-case letters, digits and hyphens, no hyphen at either end"
    )]
    BadName(String),
    #[error("sprite `{0}` already exists")]
    Exists(String),
    #[error("there are {count} sprites and no more than {limit} may be; delete one first")]
    TooMany { limit: usize, count: usize },
    #[error("no more than {limit} sprites may be made in {} seconds", .window.as_secs())]
    TooFast {
        limit: usize,
        window: Duration,
        retry_after: Duration,
    },
    #[error("the registry cannot be written")]
    Storage(#[from] io::Error),
}

/// What changes of a sprite when it is made or updated.
pub(crate) type Change<'c> = &'c (dyn Fn(&mut Record) + Sync);

/// The sprites of this server, by name.
pub(crate) struct Registry {
    folder: PathBuf,
    limit: usize,
    records: Mutex<BTreeMap<String, Record>>,
    pace: Mutex<Pace>,
    /// Held from reading a record to its being on disk.
    writing: tokio::sync::Mutex<()>,
    /// Counts changes, for those who watch.
    changes: watch::Sender<u64>,
}

impl Registry {
    /// Reads what is there.
    pub(crate) fn open(folder: &Path, limit: usize, per_minute: usize) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let records = Record::load_all(folder)?;
        let records = records
            .into_iter()
            .map(|record| (record.name.clone(), record));
        Ok(Self {
            folder: folder.to_owned(),
            limit,
            records: Mutex::new(records.collect()),
            pace: Mutex::new(Pace::new(per_minute, Duration::from_mins(1))),
            writing: tokio::sync::Mutex::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// Makes a sprite's entry.
    pub(crate) async fn create(
        &self,
        name: &str,
        change: Change<'_>,
    ) -> Result<Record, CreateError> {
        if !is_name(name) {
            return Err(CreateError::BadName(name.to_owned()));
        }
        let _writing = self.writing.lock().await;
        let count = {
            let records = self.records();
            if records.contains_key(name) {
                return Err(CreateError::Exists(name.to_owned()));
            }
            records.len()
        };
        if count >= self.limit {
            let limit = self.limit;
            return Err(CreateError::TooMany { limit, count });
        }
        {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            pace.take(Instant::now())?;
        }
        let mut record = Record::new(system::new_id(), name.to_owned(), system::now());
        change(&mut record);
        self.save(record.clone()).await?;
        self.put(record.clone());
        Ok(record)
    }

    /// The sprite of a name.
    pub(crate) fn find(&self, name: &str) -> Option<Record> {
        let records = self.records();
        records.get(name).filter(|record| !record.deleting).cloned()
    }

    /// Sprites whose name starts so and comes after another, in order, and whether there are more.
    pub(crate) fn list(&self, prefix: &str, after: &str, limit: usize) -> (Vec<Record>, bool) {
        let records = self.records();
        let start = if after.is_empty() {
            Bound::Included(prefix)
        } else {
            Bound::Excluded(after)
        };
        let mut found = records
            .range::<str, _>((start, Bound::Unbounded))
            .map(|(_, record)| record)
            .filter(|record| !record.deleting && record.name.starts_with(prefix));
        let page = found.by_ref().take(limit).cloned().collect();
        (page, found.next().is_some())
    }

    /// Changes a sprite's entry; `None` when there is no such sprite.
    pub(crate) async fn update(
        &self,
        name: &str,
        change: Change<'_>,
    ) -> io::Result<Option<Record>> {
        let _writing = self.writing.lock().await;
        let Some(mut record) = self.find(name) else {
            return Ok(None);
        };
        change(&mut record);
        record.updated_at = system::now();
        self.save(record.clone()).await?;
        self.put(record.clone());
        Ok(Some(record))
    }

    /// Hides a sprite from everybody, also after a restart; a second time finds it again.
    pub(crate) async fn begin_delete(&self, name: &str) -> io::Result<Option<Record>> {
        let _writing = self.writing.lock().await;
        let Some(mut record) = self.records().get(name).cloned() else {
            return Ok(None);
        };
        record.deleting = true;
        self.save(record.clone()).await?;
        self.put(record.clone());
        Ok(Some(record))
    }

    /// Forgets a sprite whose end has begun.
    pub(crate) async fn finish_delete(&self, record: Record) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        let (folder, gone) = (self.folder.clone(), record.clone());
        blocking(move || gone.remove(&folder)).await?;
        self.records().remove(&record.name);
        self.changed();
        Ok(())
    }

    /// The sprites whose end began before the server's own.
    pub(crate) fn half_deleted(&self) -> Vec<Record> {
        let records = self.records();
        let deleting = records.values().filter(|record| record.deleting);
        deleting.cloned().collect()
    }

    /// Notes that something runs in a sprite now. It reaches the disk with the next [`Self::flush`].
    pub(crate) fn touch(&self, name: &str) {
        if let Some(record) = self.records().get_mut(name) {
            record.last_running_at = Some(system::now());
        }
        self.changed();
    }

    /// Writes what was only noted.
    pub(crate) async fn flush(&self, since: domain::Timestamp) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        let touched: Vec<_> = {
            let records = self.records();
            let fresh = |record: &&Record| record.last_running_at.is_some_and(|at| at >= since);
            records.values().filter(fresh).cloned().collect()
        };
        for record in touched {
            self.save(record).await?;
        }
        Ok(())
    }

    /// Tells when anything changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn put(&self, record: Record) {
        self.records().insert(record.name.clone(), record);
        self.changed();
    }

    fn changed(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    async fn save(&self, record: Record) -> io::Result<()> {
        let folder = self.folder.clone();
        blocking(move || record.save(&folder)).await
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that can be a label of a host name and a part of a URL.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await?
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    fn unchanged(_record: &mut Record) {}

    #[test]
    fn names_are_labels_of_a_host_name() {
        for good in ["a", "7", "a-b", "x--y", &"a".repeat(63)] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a_b",
            "a.b",
            "../x",
            "a b",
            "é",
            &"a".repeat(64),
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_was_made_is_there_after_a_restart_and_what_was_deleted_is_not() {
        let folder = tempdir().unwrap();
        let open = || Registry::open(folder.path(), 10, 10).unwrap();
        let registry = open();
        for name in ["kept", "gone", "half"] {
            registry.create(name, &unchanged).await.unwrap();
        }
        let label = |record: &mut Record| record.labels = vec!["x".to_owned()];
        let kept = registry.update("kept", &label).await.unwrap().unwrap();
        let gone = registry.begin_delete("gone").await.unwrap().unwrap();
        registry.finish_delete(gone).await.unwrap();
        registry.begin_delete("half").await.unwrap().unwrap();
        assert_eq!(registry.find("half"), None);
        let again = open();
        assert_eq!(again.find("kept"), Some(kept));
        assert_eq!(again.find("gone"), None);
        let half: Vec<_> = again.half_deleted().into_iter().map(|r| r.name).collect();
        assert_eq!(half, ["half"]);
    }

    #[tokio::test]
    async fn lists_are_cut_into_pages_within_a_prefix() {
        let folder = tempdir().unwrap();
        let registry = Registry::open(folder.path(), 10, 10).unwrap();
        for name in ["a", "b1", "b2", "b3", "c"] {
            registry.create(name, &unchanged).await.unwrap();
        }
        let page = |after: &str| {
            let (records, more) = registry.list("b", after, 2);
            let names: Vec<_> = records.into_iter().map(|record| record.name).collect();
            (names.join(" "), more)
        };
        assert_eq!(page(""), ("b1 b2".to_owned(), true));
        assert_eq!(page("b2"), ("b3".to_owned(), false));
        assert_eq!(page("b3"), (String::new(), false));
    }
}
