//! Sign-in at an OpenID Connect issuer, behind the port. The protocol is the `openidconnect` crate's; here is how its
//! requests are sent, what is kept, and what counts as proof. Decides nothing about people.

mod http;
mod issuers;

pub use issuers::Issuers;
