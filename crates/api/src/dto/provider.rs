//! Model providers on the wire. Keys go in and never come out.

use super::{
    Field,
    words::{ProviderHealth, ProviderKind},
};
use chrono::{DateTime, Utc};
use domain::{provider, secret::Secret};
use ports::inference::{KnownModel, ProviderFacts};
use serde::{Deserialize, Serialize};
use services::{
    offers,
    providers::{self, Tested},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// A new model provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateProvider {
    /// The part before the slash in `provider/model`: a lower-case letter, then letters, digits, `-` or `_`.
    #[schema(example = "openrouter", max_length = 32)]
    name: String,
    kind: ProviderKind,
    /// Its key; local servers need none.
    api_key: Option<String>,
    /// Where it is; the vendor's own address when absent or null.
    #[schema(example = "https://openrouter.ai/api/v1")]
    base_url: Option<String>,
}

/// What is to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProvider {
    /// A new name. Agents that use the old one must be given the new one.
    name: Option<String>,
    /// Another key; null: none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    api_key: Field<String>,
    /// Another place, which needs the key again; null: the vendor's own address.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    base_url: Field<String>,
}

/// What to ask.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateProviderTest {
    /// A model of the provider, without the provider; one that it is known to serve when absent.
    #[schema(example = "gpt-5-mini")]
    pub(crate) model: Option<String>,
}

/// Which model to ask.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateModelTest {
    /// `provider/model`.
    #[schema(example = "demo/scripted")]
    pub(crate) model: String,
}

/// Where a provider was configured.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProviderSource {
    /// In the environment of the server, where alone it can be changed.
    Environment,
    /// Here.
    Settings,
}

/// Somebody who serves models, without the key.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderView {
    /// Null for those of the environment.
    #[schema(required)]
    id: Option<Uuid>,
    #[schema(example = "openrouter")]
    name: String,
    kind: ProviderKind,
    /// Null: the vendor's own address.
    #[schema(required)]
    base_url: Option<String>,
    has_key: bool,
    source: ProviderSource,
    health: ProviderHealth,
    #[schema(required)]
    health_detail: Option<String>,
    #[schema(required)]
    created_at: Option<DateTime<Utc>>,
    #[schema(required)]
    updated_at: Option<DateTime<Utc>>,
}

/// What a test found.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderTestView {
    /// Whether it answered.
    ok: bool,
    /// What was asked, or why there was no answer.
    detail: String,
    duration_ms: u64,
}

/// The models agents can think with.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelsView {
    /// The model of agents that name none.
    #[schema(example = "demo/scripted")]
    default_model: String,
    /// Those that are known; a provider may serve others.
    items: Vec<ModelView>,
}

/// A model that a provider is known to serve. Prices are in millionths of a US dollar per million tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelView {
    /// `provider/model`.
    #[schema(example = "demo/scripted")]
    model: String,
    provider: String,
    /// Tokens that fit into prompt and answer together.
    context_tokens: i64,
    /// The most it generates in one answer.
    max_output_tokens: i64,
    input_micros_per_million: i64,
    output_micros_per_million: i64,
    /// Whether its price is known; otherwise it is a cautious guess.
    priced: bool,
}

impl From<CreateProvider> for providers::CreateProvider {
    fn from(body: CreateProvider) -> Self {
        Self {
            name: body.name,
            kind: body.kind.0,
            api_key: body.api_key.map(Secret::new),
            base_url: body.base_url,
        }
    }
}

impl From<UpdateProvider> for providers::UpdateProvider {
    fn from(body: UpdateProvider) -> Self {
        Self {
            name: body.name,
            api_key: body.api_key.given(|key| key.map(Secret::new)),
            base_url: body.base_url.given(|url| url),
        }
    }
}

impl From<provider::Provider> for ProviderView {
    fn from(provider: provider::Provider) -> Self {
        Self {
            id: Some(provider.id.as_uuid()),
            name: provider.name.to_string(),
            kind: ProviderKind(provider.kind),
            base_url: provider.base_url,
            has_key: provider.api_key.is_some(),
            source: ProviderSource::Settings,
            health: ProviderHealth(provider.health),
            health_detail: provider.health_detail,
            created_at: Some(provider.created_at),
            updated_at: Some(provider.updated_at),
        }
    }
}

impl From<ProviderFacts> for ProviderView {
    fn from(facts: ProviderFacts) -> Self {
        Self {
            id: None,
            name: facts.name,
            kind: ProviderKind(facts.kind),
            base_url: facts.base_url,
            has_key: facts.has_key,
            source: ProviderSource::Environment,
            health: ProviderHealth(provider::ProviderHealth::Unknown),
            health_detail: None,
            created_at: None,
            updated_at: None,
        }
    }
}

impl From<Tested> for ProviderTestView {
    fn from(tested: Tested) -> Self {
        Self {
            ok: tested.ok,
            detail: tested.detail,
            duration_ms: u64::try_from(tested.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<offers::Models> for ModelsView {
    fn from(models: offers::Models) -> Self {
        Self {
            default_model: models.default_model.to_string(),
            items: models.known.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<KnownModel> for ModelView {
    fn from(known: KnownModel) -> Self {
        Self {
            model: known.model.to_string(),
            provider: known.model.provider().to_owned(),
            context_tokens: known.profile.context_tokens,
            max_output_tokens: known.profile.max_output_tokens,
            input_micros_per_million: known.profile.price.input,
            output_micros_per_million: known.profile.price.output,
            priced: known.priced,
        }
    }
}
