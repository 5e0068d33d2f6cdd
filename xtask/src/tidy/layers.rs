//! The rule of the arrows between packages: `core < contract < application < driving/driven < root`,
//! read from the manifests. Dev-dependencies are exempt; a test may look anywhere.

use super::Finding;
use crate::workspace::Package;

/// Inside the application layer an edge points to a smaller number only.
const APPLICATION: [(&str, u8); 5] = [
    ("skills", 0),
    ("services", 1),
    ("tools", 2),
    ("agent", 2),
    ("runtime", 3),
];

/// Edges between driven adapters: the stores share their SQL, some adapters share cryptography.
const DRIVEN: [(&str, &str); 7] = [
    ("store-sqlite", "store-sql"),
    ("store-sqlite", "migrations"),
    ("store-postgres", "store-sql"),
    ("store-postgres", "migrations"),
    ("store-sql", "migrations"),
    ("integrations-", "crypto"),
    ("identity", "crypto"),
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layer {
    Core,
    Contract,
    Application,
    Driving,
    Driven,
    Root,
    Dev,
}

/// Findings for every package without a known layer and every arrow that may not be.
pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .flat_map(|package| check_package(package, packages))
        .collect()
}

fn check_package(package: &Package, packages: &[Package]) -> Vec<Finding> {
    let Some(layer) = Layer::of(package) else {
        let what = "declares no known layer in [package.metadata]";
        return vec![Finding::new(&package.name, None, what)];
    };
    let mut findings = Vec::new();
    if layer == Layer::Application && position(&package.name).is_none() {
        findings.push(Finding::new(
            &package.name,
            None,
            "has no place in the order of the application layer",
        ));
    }
    let edges = package
        .dependencies
        .iter()
        .filter(|edge| edge.path.is_some() && edge.kind.as_deref() != Some("dev"));
    for edge in edges {
        let target = packages.iter().find(|package| package.name == edge.name);
        let Some(to) = target.and_then(Layer::of) else {
            continue;
        };
        if !allowed((&package.name, layer), (&edge.name, to)) {
            let what = format!(
                "the arrow {layer:?} -> {to:?} ({}) is not allowed",
                edge.name
            );
            findings.push(Finding::new(&package.name, None, what));
        }
    }
    findings
}

fn allowed((from_name, from): (&str, Layer), (to_name, to): (&str, Layer)) -> bool {
    use Layer::{Application, Contract, Core, Dev, Driven, Driving, Root};
    // Simulators stand in for foreign servers, so only the demo and tests may hold them.
    if to_name == "simulators" {
        return matches!(from, Root | Dev);
    }
    match (from, to) {
        (Dev, _)
        | (Root, Core | Contract | Application | Driving | Driven)
        | (Driving, Core | Contract | Application)
        | (Driven | Application, Core | Contract)
        | (Contract, Core) => true,
        (Application, Application) => position(to_name) < position(from_name),
        (Driven, Driven) => DRIVEN.iter().any(|(left, right)| {
            let named = if left.ends_with('-') {
                from_name.starts_with(left)
            } else {
                from_name == *left
            };
            named && to_name == *right
        }),
        (Core, _)
        | (Contract | Root, Root | Dev)
        | (Contract, Contract | Application | Driving | Driven)
        | (Application | Driving, Driving | Driven | Root | Dev)
        | (Driven, Application | Driving | Root | Dev) => false,
    }
}

fn position(name: &str) -> Option<u8> {
    APPLICATION
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, position)| *position)
}

impl Layer {
    fn of(package: &Package) -> Option<Self> {
        Some(match package.layer()? {
            "core" => Self::Core,
            "contract" => Self::Contract,
            "application" => Self::Application,
            "driving" => Self::Driving,
            "driven" => Self::Driven,
            "root" => Self::Root,
            "dev" => Self::Dev,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYERS: [(&str, &str); 16] = [
        ("domain", "core"),
        ("ports", "contract"),
        ("skills", "application"),
        ("services", "application"),
        ("agent", "application"),
        ("tools", "application"),
        ("runtime", "application"),
        ("api", "driving"),
        ("crypto", "driven"),
        ("inference", "driven"),
        ("store-sql", "driven"),
        ("store-sqlite", "driven"),
        ("integrations-telegram", "driven"),
        ("simulators", "driven"),
        ("server", "root"),
        ("test-kit", "dev"),
    ];

    /// What tidy says when the first package depends on the second.
    fn edge(from: &str, to: &str) -> usize {
        let dependencies = |name: &str| if name == from { vec![to] } else { Vec::new() };
        let sample =
            |(name, layer): &(&str, &str)| Package::sample(name, layer, &dependencies(name));
        check(&LAYERS.iter().map(sample).collect::<Vec<_>>()).len()
    }

    #[test]
    fn arrows_downward_pass() {
        for (from, to) in [
            ("ports", "domain"),
            ("services", "ports"),
            ("runtime", "agent"),
            ("agent", "skills"),
            ("tools", "services"),
            ("api", "services"),
            ("inference", "ports"),
            ("store-sqlite", "store-sql"),
            ("integrations-telegram", "crypto"),
            ("server", "simulators"),
            ("test-kit", "store-sqlite"),
        ] {
            assert_eq!(edge(from, to), 0, "{from} -> {to}");
        }
    }

    #[test]
    fn arrows_upward_or_sideways_fail() {
        for (from, to) in [
            ("domain", "ports"),
            ("ports", "services"),
            ("services", "store-sqlite"),
            ("services", "tools"),
            ("agent", "tools"),
            ("agent", "runtime"),
            ("inference", "crypto"),
            ("inference", "services"),
            ("store-sql", "store-sqlite"),
            ("crypto", "integrations-telegram"),
            ("integrations-telegram", "runtime"),
            ("api", "inference"),
            ("api", "simulators"),
            ("runtime", "api"),
            ("runtime", "simulators"),
            ("server", "test-kit"),
            ("services", "test-kit"),
        ] {
            assert_eq!(edge(from, to), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn a_package_without_a_layer_or_a_place_fails() {
        assert_eq!(check(&[Package::sample("domain", "middle", &[])]).len(), 1);
        assert_eq!(
            check(&[Package::sample("helpers", "application", &[])]).len(),
            1
        );
    }
}
