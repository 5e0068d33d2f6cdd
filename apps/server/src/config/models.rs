//! Which model providers the environment gives, and what agents think with by default.

use super::{ConfigError, Source};
use domain::{model::ModelRef, secret::Secret};
use inference::{Family, PriceOverride, Prices, ProviderSettings};

/// Model providers.
pub struct ModelsConfig {
    /// The model of agents that name none.
    pub default_model: ModelRef,
    /// Anthropic, when it has a key.
    pub anthropic: Option<Endpoint>,
    /// An OpenAI-compatible endpoint, when it has a key or a base URL.
    pub openai: Option<Endpoint>,
    /// The operator's own prices.
    pub prices: Vec<PriceOverride>,
}

/// Where a provider is and what opens it.
pub struct Endpoint {
    /// The base URL; the vendor's own when absent.
    pub base_url: Option<String>,
    /// The key; local servers need none.
    pub api_key: Option<Secret>,
}

impl ModelsConfig {
    pub(super) fn from_source(source: &Source) -> Result<Self, ConfigError> {
        let anthropic = endpoint(source, "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL");
        let openai = endpoint(source, "OPENAI_API_KEY", "OPENAI_BASE_URL");
        let prices = source.prices().to_vec();
        Ok(Self {
            default_model: default_model(source, anthropic.is_some(), openai.is_some(), &prices)?,
            anthropic,
            openai,
            prices,
        })
    }

    /// The providers, the built-in one included.
    pub fn providers(&self) -> Vec<ProviderSettings> {
        let given = [
            ("anthropic", Family::Anthropic, &self.anthropic),
            ("openai", Family::OpenAi, &self.openai),
        ];
        let given = given.into_iter().filter_map(|(name, family, endpoint)| {
            endpoint.as_ref().map(|endpoint| ProviderSettings {
                name: name.to_owned(),
                family,
                base_url: endpoint.base_url.clone(),
                api_key: endpoint.api_key.clone(),
            })
        });
        given.chain([ProviderSettings::demo()]).collect()
    }
}

/// A base URL alone is enough: local servers ask for no key.
fn endpoint(source: &Source, key: &'static str, url: &'static str) -> Option<Endpoint> {
    let api_key = source.get(key).map(Secret::new);
    let base_url = source.get(url).map(str::to_owned);
    (api_key.is_some() || base_url.is_some()).then_some(Endpoint { base_url, api_key })
}

fn default_model(
    source: &Source,
    anthropic: bool,
    openai: bool,
    prices: &[PriceOverride],
) -> Result<ModelRef, ConfigError> {
    let wrong = |problem: String| ConfigError::Invalid {
        name: "AGENT_MODEL",
        problem,
    };
    if let Some(text) = source.get("AGENT_MODEL") {
        let model = ModelRef::parse(text).map_err(|error| wrong(error.to_string()))?;
        let needs = match model.provider() {
            "anthropic" if !anthropic => Some("ANTHROPIC_API_KEY"),
            "openai" if !openai => Some("OPENAI_API_KEY or OPENAI_BASE_URL"),
            "anthropic" | "openai" | "demo" => None,
            other => {
                return Err(wrong(format!(
                    "there is no provider `{other}`; write anthropic/…, openai/… or demo/scripted"
                )));
            }
        };
        return match needs {
            Some(variable) => Err(wrong(format!(
                "`{model}` needs {variable}, which is not set"
            ))),
            None => Ok(model),
        };
    }
    if anthropic {
        let prices = Prices::new(prices.to_vec()).map_err(|error| wrong(error.to_string()))?;
        return ModelRef::parse(&format!("anthropic/{}", prices.default_claude()))
            .map_err(|error| wrong(error.to_string()));
    }
    if openai {
        return Err(wrong(
            "is not set, and an OpenAI-compatible endpoint has no model we could assume; set it to \
             openai/<name of a model that endpoint serves>"
                .to_owned(),
        ));
    }
    ModelRef::parse("demo/scripted").map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&'static str, &str)]) -> Result<String, String> {
        let source = Source::from_values(values.iter().map(|(k, v)| (*k, (*v).to_owned())));
        ModelsConfig::from_source(&source)
            .map(|c| c.default_model.to_string())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn the_default_model_follows_from_the_keys() {
        assert_eq!(read(&[]).unwrap(), "demo/scripted");
        assert!(
            read(&[("ANTHROPIC_API_KEY", "k")])
                .unwrap()
                .starts_with("anthropic/claude-")
        );
        assert!(
            read(&[("OPENAI_API_KEY", "k")])
                .unwrap_err()
                .starts_with("AGENT_MODEL: is not set")
        );
        let local = [
            ("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"),
            ("AGENT_MODEL", "openai/qwen"),
        ];
        assert_eq!(read(&local).unwrap(), "openai/qwen");
    }

    #[test]
    fn a_model_without_its_key_is_refused_by_name() {
        assert!(
            read(&[("AGENT_MODEL", "anthropic/x")])
                .unwrap_err()
                .contains("ANTHROPIC_API_KEY")
        );
        assert!(
            read(&[("AGENT_MODEL", "other/x")])
                .unwrap_err()
                .contains("no provider `other`")
        );
        assert!(
            read(&[("AGENT_MODEL", "nonsense")])
                .unwrap_err()
                .contains("provider/model")
        );
    }
}
