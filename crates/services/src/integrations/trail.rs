//! What the audit trail is told of integrations: their settings without secrets, and which secrets were given anew.

use crate::{Context, Error};
use domain::{
    audit::Change,
    integration::{Integration, Visibility},
};
use ports::store::BoxTx;
use serde_json::{Value, json};

/// Notes a change to an integration; `given` are the settings that came with it.
pub(super) async fn note(
    context: &Context,
    tx: &BoxTx,
    action: &'static str,
    (before, after): (Option<&Integration>, Option<&Integration>),
    given: &[String],
) -> Result<(), Error> {
    let Some(integration) = after.or(before) else {
        return Ok(());
    };
    let facts = |integration| facts(context, integration);
    let mut change = change(action, integration).between(before.map(facts), after.map(facts));
    // Sealed text is never the same twice, so that it does not tell which secret is another one.
    let secret = context.platform.channels.secret_fields(integration.channel);
    let anew: Vec<_> = given
        .iter()
        .filter(|field| secret.contains(&field.as_str()))
        .collect();
    if let (false, Some(Value::Object(now))) = (anew.is_empty(), &mut change.after) {
        now.insert("secrets_changed".to_owned(), json!(anew));
    }
    context.audit(tx.as_ref(), change).await
}

/// A change to an integration.
pub(super) fn change(action: &'static str, integration: &Integration) -> Change {
    let id = integration.id.as_uuid();
    Change::to(action, "integration", id, Some(integration.name.clone()))
}

fn facts(context: &Context, integration: &Integration) -> Value {
    let channels = &context.platform.channels;
    let is_set = |field: &&&str| {
        let value = integration.config.get(**field);
        value.is_some_and(|value| !value.is_null())
    };
    let secrets = channels.secret_fields(integration.channel);
    json!({
        "name": integration.name,
        "type": integration.channel,
        "enabled": integration.enabled,
        "agent_ids": match &integration.visibility {
            Visibility::AllAgents => None,
            Visibility::Agents(ids) => Some(ids),
        },
        "config": channels.public(integration),
        "secrets": secrets.iter().filter(is_set).collect::<Vec<_>>(),
    })
}
