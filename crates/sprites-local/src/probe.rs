//! Chooses the tier: starts a supervisor as it would serve, lets it try to break out, and takes
//! the best tier in which every attempt was refused. The verdict is kept until the machine boots
//! or one of the programs changes, so that a start is cheap.

use crate::{
    home::{self, Home},
    isolation::bubblewrap,
    launch::Launcher,
    protocol::Canaries,
    settings::{LocalSettings, StartError},
    sprite::LocalSprite,
};
use async_trait::async_trait;
use domain::{
    id::SpriteSessionId,
    sprite::{NetworkPolicy, SandboxTier},
};
use ports::sandbox::{ExecRequest, Exit, OutputSink, OutputStream, Sandbox as _, SandboxError};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener, UdpSocket},
    os::{linux::net::SocketAddrExt as _, unix::fs::MetadataExt as _, unix::net},
    path::{Path, PathBuf},
    time::Duration,
};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const PATIENCE: Duration = Duration::from_secs(20);

/// Which tier holds on this host.
#[derive(Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// Everything it depends on.
    circumstances: String,
    pub(crate) tier: SandboxTier,
    /// What each better one lacks.
    pub(crate) missing: Vec<String>,
}

/// Finds the tier for these settings; `launcher` holds all but the tier.
pub(crate) async fn choose(
    settings: &LocalSettings,
    root: &Path,
    launcher: &Launcher,
    own_user: bool,
) -> Result<Verdict, StartError> {
    let folder = root.join(".probe");
    let failed = |source| StartError::Root {
        path: folder.clone(),
        source,
    };
    home::make_passable(&folder).map_err(failed)?;
    let kept = folder.join("verdict.json");
    let circumstances = circumstances(settings, launcher, own_user);
    if let Some(verdict) = earlier(&kept, &circumstances) {
        return Ok(verdict);
    }
    let mut missing = Vec::new();
    for tier in candidates(settings) {
        let launcher = Launcher {
            tier,
            ..launcher.clone()
        };
        match holds(&launcher, &folder, own_user).await {
            Ok(()) => {
                let verdict = Verdict {
                    circumstances,
                    tier,
                    missing,
                };
                let json = serde_json::to_vec(&verdict).map_err(io::Error::other);
                json.and_then(|json| fs::write(&kept, json))
                    .map_err(failed)?;
                return Ok(verdict);
            }
            Err(reason) => missing.push(format!("{tier}: {reason}")),
        }
    }
    Err(StartError::TierMissing {
        wanted: settings.force_tier.unwrap_or(settings.min_tier),
        reasons: missing,
    })
}

fn candidates(settings: &LocalSettings) -> Vec<SandboxTier> {
    if let Some(tier) = settings.force_tier {
        return vec![tier];
    }
    let best_first = SandboxTier::ALL.iter().rev().copied();
    best_first
        .filter(|tier| *tier >= settings.min_tier)
        .collect()
}

fn earlier(kept: &Path, circumstances: &str) -> Option<Verdict> {
    // A verdict that is missing or unreadable is made anew.
    let verdict: Verdict = serde_json::from_slice(&fs::read(kept).ok()?).ok()?;
    (verdict.circumstances == circumstances).then_some(verdict)
}

fn circumstances(settings: &LocalSettings, launcher: &Launcher, own_user: bool) -> String {
    let supervisor = launcher.supervisor.first().map(PathBuf::from);
    let boot = fs::read_to_string(BOOT_ID).unwrap_or_default();
    format!(
        "{} | {} | {} | {} | {own_user} | {} | {:?}",
        boot.trim(),
        fingerprint(supervisor),
        fingerprint(bubblewrap::find()),
        nix::unistd::geteuid(),
        settings.min_tier,
        settings.force_tier,
    )
}

fn fingerprint(path: Option<PathBuf>) -> String {
    path.and_then(|path| fs::metadata(path).ok()).map_or_else(
        || "none".into(),
        |file| format!("{}.{}/{}", file.mtime(), file.mtime_nsec(), file.len()),
    )
}

/// Whether a tier works here and its walls hold; the error says what is wrong.
async fn holds(launcher: &Launcher, folder: &Path, own_user: bool) -> Result<(), String> {
    const PROBE_USER: u32 = 19_999;
    let text = |error: io::Error| format!("the probe failed: {error}");
    let said = |error: SandboxError| match error {
        SandboxError::Unavailable(reason) => reason,
        other => other.to_string(),
    };
    let home = Home::at(
        &folder.join(launcher.tier.as_str()),
        own_user.then_some(PROBE_USER),
    );
    home.prepare().map_err(text)?;
    // The walls must hold whatever the policy allows.
    let started = launcher.start(&home, NetworkPolicy::open()).await;
    let sprite = LocalSprite::new(started.map_err(said)?, None, PATIENCE);
    let tried = tokio::time::timeout(PATIENCE, async {
        works(&sprite).await?;
        if launcher.tier == SandboxTier::Plain {
            return Ok(());
        }
        let watched = Watched::new(folder).map_err(text)?;
        let open = sprite
            .attempts(watched.canaries(folder, launcher.tier)?)
            .await
            .map_err(said)?;
        let arrived = watched.arrived().map_err(text)?;
        match open.first().map(String::as_str).or(arrived) {
            Some(_) if open.len() > 1 => Err(format!("not walled off: {}", open.join(", "))),
            Some(attempt) => Err(format!("not walled off: {attempt}")),
            None => Ok(()),
        }
    })
    .await;
    sprite.stop().await;
    tried.unwrap_or_else(|_elapsed| Err("the probe took too long".into()))
}

/// Whether commands run at all.
async fn works(sprite: &LocalSprite) -> Result<(), String> {
    let request = ExecRequest {
        shell: SpriteSessionId::from_uuid(uuid::Uuid::nil()),
        script: "touch ~/.probe && cd \"$TMPDIR\" && : > probe && exec /usr/bin/env true".into(),
        timeout: PATIENCE,
    };
    match sprite.exec(request, &Silence).await {
        Ok(outcome) if outcome.exit == Exit::Code(0) => Ok(()),
        Ok(outcome) => Err(format!("a plain command fails in it ({:?})", outcome.exit)),
        Err(error) => Err(error.to_string()),
    }
}

struct Silence;

#[async_trait]
impl OutputSink for Silence {
    async fn write(&self, _stream: OutputStream, _bytes: &[u8]) {}
}

/// Things on the host that the sandbox must not reach.
struct Watched {
    tcp: TcpListener,
    udp: UdpSocket,
    socket: net::UnixListener,
    hidden: net::UnixListener,
}

impl Watched {
    fn new(folder: &Path) -> io::Result<Self> {
        let socket = folder.join("socket");
        if let Err(error) = fs::remove_file(&socket)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
        fs::write(folder.join("canary"), "canary")?;
        let name = socket.as_os_str().as_encoded_bytes();
        let watched = Self {
            tcp: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
            udp: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
            hidden: net::UnixListener::bind_addr(&net::SocketAddr::from_abstract_name(name)?)?,
            socket: net::UnixListener::bind(&socket)?,
        };
        watched.tcp.set_nonblocking(true)?;
        watched.udp.set_nonblocking(true)?;
        watched.socket.set_nonblocking(true)?;
        watched.hidden.set_nonblocking(true)?;
        Ok(watched)
    }

    fn canaries(&self, folder: &Path, tier: SandboxTier) -> Result<Canaries, String> {
        let text = |error: io::Error| error.to_string();
        Ok(Canaries {
            file: folder.join("canary"),
            socket: folder.join("socket"),
            proxied: tier == SandboxTier::Namespaces,
            tcp: self.tcp.local_addr().map_err(text)?.port(),
            udp: self.udp.local_addr().map_err(text)?.port(),
            server: nix::unistd::getpid().as_raw(),
        })
    }

    /// What reached us, whatever the other side thinks.
    fn arrived(&self) -> io::Result<Option<&'static str>> {
        let came = |result: io::Result<()>| match result {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        };
        let mut buffer = [0; 16];
        Ok(if came(self.tcp.accept().map(drop))? {
            Some("a TCP connection to the host")
        } else if came(self.udp.recv(&mut buffer).map(drop))? {
            Some("a datagram to the host")
        } else if came(self.socket.accept().map(drop))? || came(self.hidden.accept().map(drop))? {
            Some("a connection to a Unix socket of the host")
        } else {
            None
        })
    }
}

/// Whether sprites can have users of their own: only root can give them, and only where they can
/// get to their home and to the program.
pub(crate) fn own_user(root: &Path, program: &Path) -> bool {
    let all_users = fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_ascii_whitespace().eq(["0", "0", "4294967295"]));
    nix::unistd::geteuid().is_root()
        && all_users
        && home::reachable_by_anyone(&root.join("home"))
        && home::reachable_by_anyone(program)
}
