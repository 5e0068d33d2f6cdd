//! Where a command wants to go, as it names it to the proxy: a host and a port, in one spelling, so
//! that no other spelling of a name or an address gets around a rule.

use super::denial::Denial;
use std::net::{IpAddr, Ipv6Addr};

/// The longest host name (RFC 1035).
const LONGEST: usize = 253;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// A name in lower case without a trailing dot, or an address as it is usually written.
    pub(super) host: String,
    /// The address, when the host is one.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
}

impl Destination {
    /// From what stands in a request; brackets around an IPv6 address may be there.
    pub(super) fn new(host: &str, port: u16) -> Result<Self, Denial> {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let address = match bare {
            Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => host.parse().ok(),
        };
        let address = address.map(|address| address.to_canonical());
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if port == 0 || (address.is_none() && !is_name(&name)) {
            return Err(Denial::Malformed(format!(
                "`{}` is not a host and a port that can be connected to",
                host.escape_debug().take(LONGEST).collect::<String>(),
            )));
        }
        Ok(Self {
            host: address.map_or(name, |address| address.to_string()),
            address,
            port,
        })
    }

    /// An address that was sent as bytes.
    pub(super) fn address(address: IpAddr, port: u16) -> Result<Self, Denial> {
        Self::new(&address.to_string(), port)
    }
}

/// Labels of letters, digits, hyphens and underscores. The last one does not begin with a digit:
/// resolvers take `127.1` and `0x7f.1` for addresses, and rules would not.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(plain)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= LONGEST
        && name.split('.').all(label)
        && !last.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Destination;
    use proptest::prelude::*;

    #[test]
    fn a_host_has_one_spelling() {
        for (given, host) in [
            ("Example.COM.", "example.com"),
            ("a_b.c-d", "a_b.c-d"),
            ("1.2.3.4", "1.2.3.4"),
            ("[2606:4700:0:0::1111]", "2606:4700::1111"),
            ("2606:4700::0:1111", "2606:4700::1111"),
            ("[::ffff:1.2.3.4]", "1.2.3.4"),
        ] {
            assert_eq!(Destination::new(given, 1).unwrap().host, host);
        }
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "1.2.3.4.5",
            "[1.2.3.4]",
            "[a",
            "fe80::1%eth0",
            "a\0b",
            "b\u{fc}cher.de",
            "a/b",
            "a@b",
            "a:80",
        ] {
            assert!(Destination::new(bad, 80).is_err(), "{bad}");
        }
        assert!(Destination::new("a.com", 0).is_err());
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_a_plain_name_or_an_address(host in ".{0,80}", port: u16) {
            if let Ok(to) = Destination::new(&host, port) {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.:".contains(&byte);
                prop_assert!(to.host.bytes().all(plain), "{}", to.host);
                prop_assert_eq!(to.host.parse().ok(), to.address);
            }
        }
    }
}
