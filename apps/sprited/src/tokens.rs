//! The bearer tokens that open the API: made, kept in a file of their own, and compared without
//! telling how much of a guess was right. No token is ever logged or answered.

use domain::secret::Secret;
use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

const SHORTEST: usize = 16;

/// Why a text is no token.
#[derive(Debug, thiserror::Error)]
#[error("a token has at least {SHORTEST} characters, all of them printable ASCII without spaces")]
pub(crate) struct BadToken;

/// Whether a text can be a token: it has to pass through a header, and not be guessed.
pub(crate) fn check(token: &str) -> Result<(), BadToken> {
    let good = token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic());
    good.then_some(()).ok_or(BadToken)
}

/// The token of a file, and whether it was made just now.
pub(crate) fn load_or_create(path: &Path) -> io::Result<(Secret, bool)> {
    match fs::read_to_string(path) {
        Ok(text) => return Ok((Secret::new(text.trim()), false)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let token = new()?;
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", token.expose())?;
    file.sync_all()?;
    Ok((token, true))
}

fn new() -> io::Result<Secret> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| io::Error::other("the system gives no random numbers"))?;
    let mut text = String::from("sprited_");
    for byte in bytes {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    Ok(Secret::new(text))
}

/// The tokens that are good, as fingerprints under a key of this process.
pub(crate) struct Tokens {
    key: hmac::Key,
    prints: Vec<hmac::Tag>,
}

impl Tokens {
    pub(crate) fn new(tokens: &[Secret]) -> io::Result<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_unspecified| io::Error::other("the system gives no random numbers"))?;
        let print = |token: &Secret| hmac::sign(&key, token.expose().as_bytes());
        let prints = tokens.iter().map(print).collect();
        Ok(Self { key, prints })
    }

    /// Whether a token is one of them; how long it takes tells nothing.
    pub(crate) fn accept(&self, token: &str) -> bool {
        let fits =
            |print: &hmac::Tag| hmac::verify(&self.key, token.as_bytes(), print.as_ref()).is_ok();
        self.prints.iter().filter(|print| fits(print)).count() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tokens_are_accepted() {
        let good = ["first-token-of-two", "second/token/of/two"].map(Secret::new);
        let tokens = Tokens::new(&good).unwrap();
        for token in &good {
            assert!(tokens.accept(token.expose()));
            assert!(!tokens.accept(&token.expose()[1..]));
        }
        assert!(!tokens.accept(""));
        assert!(!tokens.accept("first-token-of-two,second/token/of/two"));
    }

    #[test]
    fn short_or_unprintable_tokens_are_refused() {
        check("0123456789abcdef").unwrap();
        for bad in [
            "",
            "0123456789abcde",
            "0123456789abcde f",
            "0123456789abcdefé",
        ] {
            check(bad).unwrap_err();
        }
    }
}
