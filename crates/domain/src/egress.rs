//! Which addresses the server itself may call on an operator's word. An operator runs models and sign-in services
//! on the same machine or in the same house, so loopback and private addresses are fine; the metadata service of
//! a cloud, which hands out the machine's own rights, never is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services outside of the link-local network: Azure, Alibaba Cloud, and Oracle's of old.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// The one of AWS in IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
/// IPv6 networks whose last 32 bits are an IPv4 address: mapped, and translated by a gateway.
const MAPPED: [u128; 2] = [0xffff, 0x0064_ff9b_u128 << 64];

/// Whether the server may call an address that an operator named: anything but link-local and metadata.
pub fn operator_may_call(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => may_call_v4(address),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            if MAPPED.contains(&(bits >> 32)) {
                let [.., a, b, c, d] = bits.to_be_bytes();
                return may_call_v4(Ipv4Addr::new(a, b, c, d));
            }
            !address.is_unicast_link_local() && address != METADATA_V6
        }
    }
}

fn may_call_v4(address: Ipv4Addr) -> bool {
    !address.is_link_local() && !METADATA_V4.contains(&address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_networks_may_be_called_and_metadata_services_never() {
        for good in
            "127.0.0.1 10.0.0.8 192.168.1.2 8.8.8.8 ::1 fd12::1 2606:4700::1111 ::ffff:127.0.0.1"
                .split(' ')
        {
            assert!(operator_may_call(good.parse().unwrap()), "{good}");
        }
        for bad in
            "169.254.169.254 169.254.0.1 168.63.129.16 100.100.100.200 192.0.0.192 fe80::1 febf::1 \
             fd00:ec2::254 ::ffff:169.254.169.254 64:ff9b::169.254.169.254"
                .split_whitespace()
        {
            assert!(!operator_may_call(bad.parse().unwrap()), "{bad}");
        }
    }
}
