//! Attacks from inside: a command does its worst in each tier that promises walls. After each
//! attack the host is as it was, others are served, and nothing of the attacker is left. What stands
//! here has been tried by somebody against somebody; an attack that gets through is a bug in the
//! walls, never in the test.

mod canary;
mod exhaustion;
mod files;
mod network;
mod processes;
mod rights;
mod traps;

use crate::support::{self, Bench, bench_with, nap, output, request, run};
use canary::Canaries;
use domain::sprite::{SandboxTier, SpriteKey};
use ports::sandbox::{ExecOutcome, SandboxHost as _, Sprite};
use sprites_local::{LocalSettings, Quotas};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use test_kit::sandbox::support::{Kept, SHELL, eventually};

/// The attacker's sprite, and that of somebody else.
const ATTACKER: u128 = 1;
const NEIGHBOUR: u128 = 2;
/// What the neighbour keeps to itself.
const DIARY: &str = "pr1vate-diary";
const MIB: u64 = 1 << 20;

/// One test per attack and tier.
macro_rules! attacks {
    ($siege:ident: $($name:ident),* $(,)?) => {$(
        mod $name {
            use crate::escape::{SandboxTier, $siege};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_namespaces() {
                check(SandboxTier::Namespaces).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn under_landlock() {
                check(SandboxTier::Landlock).await;
            }

            async fn check(tier: SandboxTier) {
                if let Some(siege) = $siege(tier).await {
                    super::$name(&siege).await;
                    siege.lift().await;
                }
            }
        }
    )*};
}
pub(crate) use attacks;

/// A host with things to steal, a neighbour at work and an attacker.
struct Siege {
    tier: SandboxTier,
    bench: Bench,
    canaries: Canaries,
    sprite: Arc<dyn Sprite>,
    neighbour: Arc<dyn Sprite>,
}

/// Under root all sprites are root too, as where nobody else gets to their homes.
async fn siege(tier: SandboxTier) -> Option<Siege> {
    begin(tier, |settings| settings).await
}

/// Under root each sprite has a user of its own, whom the kernel holds to limits.
async fn siege_with_users(tier: SandboxTier) -> Option<Siege> {
    begin(tier, |settings| {
        let directory = settings.root.parent().unwrap();
        let supervisor = directory.join("supervisor");
        fs::copy(env!("CARGO_BIN_EXE_nitejar-supervisor"), &supervisor).unwrap();
        for path in [directory, &supervisor] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        LocalSettings {
            supervisor: vec![supervisor.into()],
            ..settings
        }
    })
    .await
}

async fn begin(
    tier: SandboxTier,
    change: impl FnOnce(LocalSettings) -> LocalSettings,
) -> Option<Siege> {
    let quotas = Quotas {
        disk_bytes: 60 * MIB,
        memory_bytes: 200 * MIB,
        processes: 60,
        pause: Duration::from_millis(20),
        ..Quotas::default()
    };
    let bench = bench_with(tier, |settings| LocalSettings {
        quotas,
        ..change(settings)
    })
    .await?;
    let canaries = Canaries::put(bench.directory.path());
    let neighbour = bench.host.sprite(sprite(NEIGHBOUR));
    let work = format!("echo {DIARY} > diary; x=1; sleep 1000 & echo $! > pid");
    output(neighbour.as_ref(), &work).await;
    // The attacker's processes are known by this, wherever they get to.
    let attacker = bench.host.sprite(sprite(ATTACKER));
    let mine = format!("export ATTACK={}; echo x > file", mark());
    output(attacker.as_ref(), &mine).await;
    Some(Siege {
        tier,
        bench,
        canaries,
        sprite: attacker,
        neighbour,
    })
}

/// One of this test's own: under root, sprites of other tests with the same number would have the
/// same user.
fn sprite(number: u128) -> SpriteKey {
    support::sprite(u128::from(std::process::id()) * 10 + number)
}

fn mark() -> String {
    format!("escape-{}", std::process::id())
}

impl Siege {
    /// Runs an attack that may end in any way.
    async fn attack(&self, script: &str) -> (ExecOutcome, Kept) {
        run(self.sprite.as_ref(), script).await
    }

    /// Runs one that takes its time, and then is over.
    async fn briefly(&self, script: &str, time: Duration) {
        let mut exec = request(SHELL, script);
        exec.timeout = time;
        // It may as well have cost the attacker its sprite.
        drop(self.sprite.exec(exec, &Kept::default()).await);
    }

    /// The attacker may have lost its sprite, which it notices at the next use, and has it again.
    async fn recovers(&self) {
        for _ in 0..3 {
            let kept = Kept::default();
            let answered = self.sprite.exec(request(SHELL, "echo alive"), &kept).await;
            if answered.is_ok() && kept.stdout() == "alive\n" {
                return;
            }
        }
        panic!("{}: the sprite does not come back", self.tier);
    }

    /// Runs attacks all of which have to be refused.
    async fn refused(&self, scripts: &[&str]) {
        for script in scripts {
            let (outcome, kept) = self.attack(&format!("( {script}\n)")).await;
            let said = kept.stdout();
            assert_ne!(
                outcome.exit,
                ports::sandbox::Exit::Code(0),
                "{}: {script} went through: {said}",
                self.tier
            );
            self.says_nothing(&said);
        }
    }

    /// Runs attacks that end somehow, and must not have brought any secret to light.
    async fn fruitless(&self, scripts: &[&str]) {
        for script in scripts {
            let (_, kept) = self.attack(script).await;
            self.says_nothing(&kept.stdout());
            self.says_nothing(&kept.stderr());
        }
    }

    fn says_nothing(&self, said: &str) {
        for secret in [canary::SECRET, DIARY, "root:$", canary::IN_ENVIRONMENT] {
            assert!(!said.contains(secret), "{}: `{said}`", self.tier);
        }
    }

    /// Where a sprite's files are on the host.
    fn folder(&self, number: u128) -> PathBuf {
        let key = sprite(number);
        let root = self.bench.directory.path().join("sprites");
        root.join(key.tenant_id.to_string())
            .join(key.agent_id.to_string())
    }

    /// Processes of the attacker anywhere on the host, known by the home that they see or are told.
    #[expect(
        clippy::unused_self,
        reason = "who the attacker is is the siege's to say"
    )]
    fn survivors(&self) -> Vec<String> {
        let agent = sprite(ATTACKER).agent_id.to_string();
        let home = format!("{agent}/home");
        let numbers = fs::read_dir("/proc").unwrap().flatten();
        let ours = numbers.filter(|entry| {
            let mounts = fs::read_to_string(entry.path().join("mountinfo")).unwrap_or_default();
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment);
            // Bash tells its own children what it was told later; it does not tell the kernel.
            mounts.contains(&agent) || environment.contains(&home) || environment.contains(&mark())
        });
        ours.map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// The server is healthy, the host unharmed and the neighbour undisturbed; the attacker goes, and
    /// nothing of it is left.
    async fn lift(self) {
        let seen = "cat diary; echo $x; ps -o args= -p $(cat pid); ls; echo more > more; rm more";
        assert_eq!(
            output(self.neighbour.as_ref(), seen).await,
            format!("{DIARY}\n1\n{}\ndiary\npid\n", nap())
        );
        self.canaries.are_untouched();
        let host = &self.bench.host;
        host.inspect(sprite(ATTACKER)).await.unwrap();
        let third = host.sprite(sprite(3));
        assert_eq!(output(third.as_ref(), "echo fine").await, "fine\n");
        host.destroy(sprite(ATTACKER)).await.unwrap();
        assert!(!self.folder(ATTACKER).exists());
        eventually("an end of the attacker's processes", async || {
            self.survivors().is_empty()
        })
        .await;
        // What it was can be begun anew.
        let again = output(self.sprite.as_ref(), "ls -A; echo ${ATTACK-gone}").await;
        assert_eq!(again, "gone\n");
        assert_eq!(output(self.neighbour.as_ref(), "echo $x").await, "1\n");
        host.shutdown().await;
        eventually("an empty trash", async || {
            let root = self.bench.directory.path().join("sprites");
            let mut trash = fs::read_dir(root.join(".trash")).into_iter().flatten();
            trash.next().is_none()
        })
        .await;
    }
}
