//! The contract of all sprites, kept by the client of the Sprites API over a server of ours: what is
//! promised of a sandbox on this machine holds over the wire too.
#![expect(clippy::unwrap_used, reason = "test code")]

use async_trait::async_trait;
use domain::{secret::Secret, sprite::SandboxTier};
use ports::sandbox::{SandboxBackend, SandboxHost};
use sprited::{Place as Directory, SUPERVISOR, Server, Settings};
use sprites::{SpritesHost, SpritesSettings, Timing};
use sprites_local::{LocalHost, LocalSettings, Upstream};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};
use tempfile::TempDir;
use test_kit::sandbox::{Ability, Harness, Place, streets};
use tokio::net::TcpStream;

test_kit::sandbox_contract!(make);

const TOKEN: &str = "contract/0123456789";

/// A server in a directory of its own, and a client of it.
struct Served {
    directory: TempDir,
    tier: SandboxTier,
    world: Arc<Streets>,
    server: Option<Server>,
    client: Arc<SpritesHost>,
}

/// The contract's names, all of whose public addresses are one server of the test.
#[derive(Debug)]
struct Streets(SocketAddr);

#[async_trait]
impl Upstream for Streets {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        streets::resolve(host)
    }

    async fn connect(&self, _address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(self.0).await
    }
}

async fn make() -> Option<Harness> {
    let directory = tempfile::tempdir().unwrap();
    let world = Arc::new(Streets(streets::serve().await));
    let tier = best_tier(directory.path()).await;
    let (server, client) = start(&directory, &world).await;
    Some(Harness::new(Served {
        directory,
        tier,
        world,
        server: Some(server),
        client,
    }))
}

fn local(directory: &Path) -> LocalSettings {
    let supervisor = vec![env!("CARGO_BIN_EXE_sprited").into(), SUPERVISOR.into()];
    LocalSettings {
        min_tier: SandboxTier::Plain,
        ..LocalSettings::new(directory.join("sprites"), supervisor)
    }
}

/// The one the server is going to choose; what it found is remembered.
async fn best_tier(directory: &Path) -> SandboxTier {
    let host = LocalHost::start(local(directory)).await.unwrap();
    let SandboxBackend::Local(tier) = host.report().backend else {
        unreachable!("a local host has local sandboxes");
    };
    host.shutdown().await;
    tier
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no server to inject one"
)]
async fn start(directory: &TempDir, world: &Arc<Streets>) -> (Server, Arc<SpritesHost>) {
    let local = LocalSettings {
        upstream: Arc::<Streets>::clone(world),
        ..local(directory.path())
    };
    let settings = Settings::new(local, vec![Secret::new(TOKEN)]);
    let place = Directory::open(directory.path()).unwrap();
    let server = Server::start(settings, place).await.unwrap();
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = SpritesHost::new(SpritesSettings {
        base_url: format!("http://{}", server.address()),
        token: Secret::new(TOKEN),
        http: reqwest::Client::builder().http1_only().build().unwrap(),
        accept_open_network: true,
        timing: Timing::default(),
    });
    (server, Arc::new(client.unwrap()))
}

#[async_trait]
impl Place for Served {
    fn host(&self) -> Arc<dyn SandboxHost> {
        Arc::<SpritesHost>::clone(&self.client)
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::Restart | Ability::Terminals | Ability::LostProcesses => true,
            Ability::NoNetwork | Ability::Walls => self.tier != SandboxTier::Plain,
            Ability::NamedHosts | Ability::OwnProcesses => self.tier == SandboxTier::Namespaces,
            Ability::Ports => self.tier != SandboxTier::Landlock,
        }
    }

    async fn restart(&mut self) {
        self.client.shutdown().await;
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        let (server, client) = start(&self.directory, &self.world).await;
        (self.server, self.client) = (Some(server), client);
    }
}
