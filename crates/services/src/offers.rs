//! What agents can be given: the tools there are, and the models that providers are known to serve.

use crate::{Context, Error, providers};
use domain::{
    access::{Area, Right},
    model::ModelRef,
};
use ports::inference::{KnownModel, ToolSpec};

/// The models an agent can think with.
#[derive(Clone, Debug, PartialEq)]
pub struct Models {
    /// The model of agents that name none.
    pub default_model: ModelRef,
    /// Those that are known; a provider may serve others.
    pub known: Vec<KnownModel>,
}

/// All tools, by name.
pub fn tools(context: &Context) -> Result<&[ToolSpec], Error> {
    context.authorise(Area::Agents, Right::Read)?;
    Ok(&context.platform.tools)
}

/// All models that are known, provider by provider.
pub async fn models(context: &Context) -> Result<Models, Error> {
    context.authorise(Area::Agents, Right::Read)?;
    let platform = &context.platform;
    let own = platform.providers.own();
    let tx = context.read().await?;
    let added = tx.providers().list(context.tenant).await?;
    let added = added.iter().map(providers::facts);
    let added = added.filter(|one| own.iter().all(|own| own.name != one.name));
    let mut known: Vec<_> = own
        .iter()
        .cloned()
        .chain(added)
        .flat_map(|provider| platform.providers.known(&provider))
        .collect();
    known.sort_by(|one, other| one.model.provider().cmp(other.model.provider()));
    Ok(Models {
        default_model: platform.models.default_model(),
        known,
    })
}

/// Checks names of tools; each counts once.
pub(crate) fn chosen(
    context: &Context,
    names: Option<Vec<String>>,
) -> Result<Option<Vec<String>>, Error> {
    let Some(mut names) = names else {
        return Ok(None);
    };
    let known = &context.platform.tools;
    if let Some(unknown) = names
        .iter()
        .find(|name| known.iter().all(|tool| tool.name != name.as_str()))
    {
        let all: Vec<_> = known.iter().map(|tool| tool.name).collect();
        return Err(Error::invalid(
            "tools",
            format!(
                "there is no tool `{unknown}`; there are: {}",
                all.join(", ")
            ),
        ));
    }
    names.sort_unstable();
    names.dedup();
    Ok(Some(names))
}
