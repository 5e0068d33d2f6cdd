//! Words that nobody can guess.

use ports::sandbox::SandboxError;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::fmt::Write as _;

/// A word of letters and digits that was never used before.
pub(crate) fn secret_text() -> Result<String, SandboxError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| {
            SandboxError::Unavailable("the system gives no random numbers".into())
        })?;
    let mut text = String::with_capacity(32);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    Ok(text)
}
