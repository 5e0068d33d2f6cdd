//! Resolving models, and settings that cannot work.

use crate::support::{KEY, client, request, settings, user};
use domain::{
    model::{ModelRef, Usage},
    provider::ProviderKind,
    secret::Secret,
};
use inference::{Catalog, Family, Prices, ProviderSettings, Settings, SettingsError};
use ports::{
    clock::Clock,
    inference::{Connector as _, Models as _, ProviderFacts},
};
use simulators::model::{ModelSimulator, Options};
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

fn added(kind: ProviderKind, base_url: Option<&str>) -> ProviderFacts {
    ProviderFacts {
        name: "added".to_owned(),
        kind,
        base_url: base_url.map(str::to_owned),
        has_key: true,
    }
}

#[tokio::test]
async fn a_provider_that_was_added_is_asked_with_its_own_key() {
    let simulator = ModelSimulator::start(Options::default()).await.unwrap();
    let catalog = build(settings(Family::Anthropic, "http://127.0.0.1:1")).unwrap();
    let place = simulator.openai_base_url();
    let added = added(ProviderKind::OpenAi, Some(&place));
    let inference = catalog.connect(&added, Some(Secret::new(KEY))).unwrap();
    let _answer = inference.ask(request(vec![user("hello")])).await.unwrap();
    let asked = simulator.requests().remove(0);
    assert_eq!(
        asked.header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
}

#[test]
fn an_address_that_may_not_be_called_is_refused_however_it_is_written() {
    let catalog = build(settings(Family::Anthropic, "http://127.0.0.1:1")).unwrap();
    let connect = |url: &str| {
        let added = added(ProviderKind::OpenAi, Some(url));
        catalog.connect(&added, None).map(drop)
    };
    for url in [
        "http://169.254.169.254/v1",
        "http://2852039166/v1",
        "http://0xa9fea9fe",
        "http://[::ffff:169.254.169.254]/v1",
        "http://[fd00:ec2::254]/v1",
    ] {
        let why = connect(url).unwrap_err().to_string();
        assert!(why.contains("link-local or metadata"), "{url}: {why}");
    }
    for url in ["http://user:password@h/v1", "http://h/v1?key=x"] {
        let why = connect(url).unwrap_err().to_string();
        assert!(why.contains("the key as the key"), "{url}: {why}");
    }
    assert!(
        connect("ftp://h")
            .unwrap_err()
            .to_string()
            .contains("not an http(s) URL")
    );
    assert!(connect("http://127.0.0.1:8080/v1").is_ok());
}

#[test]
fn a_vendor_is_known_to_serve_its_models_and_a_stranger_none() {
    let catalog = build(settings(Family::Anthropic, "http://127.0.0.1:1")).unwrap();
    let vendor = catalog.known(&added(ProviderKind::Anthropic, None));
    assert!(
        vendor
            .iter()
            .all(|known| known.priced && known.model.name().starts_with("claude-"))
    );
    assert!(vendor.len() > 3);
    assert!(
        catalog
            .known(&added(ProviderKind::OpenAi, Some("http://h/v1")))
            .is_empty()
    );
    let own = catalog.own().remove(0);
    let default = catalog.known(&own);
    assert_eq!(default.len(), 1);
    assert!(!default[0].priced);
}
