//! What there is to steal and to harm on the host, put there so that it would be seen.

use std::{
    fs::{self, File},
    io::ErrorKind,
    net::{TcpListener, UdpSocket},
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::MetadataExt as _,
            net::{SocketAddr, UnixListener},
        },
    },
    path::{Path, PathBuf},
};

/// What is in the canary files.
pub(super) const SECRET: &str = "s3cret-canary";
/// What the environment of each of these tests holds, and of no sandbox.
pub(super) const IN_ENVIRONMENT: &str = "CARGO_MANIFEST_DIR=";

/// Files, ports and sockets that nobody may touch.
pub(super) struct Canaries {
    pub(super) directory: PathBuf,
    pub(super) file: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) abstract_name: String,
    pub(super) port: u16,
    tcp: TcpListener,
    udp: UdpSocket,
    unix: [UnixListener; 2],
    modified: (i64, i64),
}

impl Canaries {
    /// Puts them beside the sprites.
    pub(super) fn put(beside: &Path) -> Self {
        let own = fs::read("/proc/self/environ").unwrap();
        assert!(
            String::from_utf8_lossy(&own).contains(IN_ENVIRONMENT),
            "there is nothing to steal from the environment"
        );
        let directory = beside.join("outside");
        fs::create_dir(&directory).unwrap();
        let file = directory.join("canary");
        fs::write(&file, SECRET).unwrap();
        let socket = directory.join("socket");
        let abstract_name = format!("nitejar-canary-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let unix = [
            UnixListener::bind(&socket).unwrap(),
            UnixListener::bind_addr(&address).unwrap(),
        ];
        let tcp = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let udp = UdpSocket::bind(("0.0.0.0", port)).unwrap();
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        for listener in &unix {
            listener.set_nonblocking(true).unwrap();
        }
        Self {
            modified: modified(&file),
            directory,
            file,
            socket,
            abstract_name,
            port,
            tcp,
            udp,
            unix,
        }
    }

    /// Nobody read, wrote or called.
    pub(super) fn are_untouched(&self) {
        assert_eq!(fs::read_to_string(&self.file).unwrap(), SECRET);
        assert_eq!(modified(&self.file), self.modified);
        let mut names: Vec<_> = fs::read_dir(&self.directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["canary", "socket"]);
        let called = self.tcp.accept().map(drop);
        assert_eq!(called.unwrap_err().kind(), ErrorKind::WouldBlock);
        let called = self.udp.recv_from(&mut [0; 10]);
        assert_eq!(called.unwrap_err().kind(), ErrorKind::WouldBlock);
        for listener in &self.unix {
            let called = listener.accept().map(drop);
            assert_eq!(called.unwrap_err().kind(), ErrorKind::WouldBlock);
        }
        assert!(File::open("/etc/shadow").is_ok() || nix::unistd::geteuid().as_raw() != 0);
    }
}

fn modified(file: &Path) -> (i64, i64) {
    let metadata = fs::metadata(file).unwrap();
    (metadata.mtime(), metadata.mtime_nsec())
}
