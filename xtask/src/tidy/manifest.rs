//! Rules for the manifests of packages: the lints and every version come from the workspace, so that
//! there is one place to read and to change them.

use anyhow::Result;
use toml::{Table, Value};

use super::Finding;

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Findings for one package manifest.
pub(super) fn check(path: &str, text: &str) -> Result<Vec<Finding>> {
    let manifest: Table = text.parse()?;
    let mut findings = Vec::new();
    if !manifest.get("lints").is_some_and(inherited) {
        findings.push(Finding::new(path, None, "lacks `[lints] workspace = true`"));
    }
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    for table in std::iter::once(&manifest).chain(tables) {
        let dependencies = SECTIONS
            .iter()
            .filter_map(|section| table.get(*section)?.as_table())
            .flatten();
        for (name, _) in dependencies.filter(|(_, value)| !inherited(value)) {
            let what = format!("`{name}` must come from [workspace.dependencies]");
            findings.push(Finding::new(path, None, what));
        }
    }
    Ok(findings)
}

fn inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_inherits_everything_passes() {
        let text = "[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n\
                    domain = { workspace = true, optional = true }\n";
        assert_eq!(check("crates/x/Cargo.toml", text).unwrap(), []);
    }

    #[test]
    fn a_package_without_the_workspace_lints_fails() {
        for text in [
            "[package]\n",
            "[lints]\nworkspace = false\n",
            "[lints.rust]\nunsafe_code = \"allow\"\n",
        ] {
            assert_eq!(
                check("crates/x/Cargo.toml", text).unwrap().len(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn a_version_of_its_own_fails_in_every_section() {
        for section in [
            "dependencies",
            "dev-dependencies",
            "target.'cfg(unix)'.dependencies",
        ] {
            let text = format!(
                "[lints]\nworkspace = true\n[{section}]\nserde = \"1\"\nrand = {{ version = \"0.9\" }}\n"
            );
            assert_eq!(
                check("crates/x/Cargo.toml", &text).unwrap().len(),
                2,
                "{section}"
            );
        }
    }
}
