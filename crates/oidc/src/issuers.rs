//! Issuers: found by their name, remembered for a while, and asked with the code flow and PKCE.

use crate::http::{Http, HttpError, permitted};
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{Timestamp, secret::Secret, sso::Claims};
use openidconnect::{
    AccessToken, AdditionalClaims, AuthType, AuthenticationFlow, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken, IdTokenClaims,
    IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    SubjectIdentifier, UserInfoClaims, UserInfoError,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use ports::{
    clock::Clock,
    sso::{Attempt, IdentityProvider, Registration, SsoError, Vouched},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How long what an issuer says of itself, its keys among it, is believed without asking again.
const REMEMBERED: TimeDelta = TimeDelta::hours(1);
/// Issuers that are remembered, at most; they are quickly found again.
const MOST: usize = 16;

/// Claims beyond those that OpenID Connect names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct More(Claims);

impl AdditionalClaims for More {}

type Fields = IdTokenFields<
    More,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Token =
    IdToken<More, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Client = openidconnect::Client<
    More,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The issuers this server has asked.
pub struct Issuers {
    http: Http,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, Known>>,
}

/// What an issuer says of itself, and since when that is known.
#[derive(Clone)]
struct Known {
    since: Timestamp,
    metadata: Arc<CoreProviderMetadata>,
}

impl Issuers {
    /// Asks over the shared client, which must follow no redirect and resolve no name to where the server must not go.
    pub fn new(client: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            http: Http(client),
            clock,
            known: Mutex::default(),
        }
    }

    /// What is remembered of an issuer, or else what it says now.
    async fn find(&self, issuer: &str) -> Result<Arc<CoreProviderMetadata>, SsoError> {
        let now = self.clock.now();
        let known = self.lock().get(issuer).cloned();
        match known.filter(|known| now < known.since + REMEMBERED) {
            Some(known) => Ok(known.metadata),
            None => self.ask(issuer).await,
        }
    }

    async fn ask(&self, issuer: &str) -> Result<Arc<CoreProviderMetadata>, SsoError> {
        permitted(issuer).map_err(SsoError::Invalid)?;
        let url = IssuerUrl::new(issuer.to_owned())
            .map_err(|error| SsoError::Invalid(format!("is no address: {error}")))?;
        let found = CoreProviderMetadata::discover_async(url, &self.http).await;
        let metadata = Arc::new(found.map_err(undiscovered)?);
        let known = Known {
            since: self.clock.now(),
            metadata: Arc::clone(&metadata),
        };
        let mut all = self.lock();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(issuer.to_owned(), known);
        Ok(metadata)
    }

    /// What a token says, if it is this issuer's, for us, fresh, and an answer to our question.
    fn verify(
        &self,
        client: &Client,
        metadata: &CoreProviderMetadata,
        token: &Token,
        nonce: &Secret,
    ) -> Result<IdTokenClaims<More, CoreGenderClaim>, ClaimsVerificationError> {
        let clock = Arc::clone(&self.clock);
        let algorithms = metadata.id_token_signing_alg_values_supported().iter();
        let verifier = client
            .id_token_verifier()
            .set_time_fn(move || clock.now())
            .set_allowed_algs(algorithms.filter(|one| is_signature(one)).cloned());
        let nonce = Nonce::new(nonce.expose().to_owned());
        token.clone().into_claims(&verifier, &nonce)
    }

    /// What the issuer says beside the token; nothing where it has no such endpoint.
    async fn user_info(
        &self,
        client: &Client,
        token: &AccessToken,
        subject: &SubjectIdentifier,
    ) -> Result<Claims, SsoError> {
        let Ok(request) = client.user_info(token.clone(), Some(subject.clone())) else {
            return Ok(Claims::new());
        };
        let said: Result<UserInfoClaims<More, CoreGenderClaim>, _> =
            request.request_async(&self.http).await;
        said.map(|said| map(&said)).map_err(|error| match error {
            UserInfoError::Request(error) => unheard(&error),
            UserInfoError::Response(status, ..) => {
                SsoError::Refused(format!("its userinfo endpoint answered with {status}"))
            }
            other => SsoError::Refused(format!("what its userinfo endpoint says: {other}")),
        })
    }

    /// Nothing panics while holding this lock, and what it guards is replaced whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl IdentityProvider for Issuers {
    async fn discover(&self, issuer: &str) -> Result<(), SsoError> {
        self.ask(issuer).await.map(drop)
    }

    async fn begin(&self, registration: &Registration) -> Result<(String, Attempt), SsoError> {
        let metadata = self.find(&registration.issuer).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        // The library asks for `openid` by itself.
        let scopes = registration
            .scopes
            .iter()
            .filter(|scope| *scope != "openid");
        let (url, state, nonce) = client(registration, &metadata)?
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes.cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        let attempt = Attempt {
            state: Secret::new(state.into_secret()),
            nonce: Secret::new(nonce.secret().as_str()),
            verifier: Secret::new(verifier.into_secret()),
        };
        Ok((url.into(), attempt))
    }

    async fn finish(
        &self,
        registration: &Registration,
        attempt: &Attempt,
        code: &Secret,
    ) -> Result<Vouched, SsoError> {
        let metadata = self.find(&registration.issuer).await?;
        let asking = client(registration, &metadata)?;
        let verifier = PkceCodeVerifier::new(attempt.verifier.expose().to_owned());
        let request = asking
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .map_err(|error| SsoError::Refused(format!("it has no token endpoint: {error}")))?;
        let tokens = request
            .set_pkce_verifier(verifier)
            .request_async(&self.http)
            .await
            .map_err(unexchanged)?;
        let token = tokens.extra_fields().id_token().ok_or_else(|| {
            SsoError::Refused("it gave no ID token; is the scope openid allowed there?".to_owned())
        })?;
        let mut proven = self.verify(&asking, &metadata, token, &attempt.nonce);
        if let Err(ClaimsVerificationError::SignatureVerification(_)) = &proven {
            // It may sign with a key that is newer than what is remembered.
            let newest = self.ask(&registration.issuer).await?;
            let asking = client(registration, &newest)?;
            proven = self.verify(&asking, &newest, token, &attempt.nonce);
        }
        let proven = proven
            .map_err(|error| SsoError::Refused(format!("its ID token proves nothing: {error}")))?;
        let more = self
            .user_info(&asking, tokens.access_token(), proven.subject())
            .await?;
        Ok(vouched(proven.subject(), merged(map(&proven), more)))
    }
}

fn client(
    registration: &Registration,
    metadata: &CoreProviderMetadata,
) -> Result<Client, SsoError> {
    let redirect = RedirectUrl::new(registration.redirect_url.clone())
        .map_err(|error| SsoError::Invalid(format!("the redirect address is none: {error}")))?;
    let secret = registration.client_secret.as_ref();
    let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
    let id = ClientId::new(registration.client_id.clone());
    let client = Client::from_provider_metadata(metadata.clone(), id, secret);
    let client = client.set_redirect_uri(redirect);
    let takes = |method| {
        let methods = metadata.token_endpoint_auth_methods_supported();
        methods.is_some_and(|methods| methods.contains(&method))
    };
    let only_in_body = takes(CoreClientAuthMethod::ClientSecretPost)
        && !takes(CoreClientAuthMethod::ClientSecretBasic);
    Ok(if only_in_body {
        client.set_auth_type(AuthType::RequestBody)
    } else {
        client
    })
}

/// Whether an algorithm proves that the issuer wrote a token: nobody else has the key.
const fn is_signature(algorithm: &CoreJwsSigningAlgorithm) -> bool {
    use CoreJwsSigningAlgorithm as A;
    !matches!(
        algorithm,
        A::None | A::HmacSha256 | A::HmacSha384 | A::HmacSha512
    )
}

/// Both, and where they differ, the signed token. A word about an address counts for that address alone.
fn merged(token: Claims, mut more: Claims) -> Claims {
    if token.contains_key("email") && token.get("email") != more.get("email") {
        more.remove("email_verified");
    }
    more.extend(token);
    more
}

fn map(claims: &impl Serialize) -> Claims {
    match serde_json::to_value(claims) {
        Ok(Value::Object(claims)) => claims,
        Ok(_) | Err(_) => Claims::new(),
    }
}

fn vouched(subject: &SubjectIdentifier, claims: Claims) -> Vouched {
    let text = |name: &str| {
        let text = claims.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    Vouched {
        subject: subject.to_string(),
        name: ["name", "preferred_username", "nickname"]
            .into_iter()
            .find_map(text),
        email: text("email"),
        email_verified: is_true(claims.get("email_verified")),
        claims,
    }
}

/// Some issuers write booleans as text.
fn is_true(claim: Option<&Value>) -> bool {
    match claim {
        Some(Value::String(text)) => text == "true",
        Some(claim) => *claim == Value::Bool(true),
        None => false,
    }
}

fn unheard(error: &HttpError) -> SsoError {
    SsoError::Unavailable(error.to_string())
}

fn undiscovered(error: DiscoveryError<HttpError>) -> SsoError {
    match error {
        DiscoveryError::Request(HttpError::Forbidden(why)) => SsoError::Invalid(why),
        DiscoveryError::Request(error) => unheard(&error),
        DiscoveryError::Response(status, ..) => SsoError::Refused(format!(
            "its /.well-known/openid-configuration answered with {status}, and not with what an issuer says of itself"
        )),
        DiscoveryError::Parse(error) => {
            SsoError::Refused(format!("what it says of itself cannot be read: {error}"))
        }
        other => SsoError::Refused(other.to_string()),
    }
}

fn unexchanged(
    error: RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>,
) -> SsoError {
    match error {
        RequestTokenError::Request(error) => unheard(&error),
        RequestTokenError::ServerResponse(said) => {
            let word: String = said.error().to_string().chars().take(64).collect();
            SsoError::Refused(format!("it did not take the code: {word}"))
        }
        // What is wrong with it may be told in words of a token.
        RequestTokenError::Parse(error, _) => SsoError::Refused(format!(
            "its tokens cannot be read, from {} on",
            error.path()
        )),
        RequestTokenError::Other(why) => SsoError::Refused(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: &Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_signed_token_comes_first_and_a_word_about_another_address_does_not_count() {
        let more = json!({"email": "a@x", "email_verified": true, "groups": ["ops"], "name": "B"});
        let said = |token: Value| {
            let subject = SubjectIdentifier::new("1".to_owned());
            vouched(&subject, merged(claims(&token), claims(&more)))
        };
        let alone = said(json!({"sub": "1"}));
        assert_eq!(alone.email.as_deref(), Some("a@x"));
        assert!(alone.email_verified && alone.claims.contains_key("groups"));
        let other = said(json!({"email": "c@x", "name": "A", "groups": []}));
        assert_eq!(other.email.as_deref(), Some("c@x"));
        assert_eq!(other.name.as_deref(), Some("A"));
        assert!(!other.email_verified);
        assert_eq!(other.claims["groups"], json!([]));
        assert!(said(json!({"email": "a@x"})).email_verified);
        assert!(!said(json!({"email": "a@x", "email_verified": false})).email_verified);
    }

    #[test]
    fn only_signatures_count_as_proof() {
        use CoreJwsSigningAlgorithm as A;
        assert!(is_signature(&A::RsaSsaPkcs1V15Sha256) && is_signature(&A::EdDsa));
        assert!(!is_signature(&A::HmacSha256) && !is_signature(&A::None));
    }
}
