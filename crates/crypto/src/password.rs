//! Passwords, hashed with argon2id. Hashing is slow and hungry on purpose, so it happens on a blocking thread, and
//! few at a time: who tries many passwords at once waits, and the machine does not run out of memory.

use crate::{random, totp};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use async_trait::async_trait;
use domain::{Timestamp, secret::Secret};
use ports::{BoxError, login::Credentials};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Passwords that are hashed at the same time; each takes the memory of its cost.
const AT_ONCE: usize = 4;

/// What hashing a password costs.
#[derive(Clone, Copy, Debug)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for PasswordCost {
    /// What OWASP asks for at least: 19 MiB and two passes.
    fn default() -> Self {
        Self {
            memory: 19_456,
            passes: 2,
        }
    }
}

/// Passwords by argon2id, codes by RFC 6238.
pub struct Argon2Credentials {
    argon2: Argon2<'static>,
    turns: Semaphore,
}

impl Argon2Credentials {
    /// With what hashing shall cost; one that cannot be is raised to the least there is.
    pub fn new(cost: PasswordCost) -> Self {
        let params = Params::new(cost.memory, cost.passes, 1, None).unwrap_or_default();
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Runs slow work where nothing waits for it.
    async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<T, BoxError> {
        let _turn = self.turns.acquire().await?;
        let argon2 = self.argon2.clone();
        spawn_blocking(move || work(&argon2)).await?
    }
}

#[async_trait]
impl Credentials for Argon2Credentials {
    async fn hash_password(&self, password: &Secret) -> Result<String, BoxError> {
        let password = password.clone();
        self.slowly(move |argon2| hash(argon2, &password)).await
    }

    async fn verify_password(
        &self,
        password: &Secret,
        stored: Option<&str>,
    ) -> Result<bool, BoxError> {
        let (password, stored) = (password.clone(), stored.map(str::to_owned));
        self.slowly(move |argon2| match stored {
            Some(stored) => {
                let stored = PasswordHash::new(&stored).map_err(|error| error.to_string())?;
                let password = password.expose().as_bytes();
                Ok(argon2.verify_password(password, &stored).is_ok())
            }
            // As slow as a comparison, so that the time it takes does not tell whether there is such a user.
            None => hash(argon2, &password).map(|_hash| false),
        })
        .await
    }

    fn new_totp_secret(&self) -> Secret {
        totp::new_secret()
    }

    fn totp_step(&self, secret: &Secret, code: &str, now: Timestamp) -> Option<i64> {
        totp::step_of(secret, code, now.timestamp())
    }

    fn new_recovery_code(&self) -> Secret {
        let code = totp::base32(&random::bytes::<10>()).to_lowercase();
        let (first, second) = code.split_at(code.len() / 2);
        Secret::new(format!("{first}-{second}"))
    }
}

fn hash(argon2: &Argon2<'_>, password: &Secret) -> Result<String, BoxError> {
    let salt = random::bytes::<16>();
    let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), &salt);
    Ok(hash.map_err(|error| error.to_string())?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Argon2Credentials {
        Argon2Credentials::new(PasswordCost {
            memory: 64,
            passes: 1,
        })
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let credentials = cheap();
        let password = Secret::new("correct horse");
        let stored = credentials.hash_password(&password).await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"),
            "{stored}"
        );
        let again = credentials.hash_password(&password).await.unwrap();
        assert_ne!(stored, again, "every hash has a salt of its own");
        let fits = async |text: &str, stored: Option<&str>| {
            let password = Secret::new(text);
            credentials.verify_password(&password, stored).await
        };
        assert!(fits("correct horse", Some(&stored)).await.unwrap());
        assert!(!fits("wrong horse", Some(&stored)).await.unwrap());
        assert!(!fits("correct horse", None).await.unwrap());
        assert!(fits("correct horse", Some("plain text")).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_still_opens() {
        let dearer = Argon2Credentials::new(PasswordCost {
            memory: 128,
            passes: 2,
        });
        let password = Secret::new("correct horse");
        let stored = cheap().hash_password(&password).await.unwrap();
        assert!(
            dearer
                .verify_password(&password, Some(&stored))
                .await
                .unwrap()
        );
    }

    #[test]
    fn recovery_codes_can_be_typed_and_differ() {
        let (a, b) = (cheap().new_recovery_code(), cheap().new_recovery_code());
        assert_eq!(a.expose().len(), 17, "{}", a.expose());
        assert_ne!(a.expose(), b.expose());
    }
}
