//! A limit on failures: who guesses is soon not heard any more, while calls that succeeded do not count. What is
//! counted is chosen by strangers, so only hashes of it are kept, and not for ever.

mod failures;

pub(crate) use failures::Failures;

use crate::problem::ApiError;
use axum::{
    extract::{ConnectInfo, MatchedPath, Path, Request, State, rejection::PathRejection},
    http::{Extensions, HeaderMap},
    middleware::Next,
    response::Response,
};
use domain::id::{IntegrationId, UserId};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// The longest address that an account can have, in bytes.
const LONGEST_ADDRESS: usize = 254;

/// Marks an answer as a failure whose status says something else: a browser that is led elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct Failed;

/// What failures are counted against.
#[derive(Hash)]
pub(crate) enum Tried<'a> {
    /// An address that can have an account, in the one form in which addresses are compared.
    Address(String),
    /// All addresses that are too long for an account.
    Nobody,
    /// What a link carries.
    Link(&'a str),
    /// The account of somebody who is signed in.
    User(UserId),
    /// A peer on one route, however it spells the path.
    Route(IpAddr, &'a str),
    /// A peer on one webhook, or on all that cannot be one.
    Webhook(IpAddr, Option<IntegrationId>),
}

impl Tried<'_> {
    /// Whoever has this address.
    pub(crate) fn address(text: &str) -> Self {
        let address = text.trim().to_lowercase();
        if address.len() > LONGEST_ADDRESS {
            return Self::Nobody;
        }
        Self::Address(address)
    }
}

/// Refuses a peer that failed too often on this route.
pub(crate) async fn limit_public(
    State(failures): State<Arc<Failures>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let attempt = failures.begin(&Tried::Route(network(&request), route))?;
    let response = next.run(request).await;
    if !has_failed(&response) {
        attempt.forgive();
    }
    Ok(response)
}

/// Refuses a peer that failed too often on this webhook, before any signature is looked at. Counted afterwards: a
/// vendor may deliver any number of good calls at once.
pub(crate) async fn limit_webhooks(
    State(failures): State<Arc<Failures>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let integration = path.ok().and_then(|Path((_, id))| id.parse().ok());
    let tried = Tried::Webhook(network(&request), integration);
    failures.check(&tried)?;
    let response = next.run(request).await;
    if has_failed(&response) {
        failures.count(&tried);
    }
    Ok(response)
}

fn has_failed(response: &Response) -> bool {
    response.extensions().get::<Failed>().is_some() || response.status().is_client_error()
}

/// Whom to count a request against.
fn network(request: &Request) -> IpAddr {
    network_of(peer(request.extensions(), request.headers()))
}

/// Who has one IPv6 address has a whole /64 of them.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => {
            let prefix = u128::from(ip) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Who calls. Behind a proxy on this machine or network that is whom the proxy names last; from
/// anywhere else the header could be anything.
pub(crate) fn peer(extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    let direct = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    let is_near = match direct.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    if !is_near {
        return direct;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .and_then(|last| last.trim().parse().ok())
        .unwrap_or(direct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_one_address_of_a_network_has_them_all() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
