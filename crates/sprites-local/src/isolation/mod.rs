//! How the tiers wall a sprite off: what is built around the supervisor before it starts
//! ([`bubblewrap`]) and what it gives up by itself ([`confine`], [`landlock`], [`seccomp`]).
//! Nothing here knows of requests or shells.

pub(crate) mod bubblewrap;
pub(crate) mod confine;
pub(crate) mod landlock;
pub(crate) mod seccomp;

/// What commands may see of `/etc`: what programs need to run, and nothing an administrator may
/// have put beside it.
pub(crate) const ETC: &[&str] = &[
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "debian_version",
    "fonts",
    "host.conf",
    "hosts",
    "inputrc",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "perl",
    "pki/ca-trust",
    "pki/tls/certs",
    "profile",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "resolv.conf",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
];
/// Where programs and libraries are.
pub(crate) const SYSTEM: &[&str] = &[
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];
