//! What is reached from inside, and what inside is reached.

use super::{
    Ability, Harness, PUBLIC_HOST,
    support::{output, run, script, until},
};
use domain::sprite::{NetworkAction, NetworkPolicy, NetworkRule};
use futures_util::StreamExt;

use std::net::TcpListener;

fn allowing(domain: &str) -> NetworkPolicy {
    NetworkPolicy {
        rules: vec![NetworkRule::new(domain, NetworkAction::Allow).unwrap()],
        otherwise: NetworkAction::Deny,
    }
}

/// A command that fetches a URL, through the proxy where there is one, and says what came of it.
fn fetch(url: &str) -> String {
    format!("curl -sS -m 5 -o got -w '%{{http_code}}' {url} 2>&1; true")
}

/// Neither the world nor the machine below.
pub async fn nothing_is_reached_by_default(h: &mut Harness) {
    if !h.place.can(Ability::NoNetwork) {
        return;
    }
    assert!(h.sprite.network_policy().await.unwrap().denies_all());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for place in [
        format!("127.0.0.1/{port}"),
        "1.1.1.1/80".to_owned(),
        "169.254.169.254/80".to_owned(),
    ] {
        let command = format!("timeout 3 bash -c 'exec 3<>/dev/tcp/{place}'");
        let (outcome, _) = run(h.sprite.as_ref(), &command).await;
        assert_ne!(
            outcome.exit,
            ports::sandbox::Exit::Code(0),
            "{place} was reached"
        );
    }
    let seen = output(h.sprite.as_ref(), &fetch(&format!("http://{PUBLIC_HOST}/"))).await;
    assert!(!seen.ends_with("200"), "{seen}");
}

/// In the same words.
pub async fn a_policy_is_reported_as_it_was_set(h: &mut Harness) {
    if !h.place.can(Ability::NamedHosts) {
        return;
    }
    for policy in [
        allowing("*.example.com"),
        NetworkPolicy::open(),
        NetworkPolicy::default(),
    ] {
        h.sprite.set_network_policy(policy.clone()).await.unwrap();
        let now = h.sprite.network_policy().await.unwrap();
        for host in ["a.example.com", "example.org"] {
            assert_eq!(
                now.allows(host),
                policy.allows(host),
                "{host} under {now:?}"
            );
        }
    }
}

/// By name, at once, and no longer than it is allowed.
pub async fn an_allowed_host_is_reached_and_no_other(h: &mut Harness) {
    if !h.place.can(Ability::NamedHosts) {
        return;
    }
    let allowed = fetch(&format!("http://{PUBLIC_HOST}/"));
    h.sprite
        .set_network_policy(allowing(PUBLIC_HOST))
        .await
        .unwrap();
    assert_eq!(
        output(h.sprite.as_ref(), &format!("{allowed}; cat got")).await,
        "200hello"
    );
    let other = output(h.sprite.as_ref(), &fetch("http://other.example/")).await;
    assert!(other.ends_with("403"), "{other}");
    h.sprite
        .set_network_policy(NetworkPolicy::default())
        .await
        .unwrap();
    let seen = output(h.sprite.as_ref(), &allowed).await;
    assert!(seen.ends_with("403"), "{seen}");
}

/// By address and by a name that leads there.
pub async fn private_addresses_are_refused_whatever_the_policy(h: &mut Harness) {
    if !h.place.can(Ability::NamedHosts) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    h.sprite
        .set_network_policy(NetworkPolicy::open())
        .await
        .unwrap();
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "[::ffff:10.0.0.1]",
        "private.example",
        "metadata.example",
    ] {
        let url = fetch(&format!("-g http://{host}:{port}/"));
        let seen = output(h.sprite.as_ref(), &url).await;
        assert!(seen.ends_with("403"), "{host}: {seen}");
    }
}

const LISTEN: &str = "import socket\ns = socket.create_server(('127.0.0.1', 0))\nprint('port', s.getsockname()[1], '.', flush=True)\nc, _ = s.accept()\nd = c.recv(100)\nc.sendall(b'got ' + d)\nc.close()\n";

/// Both ways.
pub async fn a_port_inside_is_reached(h: &mut Harness) {
    if !h.place.can(Ability::Ports) {
        return;
    }
    h.sprite
        .write_file("listen.py", LISTEN.into())
        .await
        .unwrap();
    let mut attached = h
        .sprite
        .start(script("exec python3 listen.py"))
        .await
        .unwrap();
    let said = until(&mut attached, " .").await;
    let port = said.split_whitespace().nth(1).unwrap().parse().unwrap();
    let ports = h.sprite.listening().await.unwrap();
    assert!(
        ports.iter().any(|listening| listening.port == port),
        "{ports:?}"
    );
    let mut tunnel = h.sprite.connect("localhost", port).await.unwrap();
    tunnel.input.write("ping".into()).await.unwrap();
    let mut answer = Vec::new();
    while let Some(bytes) = tunnel.output.next().await {
        answer.extend_from_slice(&bytes.unwrap());
    }
    assert_eq!(answer, b"got ping");
}

/// As is a host that is not the sprite.
pub async fn a_port_where_nobody_listens_is_refused(h: &mut Harness) {
    if !h.place.can(Ability::NoNetwork) {
        return;
    }
    assert!(h.sprite.connect("localhost", 9).await.is_err());
    assert!(h.sprite.connect("example.com", 80).await.is_err());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    assert!(
        h.sprite.connect("127.0.0.1", port).await.is_err(),
        "the host was reached"
    );
}
