//! Rules for any text file: marks of unfinished work, paths of somebody's machine, and words the
//! product does not use.

use super::Finding;

/// Marks that mean the work is not done. Split, so that this file does not hold them.
const MARKS: [&str; 7] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("db", "g!"),
];

/// Home and work directories of one machine.
const PATHS: [&str; 2] = [concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// A word of ours has no synonym: a change to the outside world is an effect.
const WORDS: [&str; 1] = [concat!("out", "box")];

/// Findings for one file.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    // Lock files hold names of others.
    if ["Cargo.lock", "package-lock.json"]
        .iter()
        .any(|name| path.ends_with(name))
    {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
    {
        let mut report = |what: String| findings.push(Finding::new(path, number, what));
        if let Some(mark) = MARKS.iter().find(|mark| holds_word(line, mark)) {
            report(format!("`{mark}` marks unfinished work"));
        }
        if let Some(machine) = PATHS.iter().find(|machine| holds_path(line, machine)) {
            report(format!("`{machine}` is a path of one machine"));
        }
        if let Some(word) = WORDS
            .iter()
            .find(|word| holds_word(&line.to_lowercase(), word))
        {
            report(format!("`{word}` is not a word of ours"));
        }
    }
    findings
}

/// True when the word stands alone, not as a part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line
            .get(start + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && (word.ends_with('!') || !after.is_some_and(is_word))
    })
}

/// True when the path starts there and is not the inside of a longer one.
fn holds_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| is_word(c) || ".-}*~".contains(c))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(line: &str) -> usize {
        check("docs/x.md", line).len()
    }

    #[test]
    fn unfinished_work_fails() {
        for mark in MARKS {
            assert_eq!(findings(&format!("    // {mark}: later")), 1, "{mark}");
        }
        assert_eq!(findings("mastodon, XXXL and a hackathon"), 0);
    }

    #[test]
    fn a_path_of_one_machine_fails() {
        for path in PATHS {
            assert_eq!(findings(&format!("see {path}main")), 1, "{path}");
            assert_eq!(findings(&format!("GET /api{path}x")), 0, "{path}");
        }
    }

    #[test]
    fn a_foreign_word_fails() {
        for word in WORDS {
            assert_eq!(findings(&format!("the {word} row")), 1, "{word}");
            assert_eq!(findings(&word.to_uppercase()), 1, "{word}");
        }
    }
}
