//! The way to an issuer: over the server's own client, with an end to every wait and to every answer, and never to
//! where the server must not go. An issuer names more addresses by itself, so each is looked at before it is called;
//! names are looked at by the client, when it resolves them.

use domain::egress::operator_may_call;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Client, Url};
use std::{error::Error as _, future::Future, net::IpAddr, pin::Pin, time::Duration};

/// How long one answer of an issuer may take, from the first byte sent to the last one read.
const LONGEST: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const LARGEST: usize = 512 * 1024;

/// The server's client, as issuers are asked with it.
pub(crate) struct Http(pub(crate) Client);

/// Why there is no answer. No message holds what was sent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum HttpError {
    /// It may not be asked for.
    #[error("{0}")]
    Forbidden(String),
    /// Nobody answered.
    #[error("{0}")]
    Unreachable(String),
    /// It went on and on.
    #[error("the answer is larger than {} KiB", LARGEST / 1024)]
    TooLarge,
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Http {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = permitted(&parts.uri.to_string()).map_err(HttpError::Forbidden)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let failed = |error| HttpError::Unreachable(describe(&host, error));
        let sent = self
            .0
            .request(parts.method, url)
            .headers(parts.headers)
            .timeout(LONGEST)
            .body(body)
            .send();
        let mut answer = sent.await.map_err(failed)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > LARGEST {
                return Err(HttpError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(bytes);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}

/// The address, if the server may call it; else why not, and what would do.
pub(crate) fn permitted(url: &str) -> Result<Url, String> {
    let parsed = Url::parse(url).map_err(|_not_a_url| {
        "must be an address like https://login.example.com, as the issuer gives it".to_owned()
    })?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("must hold neither a user nor a password".to_owned());
    }
    let host = parsed.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    if let Some(address) = address.filter(|address| !operator_may_call(*address)) {
        return Err(format!(
            "{address} is a link-local or metadata address, which this server never calls"
        ));
    }
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if host == "localhost" || address.is_some_and(is_near) => Ok(parsed),
        _ => Err(format!(
            "{host} must be reached over https: over anything else, who is in between could sign in as anybody"
        )),
    }
}

/// On this machine or in this house.
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// What went wrong on the network: the innermost cause, without the address, which may carry a code.
fn describe(host: &str, error: reqwest::Error) -> String {
    let what = if error.is_timeout() {
        format!("{host} did not answer within {} s", LONGEST.as_secs())
    } else {
        format!("{host} cannot be reached")
    };
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    match cause {
        Some(cause) => format!("{what}: {cause}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_called_over_https_or_near_by_and_never_where_a_cloud_hands_out_its_rights() {
        for good in [
            "https://login.example.com",
            "https://login.example.com:8443/realms/x?y",
            "https://10.0.0.8",
            "http://localhost:9000",
            "http://127.0.0.1:9000/x",
            "http://[::1]:9000",
            "http://192.168.1.2:9000/application/o/x/",
        ] {
            assert!(permitted(good).is_ok(), "{good}");
        }
        for (bad, says) in [
            ("http://login.example.com", "https"),
            ("http://localhost.example.com", "https"),
            ("http://8.8.8.8", "https"),
            ("ftp://login.example.com", "https"),
            ("https://169.254.169.254/latest", "metadata"),
            ("http://169.254.169.254/latest", "metadata"),
            ("https://[fe80::1]/", "metadata"),
            ("http://0xa9fea9fe/", "metadata"),
            ("https://a:b@login.example.com", "password"),
            ("login.example.com", "must be an address"),
            ("", "must be an address"),
        ] {
            let refused = permitted(bad).unwrap_err();
            assert!(refused.contains(says), "{bad}: {refused}");
        }
    }
}
