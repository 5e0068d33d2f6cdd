//! What there is below a directory of the sprite, and the rules about what of it is ignored, as one
//! program lists them.

use super::ignored::Rules;
use crate::sprite::Place;
use ports::sandbox::{Exit, SandboxError};
use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

/// Millions of paths are not what anybody searches.
const LIMIT: usize = 128 << 20;
const NOT_A_DIRECTORY: i32 = 20;
const MISSING: i32 = 21;
const A_FILE: i32 = 22;

/// Records end with NUL: the directory; then files of rules, each with its content, first those
/// of the directories above; then, after an empty one, what there is, each with a letter for its
/// kind. A `.git` among the rules has no content and says that a repository begins there.
const SCRIPT: &str = r#"
[ -f "$1" ] && exit 22
[ -e "$1" ] || exit 21
cd -- "$1" 2>/dev/null || exit 20
export LC_ALL=C
base=$(pwd -P; printf x)
base=${base%?x}
printf '%s\0' "$base"
rules() {
  [ -e "$1/.git" ] && printf '%s\0\0' "$1/.git"
  for name in .ignore .gitignore .git/info/exclude; do
    [ -f "$1/$name" ] && [ -r "$1/$name" ] || continue
    printf '%s\0' "$1/$name"
    tr -d '\0' <"$1/$name"
    printf '\0'
  done
}
above=$base
while [ -n "$above" ]; do
  above=${above%/*}
  rules "$above"
done
exec 2>/dev/null
find "$base/" -name .git -prune -printf '%h/.git\0\0' \
  -exec test -f '{}/info/exclude' ';' -printf '%h/.git/info/exclude\0' \
  -exec sh -c 'tr -d "\000" <"$1/info/exclude"' sh '{}' ';' -printf '\0' \
  -o '(' -name .gitignore -o -name .ignore ')' -type f -printf '%p\0' \
  -exec sh -c 'tr -d "\000" <"$1"' sh '{}' ';' -printf '\0'
printf '\0'
find . -mindepth 1 -name .git -prune -o -printf '%y%P\0'
exit 0
"#;

/// What a search starts from.
pub(super) enum Start {
    File { folder: String, name: String },
    Directory(Tree),
}

/// A directory with all in it.
pub(super) struct Tree {
    /// Where it really is.
    pub(super) base: String,
    entries: Vec<Entry>,
    rules: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Other,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// Its path from the directory.
    pub(super) below: PathBuf,
}

/// Lists it.
pub(super) async fn list(place: &Place, root: &str) -> Result<Start, SandboxError> {
    let whole = place.absolute(root);
    let ran = place
        .run(&["sh", "-c", SCRIPT, "sh", &whole], LIMIT)
        .await?;
    match ran.exit {
        Some(Exit::Code(0)) => parse(&ran.stdout).map(Start::Directory),
        Some(Exit::Code(MISSING)) => Err(SandboxError::NotFound {
            path: root.to_owned(),
        }),
        Some(Exit::Code(NOT_A_DIRECTORY)) => {
            Err(SandboxError::Refused(format!("{root}: not a directory")))
        }
        Some(Exit::Code(A_FILE)) => {
            let (folder, name) = whole.rsplit_once('/').unwrap_or(("", &whole));
            Ok(Start::File {
                folder: format!("{folder}/"),
                name: name.to_owned(),
            })
        }
        _ => Err(SandboxError::Refused(format!(
            "{root}: {}",
            ran.complaint()
        ))),
    }
}

fn parse(listing: &[u8]) -> Result<Tree, SandboxError> {
    let mut records = listing.split(|byte| *byte == 0);
    let mut next = || {
        let cut = || SandboxError::Lost("the list of files was cut off".into());
        records.next().ok_or_else(cut)
    };
    let base = String::from_utf8_lossy(next()?).into_owned();
    let mut rules = Rules::default();
    loop {
        let file = next()?;
        if file.is_empty() {
            break;
        }
        rules.add(&path_of(file), next()?);
    }
    let mut entries: Vec<_> = records.filter_map(entry).collect();
    entries.sort_by(|a, b| a.below.cmp(&b.below));
    Ok(Tree {
        base,
        entries,
        rules,
    })
}

fn entry(record: &[u8]) -> Option<Entry> {
    let (kind, below) = record.split_first()?;
    let kind = match kind {
        b'f' => Kind::File,
        b'd' => Kind::Directory,
        _ => Kind::Other,
    };
    let below = path_of(below);
    Some(Entry { kind, below })
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

impl Tree {
    /// What is not ignored, in path order.
    pub(super) fn seen(&self) -> Vec<&Entry> {
        let base = Path::new(&self.base);
        let mut hidden: Option<&Path> = None;
        let seen = self.entries.iter().filter(|entry| {
            if hidden.is_some_and(|hidden| entry.below.starts_with(hidden)) {
                return false;
            }
            let directory = entry.kind == Kind::Directory;
            let ignored = self.rules.ignore(&base.join(&entry.below), directory);
            if ignored && directory {
                hidden = Some(&entry.below);
            }
            !ignored
        });
        seen.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::path::Path;

    fn seen(rules: &[(&str, &str)], entries: &[&str]) -> Vec<String> {
        let mut listing = b"/w/p\0".to_vec();
        for (file, content) in rules {
            listing.extend(format!("{file}\0{content}\0").bytes());
        }
        listing.push(0);
        for entry in entries {
            listing.extend(format!("{entry}\0").bytes());
        }
        let tree = parse(&listing).unwrap();
        let seen = tree.seen();
        seen.iter()
            .map(|entry| entry.below.display().to_string())
            .collect()
    }

    #[test]
    fn what_is_ignored_is_not_seen() {
        let rules = [
            ("/w/.gitignore", "*.o\n"),
            ("/w/p/.gitignore", "/target\n*.log\n!keep.log\n"),
            ("/w/p/src/.gitignore", "gen/\n"),
            ("/w/p/.ignore", "!special.o\n"),
        ];
        let entries = [
            "dsrc",
            "fsrc/b.rs",
            "dsrc/gen",
            "fsrc/gen/x.rs",
            "fb.o",
            "fspecial.o",
            "fa.log",
            "fkeep.log",
            "dtarget",
            "ftarget/keep.log",
            "dsrc/target",
            "fsrc/target/c",
        ];
        let expected = [
            "keep.log",
            "special.o",
            "src",
            "src/b.rs",
            "src/target",
            "src/target/c",
        ];
        assert_eq!(seen(&rules, &entries), expected);
    }

    #[test]
    fn rules_above_a_repository_do_not_reach_into_it() {
        let rules = [
            ("/w/.gitignore", "*.rs\n"),
            ("/w/.ignore", "*.txt\n"),
            ("/w/p/r/.git", ""),
            ("/w/p/r/.git/info/exclude", "x.rs\n"),
        ];
        let entries = ["fa.rs", "dr", "fr/a.rs", "fr/x.rs", "fr/a.txt"];
        assert_eq!(seen(&rules, &entries), ["r", "r/a.rs"]);
    }

    #[test]
    fn entries_are_in_path_order() {
        let entries = ["fa.rs", "da", "fa/z", "fa-b"];
        assert_eq!(seen(&[], &entries), ["a", "a/z", "a-b", "a.rs"]);
        assert!(Path::new("a/z") < Path::new("a-b"));
    }

    #[test]
    fn a_list_that_was_cut_off_is_refused() {
        for listing in ["/w/p", "/w/p\0/w/.gitignore"] {
            assert!(parse(listing.as_bytes()).is_err(), "{listing:?}");
        }
    }
}
