//! Throw-away servers for the test suites, gone with us even when we are killed. They never listen on a
//! port and never touch a server that is already on the machine.

mod template;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use throwaway::{Place, Server, postgres, redis};

use crate::{programs, workspace::Workspace};

const POLL: Duration = Duration::from_millis(5);

/// A crash may lose the data: it is thrown away anyway, and syncs are what tests would wait for.
const UNSYNCED: [&str; 4] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
];

/// A server that a package may declare in `[package.metadata] services`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    Postgres,
    Redis,
}

/// Whether a database waits for its disk.
#[derive(Clone, Copy)]
pub(crate) enum Syncs {
    /// For tests: what a power cut would take is thrown away anyway.
    Skipped,
    /// For benches: waiting is part of what is measured.
    Kept,
}

/// The running servers; dropping it stops them and removes their files.
pub(crate) struct Services {
    servers: Vec<Server>,
    environment: Vec<(&'static str, String)>,
    // Fields drop in order: the servers stop before their directory goes.
    place: Place,
}

impl Services {
    /// Starts the wanted servers and waits until each answers.
    pub(crate) fn start(
        wanted: &BTreeSet<Service>,
        workspace: &Workspace,
        syncs: Syncs,
    ) -> Result<Self> {
        sweep();
        let mut services = Self {
            servers: Vec::new(),
            environment: Vec::new(),
            place: Place::new(&format!("xt-{}-", std::process::id()))?,
        };
        for service in wanted {
            match service {
                Service::Postgres => services.start_postgres(workspace, syncs)?,
                Service::Redis => services.start_redis(workspace)?,
            }
        }
        Ok(services)
    }

    /// What the suites read: `TEST_POSTGRES_URL` and `TEST_REDIS_URL` of the servers that run.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    fn start_postgres(&mut self, workspace: &Workspace, syncs: Syncs) -> Result<()> {
        let cache = workspace.cache("programs");
        let locate = |program| {
            programs::postgres(program, &cache).ok_or_else(|| programs::missing("Postgres"))
        };
        let (initdb, program) = (locate("initdb")?, locate("postgres")?);
        template::provide(&self.place, &initdb, &program, workspace)?;
        let settings: &[&str] = match syncs {
            Syncs::Skipped => &UNSYNCED,
            Syncs::Kept => &[],
        };
        let server = postgres::server(&self.place, &program, settings);
        self.add(server, ("TEST_POSTGRES_URL", postgres::url(&self.place)))
    }

    fn start_redis(&mut self, workspace: &Workspace) -> Result<()> {
        let program = programs::redis(&workspace.cache("programs"));
        let program = program.ok_or_else(|| programs::missing("Redis"))?;
        let server = redis::server(&self.place, &program);
        self.add(server, ("TEST_REDIS_URL", redis::url(&self.place)))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a foreign server tells readiness only to who asks again"
    )]
    fn add(&mut self, mut server: Server, variable: (&'static str, String)) -> Result<()> {
        server.start()?;
        while !server.is_ready()? {
            std::thread::sleep(POLL);
        }
        self.servers.push(server);
        self.environment.push(variable);
        Ok(())
    }
}

/// Removes the directories of runs that were killed before they could clean up.
fn sweep() {
    let stale = |path: &PathBuf| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("xt-"));
        let pid = name
            .and_then(|name| name.split_once('-'))
            .and_then(|(pid, _)| pid.parse::<u32>().ok());
        pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists())
    };
    let entries = fs::read_dir("/tmp")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    for path in entries.filter(stale) {
        if let Err(error) = fs::remove_dir_all(&path) {
            eprintln!("xtask: {} of an earlier run stays: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn both_servers_answer_on_their_sockets_and_leave_nothing_behind() {
        let workspace = Workspace::load().unwrap();
        let mut services = Services::start(
            &BTreeSet::from([Service::Postgres, Service::Redis]),
            &workspace,
            Syncs::Skipped,
        )
        .unwrap();
        let urls: Vec<_> = services
            .environment()
            .map(|(name, url)| (name, url.to_owned()))
            .collect();
        let [(postgres, database), (redis, socket)] = urls.as_slice() else {
            panic!("{urls:?}")
        };
        assert_eq!((*postgres, *redis), ("TEST_POSTGRES_URL", "TEST_REDIS_URL"));
        let directory = database
            .split_once("?host=")
            .map(|(_, directory)| Path::new(directory));
        let directory = directory.unwrap();
        let socket = socket.strip_prefix("redis+unix://").unwrap();
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"PING\r\n").unwrap();
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+PONG\r\n");
        assert!(services.servers[0].is_ready().unwrap());

        drop(services);
        assert!(!directory.exists());
    }
}
