//! The query that starts a process or attaches to one. How long values may be is for others.

use super::duration;
use std::time::Duration;

/// The query of an exec connection, new or attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecQuery {
    /// `cmd`, repeated: the arguments, the program's name before them.
    pub arguments: Vec<String>,
    /// `path`: the program, when it is not the first argument.
    pub program: Option<String>,
    /// `stdin`: whether input may come; a terminal takes some unless told otherwise.
    pub input: Option<bool>,
    /// `env`, repeated: `NAME=value`.
    pub environment: Vec<(String, String)>,
    /// `dir`: where it starts.
    pub directory: Option<String>,
    /// `tty`: a terminal instead of pipes.
    pub terminal: bool,
    /// `rows`: lines of the terminal.
    pub rows: Option<u16>,
    /// `cols`: characters of a line.
    pub columns: Option<u16>,
    /// `max_run_after_disconnect`: how long it runs on alone; zero is for ever.
    pub linger: Option<Duration>,
    /// `detachable`: the older way to say that it runs on for ever.
    pub detachable: bool,
    /// `id`: the session to attach to, in the older way.
    pub session: Option<String>,
}

/// A parameter of the query that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter `{name}` is `{value}`; it must be {expected}")]
pub struct BadParameter {
    /// Its name.
    pub name: String,
    /// What it said.
    pub value: String,
    /// What it may say.
    pub expected: &'static str,
}

impl ExecQuery {
    /// As names and values, in order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut push = |name, value: String| pairs.push((name, value));
        for argument in &self.arguments {
            push("cmd", argument.clone());
        }
        for (name, value) in &self.environment {
            push("env", format!("{name}={value}"));
        }
        let texts = [
            ("path", self.program.clone()),
            ("dir", self.directory.clone()),
            ("stdin", self.input.map(|input| input.to_string())),
            ("tty", self.terminal.then(|| "true".to_owned())),
            ("rows", self.rows.map(|rows| rows.to_string())),
            ("cols", self.columns.map(|columns| columns.to_string())),
            ("max_run_after_disconnect", self.linger.map(duration::text)),
            ("detachable", self.detachable.then(|| "true".to_owned())),
            ("id", self.session.clone()),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                push(name, value);
            }
        }
        pairs
    }

    /// From names and values; names that are not known are passed over.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, BadParameter>
    where
        N: AsRef<str>,
        V: Into<String>,
    {
        let mut query = Self::default();
        for (name, value) in pairs {
            query.take(name.as_ref(), value.into())?;
        }
        Ok(query)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), BadParameter> {
        match name {
            "cmd" => self.arguments.push(value),
            "path" => self.program = text(value),
            "dir" => self.directory = text(value),
            "id" => self.session = text(value),
            "env" => match value.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    let pair = (name.to_owned(), value.to_owned());
                    self.environment.push(pair);
                }
                // The value of a variable is nobody's business.
                _ => return Err(bad("env", "…".to_owned(), "NAME=value")),
            },
            "stdin" => self.input = Some(flag(name, value)?),
            "tty" => self.terminal = flag(name, value)?,
            "detachable" => self.detachable = flag(name, value)?,
            "rows" => self.rows = size(name, value)?,
            "cols" => self.columns = size(name, value)?,
            "max_run_after_disconnect" => {
                let linger = duration::parse(&value);
                let linger = linger.map_err(|error| bad(name, error.text, "a duration"))?;
                self.linger = Some(linger);
            }
            _ => {}
        }
        Ok(())
    }
}

fn text(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn bad(name: &str, value: String, expected: &'static str) -> BadParameter {
    BadParameter {
        name: name.to_owned(),
        value,
        expected,
    }
}

fn flag(name: &str, value: String) -> Result<bool, BadParameter> {
    match value.as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err(bad(name, value, "true or false")),
    }
}

/// Zero is as good as absent: some clients send it when they have no terminal.
fn size(name: &str, value: String) -> Result<Option<u16>, BadParameter> {
    match value.parse::<u16>() {
        Ok(0) => Ok(None),
        Ok(size) => Ok(Some(size)),
        Err(_) => Err(bad(name, value, "a number below 65536")),
    }
}
