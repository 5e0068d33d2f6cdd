//! Which files are ignored, from the rules in the directories above them: those of `.ignore` before
//! those of `.gitignore` before those of `.git/info/exclude`, the nearest directory first. Git's own
//! stop at the root of a repository.

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

/// The rules of all directories.
#[derive(Default)]
pub(super) struct Rules {
    ignore: HashMap<PathBuf, Gitignore>,
    git: HashMap<PathBuf, Gitignore>,
    exclude: HashMap<PathBuf, Gitignore>,
    repositories: HashSet<PathBuf>,
}

impl Rules {
    /// Adds a file of rules, or a `.git`.
    pub(super) fn add(&mut self, file: &Path, content: &[u8]) {
        let Some(folder) = file.parent() else {
            return;
        };
        let (kind, folder) = match file.file_name().and_then(|name| name.to_str()) {
            Some(".git") => {
                self.repositories.insert(folder.to_owned());
                return;
            }
            Some(".ignore") => (&mut self.ignore, folder),
            Some(".gitignore") => (&mut self.git, folder),
            Some("exclude") => match folder.parent().and_then(Path::parent) {
                Some(folder) => (&mut self.exclude, folder),
                None => return,
            },
            _ => return,
        };
        let mut rules = GitignoreBuilder::new(folder);
        for line in String::from_utf8_lossy(content).lines() {
            // A line that is no rule is passed over, as git does.
            drop(rules.add_line(None, line));
        }
        if let Ok(rules) = rules.build() {
            kind.insert(folder.to_owned(), rules);
        }
    }

    /// Whether they ignore an absolute path. What is in an ignored directory is not asked for.
    pub(super) fn ignore(&self, path: &Path, directory: bool) -> bool {
        let verdict = |rules: &HashMap<PathBuf, Gitignore>, folder: &Path| match rules
            .get(folder)?
            .matched(path, directory)
        {
            Match::None => None,
            Match::Ignore(_) => Some(true),
            Match::Whitelist(_) => Some(false),
        };
        let (mut ignore, mut git, mut exclude) = (None, None, None);
        let mut outside = false;
        for folder in path.ancestors().skip(1) {
            ignore = ignore.or_else(|| verdict(&self.ignore, folder));
            if !outside {
                git = git.or_else(|| verdict(&self.git, folder));
                exclude = exclude.or_else(|| verdict(&self.exclude, folder));
            }
            outside |= self.repositories.contains(folder);
        }
        ignore.or(git).or(exclude).unwrap_or(false)
    }
}
