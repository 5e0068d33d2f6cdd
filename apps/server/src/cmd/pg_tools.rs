//! PostgreSQL's own programs, driven for backups: they know their database better than anybody, and their files
//! can be read without Nitejar.

use crate::{cli::Failure, config::ConfigError};
use anyhow::Context;
use domain::secret::Secret;
use reqwest::Url;
use std::{
    fs::{File, Permissions},
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
};
use tokio::process::Command;

/// Every table hides its rows from its owner too; only this role sees the rows of all tenants.
const DUMP: [&str; 4] = [
    "--format=custom",
    "--no-owner",
    "--role=nitejar_system",
    "--enable-row-security",
];
/// All or nothing: a database that holds something already stays as it is.
const LOAD: [&str; 3] = ["--no-owner", "--exit-on-error", "--single-transaction"];

/// Writes the database to a file, as it stands at one instant.
pub(super) async fn dump(url: &Secret, file: &Path) -> Result<(), Failure> {
    let mut command = Command::new("pg_dump");
    command.args(DUMP).arg("--file").arg(file);
    let hint = "pg_dump --format=custom --no-owner --role=nitejar_system --enable-row-security \
                --file=nitejar.dump \"$DATABASE_URL\"";
    run(command, url, hint).await?;
    // Made by another program, with its idea of who may read.
    let made = std::fs::set_permissions(file, Permissions::from_mode(0o600));
    made.and_then(|()| File::open(file)?.sync_all())
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(())
}

/// Reads a file into an empty database whose roles exist.
pub(super) async fn load(url: &Secret, file: &Path) -> Result<(), Failure> {
    let mut command = Command::new("pg_restore");
    command.args(LOAD).arg(file);
    let hint = "pg_restore --no-owner --exit-on-error --single-transaction --dbname=\"$DATABASE_URL\" nitejar.dump";
    run(command, url, hint)
        .await
        .map_err(|failure| match failure {
            Failure::Other(error) => Failure::Other(error.context(
                "nothing was restored; restore into a new, empty database, owned by the user of DATABASE_URL",
            )),
            usage @ Failure::Usage(_) => usage,
        })
}

async fn run(mut command: Command, url: &Secret, hint: &str) -> Result<(), Failure> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let (address, password) = split(url)?;
    if let Some(password) = password {
        // Arguments can be read by everybody on the machine, the environment only by this user.
        command.env("PGPASSWORD", password.expose());
    }
    let ended = command
        .arg("--dbname")
        .arg(address.as_str())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let ended = match ended {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(ConfigError::Invalid {
                name: "PATH",
                problem: format!(
                    "{program} is not installed here; install PostgreSQL's client programs (Debian: apt-get \
                     install postgresql-client), or run on the database's machine: {hint}"
                ),
            }
            .into());
        }
        ended => ended.with_context(|| format!("{program} cannot be run"))?,
    };
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Err(anyhow::anyhow!("{program} failed: {said}").into())
}

/// The URL without its password, and the password.
fn split(url: &Secret) -> Result<(Url, Option<Secret>), Failure> {
    let unusable = || ConfigError::Invalid {
        name: "DATABASE_URL",
        problem: "is not a URL that PostgreSQL's programs take".to_owned(),
    };
    let mut address = Url::parse(url.expose()).map_err(|_secret| unusable())?;
    let mut password = address.password().map(decoded);
    if password.is_some() && address.set_password(None).is_err() {
        return Err(unusable().into());
    }
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    address.set_query(None);
    for (name, value) in pairs {
        if name == "password" {
            password = Some(Secret::new(value));
        } else {
            address.query_pairs_mut().append_pair(&name, &value);
        }
    }
    Ok((address, password))
}

/// Undoes percent signs, as a query would, where a plus and an ampersand mean more than in a password.
fn decoded(encoded: &str) -> Secret {
    let query = encoded.replace('+', "%2B").replace('&', "%26");
    let pairs = Url::parse(&format!("query:?password={query}"));
    let text = pairs.ok().and_then(|url| {
        let (_, value) = url.query_pairs().next()?;
        Some(value.into_owned())
    });
    Secret::new(text.unwrap_or_else(|| encoded.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_leaves_the_address_and_is_decoded() {
        let url = Secret::new("postgres://ada:a%40b+c%26d=e@db.example:5433/jar?sslmode=require");
        let (address, password) = split(&url).unwrap();
        assert_eq!(
            address.as_str(),
            "postgres://ada@db.example:5433/jar?sslmode=require"
        );
        assert_eq!(password.unwrap().expose(), "a@b+c&d=e");
        let (_, none) = split(&Secret::new("postgres:///jar?host=/run/postgresql")).unwrap();
        assert!(none.is_none());
    }
}
