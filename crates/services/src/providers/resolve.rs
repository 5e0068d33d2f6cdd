//! Finding whom to ask for a model: the environment first, then what people added.

use crate::Platform;
use domain::{id::TenantId, model::ModelRef};
use ports::{
    inference::{ResolvedModel, UnknownProvider},
    store::{StoreError, StoreTx},
};

/// Why nobody can be asked for a model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ModelProblem {
    /// There is no such provider, or no longer.
    #[error(transparent)]
    Unknown(UnknownProvider),
    /// It is there, but what is set for it does not do.
    #[error("the model provider `{provider}` cannot be used: {why}")]
    Unusable {
        /// The provider.
        provider: String,
        /// What is wrong, and the way out.
        why: String,
    },
}

/// Whom to ask for a model.
pub async fn resolve(
    platform: &Platform,
    tx: &dyn StoreTx,
    tenant: TenantId,
    model: &ModelRef,
) -> Result<Result<ResolvedModel, ModelProblem>, StoreError> {
    let mut unknown = match platform.models.resolve(model) {
        Ok(resolved) => return Ok(Ok(resolved)),
        Err(unknown) => unknown,
    };
    let repo = tx.providers();
    let Some(provider) = repo.named(tenant, model.provider()).await? else {
        let added = repo.list(tenant).await?;
        let names = added.iter().map(|provider| provider.name.to_string());
        unknown.configured.extend(names);
        return Ok(Err(ModelProblem::Unknown(unknown)));
    };
    let connected = platform.providers.connect(&provider);
    Ok(connected.map(|inference| ResolvedModel {
        model: model.clone(),
        profile: platform.providers.profile(provider.kind, model),
        inference,
    }))
}
