//! Which addresses are public. A sprite never reaches any other, whatever its policy says: the
//! server's own network and the cloud's metadata service are not its business.

use std::net::{IpAddr, Ipv4Addr};

/// Networks that are not public, by the IANA registry of special addresses. The last one is the
/// platform service of a cloud, in public space.
const RESERVED_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
    ([168, 63, 129, 16], 32),
];
/// The part of IPv6 that is handed out, and what is not public within it.
const GLOBAL_V6: (u128, u32) = (0x2000 << 112, 3);
const RESERVED_V6: &[(u128, u32)] = &[
    (0x2001 << 112, 23),
    (0x2001_0db8 << 96, 32),
    (0x3fff << 112, 20),
];
/// Networks whose addresses hold an IPv4 address, and how many bits stand behind it.
const MAPPED: (u128, u32) = (0xffff << 32, 96);
const NAT64: (u128, u32) = (0x0064_ff9b << 96, 96);
const SIX_TO_FOUR: (u128, u32) = (0x2002 << 112, 16);

/// Whether an address belongs to the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address.to_bits()),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(network, length): &([u8; 4], u32)| {
        (address.to_bits() ^ u32::from_be_bytes(*network)) >> (32 - length) == 0
    };
    !RESERVED_V4.iter().any(within)
}

fn is_public_v6(address: u128) -> bool {
    let within = |(network, length): (u128, u32)| (address ^ network) >> (128 - length) == 0;
    let embedded = if within(MAPPED) || within(NAT64) {
        Some(address)
    } else if within(SIX_TO_FOUR) {
        Some(address >> 80)
    } else {
        None
    };
    match embedded {
        Some(bits) => {
            let [.., a, b, c, d] = bits.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        None => within(GLOBAL_V6) && !RESERVED_V6.iter().copied().any(within),
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    const RESERVED: &str = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0
        100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 169.254.0.0 172.16.0.0
        172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.0 192.168.255.255 198.18.0.0
        198.19.255.255 198.51.100.9 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1
        255.255.255.255 168.63.129.16 :: ::1 ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.1.2.3
        ::ffff:0:8.8.8.8 64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 100::1 2001::1 2001:1ff::1
        2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe::1 3fff::1 3fff:fff::1 5f00::1 fc00::1
        fd00:ec2::254 fe80::1 febf::1 fec0::1 ff02::1";
    const PUBLIC: &str = "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0
        126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0
        192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
        168.63.129.15 8.8.8.8 2001:200::1 2606:4700::1111 2a00:1450::200e 3ffe:ffff::1
        ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1";

    #[test]
    fn the_edges_of_every_special_network_are_known() {
        for (addresses, public) in [(RESERVED, false), (PUBLIC, true)] {
            for address in addresses.split_whitespace() {
                assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_embedding_makes_a_private_address_public(bits: u32, rest: u128) {
            let inner = Ipv4Addr::from_bits(bits);
            let low = u128::from(bits);
            let public = is_public(IpAddr::V4(inner));
            let six_to_four = (0x2002 << 112) | (low << 80) | (rest >> 48);
            let known = [(0xffff << 32) | low, (0x0064_ff9b << 96) | low, six_to_four];
            for outer in known {
                prop_assert_eq!(is_public(IpAddr::V6(Ipv6Addr::from_bits(outer))), public);
            }
            // An address that only ends like one is judged by its front.
            prop_assert!(!is_public(IpAddr::V6(Ipv6Addr::from_bits(low))));
        }

        #[test]
        fn only_the_part_that_is_handed_out_is_public(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            let embeds = bits >> 32 == 0xffff || bits >> 32 == 0x0064_ff9b_u128 << 64;
            prop_assert!(!is_public(IpAddr::V6(address)) || embeds || bits >> 125 == 1);
        }
    }
}
