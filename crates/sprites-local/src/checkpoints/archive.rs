//! Keeps a home as a compressed archive, which works everywhere, and unpacks one again. The home
//! may change while it is read; an archive is trusted no more than what wrote the files in it.

use super::{no_room, work::Work};
use crate::tree::{self, Entry, Visitor, gone};
use std::{
    collections::{HashMap, HashSet},
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Component, Path, PathBuf},
};
use tar::{Archive, Builder, EntryType, Header};
use zstd::stream::{read::Decoder, write::Encoder};

const LEVEL: i32 = 1;
/// Without those that lend the owner's rights: what is kept belongs to the server.
const MODE: u32 = 0o1777;
/// Some room below what the kernel takes, for the directory that it is unpacked in.
const LONGEST_PATH: usize = 3500;

/// Writes an archive of at most so many bytes; how many it has.
pub(super) fn pack(home: &Path, to: &Path, room: u64, work: &Work) -> io::Result<u64> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let mut encoder = Encoder::new(Bounded { file, room }, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut packer = Packer {
        archive: Builder::new(encoder),
        named: HashMap::new(),
        work,
    };
    tree::walk(home, &mut packer)?;
    let written = packer.archive.into_inner()?.finish()?;
    written.file.sync_all()?;
    Ok(written.file.metadata()?.blocks() * 512)
}

/// Unpacks an archive into a directory that is made, and checks all of it.
pub(super) fn unpack(from: &Path, into: &Path, work: &Work) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(into)?;
    let mut archive = Archive::new(Decoder::new(File::open(from)?)?);
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(true);
    archive.set_mask(!MODE & 0o7777);
    let mut directories = Vec::new();
    let mut made = HashSet::from([PathBuf::new()]);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        // A directory comes before what is in it, so nothing is ever put behind a link.
        let inside = path.parent().is_some_and(|parent| made.contains(parent))
            && path
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
        let known = matches!(
            entry.header().entry_type(),
            EntryType::Regular | EntryType::Directory | EntryType::Symlink | EntryType::Link
        );
        if !inside || !known {
            return Err(unsound(&path));
        }
        work.count(entry.size())?;
        if entry.header().entry_type() == EntryType::Directory {
            // Its mode may forbid to put anything into it.
            DirBuilder::new().mode(0o700).create(into.join(&path))?;
            made.insert(path);
            directories.push(entry);
        } else if !entry.unpack_in(into)? {
            return Err(unsound(&path));
        }
    }
    // Those inside others come after them, so backwards no closed one is in the way.
    for mut directory in directories.into_iter().rev() {
        directory.unpack_in(into)?;
    }
    // The sum of all bytes comes at the very end.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(())
}

fn unsound(path: &Path) -> io::Error {
    let text = format!("the archive holds what no home can: {}", path.display());
    io::Error::new(ErrorKind::InvalidData, text)
}

struct Packer<'a, W: Write> {
    archive: Builder<W>,
    /// The first name of each file that has several.
    named: HashMap<(u64, u64), PathBuf>,
    work: &'a Work,
}

impl<W: Write> Visitor for Packer<'_, W> {
    fn enter(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        match self.pack(entry) {
            Err(error) if gone(&error) => Ok(()),
            Err(error) => {
                let text = format!("{}: {error}", entry.path.display());
                Err(io::Error::new(error.kind(), text))
            }
            Ok(()) => Ok(()),
        }
    }
}

impl<W: Write> Packer<'_, W> {
    fn pack(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let metadata = entry.metadata;
        if entry.path.as_os_str().len() > LONGEST_PATH {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "the path is too long",
            ));
        }
        let mut header = Header::new_gnu();
        header.set_mode(metadata.mode() & MODE);
        header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
        header.set_size(0);
        if metadata.is_dir() {
            self.work.count(0)?;
            header.set_entry_type(EntryType::Directory);
            return self.append(header, entry.path, io::empty());
        }
        if metadata.is_symlink() {
            self.work.count(0)?;
            let target = fs::read_link(entry.place())?;
            return self.link(header, EntryType::Symlink, entry.path, &target);
        }
        if !metadata.is_file() {
            return Ok(());
        }
        // What it is now counts, not what it was when it was found.
        let file = entry.open()?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(());
        }
        if metadata.nlink() > 1 {
            let number = (metadata.dev(), metadata.ino());
            if let Some(first) = self.named.get(&number) {
                let first = first.clone();
                return self.link(header, EntryType::Link, entry.path, &first);
            }
            self.named.insert(number, entry.path.to_owned());
        }
        self.work.count(metadata.len())?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(metadata.len());
        let content = Exactly {
            file,
            left: metadata.len(),
            work: self.work,
        };
        self.append(header, entry.path, content)
    }

    /// A link, with its target as it is, byte for byte.
    fn link(
        &mut self,
        mut header: Header,
        kind: EntryType,
        path: &Path,
        target: &Path,
    ) -> io::Result<()> {
        header.set_entry_type(kind);
        let bytes = target.as_os_str().as_bytes();
        if header.set_link_name_literal(bytes).is_err() {
            self.extend(EntryType::GNULongLink, bytes)?;
        }
        self.append(header, path, io::empty())
    }

    /// An entry under its name, byte for byte. The builder's own way fails for long names that do not
    /// begin with a character.
    fn append(&mut self, mut header: Header, path: &Path, content: impl Read) -> io::Result<()> {
        if header.set_path(path).is_err() {
            self.extend(EntryType::GNULongName, path.as_os_str().as_bytes())?;
            header.set_path("long")?;
        }
        header.set_cksum();
        self.archive.append(&header, content)
    }

    /// What does not fit into the header of the entry that follows.
    fn extend(&mut self, kind: EntryType, bytes: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_path("long")?;
        header.set_entry_type(kind);
        header.set_size(u64::try_from(bytes.len()).map_err(io::Error::other)? + 1);
        header.set_cksum();
        self.archive.append(&header, bytes.chain(&[0][..]))
    }
}

/// Reads exactly as many bytes as were announced, whatever becomes of the file: what is no longer
/// there is zeros.
struct Exactly<'a> {
    file: File,
    left: u64,
    work: &'a Work,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.work.go_on()?;
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let read = match self.file.read(buffer)? {
            0 => {
                buffer.fill(0);
                wanted
            }
            read => read,
        };
        self.left -= u64::try_from(read).map_err(io::Error::other)?;
        Ok(read)
    }
}

/// A file that may only have so many bytes.
struct Bounded {
    file: File,
    room: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).map_err(io::Error::other)?;
        self.room = self.room.checked_sub(length).ok_or_else(no_room)?;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    /// An archive of entries as somebody hostile would make it.
    fn hostile(path: &Path, entries: &[(EntryType, &str, &str)]) {
        let mut archive = Builder::new(Encoder::new(File::create(path).unwrap(), 1).unwrap());
        for (kind, name, target) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o6777);
            let old = header.as_old_mut();
            old.name[..name.len()].copy_from_slice(name.as_bytes());
            old.linkname[..target.len()].copy_from_slice(target.as_bytes());
            let content: &[u8] = if *kind == EntryType::Regular {
                b"bad"
            } else {
                b""
            };
            header.set_size(content.len() as u64);
            header.set_cksum();
            archive.append(&header, content).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
    }

    #[test]
    fn hostile_entries_write_nothing_outside() {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "good").unwrap();
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o755)).unwrap();
        let target = outside.to_str().unwrap().to_owned();
        let absolute = format!("{target}/new");
        let kept = format!("{target}/kept");
        let file = EntryType::Regular;
        let cases: [&[(EntryType, &str, &str)]; 8] = [
            &[(file, &absolute, "")],
            &[(file, "../outside/new", "")],
            &[(EntryType::Symlink, "d", &target), (file, "d/new", "")],
            &[
                (EntryType::Symlink, "d", &target),
                (EntryType::Directory, "d", ""),
            ],
            &[
                (EntryType::Symlink, "d", &target),
                (EntryType::Directory, "d/x", ""),
            ],
            &[(EntryType::Link, "f", &kept), (file, "f", "")],
            &[(EntryType::Link, "f", "../outside/kept")],
            &[(EntryType::Block, "disk", "")],
        ];
        for (number, entries) in cases.iter().enumerate() {
            let path = directory.path().join(format!("{number}.tar.zst"));
            hostile(&path, entries);
            let into = directory.path().join(format!("{number}"));
            let unpacked = unpack(&path, &into, &Work::default());
            assert!(unpacked.is_err(), "{entries:?}");
            assert_eq!(fs::read(outside.join("kept")).unwrap(), b"good");
            assert_eq!(fs::read_dir(&outside).unwrap().count(), 1, "{entries:?}");
            let mode = fs::metadata(&outside).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o755, "{entries:?}");
        }
        // A link may point anywhere; a file of the same name replaces it.
        let path = directory.path().join("replaced.tar.zst");
        hostile(&path, &[(EntryType::Symlink, "f", &kept), (file, "f", "")]);
        let into = directory.path().join("replaced");
        unpack(&path, &into, &Work::default()).unwrap();
        assert_eq!(fs::read(outside.join("kept")).unwrap(), b"good");
        let made = fs::symlink_metadata(into.join("f")).unwrap();
        assert!(made.is_file() && made.mode() & 0o6000 == 0, "{made:?}");
    }

    #[test]
    fn damage_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("file"), vec![7; 100_000]).unwrap();
        let path = directory.path().join("archive");
        pack(&home, &path, u64::MAX, &Work::default()).unwrap();
        let whole = fs::read(&path).unwrap();
        let unpacked = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let into = tempfile::tempdir().unwrap();
            unpack(&path, &into.path().join("home"), &Work::default())
        };
        unpacked(&whole).unwrap();
        // The checksum is the last four bytes.
        let mut broken = whole.clone();
        *broken.last_mut().unwrap() ^= 1;
        assert!(unpacked(&broken).is_err());
        for cut in [whole.len() - 1, whole.len() / 2, 10, 0] {
            assert!(unpacked(&whole[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn an_archive_over_its_room_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        fs::create_dir(&home).unwrap();
        symlink("nowhere", home.join("link")).unwrap();
        let path = directory.path().join("archive");
        let error = pack(&home, &path, 10, &Work::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_read_keeps_its_size() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "abc").unwrap();
        let mut reader = Exactly {
            file: File::open(&path).unwrap(),
            left: 6,
            work: &Work::default(),
        };
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"abc\0\0\0");
    }
}
