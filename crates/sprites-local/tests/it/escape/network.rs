//! The host's ports and sockets, the cloud's metadata, and what runs containers.

use super::{SandboxTier, Siege, attacks};
use domain::sprite::NetworkPolicy;
use std::net::IpAddr;

attacks!(siege:
    ports_of_the_host_are_out_of_reach,
    sockets_of_the_host_are_out_of_reach,
    the_proxy_leads_to_no_private_place,
    raw_sockets_cannot_be_made,
);

/// The address that packets leave with; nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Loopback, the host's own address, its gateway's usual ones and the metadata service's.
fn hosts() -> Vec<String> {
    let usual = [
        "127.0.0.1",
        "169.254.169.254",
        "172.17.0.1",
        "10.0.2.2",
        "::1",
    ];
    let own = own_address().map(|address| address.to_string());
    usual.into_iter().map(str::to_owned).chain(own).collect()
}

async fn ports_of_the_host_are_out_of_reach(siege: &Siege) {
    let port = siege.canaries.port;
    for host in hosts() {
        siege
            .refused(&[
                &format!("timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/{port}'"),
                &format!("timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/80'"),
                &format!("timeout 3 bash -c 'echo x > /dev/udp/{host}/{port}' && [ {host} != 127.0.0.1 ] && [ {host} != ::1 ]"),
                &format!("curl --noproxy '*' -sS -m 3 'http://{host}:{port}/'"),
            ])
            .await;
    }
    assert!(siege.sprite.connect("localhost", port).await.is_err());
}

async fn sockets_of_the_host_are_out_of_reach(siege: &Siege) {
    let connect = |address: &str| {
        format!(
            "perl -MSocket -e 'for my $kind (SOCK_STREAM, SOCK_DGRAM) {{ socket(my $s, AF_UNIX, $kind, 0) or next; \
             exit 0 if connect($s, pack_sockaddr_un({address})) }} exit 1'"
        )
    };
    let path = format!("\"{}\"", siege.canaries.socket.display());
    let hidden = format!("\"\\0{}\"", siege.canaries.abstract_name);
    let mut scripts = vec![connect(&path), connect(&hidden)];
    for runtime in [
        "/run/docker.sock",
        "/var/run/docker.sock",
        "/run/podman/podman.sock",
        "/run/containerd/containerd.sock",
        "/run/crio/crio.sock",
        "/run/systemd/private",
        "/run/dbus/system_bus_socket",
        "/var/run/postgresql/.s.PGSQL.5432",
        "/tmp/.X11-unix/X0",
        "\\0/tmp/.X11-unix/X0",
    ] {
        scripts.push(connect(&format!("\"{runtime}\"")));
    }
    scripts.extend(
        [
            "docker ps",
            "podman --remote ps",
            "systemctl status",
            "ls /run/user/0",
        ]
        .map(str::to_owned),
    );
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
    siege.refused(&scripts).await;
}

async fn the_proxy_leads_to_no_private_place(siege: &Siege) {
    if siege.tier != SandboxTier::Namespaces {
        // There is no proxy, and no policy that would allow anything.
        let open = siege.sprite.set_network_policy(NetworkPolicy::open()).await;
        assert!(open.is_err());
        return;
    }
    siege
        .sprite
        .set_network_policy(NetworkPolicy::open())
        .await
        .unwrap();
    let port = siege.canaries.port;
    let mut urls: Vec<String> = hosts();
    urls.extend(
        [
            "localhost",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "[::ffff:127.0.0.1]",
            "[::]",
            "[64:ff9b::7f00:1]",
            "metadata.google.internal",
            "instance-data",
            "192.168.0.1",
            "100.100.100.200",
            "[fd00:ec2::254]",
        ]
        .map(str::to_owned),
    );
    for host in urls {
        let host = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]")
        } else {
            host
        };
        for (option, host) in [
            ("-x http://127.0.0.1:3128", &host),
            ("-p -x http://127.0.0.1:3128", &host),
            ("-x socks5h://127.0.0.1:3128", &host),
        ] {
            let fetch = format!("curl -g --noproxy '' -sSf -m 8 {option} 'http://{host}:{port}/'");
            siege.refused(&[&fetch]).await;
        }
    }
    // A request within a request, and one that is two.
    siege
        .attack(&format!(
            "exec 9<>/dev/tcp/127.0.0.1/3128; printf 'GET http://example.invalid/ HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET http://127.0.0.1:{port}/ HTTP/1.1\\r\\n\\r\\n' >&9; timeout 3 cat <&9; exec 9>&-"
        ))
        .await;
    siege
        .sprite
        .set_network_policy(NetworkPolicy::default())
        .await
        .unwrap();
}

async fn raw_sockets_cannot_be_made(siege: &Siege) {
    // Raw and packet sockets, netlink, vsock, crypto, Bluetooth and kernel TCP of any family.
    let families = [
        (libc::AF_INET, libc::SOCK_RAW),
        (libc::AF_INET6, libc::SOCK_RAW),
        (libc::AF_PACKET, libc::SOCK_DGRAM),
        (libc::AF_NETLINK, libc::SOCK_RAW),
        (libc::AF_VSOCK, libc::SOCK_STREAM),
        (libc::AF_ALG, libc::SOCK_SEQPACKET),
        (libc::AF_BLUETOOTH, libc::SOCK_RAW),
        (libc::AF_RDS, libc::SOCK_SEQPACKET),
        (libc::AF_TIPC, libc::SOCK_STREAM),
        (libc::AF_XDP, libc::SOCK_RAW),
        (libc::AF_KEY, libc::SOCK_RAW),
    ];
    for (family, kind) in families {
        let script = format!("perl -e 'socket(my $s, {family}, {kind}, 0) or exit 1'");
        siege.refused(&[&script]).await;
    }
    siege
        .refused(&[
            "ping -c 1 -W 1 127.0.0.1",
            "ip link set lo down",
            "ip addr add 192.0.2.7/32 dev lo",
        ])
        .await;
}
