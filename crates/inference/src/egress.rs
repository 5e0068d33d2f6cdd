//! Keeps the server's HTTP client from names that lead to where the server must never go. Addresses that are written
//! out in a URL never come here; who takes URLs from people looks at those.

use domain::egress::operator_may_call;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{io, net::SocketAddr};

/// Resolves names as the system does and leaves out the addresses that may not be called.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(allowed(name.as_str(), found)?)
        })
    }
}

fn allowed(name: &str, found: impl Iterator<Item = SocketAddr>) -> io::Result<Addrs> {
    let good: Vec<_> = found
        .filter(|address| operator_may_call(address.ip()))
        .collect();
    if good.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{name} leads to link-local or metadata addresses only, which this server never calls"
            ),
        ));
    }
    Ok(Box::new(good.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_to_a_metadata_service_is_refused_and_of_several_addresses_the_good_ones_stay()
     {
        let parse = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let bad = parse(&["169.254.169.254:0"]);
        let refused = allowed("metadata.internal", bad.into_iter()).err().unwrap();
        assert!(
            refused.to_string().contains("metadata.internal"),
            "{refused}"
        );
        let mixed = parse(&["169.254.169.254:0", "10.0.0.1:0", "[fe80::1]:0"]);
        let left: Vec<_> = allowed("x", mixed.into_iter()).unwrap().collect();
        assert_eq!(left, parse(&["10.0.0.1:0"]));
    }
}
