//! `nitejar demo`: a short story played against simulated services and printed as it happens. The
//! server, the store, the sandbox and the channel are the real ones; only Telegram is a stand-in, and
//! the model is the built-in one.

use super::{
    say,
    serve::{Duty, Server},
};
use crate::{
    cli::Failure,
    config::{Config, Source},
};
use anyhow::Context as _;
use domain::{
    channel::ChannelType,
    event::{EventKind, JobEvent},
    integration::Visibility,
    secret::Redactor,
};
use futures_util::StreamExt;
use ports::live::{EventFeed, Live, LiveStream};
use serde_json::{Value, json};
use services::{Context, agents, integrations};
use simulators::telegram::{Chat, Person, TelegramSimulator};
use std::{sync::Arc, time::Duration};

/// The story must be over by then, or something is wrong.
const LONGEST: Duration = Duration::from_mins(1);

/// Plays the story in a temporary directory that is removed afterwards.
pub async fn run(config: Config) -> Result<(), Failure> {
    let home = tempfile::tempdir().context("a temporary directory cannot be made")?;
    let values = [
        ("PORT", "0".to_owned()),
        ("DATA_DIR", home.path().display().to_string()),
        ("AGENT_MODEL", "demo/scripted".to_owned()),
        ("SANDBOX_MIN_TIER", config.sandboxes.min_tier.to_string()),
    ];
    let config = Config::from_source(&Source::from_values(values))?;
    let telegram = TelegramSimulator::start()
        .await
        .context("the Telegram stand-in cannot start")?;
    let server = Server::start(
        &config,
        Duty::Everything,
        Arc::new(Redactor::default()),
        Arc::new(String::new),
    )
    .await?;
    say("A Nitejar server is running with a simulated Telegram and the built-in demo model.\n")?;
    let told = tokio::time::timeout(LONGEST, tell(&server, &telegram)).await;
    server.stop(std::future::pending()).await?;
    told.context("the story took too long")??;
    say(
        "\nThat was the whole path: message in, agent, sandbox, reply out. Nothing left this machine.",
    )?;
    Ok(say(
        "Start your own: `nitejar serve`, then open http://127.0.0.1:3000/docs",
    )?)
}

async fn tell(server: &Server, telegram: &TelegramSimulator) -> anyhow::Result<()> {
    let context = Context::system(
        Arc::clone(&server.platform),
        server.platform.settings.home_tenant,
    );
    prepare(&context, telegram).await?;
    let mut feed = server.feed.subscribe(context.tenant, None);
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);

    let first = "create a script hello.sh that prints Hello from the sandbox and run it, then think for 2 seconds";
    person(first)?;
    telegram.say(&chat, &kim, first);
    watch(&mut feed, |event| event.kind == EventKind::ToolStarted).await?;

    let second = "also run `wc -c hello.sh`";
    person(second)?;
    telegram.say(&chat, &kim, second);
    watch(&mut feed, is_delivered).await?;

    let third = "what did you do?";
    person(third)?;
    telegram.say(&chat, &kim, third);
    watch(&mut feed, is_delivered).await
}

/// One agent and one bot: all a person has to set up.
async fn prepare(context: &Context, telegram: &TelegramSimulator) -> anyhow::Result<()> {
    agents::create(
        context,
        agents::CreateAgent {
            name: "Ada".to_owned(),
            ..Default::default()
        },
    )
    .await?;
    let config =
        json!({ "bot_token": TelegramSimulator::TOKEN, "api_base_url": telegram.base_url() });
    let request = integrations::CreateIntegration {
        channel: ChannelType::Telegram,
        name: "Demo bot".to_owned(),
        config: config.as_object().cloned().unwrap_or_default(),
        visibility: Visibility::AllAgents,
        enabled: true,
    };
    integrations::create(context, request).await?;
    Ok(())
}

/// Prints what happens until the wanted event has happened.
async fn watch(feed: &mut LiveStream, wanted: impl Fn(&JobEvent) -> bool) -> anyhow::Result<()> {
    while let Some(live) = feed.next().await {
        if let Live::Event(event) = live {
            narrate(&event)?;
            if wanted(&event) {
                return Ok(());
            }
        }
    }
    anyhow::bail!("the server stopped in the middle of the story")
}

fn narrate(event: &JobEvent) -> anyhow::Result<()> {
    let payload = &event.payload;
    let text = |name: &str| {
        payload
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match event.kind {
        EventKind::JobStatus => say(format!("  · job {}", text("status"))),
        EventKind::ToolStarted => say(format!("  → {} {}", text("name"), arguments(payload))),
        EventKind::ToolFinished => say(format!("  ← {}", text("status"))),
        EventKind::Message if text("role") == "assistant" => spoken(payload),
        EventKind::Effect if text("status") == "sent" && text("slot") == "reply" => {
            say("  ✓ reply delivered\n")
        }
        EventKind::Approval => say(format!("  ? {} {}", text("question"), text("status"))),
        EventKind::Message | EventKind::Effect | EventKind::Usage => Ok(()),
    }
}

fn spoken(message: &Value) -> anyhow::Result<()> {
    let parts = message
        .get("parts")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for line in parts
        .iter()
        .filter_map(|part| part.get("text")?.as_str())
        .flat_map(str::lines)
    {
        say(format!("Ada: {line}"))?;
    }
    Ok(())
}

fn arguments(call: &Value) -> String {
    let value = call
        .get("arguments")
        .and_then(|arguments| arguments.get("value"));
    let shown =
        value.and_then(|value| value.get("command").or_else(|| value.get("path"))?.as_str());
    shown.unwrap_or_default().replace('\n', " ")
}

fn is_delivered(event: &JobEvent) -> bool {
    let is =
        |name: &str, value: &str| event.payload.get(name).and_then(Value::as_str) == Some(value);
    event.kind == EventKind::Effect && is("slot", "reply") && is("status", "sent")
}

fn person(text: &str) -> anyhow::Result<()> {
    say(format!("Kim: {text}"))
}
