//! Ports that processes listen on, seen and reached from outside.

use super::{PATIENCE, command, computer, noise, until};
use crate::support::{bench, output};
use domain::sprite::SandboxTier;
use futures_util::StreamExt as _;
use ports::sandbox::{SandboxError, SandboxHost as _};
use tokio::time::timeout;

/// Says its port, then gives one connection back what it sends, and more when that is all.
const ECHO: &str = r#"$| = 1; use IO::Socket::INET; my $all = IO::Socket::INET->new(LocalAddr => "127.0.0.1:0", Listen => 5) or die; print $all->sockport, "\n"; while (my $one = $all->accept) { while (sysread($one, my $piece, 65536)) { syswrite($one, $piece) } syswrite($one, "bye"); close $one }"#;

#[tokio::test]
async fn ports_inside_are_listed_and_reached() {
    for tier in [SandboxTier::Namespaces, SandboxTier::Plain] {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let computer = computer(&bench);
        let mut listener = computer
            .start(command(&["perl", "-e", ECHO]))
            .await
            .unwrap();
        let said = until(&mut listener.output, "\n").await;
        let port: u16 = said.trim_end().parse().unwrap();
        let listed = computer.listening().await.unwrap();
        let found: Vec<_> = listed.iter().filter(|one| one.port == port).collect();
        assert_eq!(found.len(), 1, "{listed:?}");
        assert_eq!(found[0].address, "127.0.0.1");
        let name = format!("cat /proc/{}/comm", found[0].process.unwrap());
        assert_eq!(output(&*bench.sandbox, &name).await, "perl\n");
        for _ in 0..2 {
            let tunnel = computer.connect("localhost", port).await.unwrap();
            let all = noise(3 << 20);
            let sent = all.clone();
            let writing = async {
                tunnel.input.write(sent).await.unwrap();
                tunnel.input.finish().await.unwrap();
            };
            let reading = tunnel.output.map(|bytes| bytes.unwrap().to_vec()).concat();
            let ((), back) = timeout(PATIENCE, async { tokio::join!(writing, reading) })
                .await
                .unwrap();
            assert!(back[..] == [&all[..], b"bye"].concat());
        }
        let nobody = computer.connect("localhost", 1).await.map(drop);
        assert!(
            matches!(nobody, Err(SandboxError::Refused(_))),
            "{nobody:?}"
        );
        let elsewhere = computer.connect("example.com", 80).await.map(drop);
        assert!(matches!(elsewhere, Err(SandboxError::Refused(_))));
        // A port of the host is none of the sprite.
        let outside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = outside.local_addr().unwrap().port();
        assert!(
            computer
                .listening()
                .await
                .unwrap()
                .iter()
                .all(|one| one.port != host)
        );
        let reached = computer.connect("127.0.0.1", host).await.map(drop);
        assert!(matches!(reached, Err(SandboxError::Refused(_))), "{tier}");
        bench.host.shutdown().await;
    }
}
