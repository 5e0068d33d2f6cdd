//! What every sandbox does, whatever its tier: the contract of all sprites, and what only a
//! sandbox on this machine promises.

use crate::support::{Kept, SHELL, bench, output, request, required, run, settings, shell};
use async_trait::async_trait;
use domain::sprite::SandboxTier;
use ports::sandbox::{ExecOutcome, Exit, Sandbox, SandboxHost};
use sprites_local::{LocalHost, LocalSettings, StartError, Upstream};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use test_kit::sandbox::{Ability, Harness, Place, streets};
use tokio::net::TcpStream;

mod in_namespaces {
    async fn make() -> Option<super::Harness> {
        super::harness(super::SandboxTier::Namespaces).await
    }

    test_kit::sandbox_contract!(make);
}

mod under_landlock {
    async fn make() -> Option<super::Harness> {
        super::harness(super::SandboxTier::Landlock).await
    }

    test_kit::sandbox_contract!(make);
}

mod plain {
    async fn make() -> Option<super::Harness> {
        super::harness(super::SandboxTier::Plain).await
    }

    test_kit::sandbox_contract!(make);
}

/// A host in a directory of its own, over a world of its own.
struct Local {
    directory: TempDir,
    tier: SandboxTier,
    world: Arc<Streets>,
    host: Arc<LocalHost>,
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

async fn harness(tier: SandboxTier) -> Option<Harness> {
    let directory = tempfile::tempdir().unwrap();
    let world = Arc::new(Streets(streets::serve().await));
    let host = match start(&directory, tier, &world).await {
        Ok(host) => Arc::new(host),
        Err(StartError::TierMissing { reasons, .. }) => {
            assert!(!required(tier), "{tier} is required: {reasons:?}");
            return None;
        }
        Err(error) => panic!("{error:?}"),
    };
    Some(Harness::new(Local {
        directory,
        tier,
        world,
        host,
    }))
}

async fn start(
    directory: &TempDir,
    tier: SandboxTier,
    world: &Arc<Streets>,
) -> Result<LocalHost, StartError> {
    LocalHost::start(LocalSettings {
        upstream: Arc::<Streets>::clone(world),
        ..settings(directory.path(), tier)
    })
    .await
}

#[async_trait]
impl Place for Local {
    fn host(&self) -> Arc<dyn SandboxHost> {
        Arc::<LocalHost>::clone(&self.host)
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::Restart | Ability::Terminals | Ability::LostProcesses => true,
            Ability::NoNetwork | Ability::Walls => self.tier != SandboxTier::Plain,
            Ability::NamedHosts | Ability::OwnProcesses => self.tier == SandboxTier::Namespaces,
            // Under Landlock there are no sockets at all.
            Ability::Ports => self.tier != SandboxTier::Landlock,
        }
    }

    fn silence(&self) -> Duration {
        // The tiers differ in what is around the supervisor, not in how it is spoken to.
        if self.tier == SandboxTier::Namespaces {
            test_kit::sandbox::A_MINUTE
        } else {
            Duration::from_secs(1)
        }
    }

    async fn restart(&mut self) {
        self.host.shutdown().await;
        self.host = Arc::new(
            start(&self.directory, self.tier, &self.world)
                .await
                .unwrap(),
        );
    }
}

macro_rules! local {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use super::{SandboxTier, bench};

            #[tokio::test]
            async fn in_namespaces() {
                check(SandboxTier::Namespaces).await;
            }

            #[tokio::test]
            async fn under_landlock() {
                check(SandboxTier::Landlock).await;
            }

            #[tokio::test]
            async fn plain() {
                check(SandboxTier::Plain).await;
            }

            async fn check(tier: SandboxTier) {
                if let Some(bench) = bench(tier).await {
                    super::$name(&bench.sandbox).await;
                }
            }
        }
    )*};
}

local!(
    slow_readers_slow_the_command,
    the_environment_is_made_from_scratch,
    timeouts_replace_a_shell_that_does_not_listen,
);

type Box_ = Arc<dyn Sandbox>;

const KEPT: fn(i32) -> ExecOutcome = |code| ExecOutcome {
    exit: Exit::Code(code),
    shell_reset: false,
};

async fn the_environment_is_made_from_scratch(sandbox: &Box_) {
    let names = output(
        &**sandbox,
        "env | cut -d= -f1 | grep -viE '^_$|_proxy$' | sort | xargs",
    )
    .await;
    assert_eq!(
        names,
        "HOME LANG LOGNAME PATH PWD SHELL SHLVL TERM TMPDIR USER\n"
    );
    let home = output(&**sandbox, "echo $HOME; pwd").await;
    let (set, entered) = home.trim_end().split_once('\n').unwrap();
    assert_eq!(set, entered);
    assert!(set.starts_with('/'));
    let inherited =
        "cat; ls /proc/self/fd | xargs; echo hi > \"$TMPDIR/t\" && cat \"$TMPDIR/t\" > /dev/stdout";
    assert_eq!(output(&**sandbox, inherited).await, "0 1 2 3\nhi\n");
}

async fn timeouts_replace_a_shell_that_does_not_listen(sandbox: &Box_) {
    // Before bash is ready it cannot listen, and it may be ready or not.
    for number in 20..40 {
        let mut exec = request(number, "sleep 1000");
        exec.timeout = Duration::from_micros(u64::try_from(number - 20).unwrap() * 200);
        let outcome = sandbox.exec(exec, &Kept::default()).await.unwrap();
        assert_eq!(outcome.exit, Exit::TimedOut);
        sandbox.close_shell(shell(number)).await.unwrap();
    }
    let mut exec = request(SHELL, "exec sleep 1000");
    exec.timeout = Duration::from_millis(50);
    let outcome = sandbox.exec(exec, &Kept::default()).await.unwrap();
    assert_eq!((outcome.exit, outcome.shell_reset), (Exit::TimedOut, true));
    // By the time it runs out of time it must be deaf, however slow the machine is.
    output(&**sandbox, "trap '' RTMAX; x=1").await;
    let mut exec = request(SHELL, "while :; do :; done");
    exec.timeout = Duration::from_millis(50);
    let outcome = sandbox.exec(exec, &Kept::default()).await.unwrap();
    let replaced = ExecOutcome {
        exit: Exit::TimedOut,
        shell_reset: true,
    };
    assert_eq!(outcome, replaced);
    assert_eq!(output(&**sandbox, "echo ${x-gone}").await, "gone\n");
}

async fn slow_readers_slow_the_command(sandbox: &Box_) {
    struct Stuck(tokio::sync::Notify);
    #[async_trait::async_trait]
    impl ports::sandbox::OutputSink for Stuck {
        async fn write(&self, _: ports::sandbox::OutputStream, _: &[u8]) {
            self.0.notify_one();
            std::future::pending::<()>().await;
        }
    }
    let stuck = Stuck(tokio::sync::Notify::new());
    let script = "echo $BASHPID > flood; head -c 50000000 /dev/zero; echo no > finished";
    let flood = sandbox.exec(request(12, script), &stuck);
    tokio::select! {
        outcome = flood => panic!("{outcome:?}"),
        () = async {
            stuck.0.notified().await;
            // Other shells are not held up by it, and it stands still with its output in the way.
            let wait = "until grep -q pipe /proc/$(pgrep -x head)/wchan 2>/dev/null || [ $((++n)) -gt 50 ]; do sleep 0.01; done; ls finished";
            assert_eq!(run(&**sandbox, wait).await.0, KEPT(2));
        } => {}
    }
    assert_eq!(output(&**sandbox, "echo fine").await, "fine\n");
}
