//! Whether a model answers: one short question, at the provider's price. The only calls of a model that no budget counts,
//! because a person asks for each.

use super::{facts, load, resolve};
use crate::{Context, Error};
use domain::{
    access::{Area, Right},
    audit::{Change, Subject},
    id::ProviderId,
    message::{Part, Role, Trust},
    model::ModelRef,
    provider::{Provider, ProviderHealth},
};
use ports::{
    inference::{Inference, ModelRequest, Turn},
    store::StoreTx,
};
use serde_json::json;
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use uuid::Uuid;

/// How long a provider may take to begin an answer when it is tested; less than a request may take.
const TEST_TIME: Duration = Duration::from_secs(20);
/// What a test may have generated; some providers refuse to be asked for less.
const TEST_TOKENS: i64 = 64;

/// What a test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Whether it answered.
    pub ok: bool,
    /// What was asked, or the failure, in words for a person.
    pub detail: String,
    /// How long that took.
    pub took: Duration,
}

/// Asks a model of a provider that people added, and notes whether it answered.
#[tracing::instrument(name = "providers.test", skip_all, fields(tenant.id = %context.tenant, provider.id = %id))]
pub async fn test(
    context: &Context,
    id: ProviderId,
    model: Option<String>,
) -> Result<Tested, Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    let tx = context.read().await?;
    let provider = load(context, tx.as_ref(), id).await?;
    drop(tx);
    let model = if let Some(model) = model {
        reference(&format!("{}/{model}", provider.name))?
    } else {
        let known = context.platform.providers.known(&facts(&provider));
        let first = known.into_iter().next().map(|known| known.model);
        first.ok_or_else(|| {
            Error::invalid(
                "model",
                "name a model that this provider serves, without the provider",
            )
        })?
    };
    of_added(context, &provider, &model).await
}

/// Asks a model, whoever gave its provider. Of one of the environment only the audit trail says that it was asked.
///
/// # Errors
/// `Invalid` when there is no such provider.
#[tracing::instrument(name = "models.test", skip_all, fields(tenant.id = %context.tenant))]
pub async fn test_model(context: &Context, model: &str) -> Result<Tested, Error> {
    context.authorise(Area::Settings, Right::Administer)?;
    let model = reference(model)?;
    let own = context.platform.models.providers();
    let tx = context.read().await?;
    if !own.iter().any(|name| name == model.provider()) {
        let added = tx.providers();
        let named = added.named(context.tenant, model.provider()).await?;
        drop(added);
        if let Some(provider) = named {
            drop(tx);
            return of_added(context, &provider, &model).await;
        }
    }
    let resolved = resolve(&context.platform, tx.as_ref(), context.tenant, &model).await?;
    drop(tx);
    let resolved = resolved.map_err(|problem| Error::invalid("model", problem.to_string()))?;
    let tested = ask(context, resolved.inference.as_ref(), &model).await;
    let tx = context.write().await?;
    note(context, tx.as_ref(), (None, &model), &tested).await?;
    tx.commit().await?;
    Ok(tested)
}

async fn of_added(
    context: &Context,
    provider: &Provider,
    model: &ModelRef,
) -> Result<Tested, Error> {
    let tested = match context.platform.providers.connect(provider) {
        Ok(inference) => ask(context, inference.as_ref(), model).await,
        Err(problem) => answer(context, model, (Err(problem.to_string()), Duration::ZERO)),
    };
    let tx = context.change().await?;
    let now = tx.providers().find(context.tenant, provider.id).await?;
    // What was changed meanwhile was not what was asked.
    if let Some(mut same) = now.filter(|now| now.updated_at == provider.updated_at) {
        same.health = if tested.ok {
            ProviderHealth::Ok
        } else {
            ProviderHealth::Failed
        };
        same.health_detail = (!tested.ok).then(|| tested.detail.clone());
        tx.providers().update(&same).await?;
    }
    let of = (Some(provider.id.as_uuid()), model);
    note(context, tx.as_ref(), of, &tested).await?;
    tx.commit().await?;
    Ok(tested)
}

async fn note(
    context: &Context,
    tx: &dyn StoreTx,
    (id, model): (Option<Uuid>, &ModelRef),
    tested: &Tested,
) -> Result<(), Error> {
    let change = Change {
        action: "provider.tested",
        subject: Subject {
            kind: "provider",
            id,
            name: Some(model.provider().to_owned()),
        },
        before: None,
        after: Some(json!({ "model": model.to_string(), "ok": tested.ok })),
    };
    context.audit(tx, change).await
}

async fn ask(context: &Context, inference: &dyn Inference, model: &ModelRef) -> Tested {
    let clock = &context.platform.clock;
    let began = clock.now();
    let mut asked = pin!(inference.ask(question(model)));
    let mut time = pin!(clock.sleep(TEST_TIME));
    let first = poll_fn(|task| match asked.as_mut().poll(task) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => time.as_mut().poll(task).map(|()| None),
    });
    let outcome = match first.await {
        Some(Ok(_answer)) => Ok(()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err(format!("no answer within {} s", TEST_TIME.as_secs())),
    };
    let took = (clock.now() - began).to_std().unwrap_or_default();
    answer(context, model, (outcome, took))
}

fn answer(
    context: &Context,
    model: &ModelRef,
    (outcome, took): (Result<(), String>, Duration),
) -> Tested {
    let detail = match &outcome {
        Ok(()) => format!("{model} answered"),
        Err(why) => {
            let text = format!("{model} did not answer: {why}");
            context.platform.providers.redact(&text)
        }
    };
    Tested {
        ok: outcome.is_ok(),
        detail,
        took,
    }
}

fn reference(model: &str) -> Result<ModelRef, Error> {
    ModelRef::parse(model).map_err(|error| Error::invalid("model", error.to_string()))
}

fn question(model: &ModelRef) -> ModelRequest {
    ModelRequest {
        model: model.name().to_owned(),
        system: "Answer with one word.".to_owned(),
        turns: vec![Turn {
            role: Role::User,
            parts: vec![Part::human("Say hello.", Trust::Trusted)],
        }],
        tools: Vec::new(),
        max_output_tokens: TEST_TOKENS,
        thinking_tokens: None,
    }
}
