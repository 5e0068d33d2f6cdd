//! What a sprite reaches, and what it does not: through the proxy by name, and in no other way.

use crate::{
    support::{Bench, bench, output, refused, run, settings, sprite},
    world::{ask, get, socks, world},
};
use domain::sprite::{NetworkAction, NetworkPolicy, NetworkRule, SandboxTier};
use ports::sandbox::{SandboxError, SandboxHost as _};
use sprites_local::{LocalHost, LocalSettings};
use std::net::IpAddr;

fn policy(rules: &[(&str, NetworkAction)], otherwise: NetworkAction) -> NetworkPolicy {
    let rules = rules.iter();
    let rules = rules.map(|(domain, action)| NetworkRule::new(domain, *action).unwrap());
    NetworkPolicy {
        rules: rules.collect(),
        otherwise,
    }
}

fn allow(hosts: &[&str]) -> NetworkPolicy {
    let rules: Vec<_> = hosts
        .iter()
        .map(|host| (*host, NetworkAction::Allow))
        .collect();
    policy(&rules, NetworkAction::Deny)
}

async fn set(bench: &Bench, policy: NetworkPolicy) {
    let sprite = bench.host.sprite(sprite(1));
    sprite.set_network_policy(policy).await.unwrap();
}

#[tokio::test]
async fn a_new_sprite_reaches_nothing() {
    let Some((bench, world)) = world(&[("example.com", "8.8.8.8")]).await else {
        return;
    };
    let sprite = bench.host.sprite(sprite(1));
    assert_eq!(
        sprite.network_policy().await.unwrap(),
        NetworkPolicy::default()
    );
    let denied = "HTTP/1.1 403 example.com is not allowed by this sprite's network policy";
    let sandbox = &*bench.sandbox;
    let tunnel = "CONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n";
    assert_eq!(ask(sandbox, tunnel).await, denied);
    assert_eq!(get(sandbox, "http://example.com/").await, denied);
    assert_eq!(socks(sandbox, "example.com").await, 2);
    assert_eq!(world.connected(), [] as [String; 0]);
}

#[tokio::test]
async fn an_allowed_host_is_reached_by_name_in_all_three_ways() {
    let Some((bench, world)) = world(&[("example.com", "8.8.8.8")]).await else {
        return;
    };
    set(&bench, allow(&["example.com"])).await;
    let sandbox = &*bench.sandbox;
    let script = r"
        tunnel() {
            exec 9<>/dev/tcp/127.0.0.1/3128
            printf 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n' >&9
            IFS= read -r line <&9; echo ${line%$'\r'}; while IFS= read -r line <&9 && [ ${#line} -gt 1 ]; do :; done
            for _ in 1 2; do echo ping >&9; read -r line <&9; echo $line; done; exec 9>&-
        }
        socks() {
            exec 9<>/dev/tcp/127.0.0.1/3128
            printf '\5\1\0\5\1\0\3\13example.com\1\273' >&9; head -c 12 <&9 | od -An -tu1 | xargs
            echo ping >&9; read -r line <&9; echo $line; exec 9>&-
        }
        tunnel; socks";
    let expected = "HTTP/1.1 200 OK\npong\npong\n5 0 5 0 0 1 0 0 0 0 0 0\npong\n";
    assert_eq!(output(sandbox, script).await, expected);
    assert_eq!(world.connected(), ["8.8.8.8:443", "8.8.8.8:443"]);
    let curl = "curl -sS --max-time 20 -d body=1 -H 'Proxy-Authorization: Basic eA==' -H 'Connection: x-secret' -H 'x-secret: 1' http://example.com:8080/a?b";
    let request = output(sandbox, curl).await.to_ascii_lowercase();
    assert!(request.starts_with("post /a?b http/1.1\r\n"), "{request}");
    assert!(request.contains("host: example.com:8080\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nbody=1"), "{request}");
    for hop in ["proxy-authorization", "proxy-connection", "x-secret"] {
        assert!(!request.contains(hop), "{request}");
    }
    assert_eq!(world.connected(), ["8.8.8.8:8080"]);
    let twice = "curl -sS --max-time 20 -o /dev/null -w '%{http_code} ' http://example.com/ --next -sS -o /dev/null -w '%{http_code}' http://example.org/";
    assert_eq!(output(sandbox, twice).await, "200 403");
}

#[tokio::test]
async fn requests_that_are_none_are_refused_and_harm_nobody() {
    let Some((bench, world)) = world(&[("example.com", "8.8.8.8")]).await else {
        return;
    };
    set(&bench, NetworkPolicy::open()).await;
    let sandbox = &*bench.sandbox;
    let huge = "x".repeat(17 << 10);
    for (bytes, code) in [
        (
            "GET / HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n".to_owned(),
            "400",
        ),
        (
            "GET https://example.com/ HTTP/1.1\\r\\n\\r\\n".into(),
            "400",
        ),
        ("GET ftp://example.com/ HTTP/1.1\\r\\n\\r\\n".into(), "400"),
        ("CONNECT example.com HTTP/1.1\\r\\n\\r\\n".into(), "400"),
        ("CONNECT 0x7f.1:80 HTTP/1.1\\r\\n\\r\\n".into(), "400"),
        ("CONNECT 2130706433:80 HTTP/1.1\\r\\n\\r\\n".into(), "400"),
        ("nonsense\\r\\n\\r\\n".into(), "400"),
        (
            format!("GET http://example.com/ HTTP/1.1\\r\\nX: {huge}\\r\\n\\r\\n"),
            "431",
        ),
        (
            "CONNECT nowhere.example:80 HTTP/1.1\\r\\n\\r\\n".into(),
            "502",
        ),
    ] {
        let line = ask(sandbox, &bytes).await;
        assert_eq!(line.split(' ').nth(1), Some(code), "{line}");
    }
    // BIND instead of CONNECT, and a client that only knows passwords.
    for (bytes, reply) in [
        ("\\5\\1\\0\\5\\2\\0\\1\\10\\10\\10\\10\\1\\1", "5 0 5 7"),
        ("\\5\\1\\2", "5 255"),
    ] {
        let script = format!(
            "exec 9<>/dev/tcp/127.0.0.1/3128; printf '{bytes}' >&9; head -c {} <&9 | od -An -tu1 | xargs; exec 9>&-",
            reply.split(' ').count()
        );
        assert_eq!(output(sandbox, &script).await.trim(), reply);
    }
    assert_eq!(world.connected(), [] as [String; 0]);
    assert_eq!(get(sandbox, "http://example.com/").await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn names_that_lead_to_private_addresses_are_refused_after_resolution() {
    let names = [
        ("loop.test", "127.0.0.1"),
        ("private.test", "10.1.2.3"),
        ("metadata.test", "169.254.169.254"),
        ("mapped.test", "::ffff:192.168.0.1"),
        ("six.test", "fd00:ec2::254"),
        ("nat64.test", "64:ff9b::7f00:1"),
        ("public.test", "8.8.8.8"),
    ];
    let Some((bench, world)) = world(&names).await else {
        return;
    };
    set(&bench, NetworkPolicy::open()).await;
    let sandbox = &*bench.sandbox;
    for (name, address) in names.iter().take(6) {
        let line = ask(sandbox, &format!("CONNECT {name}:80 HTTP/1.1\\r\\n\\r\\n")).await;
        let address: IpAddr = address.parse().unwrap();
        assert!(
            line.starts_with(&format!(
                "HTTP/1.1 403 {name} leads to {address}, which is not"
            )),
            "{line}"
        );
        assert_eq!(socks(sandbox, name).await, 2, "{name}");
        assert!(
            get(sandbox, &format!("http://{name}/"))
                .await
                .contains(" 403 ")
        );
    }
    for literal in ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"] {
        let line = ask(
            sandbox,
            &format!("CONNECT {literal}:80 HTTP/1.1\\r\\n\\r\\n"),
        )
        .await;
        assert!(line.starts_with("HTTP/1.1 403 "), "{literal}: {line}");
    }
    assert_eq!(world.connected(), [] as [String; 0]);
    // What was checked is what is connected to, and of several addresses only the public ones.
    world.set("public.test", &["10.0.0.1", "2606:4700::1111", "127.0.0.1"]);
    assert_eq!(get(sandbox, "http://public.test/").await, "HTTP/1.1 200 OK");
    assert_eq!(world.connected(), ["[2606:4700::1111]:80"]);
}

#[tokio::test]
async fn an_address_is_reached_only_where_the_policy_allows_it() {
    let Some((bench, world)) = world(&[("example.com", "8.8.8.8")]).await else {
        return;
    };
    let sandbox = &*bench.sandbox;
    set(&bench, allow(&["example.com", "9.9.9.9"])).await;
    assert!(
        get(sandbox, "http://8.8.8.8/")
            .await
            .starts_with("HTTP/1.1 403 8.8.8.8 is not")
    );
    assert_eq!(get(sandbox, "http://9.9.9.9/").await, "HTTP/1.1 200 OK");
    set(
        &bench,
        policy(&[("8.8.8.8", NetworkAction::Deny)], NetworkAction::Allow),
    )
    .await;
    for spelling in ["8.8.8.8", "[::ffff:8.8.8.8]", "[::ffff:808:808]"] {
        let line = get(sandbox, &format!("http://{spelling}/")).await;
        assert!(line.starts_with("HTTP/1.1 403 "), "{spelling}: {line}");
    }
    assert_eq!(world.connected(), ["9.9.9.9:80"]);
}

#[tokio::test]
async fn a_new_policy_cuts_what_it_does_not_allow() {
    let Some((bench, _world)) = world(&[("a.test", "8.8.8.8"), ("b.test", "8.8.4.4")]).await else {
        return;
    };
    set(&bench, allow(&["a.test", "b.test"])).await;
    let sandbox = &*bench.sandbox;
    let open = |descriptor: u8, host: &str| {
        format!(
            "exec {descriptor}<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT {host}:443 HTTP/1.1\\r\\n\\r\\n' >&{descriptor}; \
             while IFS= read -r line <&{descriptor} && [ ${{#line}} -gt 1 ]; do :; done; \
             echo ping >&{descriptor}; read -r line <&{descriptor}; echo $line"
        )
    };
    assert_eq!(output(sandbox, &open(8, "a.test")).await, "pong\n");
    assert_eq!(output(sandbox, &open(9, "b.test")).await, "pong\n");
    set(&bench, allow(&["b.test"])).await;
    // The end of one connection is there to be read; the other goes on.
    let script = "read -r -t 20 line <&8; echo $?; echo ping >&9; read -r line <&9; echo $line";
    assert_eq!(output(sandbox, script).await, "1\npong\n");
    assert!(get(sandbox, "http://a.test/").await.contains(" 403 "));
    set(&bench, NetworkPolicy::default()).await;
    assert_eq!(
        output(sandbox, "read -r -t 20 line <&9; echo $?").await,
        "1\n"
    );
}

#[tokio::test]
async fn a_policy_survives_a_restart() {
    let chosen = policy(
        &[
            ("*.example.com", NetworkAction::Allow),
            ("bad.example.com", NetworkAction::Deny),
        ],
        NetworkAction::Deny,
    );
    let Some((bench, world)) = world(&[("a.example.com", "8.8.8.8")]).await else {
        return;
    };
    set(&bench, chosen.clone()).await;
    // Of a sprite that never was awake too.
    let asleep = bench.host.sprite(sprite(2));
    asleep.set_network_policy(chosen.clone()).await.unwrap();
    bench.host.shutdown().await;
    let settings = LocalSettings {
        upstream: world,
        ..settings(bench.directory.path(), SandboxTier::Namespaces)
    };
    let host = LocalHost::start(settings).await.unwrap();
    for number in [1, 2] {
        let kept = host.sprite(sprite(number)).network_policy().await.unwrap();
        assert_eq!(kept, chosen);
        let sandbox = host.open(sprite(number)).await.unwrap();
        assert_eq!(
            get(&*sandbox, "http://a.example.com/").await,
            "HTTP/1.1 200 OK"
        );
        assert!(
            get(&*sandbox, "http://bad.example.com/")
                .await
                .contains(" 403 ")
        );
    }
    host.shutdown().await;
}

#[tokio::test]
async fn a_policy_that_cannot_be_enforced_is_refused() {
    let open = NetworkPolicy::open();
    let nothing = NetworkPolicy::default();
    for (tier, fits, other) in [
        (
            SandboxTier::Landlock,
            [
                nothing.clone(),
                policy(&[("*", NetworkAction::Deny)], NetworkAction::Allow),
            ],
            [open.clone(), allow(&["a.test"])],
        ),
        (
            SandboxTier::Plain,
            [open.clone(), allow(&["*"])],
            [
                nothing.clone(),
                policy(&[("a.test", NetworkAction::Deny)], NetworkAction::Allow),
            ],
        ),
    ] {
        let Some(bench) = bench(tier).await else {
            continue;
        };
        let sprite = bench.host.sprite(sprite(1));
        assert_eq!(sprite.network_policy().await.unwrap(), fits[0], "{tier}");
        for policy in other {
            let text = refused(sprite.set_network_policy(policy).await);
            assert!(
                text.contains(tier.as_str()) && text.contains("namespaces"),
                "{text}"
            );
        }
        for policy in fits {
            sprite.set_network_policy(policy.clone()).await.unwrap();
            assert_eq!(sprite.network_policy().await.unwrap(), policy);
        }
    }
}

#[tokio::test]
async fn a_policy_from_a_better_tier_is_never_ignored() {
    let Some((bench, _world)) = world(&[]).await else {
        return;
    };
    set(&bench, allow(&["a.test"])).await;
    bench.host.shutdown().await;
    let start = async |tier| LocalHost::start(settings(bench.directory.path(), tier)).await;
    if let Ok(host) = start(SandboxTier::Landlock).await {
        let policy = host.sprite(sprite(1)).network_policy().await.unwrap();
        assert_eq!(policy, NetworkPolicy::default());
        host.shutdown().await;
    }
    let host = start(SandboxTier::Plain).await.unwrap();
    let woken = host.open(sprite(1)).await.map(drop);
    match woken {
        Err(SandboxError::Unavailable(text)) => {
            assert!(text.contains("no network policy can be enforced"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    let open = NetworkPolicy::open();
    host.sprite(sprite(1))
        .set_network_policy(open)
        .await
        .unwrap();
    assert_eq!(
        output(&*host.open(sprite(1)).await.unwrap(), "echo up").await,
        "up\n"
    );
}

#[tokio::test]
async fn there_is_no_way_around_the_proxy() {
    let Some((bench, world)) = world(&[("example.com", "8.8.8.8")]).await else {
        return;
    };
    set(&bench, NetworkPolicy::open()).await;
    let sandbox = &*bench.sandbox;
    for script in [
        "timeout 5 bash -c 'exec 3<>/dev/tcp/8.8.8.8/443'",
        "timeout 5 bash -c 'exec 3<>/dev/tcp/169.254.169.254/80'",
        "timeout 5 bash -c 'echo x > /dev/udp/8.8.8.8/53'",
        "timeout 5 bash -c 'echo x > /dev/udp/127.0.0.53/53; exec 3<>/dev/tcp/127.0.0.53/53'",
        "timeout 5 getent hosts example.com",
        "rm -f /run/nitejar/egress/proxy; touch /run/nitejar/egress/x",
        "mv /run/nitejar/egress /tmp/egress",
    ] {
        let (outcome, _) = run(sandbox, script).await;
        assert_ne!(outcome.exit, ports::sandbox::Exit::Code(0), "{script}");
    }
    assert_eq!(world.connected(), [] as [String; 0]);
    assert_eq!(get(sandbox, "http://example.com/").await, "HTTP/1.1 200 OK");
    let own = bench.host.open(sprite(2)).await.unwrap();
    assert!(get(&*own, "http://example.com/").await.contains(" 403 "));
}

#[tokio::test]
async fn programs_are_told_of_the_proxy_where_there_is_one() {
    for tier in SandboxTier::ALL {
        let Some(bench) = bench(*tier).await else {
            continue;
        };
        let told = output(&*bench.sandbox, "echo $https_proxy $HTTP_PROXY $no_proxy").await;
        let expected = match tier {
            SandboxTier::Namespaces => {
                "http://127.0.0.1:3128 http://127.0.0.1:3128 localhost,127.0.0.1,::1\n"
            }
            SandboxTier::Landlock | SandboxTier::Plain => "\n",
        };
        assert_eq!(told, expected, "{tier}");
    }
}
