//! Where values come from: the environment, a `NAME_FILE` beside it, or the TOML file.

use std::{
    collections::BTreeMap,
    env::VarError,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Every name that may be set. A name in the file that is not here is a mistake and is refused.
const NAMES: &[&str] = &[
    "HOST",
    "PORT",
    "DATA_DIR",
    "DATABASE_URL",
    "REDIS_URL",
    "ENCRYPTION_KEY",
    "ENCRYPTION_KEY_PREVIOUS",
    "APP_BASE_URL",
    "NITEJAR_ADMIN_TOKEN",
    "AGENT_MODEL",
    "TENANT_BUDGET_MICROS_PER_DAY",
    "JOB_BUDGET_MICROS",
    "RETENTION_TRANSCRIPT_DAYS",
    "RETENTION_EVENT_DAYS",
    "RETENTION_TOOL_OUTPUT_DAYS",
    "SANDBOX_MIN_TIER",
    "SPRITE_TOKEN",
    "SPRITES_API_URL",
    "SPRITE_DISK_BYTES",
    "SPRITES_DISK_BYTES",
    "SPRITE_MEMORY_BYTES",
    "SPRITE_PROCESSES",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "RUST_LOG",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Configuration that cannot be used: exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value that does not parse or does not fit.
    #[error("{name}: {problem}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What is wrong and what would be right. Never the value of a secret.
        problem: String,
    },
    /// A file that cannot be read.
    #[error("{name}: {} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The variable or flag that names it.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The TOML file is not of the expected form.
    #[error("{}: {problem}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Values by name, already merged.
#[derive(Default)]
pub struct Source {
    values: BTreeMap<&'static str, String>,
    prices: Vec<inference::PriceOverride>,
}

impl Source {
    /// Reads file and environment; the environment wins, and `NAME` wins over `NAME_FILE`.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut source = match file {
            Some(path) => Self::from_file(path)?,
            None => Self::default(),
        };
        for name in NAMES {
            if let Some(value) = environment(name)? {
                source.values.insert(name, value);
            }
        }
        Ok(source)
    }

    /// Values given directly.
    pub fn from_values(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self {
            values: values.into_iter().collect(),
            prices: Vec::new(),
        }
    }

    /// The value of a name. An empty one counts as not set, as an unset line in an env file gives.
    pub fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(NAMES.contains(&name), "{name} is not a configuration name");
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The value of a name as something else; `expected` says what would be right.
    pub fn parse<T: FromStr>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(parsed) => Ok(Some(parsed)),
            Err(_unparsable) => Err(ConfigError::Invalid {
                name,
                problem: format!("`{value}` is not {expected}"),
            }),
        }
    }

    /// The operator's own model prices: `[[prices]]` in the file.
    pub fn prices(&self) -> &[inference::PriceOverride] {
        &self.prices
    }

    fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            name: "--config".to_owned(),
            path: path.to_owned(),
            source,
        })?;
        let wrong = |problem: String| ConfigError::File {
            path: path.to_owned(),
            problem,
        };
        let mut table: toml::Table = text.parse().map_err(|error| wrong(format!("{error}")))?;
        let mut source = Self::default();
        if let Some(prices) = table.remove("prices") {
            source.prices = prices
                .try_into()
                .map_err(|error| wrong(format!("[[prices]]: {error}")))?;
        }
        for (section, values) in table {
            let toml::Value::Table(values) = values else {
                return Err(wrong(format!(
                    "`{section}` must stand in a section, for example [server]"
                )));
            };
            for (key, value) in values {
                let name = NAMES
                    .iter()
                    .find(|name| name.eq_ignore_ascii_case(&key))
                    .ok_or_else(|| wrong(format!("[{section}] `{key}` is not a setting")))?;
                let value = match value {
                    toml::Value::String(text) => text,
                    toml::Value::Integer(number) => number.to_string(),
                    _ => {
                        return Err(wrong(format!(
                            "[{section}] `{key}` must be text or a number"
                        )));
                    }
                };
                source.values.insert(name, value);
            }
        }
        Ok(source)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the server's configuration"
)]
fn environment(name: &'static str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) => return Ok(Some(value)),
        Err(VarError::NotPresent) => {}
        Err(VarError::NotUnicode(_secret)) => {
            return Err(ConfigError::Invalid {
                name,
                problem: "is not valid UTF-8; set it to plain text".to_owned(),
            });
        }
    }
    let file = format!("{name}_FILE");
    let Some(path) = std::env::var_os(&file).map(PathBuf::from) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(source) => Err(ConfigError::Unreadable {
            name: file,
            path,
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Source, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nitejar.toml");
        std::fs::write(&path, toml).unwrap();
        Source::from_file(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_has_the_same_names_in_sections() {
        let source =
            read("[server]\nport = 4000\n[models]\nagent_model = \"demo/scripted\"\n").unwrap();
        assert_eq!(source.parse::<u16>("PORT", "a port").unwrap(), Some(4000));
        assert_eq!(source.get("AGENT_MODEL"), Some("demo/scripted"));
        assert_eq!(source.get("HOST"), None);
    }

    #[test]
    fn a_name_nobody_knows_is_refused() {
        assert!(
            read("[server]\nprot = 1\n")
                .err()
                .unwrap()
                .contains("[server] `prot` is not a setting")
        );
        assert!(
            read("port = 1\n")
                .err()
                .unwrap()
                .contains("must stand in a section")
        );
        let error =
            Source::from_values([("PORT", "x".to_owned())]).parse::<u16>("PORT", "a port number");
        assert_eq!(
            error.unwrap_err().to_string(),
            "PORT: `x` is not a port number"
        );
    }
}
