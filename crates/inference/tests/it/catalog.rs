//! Resolving models, and settings that cannot work.

use crate::support::{client, settings};
use domain::{
    model::{ModelRef, Usage},
    secret::Secret,
};
use inference::{Catalog, Family, Prices, ProviderSettings, Settings, SettingsError};
use ports::{clock::Clock, inference::Models as _};
use std::sync::Arc;
use test_kit::fakes::FakeClock;

fn build(settings: Settings) -> Result<Catalog, SettingsError> {
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::default());
    Catalog::new(settings, &client(), &clock)
}

fn model(text: &str) -> ModelRef {
    ModelRef::parse(text).unwrap()
}

#[test]
fn models_resolve_to_their_price_and_the_demo_is_free() {
    let mut settings = settings(Family::Anthropic, "http://127.0.0.1:1");
    settings.providers.push(ProviderSettings::demo());
    let catalog = build(settings).unwrap();
    assert_eq!(catalog.providers(), ["demo", "p"]);

    let usage = Usage {
        input: 1_000_000,
        ..Usage::default()
    };
    let claude = Prices::new(Vec::new()).unwrap().default_claude().to_owned();
    let known = catalog.resolve(&model(&format!("p/{claude}"))).unwrap();
    assert_eq!(known.profile.price.cost(usage).0, known.profile.price.input);
    assert!(known.profile.thinking_tokens.is_some());
    let unknown = catalog.resolve(&model("p/whatever")).unwrap();
    assert!(unknown.profile.price.cost(usage) > known.profile.price.cost(usage));
    let demo = catalog.resolve(&model("demo/scripted")).unwrap();
    assert_eq!(demo.profile.price.cost(usage).0, 0);
}

#[test]
fn a_provider_that_is_not_there_is_named_with_those_that_are() {
    let catalog = build(settings(Family::OpenAi, "http://127.0.0.1:1/v1")).unwrap();
    let error = catalog.resolve(&model("mistral/x")).err().unwrap();
    assert_eq!(
        error.to_string(),
        "no model provider `mistral` is configured; configured: p"
    );
}

#[test]
fn settings_that_cannot_work_are_refused_with_the_reason() {
    let message = |settings| build(settings).err().unwrap().to_string();

    let bad_url = settings(Family::OpenAi, "localhost:8080/v1");
    assert_eq!(
        message(bad_url),
        "`localhost:8080/v1` of model provider `p` is not an http(s) URL"
    );
    let mut twice = settings(Family::OpenAi, "http://h/v1");
    twice
        .providers
        .extend(settings(Family::OpenAi, "http://h/v1").providers);
    assert!(message(twice).contains("two model providers are named `p`"));
    let mut bad_key = settings(Family::OpenAi, "http://h/v1");
    bad_key.providers[0].api_key = Some(Secret::new("sk-1\nsk-2"));
    let text = message(bad_key);
    assert!(
        text.contains("line break") && !text.contains("sk-1"),
        "{text}"
    );
    let mut no_default = settings(Family::OpenAi, "http://h/v1");
    no_default.default_model = model("anthropic/claude");
    assert!(message(no_default).contains("no model provider `anthropic`"));
}
