//! What a sandbox must keep away from, in the tiers that promise it.

use crate::support::{bench, output, refused, run};
use bytes::Bytes;
use domain::sprite::SandboxTier;
use ports::sandbox::{Sandbox, SandboxError};
use std::{fs, net::TcpListener, os::unix::net::UnixListener};

const WALLED: [SandboxTier; 2] = [SandboxTier::Namespaces, SandboxTier::Landlock];

async fn fails(sandbox: &dyn Sandbox, script: &str) {
    let (outcome, kept) = run(sandbox, script).await;
    assert_ne!(
        outcome.exit,
        ports::sandbox::Exit::Code(0),
        "{script}: {}",
        kept.stdout()
    );
}

#[tokio::test]
async fn host_files_cannot_be_read_or_written() {
    for tier in WALLED {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let canary = bench.directory.path().join("canary");
        fs::write(&canary, "secret").unwrap();
        let path = canary.to_str().unwrap();
        for script in [
            format!("cat {path}"),
            format!("echo x > {path}"),
            format!("ls {}", bench.directory.path().display()),
            "cat /etc/shadow".into(),
            "ls /root".into(),
            "echo x > /etc/passwd".into(),
            "mkdir /new".into(),
            "mkdir /dev/new".into(),
            "echo x > /usr/x".into(),
            "rm -rf /usr/bin/env".into(),
            "echo 1 > /proc/sys/kernel/sysrq".into(),
            "chown 12345 ~".into(),
        ] {
            fails(&*bench.sandbox, &script).await;
        }
        assert_eq!(fs::read(&canary).unwrap(), b"secret");
    }
}

#[tokio::test]
async fn links_and_dots_do_not_lead_out() {
    for tier in WALLED {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let outside = bench.directory.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("canary"), "secret").unwrap();
        let script = format!("ln -s {} out; ln -s /etc/shadow shadow", outside.display());
        output(&*bench.sandbox, &script).await;
        let dots = format!("../../../../../../../../{}/canary", outside.display());
        let absolute = outside.join("canary");
        for path in [
            "out/canary",
            "shadow",
            dots.as_str(),
            absolute.to_str().unwrap(),
        ] {
            let read = bench.sandbox.read_file(path, 1000).await;
            let failed = matches!(
                read,
                Err(SandboxError::Refused(_) | SandboxError::NotFound { .. })
            );
            assert!(failed, "{path}: {read:?}");
        }
        let written = bench
            .sandbox
            .write_file("out/new", Bytes::from_static(b"x"))
            .await;
        assert!(written.is_err() || !outside.join("new").exists());
        assert!(!outside.join("new").exists());
        if tier == SandboxTier::Landlock {
            let text = refused(bench.sandbox.write_file("/usr/x", Bytes::new()).await);
            assert!(text.contains("permission denied"), "{text}");
        }
    }
}

#[tokio::test]
async fn the_server_is_out_of_reach() {
    for tier in WALLED {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let server = std::process::id();
        // Where processes have numbers of their own, the server has none.
        let script = format!(
            "kill -0 {server} && [ $$ -gt 100 ] && echo signalled; tr '\\0' '\\n' < /proc/{server}/environ | grep CARGO; \
             cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep ^CARGO; kill -0 $(ps -o ppid= 1) 2>/dev/null; true"
        );
        assert_eq!(output(&*bench.sandbox, &script).await, "");
    }
}

#[tokio::test]
async fn there_is_no_network() {
    for tier in WALLED {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let path = bench.directory.path().join("socket");
        let unix = UnixListener::bind(&path).unwrap();
        tcp.set_nonblocking(true).unwrap();
        unix.set_nonblocking(true).unwrap();
        let port = tcp.local_addr().unwrap().port();
        fails(
            &*bench.sandbox,
            &format!("exec 3<>/dev/tcp/127.0.0.1/{port}"),
        )
        .await;
        fails(
            &*bench.sandbox,
            "timeout 2 bash -c 'echo x > /dev/udp/192.0.2.1/53'",
        )
        .await;
        let connect = format!(
            "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, pack_sockaddr_un(\"{}\")) or die'",
            path.display()
        );
        fails(&*bench.sandbox, &connect).await;
        assert!(tcp.accept().is_err() && unix.accept().is_err());
    }
}

#[tokio::test]
async fn rights_cannot_be_gained() {
    for tier in WALLED {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let status = output(&*bench.sandbox, "grep -E 'CapEff|CapBnd|CapPrm|NoNewPrivs|Seccomp:' /proc/self/status | cut -f2 | xargs").await;
        let none = "0000000000000000";
        assert_eq!(status, format!("{none} {none} {none} 1 2\n"));
        for script in [
            "unshare -U true",
            "unshare -n true",
            "mount -t tmpfs none ~",
            "mknod ~/disk b 8 0",
            "setpriv --reuid=0 --regid=0 --clear-groups cat /etc/shadow",
            "strace true",
        ] {
            fails(&*bench.sandbox, script).await;
        }
    }
}
