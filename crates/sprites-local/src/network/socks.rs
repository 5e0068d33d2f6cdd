//! SOCKS5 (RFC 1928) without authentication, as far as a sprite needs it: CONNECT to a name or an
//! address.

use super::{denial::Denial, destination::Destination, gate::Gate};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    time::timeout,
};

/// The version, which is the first byte of a client.
pub(super) const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const NONE_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;
const COMMAND_NOT_SUPPORTED: u8 = 7;
const ADDRESS_TYPE_NOT_SUPPORTED: u8 = 8;

/// What a client asked for.
#[derive(Debug)]
enum Asked {
    Connect(Result<Destination, Denial>),
    /// Nothing we do; the reply that says so.
    Other(u8),
}

/// Serves one client.
pub(super) async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    gate: Arc<Gate>,
) -> io::Result<()> {
    let asked = timeout(gate.limits.head, negotiate(&mut client)).await??;
    let connected = match asked {
        Asked::Other(code) => return client.write_all(&reply(code)).await,
        Asked::Connect(Err(denial)) => Err(denial),
        Asked::Connect(Ok(to)) => gate.connect(&to).await,
    };
    let (mut stream, lease) = match connected {
        Ok(connected) => connected,
        Err(denial) => return client.write_all(&reply(denial.socks())).await,
    };
    client.write_all(&reply(0)).await?;
    lease
        .carry(copy_bidirectional(&mut client, &mut stream))
        .await;
    Ok(())
}

async fn negotiate(client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Asked> {
    expect_version(client).await?;
    let mut methods = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut methods).await?;
    if !methods.contains(&NO_AUTHENTICATION) {
        client.write_all(&[VERSION, NONE_ACCEPTABLE]).await?;
        return Err(io::Error::other("no method without authentication"));
    }
    client.write_all(&[VERSION, NO_AUTHENTICATION]).await?;
    expect_version(client).await?;
    let command = client.read_u8().await?;
    client.read_u8().await?;
    let host = match client.read_u8().await? {
        1 => Ok(IpAddr::V4(Ipv4Addr::from_bits(client.read_u32().await?))),
        4 => Ok(IpAddr::V6(Ipv6Addr::from_bits(client.read_u128().await?))),
        3 => {
            let mut name = vec![0; usize::from(client.read_u8().await?)];
            client.read_exact(&mut name).await?;
            Err(name)
        }
        _ => return Ok(Asked::Other(ADDRESS_TYPE_NOT_SUPPORTED)),
    };
    let port = client.read_u16().await?;
    if command != CONNECT {
        return Ok(Asked::Other(COMMAND_NOT_SUPPORTED));
    }
    Ok(Asked::Connect(match host {
        Ok(address) => Destination::address(address, port),
        Err(name) => Destination::new(&String::from_utf8_lossy(&name), port),
    }))
}

async fn expect_version(client: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    if client.read_u8().await? == VERSION {
        Ok(())
    } else {
        Err(io::Error::other("not SOCKS5"))
    }
}

/// A reply; the address we are bound to is nobody's business.
fn reply(code: u8) -> [u8; 10] {
    [VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::{Asked, negotiate};
    use proptest::prelude::*;
    use tokio::io::join;

    /// What a client that sends these bytes and no more is understood to ask for.
    fn asked(bytes: &[u8]) -> Option<Asked> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut replies = Vec::new();
        runtime
            .block_on(negotiate(&mut join(bytes, &mut replies)))
            .ok()
    }

    fn connect(kind: u8, host: &[u8]) -> Vec<u8> {
        let mut bytes = vec![5, 2, 2, 0, 5, 1, 0, kind];
        bytes.extend(host);
        bytes.extend([1, 0xbb]);
        bytes
    }

    #[test]
    fn names_and_addresses_are_understood() {
        let mut six = [0; 16];
        six[0] = 0x20;
        six[15] = 1;
        for (bytes, host) in [
            (connect(1, &[1, 2, 3, 4]), "1.2.3.4"),
            (connect(4, &six), "2000::1"),
            (connect(3, b"\x05A.com"), "a.com"),
            (connect(3, b"\x071.2.3.4".as_slice()), "1.2.3.4"),
        ] {
            match asked(&bytes) {
                Some(Asked::Connect(Ok(to))) => {
                    assert_eq!((to.host.as_str(), to.port), (host, 443));
                }
                other => panic!("{other:?}"),
            }
            for cut in 0..bytes.len() {
                assert!(asked(&bytes[..cut]).is_none());
            }
        }
        let mut bind = connect(1, &[1, 2, 3, 4]);
        bind[5] = 2;
        assert!(matches!(asked(&bind), Some(Asked::Other(7))));
        assert!(matches!(asked(&connect(9, &[])), Some(Asked::Other(8))));
        assert!(asked(&[5, 1, 2]).is_none());
        let broken = asked(&connect(3, b"\x03a\0b"));
        assert!(matches!(broken, Some(Asked::Connect(Err(_)))));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes: Vec<u8>) {
            for start in [&[][..], &[5, 1, 0, 5, 1, 0], &[5, 1, 0, 5, 1, 0, 3]] {
                drop(asked(&[start, &bytes].concat()));
            }
        }
    }
}
