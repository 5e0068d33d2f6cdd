//! What models cost and can do, as data.
//!
//! The table is part of the binary; the operator's overrides are merged over it. Nothing is looked
//! up over the network, and a model nobody knows gets a cautious price, so a cost is never missing.

use domain::model::Price;
use ports::inference::ModelProfile;
use serde::Deserialize;

const TABLE: &str = include_str!("prices.toml");

/// How a Claude model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// It decides by itself and takes an effort; a budget would be refused.
    Adaptive,
    /// It takes a budget in tokens.
    Budget,
}

/// A row of the operator's own price list. What it leaves out stays as the table has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceOverride {
    /// `provider/model`, or a model's name at every provider.
    pub model: String,
    /// Micro-dollars per million fresh prompt tokens.
    pub input: Option<i64>,
    /// Micro-dollars per million generated tokens.
    pub output: Option<i64>,
    /// Micro-dollars per million prompt tokens read from the cache.
    pub cache_read: Option<i64>,
    /// Micro-dollars per million prompt tokens written to the cache.
    pub cache_write: Option<i64>,
    /// Tokens that fit into prompt and answer together.
    pub context_tokens: Option<i64>,
    /// The most it may generate in one answer.
    pub max_output_tokens: Option<i64>,
    /// How it thinks.
    pub thinking: Option<Thinking>,
    /// How many tokens it may think.
    pub thinking_tokens: Option<i64>,
}

/// A price table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It is not TOML of the expected form.
    #[error("the price table is not valid")]
    Syntax(#[from] toml::de::Error),
    /// No row, or more than one, is marked as the default.
    #[error("the price table marks {0} models as default; it must mark exactly one")]
    Default(usize),
    /// A number below zero.
    #[error("the price of `{0}` is below zero; write micro-dollars per million tokens, 0 or more")]
    Negative(String),
}

/// The table.
#[derive(Clone, Debug)]
pub struct Prices {
    fallback: Row,
    rows: Vec<Row>,
    overrides: Vec<PriceOverride>,
}

/// What the adapters need to know of a model beside its profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    pub(crate) thinking: Option<Thinking>,
    pub(crate) thinking_off: Option<String>,
    pub(crate) chat_tools_effort: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    name: String,
    #[serde(default)]
    default: bool,
    input: i64,
    output: i64,
    cache_read: i64,
    cache_write: i64,
    context_tokens: i64,
    max_output_tokens: i64,
    thinking: Option<Thinking>,
    thinking_tokens: Option<i64>,
    thinking_off: Option<String>,
    chat_tools_effort: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    fallback: Row,
    model: Vec<Row>,
}

impl Prices {
    /// The built-in table with the operator's overrides merged over it; later ones win.
    pub fn new(overrides: Vec<PriceOverride>) -> Result<Self, PricesError> {
        let Table { fallback, model } = toml::from_str(TABLE)?;
        let defaults = model.iter().filter(|row| row.default).count();
        if defaults != 1 {
            return Err(PricesError::Default(defaults));
        }
        for o in &overrides {
            let prices = [o.input, o.output, o.cache_read, o.cache_write];
            if prices.into_iter().flatten().any(|price| price < 0) {
                return Err(PricesError::Negative(o.model.clone()));
            }
        }
        Ok(Self {
            fallback,
            rows: model,
            overrides,
        })
    }

    /// The name of the Claude model that agents use when nobody chose one.
    pub fn default_claude(&self) -> &str {
        let marked = self.rows.iter().find(|row| row.default);
        marked.map_or("", |row| row.name.as_str())
    }

    /// Price and limits of a model.
    pub(crate) fn profile(&self, provider: &str, model: &str) -> ModelProfile {
        let row = self.row(provider, model);
        ModelProfile {
            price: Price {
                input: row.input,
                output: row.output,
                cache_read: row.cache_read,
                cache_write: row.cache_write,
            },
            context_tokens: row.context_tokens,
            max_output_tokens: row.max_output_tokens,
            thinking_tokens: row.thinking_tokens,
        }
    }

    /// How a model wants to be asked.
    pub(crate) fn traits(&self, provider: &str, model: &str) -> Traits {
        let row = self.row(provider, model);
        Traits {
            thinking: row.thinking,
            thinking_off: row.thinking_off,
            chat_tools_effort: row.chat_tools_effort,
        }
    }

    /// The names in the table that fit.
    pub(crate) fn names(&self, fits: impl Fn(&str) -> bool) -> Vec<&str> {
        let names = self.rows.iter().map(|row| row.name.as_str());
        names.filter(|name| fits(name)).collect()
    }

    /// The models of one provider that overrides name.
    pub(crate) fn overridden(&self, provider: &str) -> impl Iterator<Item = &str> {
        let named = self
            .overrides
            .iter()
            .filter_map(|o| o.model.split_once('/'));
        named.filter_map(move |(at, model)| (at == provider).then_some(model))
    }

    /// Whether the price of a model is known.
    pub(crate) fn knows(&self, provider: &str, model: &str) -> bool {
        let priced = |o: &&PriceOverride| o.input.is_some() && o.output.is_some();
        let fits = |o: &PriceOverride| {
            o.model.split_once('/') == Some((provider, model)) || o.model == model
        };
        self.rows.iter().any(|row| names(&row.name, model))
            || self.overrides.iter().filter(priced).any(fits)
    }

    fn row(&self, provider: &str, model: &str) -> Row {
        let known = self.rows.iter().find(|row| names(&row.name, model));
        let mut row = known.unwrap_or(&self.fallback).clone();
        for o in &self.overrides {
            let at_provider = o.model.split_once('/') == Some((provider, model));
            if at_provider || o.model == model {
                merge(&mut row, o);
            }
        }
        row
    }
}

fn merge(row: &mut Row, o: &PriceOverride) {
    let set = |field: &mut i64, value: Option<i64>| *field = value.unwrap_or(*field);
    set(&mut row.input, o.input);
    set(&mut row.output, o.output);
    set(&mut row.cache_read, o.cache_read);
    set(&mut row.cache_write, o.cache_write);
    set(&mut row.context_tokens, o.context_tokens);
    set(&mut row.max_output_tokens, o.max_output_tokens);
    row.thinking = o.thinking.or(row.thinking);
    row.thinking_tokens = o.thinking_tokens.or(row.thinking_tokens);
}

/// Whether a row names this model. Gateways prefix the vendor and write `4.5` for `4-5`; vendors
/// append snapshot dates. Any other ending is a different model, which may cost anything.
fn names(row: &str, model: &str) -> bool {
    let model = model.rsplit('/').next().unwrap_or(model);
    let plain = |text: &str| text.to_ascii_lowercase().replace('.', "-");
    let (row, model) = (plain(row), plain(model));
    match model.strip_prefix(&row) {
        Some("" | "-latest") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(|date| {
            date.len() >= 8 && date.chars().all(|c| c.is_ascii_digit() || c == '-')
        }),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(prices: &Prices, model: &str) -> ModelProfile {
        let (provider, name) = model.split_once('/').unwrap();
        prices.profile(provider, name)
    }

    #[test]
    fn every_row_is_sound_and_the_default_is_a_claude() {
        let prices = Prices::new(Vec::new()).unwrap();
        assert!(prices.default_claude().starts_with("claude-"));
        for row in prices.rows.iter().chain([&prices.fallback]) {
            assert!(row.input > 0 && row.output > row.input, "{}", row.name);
            assert!(
                row.cache_read > 0 && row.cache_read < row.input,
                "{}",
                row.name
            );
            assert!(row.cache_write >= row.input, "{}", row.name);
            assert!(row.max_output_tokens < row.context_tokens, "{}", row.name);
            assert_eq!(row.thinking.is_some(), row.thinking_tokens.is_some());
            let twins = prices.rows.iter().filter(|other| other.name == row.name);
            assert!(twins.count() <= 1, "{} twice", row.name);
        }
    }

    #[test]
    fn snapshots_and_gateway_spellings_are_the_same_model() {
        let prices = Prices::new(Vec::new()).unwrap();
        let haiku = profile(&prices, "anthropic/claude-haiku-4-5");
        assert_eq!(haiku.price.input, 1_000_000);
        for same in [
            "anthropic/claude-haiku-4-5-20251001",
            "openrouter/anthropic/claude-haiku-4.5",
            "x/Claude-Haiku-4-5-latest",
        ] {
            assert_eq!(profile(&prices, same), haiku, "{same}");
        }
        assert_ne!(
            profile(&prices, "openai/gpt-5-mini"),
            profile(&prices, "openai/gpt-5")
        );
    }

    #[test]
    fn a_model_nobody_knows_is_dear_rather_than_free() {
        let prices = Prices::new(Vec::new()).unwrap();
        for unknown in ["local/qwen3:8b", "openai/gpt-5-turbo", "openai/gpt-5.9"] {
            assert_eq!(profile(&prices, unknown).price.output, 75_000_000);
        }
    }

    #[test]
    fn overrides_change_only_what_they_say() {
        let overrides: Vec<PriceOverride> = vec![
            toml::from_str("model = \"local/qwen3:8b\"\ninput = 0\noutput = 0").unwrap(),
            toml::from_str("model = \"gpt-5\"\ncontext_tokens = 1000").unwrap(),
        ];
        let prices = Prices::new(overrides).unwrap();
        let local = profile(&prices, "local/qwen3:8b");
        assert_eq!((local.price.input, local.price.output), (0, 0));
        assert_eq!(local.price.cache_read, 1_500_000);
        let gpt = profile(&prices, "openai/gpt-5");
        assert_eq!((gpt.context_tokens, gpt.price.input), (1000, 1_250_000));
    }
}
