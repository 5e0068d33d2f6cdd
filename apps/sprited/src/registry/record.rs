//! What is kept of a sprite besides the sprite itself, and its file: written beside and renamed,
//! so that a crash leaves the old one or the new one.

use domain::{
    Timestamp,
    id::{AgentId, TenantId},
    sprite::SpriteKey,
};
use serde::{Deserialize, Serialize};
use sprites::wire;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};
use uuid::Uuid;

/// All sprites of this server belong to one tenant.
const TENANT: Uuid = Uuid::from_u128(1);

/// A sprite as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// When something last ran in it.
    pub(crate) last_running_at: Option<Timestamp>,
    pub(crate) labels: Vec<String>,
    pub(crate) url_settings: wire::sprite::UrlSettings,
    /// The network policy in the words it was given in; what is in force is the sprite's to say.
    pub(crate) network_rules: Option<Vec<wire::network::Rule>>,
    /// Whether its end has begun; nobody sees it any more.
    #[serde(default)]
    pub(crate) deleting: bool,
}

impl Record {
    pub(crate) fn new(id: Uuid, name: String, now: Timestamp) -> Self {
        Self {
            id,
            name,
            created_at: now,
            updated_at: now,
            last_running_at: None,
            labels: Vec::new(),
            url_settings: wire::sprite::UrlSettings::default(),
            network_rules: None,
            deleting: false,
        }
    }

    /// What the executor calls it. Names are given again, ids are not.
    pub(crate) fn key(&self) -> SpriteKey {
        SpriteKey {
            tenant_id: TenantId::from_uuid(TENANT),
            agent_id: AgentId::from_uuid(self.id),
        }
    }

    pub(super) fn save(&self, folder: &Path) -> io::Result<()> {
        let beside = folder.join(format!("{}.new", self.id));
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        fs::rename(&beside, folder.join(self.file()))?;
        File::open(folder)?.sync_all()
    }

    pub(super) fn remove(&self, folder: &Path) -> io::Result<()> {
        match fs::remove_file(folder.join(self.file())) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => File::open(folder)?.sync_all(),
        }
    }

    /// All of a folder.
    pub(super) fn load_all(folder: &Path) -> io::Result<Vec<Self>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "json") {
                let record = serde_json::from_slice(&fs::read(&path)?).map_err(|error| {
                    let text = format!("{} is damaged: {error}", path.display());
                    io::Error::new(ErrorKind::InvalidData, text)
                })?;
                records.push(record);
            }
        }
        Ok(records)
    }

    fn file(&self) -> String {
        format!("{}.json", self.id)
    }
}
