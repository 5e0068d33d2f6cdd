//! Where a database file may lie. SQLite needs locks and shared memory that every process sees the same way;
//! file systems behind a network promise neither, and a database there breaks sooner or later.

use crate::error::OpenError;
use nix::sys::{
    stat::{major, minor},
    statfs::statfs,
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What the kernel says of file systems made by programs; which program, the mount table knows.
const FUSE: u32 = 0x6573_5546;
/// Programs that make a file system of something far away.
const REMOTE_FUSE: [&str; 7] = [
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.ceph",
    "fuse.ceph-fuse",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.gcsfuse",
];

/// Refuses a file on a network file system, whether it exists already or not. What cannot be told is allowed.
pub(crate) fn refuse_network(file: &Path) -> Result<(), OpenError> {
    let place = existing(file);
    // A folder that is missing is told of by whoever opens the file.
    let Ok(found) = statfs(&place) else {
        return Ok(());
    };
    // The kernel's numbers have 32 bits; some systems keep them in signed fields.
    let magic = u32::try_from(found.filesystem_type().0 & 0xFFFF_FFFF).unwrap_or_default();
    let kind = if magic == FUSE {
        remote_mount(&place)
    } else {
        network(magic).map(str::to_owned)
    };
    match kind {
        Some(kind) => Err(OpenError::OnNetwork {
            path: file.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

/// The name of a network file system by its magic number.
const fn network(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x0000_6969 => "nfs",
        0x0000_517B => "smb",
        0xFF53_4D42 => "cifs",
        0xFE53_4D42 => "smb3",
        0x0102_1997 => "9p",
        0x5346_414F | 0x6B41_4653 => "afs",
        0x00C3_6400 => "ceph",
        0x7375_7245 => "coda",
        0x0BD0_0BD0 => "lustre",
        _ => return None,
    })
}

/// The type of a mount made by a program, when that program is known to reach over a network.
fn remote_mount(place: &Path) -> Option<String> {
    let device = fs::metadata(place).ok()?.dev();
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let kind = mount_type(&table, &format!("{}:{}", major(device), minor(device)))?;
    REMOTE_FUSE.contains(&kind).then(|| kind.to_owned())
}

/// The file system type of a device in the kernel's mount table.
fn mount_type<'t>(table: &'t str, device: &str) -> Option<&'t str> {
    table
        .lines()
        .find(|line| line.split(' ').nth(2) == Some(device))?
        .split_once(" - ")?
        .1
        .split(' ')
        .next()
}

/// The file, or the nearest folder above it that is there.
fn existing(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_empty| PathBuf::from("."));
    absolute
        .ancestors()
        .find(|place| place.exists())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (magic, name) in [
            (0x6969, "nfs"),
            (0xFF53_4D42, "cifs"),
            (0xFE53_4D42, "smb3"),
            (0x0102_1997, "9p"),
            (0x5346_414F, "afs"),
            (0x00C3_6400, "ceph"),
        ] {
            assert_eq!(network(magic), Some(name));
        }
        let local = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630];
        assert!(local.into_iter().all(|magic| network(magic).is_none()));
    }

    #[test]
    fn a_mount_made_by_a_program_is_found_by_its_device() {
        let table = "\
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n\
            90 22 0:55 / /mnt/far rw,nosuid shared:9 master:2 - fuse.sshfs ada@host:/srv rw,user_id=0\n";
        assert_eq!(mount_type(table, "0:55"), Some("fuse.sshfs"));
        assert_eq!(mount_type(table, "8:1"), Some("ext4"));
        assert_eq!(mount_type(table, "0:56"), None);
    }

    #[test]
    fn a_local_folder_is_taken_whether_the_file_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        refuse_network(folder.path()).unwrap();
        refuse_network(&folder.path().join("not/yet/nitejar.db")).unwrap();
    }
}
