//! The TCP ports that something in the sandbox listens on, as the kernel tells. Those of the
//! supervisor itself are not the sprite's, and where the network is the host's, neither are those
//! of anybody else.

use super::processes::descendants;
use crate::processes::wire::WireListening;
use domain::sprite::SandboxTier;
use nix::unistd::getpid;
use std::{
    collections::HashMap,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

const LISTEN: &str = "0A";

/// All of them, by port.
pub(super) fn all(tier: SandboxTier) -> Vec<WireListening> {
    let own = sockets(getpid().as_raw());
    let mut owners = HashMap::new();
    for process in descendants(getpid()) {
        let pid = process.pid.as_raw();
        owners.extend(sockets(pid).into_iter().map(|inode| (inode, pid)));
    }
    let mut found: Vec<_> = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .flat_map(|table| parse(&fs::read_to_string(table).unwrap_or_default()))
        .filter(|socket| !own.contains(&socket.inode))
        .map(|socket| WireListening {
            port: socket.port,
            address: socket.address.to_string(),
            process: owners.get(&socket.inode).copied(),
        })
        .filter(|found| found.process.is_some() || tier == SandboxTier::Namespaces)
        .collect();
    found.sort_by(|one, other| (one.port, &one.address).cmp(&(other.port, &other.address)));
    found
}

/// Whether something of this sprite listens on a port.
pub(super) fn listens(tier: SandboxTier, port: u16) -> bool {
    all(tier).iter().any(|listening| listening.port == port)
}

struct Socket {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// The listening sockets of one of the kernel's tables.
fn parse(table: &str) -> Vec<Socket> {
    let listening = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (address, port) = fields.next()?.split_once(':')?;
        let listens = fields.nth(1)? == LISTEN;
        let socket = Socket {
            address: parse_address(address)?,
            port: u16::from_str_radix(port, 16).ok()?,
            inode: fields.nth(5)?.parse().ok()?,
        };
        listens.then_some(socket)
    });
    listening.collect()
}

/// Words of four bytes, each as the machine has them in memory.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for start in (0..hex.len()).step_by(8) {
        let word = u32::from_str_radix(hex.get(start..start + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(bytes).into())
}

/// The inodes of a process's sockets; none when it ended meanwhile or is not ours to look at.
fn sockets(pid: i32) -> Vec<u64> {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?;
            inode.strip_suffix(']')?.parse().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 100 0 0 10 0\n   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0 20 4 30 10 -1\n   2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n";
        let found: Vec<_> = parse(table)
            .iter()
            .map(|socket| (socket.address.to_string(), socket.port, socket.inode))
            .collect();
        assert_eq!(
            found,
            [("127.0.0.1".into(), 8080, 4242), ("::1".into(), 80, 7)]
        );
    }
}
