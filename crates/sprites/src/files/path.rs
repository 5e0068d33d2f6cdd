//! Paths as text. Where one leads is for the service to find out; nothing here guards anything.

/// A path that does not depend on a directory: relative ones, and those below `~`, start at home.
pub(crate) fn absolute(home: &str, path: &str) -> String {
    let home = home.trim_end_matches('/');
    match path.strip_prefix("~/") {
        Some(rest) => format!("{home}/{rest}"),
        None if path == "~" || path.is_empty() => home.to_owned(),
        None if path.starts_with('/') => path.to_owned(),
        None => format!("{home}/{path}"),
    }
}

/// An absolute path without `.`, `..` and superfluous slashes.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// What a normal path is in, and what it is called there; nothing for the root.
pub(super) fn parent_and_name(path: &str) -> Option<(&str, &str)> {
    let (parent, name) = path.rsplit_once('/')?;
    let parent = if parent.is_empty() { "/" } else { parent };
    (!name.is_empty()).then_some((parent, name))
}

#[cfg(test)]
mod tests {
    use super::{absolute, normal, parent_and_name};

    #[test]
    fn relative_paths_start_at_home() {
        for (path, whole) in [
            ("a/b", "/home/sprite/a/b"),
            ("~/a", "/home/sprite/a"),
            ("~", "/home/sprite"),
            ("", "/home/sprite"),
            ("/etc", "/etc"),
            ("~user", "/home/sprite/~user"),
        ] {
            assert_eq!(absolute("/home/sprite/", path), whole, "{path}");
        }
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal("//a/./b/../c/"), "/a/c");
        assert_eq!(normal("/../.."), "/");
        assert_eq!(parent_and_name("/a/c"), Some(("/a", "c")));
        assert_eq!(parent_and_name("/a"), Some(("/", "a")));
        assert_eq!(parent_and_name("/"), None);
    }
}
