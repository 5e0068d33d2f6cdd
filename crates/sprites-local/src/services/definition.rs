//! What services a sprite has: the rules for a definition and the file they are kept in.

use crate::{home::Home, record};
use ports::sandbox::{SandboxError, ServiceDefinition};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

const MOST: usize = 64;
const LONGEST_NAME: usize = 63;

/// A definition, and whether somebody stopped it for good.
#[derive(Clone, Debug)]
pub(super) struct Defined {
    pub(super) definition: ServiceDefinition,
    pub(super) stopped: bool,
}

/// All of a sprite, by name.
pub(super) type Definitions = BTreeMap<String, Defined>;

#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    command: Vec<String>,
    environment: Vec<(String, String)>,
    directory: Option<String>,
    needs: Vec<String>,
    http_port: Option<u16>,
    stopped: bool,
}

/// Where they are kept, in the folder of the sprite.
pub(super) const FILE: &str = "services.json";

/// Those that are kept; blocks.
pub(super) fn load(home: &Home) -> io::Result<Definitions> {
    let stored: Option<Vec<Stored>> = record::read(&home.folder.join(FILE))?;
    let defined = stored.unwrap_or_default().into_iter().map(|stored| {
        let definition = ServiceDefinition {
            name: stored.name,
            command: stored.command,
            environment: stored.environment,
            directory: stored.directory,
            needs: stored.needs,
            http_port: stored.http_port,
        };
        let stopped = stored.stopped;
        (
            definition.name.clone(),
            Defined {
                definition,
                stopped,
            },
        )
    });
    Ok(defined.collect())
}

/// Keeps them; blocks.
pub(super) fn store(home: &Home, definitions: &Definitions) -> io::Result<()> {
    let stored = definitions.values().map(
        |Defined {
             definition,
             stopped,
         }| Stored {
            name: definition.name.clone(),
            command: definition.command.clone(),
            environment: definition.environment.clone(),
            directory: definition.directory.clone(),
            needs: definition.needs.clone(),
            http_port: definition.http_port,
            stopped: *stopped,
        },
    );
    record::write(&home.folder.join(FILE), &stored.collect::<Vec<_>>())
}

/// Whether a definition may be put beside those that are there.
pub(super) fn check(new: &ServiceDefinition, present: &Definitions) -> Result<(), SandboxError> {
    let name = &new.name;
    let refuse = |text: String| Err(SandboxError::Refused(text));
    if !is_name(name) {
        return refuse(format!(
            "`{name}` is not a name for a service; use letters, digits, `-` and `_`, at most {LONGEST_NAME}"
        ));
    }
    if new.command.first().is_none_or(String::is_empty) {
        return refuse(format!(
            "the service `{name}` has no command; give it a program to run"
        ));
    }
    if present.len() >= MOST && !present.contains_key(name) {
        return Err(SandboxError::Exhausted {
            message: format!("a sprite has at most {MOST} services; delete one first"),
            retry_after: None,
        });
    }
    let known = |need: &&String| *need == name || present.contains_key(*need);
    if let Some(unknown) = new.needs.iter().find(|need| !known(need)) {
        return refuse(format!(
            "the service `{name}` needs `{unknown}`, which is not defined; define that first"
        ));
    }
    if let Some(through) = circle(new, present) {
        return refuse(format!(
            "the service `{name}` would need itself, through `{through}`; one of the needs must go"
        ));
    }
    let other_port = present
        .values()
        .find(|other| other.definition.name != *name && other.definition.http_port.is_some());
    if let (Some(_), Some(other)) = (new.http_port, other_port) {
        return Err(SandboxError::Conflict(format!(
            "the service `{}` has the HTTP port already, and only one may; take it from that one first",
            other.definition.name
        )));
    }
    Ok(())
}

/// What a service needs, directly or not, with itself as the last; so this is an order to start in.
pub(super) fn with_needs(name: &str, definitions: &Definitions) -> Vec<String> {
    fn visit(name: &str, definitions: &Definitions, order: &mut Vec<String>) {
        let Some(defined) = definitions.get(name) else {
            return;
        };
        if order.iter().any(|known| known == name) {
            return;
        }
        for need in &defined.definition.needs {
            visit(need, definitions, order);
        }
        order.push(name.to_owned());
    }
    let mut order = Vec::new();
    visit(name, definitions, &mut order);
    order
}

/// Those that need this one directly.
pub(super) fn needed_by<'a>(name: &str, definitions: &'a Definitions) -> Option<&'a str> {
    let mut others = definitions.values().map(|other| &other.definition);
    let needs = |other: &&ServiceDefinition| other.needs.iter().any(|need| need == name);
    others.find(needs).map(|other| other.name.as_str())
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain)
}

/// The need through which a new definition comes back to itself.
fn circle<'a>(new: &'a ServiceDefinition, present: &'a Definitions) -> Option<&'a str> {
    new.needs.iter().map(String::as_str).find(|need| {
        let mut left = vec![*need];
        let mut seen = BTreeSet::new();
        while let Some(name) = left.pop() {
            if name == new.name {
                return true;
            }
            if seen.insert(name) {
                let needs = present.get(name).map(|defined| &defined.definition.needs);
                left.extend(needs.into_iter().flatten().map(String::as_str));
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::{Defined, Definitions, check, with_needs};
    use ports::sandbox::{SandboxError, ServiceDefinition};

    fn service(name: &str, needs: &[&str]) -> ServiceDefinition {
        ServiceDefinition {
            name: name.to_owned(),
            command: vec!["true".into()],
            environment: vec![],
            directory: None,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            http_port: None,
        }
    }

    fn all(services: &[ServiceDefinition]) -> Definitions {
        let defined = services.iter().map(|definition| {
            let definition = definition.clone();
            let stopped = false;
            (
                definition.name.clone(),
                Defined {
                    definition,
                    stopped,
                },
            )
        });
        defined.collect()
    }

    #[test]
    fn names_commands_needs_and_ports_are_checked() {
        let mut web = service("web", &["db"]);
        web.http_port = Some(80);
        let present = all(&[service("db", &[]), web.clone(), service("top", &["web"])]);
        let mut other = service("other", &["db"]);
        other.http_port = Some(80);
        let mut none = service("none", &[]);
        none.command.clear();
        let long = "x".repeat(64);
        for bad in [
            service("", &[]),
            service("a b", &[]),
            service("../x", &[]),
            service("\u{fc}", &[]),
            service(&long, &[]),
            service("self", &["self"]),
            service("db", &["top"]),
            service("new", &["nothing"]),
            none,
        ] {
            let checked = check(&bad, &present);
            assert!(
                matches!(checked, Err(SandboxError::Refused(_))),
                "{bad:?}: {checked:?}"
            );
        }
        let taken = check(&other, &present);
        assert!(matches!(taken, Err(SandboxError::Conflict(text)) if text.contains("`web`")));
        assert!(check(&web, &present).is_ok());
        assert!(check(&service("A-z_09", &["top", "db"]), &present).is_ok());
    }

    #[test]
    fn what_is_needed_comes_first_and_once() {
        let services = [
            service("a", &["b", "c"]),
            service("b", &["d"]),
            service("c", &["d"]),
            service("d", &[]),
            service("e", &[]),
        ];
        assert_eq!(with_needs("a", &all(&services)), ["d", "b", "c", "a"]);
        assert_eq!(with_needs("nothing", &all(&services)), [] as [String; 0]);
    }
}
