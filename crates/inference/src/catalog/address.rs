//! Where a provider is reached, and with which headers: base URLs are taken as people write them and made whole.
//! Sends nothing.

use super::settings::{Family, ProviderSettings, SettingsError};
use crate::endpoint::{Endpoint, Timeouts};
use domain::{egress::operator_may_call, secret::Secret};
use ports::{clock::Clock, inference::InvalidConnection};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use std::{net::IpAddr, sync::Arc};

/// Refuses an address that is written out in a URL; names are looked at when they are resolved.
pub(super) fn check_address(url: &str) -> Result<(), InvalidConnection> {
    let Ok(parsed) = Url::parse(url.trim()) else {
        return Ok(());
    };
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.query().is_some() {
        return Err(InvalidConnection(
            "the base URL must hold neither a user, a password nor a query; give the key as the key".to_owned(),
        ));
    }
    let host = parsed.host_str().unwrap_or_default();
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !operator_may_call(address) => Err(InvalidConnection(format!(
            "{address} is a link-local or metadata address, which this server never calls; give the address of a \
             model server"
        ))),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The endpoint that the settings describe.
pub(super) fn endpoint(
    provider: ProviderSettings,
    client: &Client,
    clock: &Arc<dyn Clock>,
    timeouts: Timeouts,
) -> Result<Endpoint, SettingsError> {
    let ProviderSettings {
        name,
        family,
        base_url,
        api_key,
    } = provider;
    let base = base_url
        .filter(|url| !url.trim().is_empty())
        .unwrap_or_else(|| family.default_base_url().unwrap_or_default().to_owned());
    let url = Url::parse(&full_url(family, &base))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| SettingsError::BaseUrl {
            provider: name.clone(),
            url: base,
        })?;
    let key = api_key.filter(|key| !key.is_empty());
    let headers = headers(family, key.as_ref()).ok_or_else(|| SettingsError::Key(name.clone()))?;
    Ok(Endpoint {
        provider: name,
        url,
        headers,
        key,
        client: client.clone(),
        clock: Arc::clone(clock),
        timeouts,
    })
}

/// People write base URLs with and without a final slash, and Anthropic's with and without `/v1`.
fn full_url(family: Family, base: &str) -> String {
    let base = base.trim().trim_end_matches('/');
    match family {
        Family::Anthropic | Family::Demo => {
            let base = base.strip_suffix("/v1").unwrap_or(base);
            format!("{base}/v1/messages")
        }
        Family::OpenAi => format!("{base}/chat/completions"),
    }
}

fn headers(family: Family, key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if family == Family::Anthropic {
        let version = HeaderName::from_static("anthropic-version");
        headers.insert(version, HeaderValue::from_static("2023-06-01"));
    }
    if let Some(key) = key {
        let key = key.expose();
        let (name, value) = match family {
            Family::Anthropic | Family::Demo => {
                (HeaderName::from_static("x-api-key"), key.to_owned())
            }
            Family::OpenAi => (AUTHORIZATION, format!("Bearer {key}")),
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_may_end_as_people_write_them() {
        for base in ["http://h", "http://h/", "http://h/v1", "http://h/v1/"] {
            assert_eq!(full_url(Family::Anthropic, base), "http://h/v1/messages");
        }
        for base in ["http://h/v1", "http://h/v1/", " http://h/v1 "] {
            assert_eq!(
                full_url(Family::OpenAi, base),
                "http://h/v1/chat/completions"
            );
        }
    }
}
