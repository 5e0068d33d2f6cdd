//! The models of a server that knows one of them. Who answers for it is the business of each test.

use domain::{model::ModelRef, provider::ProviderKind, secret::Secret};
use ports::inference::{
    Connector, Inference, InvalidConnection, KnownModel, ModelProfile, Models, ProviderFacts,
    ResolvedModel, UnknownProvider,
};
use std::sync::Arc;

/// A model that everybody reaches, whoever was meant. Only its own provider is configured.
pub struct OneModel(pub ResolvedModel);

impl Models for OneModel {
    fn default_model(&self) -> ModelRef {
        self.0.model.clone()
    }

    fn resolve(&self, model: &ModelRef) -> Result<ResolvedModel, UnknownProvider> {
        if model.provider() != self.0.model.provider() {
            return Err(UnknownProvider {
                provider: model.provider().to_owned(),
                configured: self.providers(),
            });
        }
        let model = model.clone();
        Ok(ResolvedModel {
            model,
            ..self.0.clone()
        })
    }

    fn providers(&self) -> Vec<String> {
        vec![self.0.model.provider().to_owned()]
    }
}

impl Connector for OneModel {
    fn own(&self) -> Vec<ProviderFacts> {
        vec![ProviderFacts {
            name: self.0.model.provider().to_owned(),
            kind: ProviderKind::Demo,
            base_url: None,
            has_key: false,
        }]
    }

    fn connect(
        &self,
        _provider: &ProviderFacts,
        _key: Option<Secret>,
    ) -> Result<Arc<dyn Inference>, InvalidConnection> {
        Ok(Arc::clone(&self.0.inference))
    }

    fn profile(&self, _kind: ProviderKind, _model: &ModelRef) -> ModelProfile {
        self.0.profile.clone()
    }

    fn known(&self, provider: &ProviderFacts) -> Vec<KnownModel> {
        let is_own = provider.name == self.0.model.provider();
        let known = is_own.then(|| KnownModel {
            model: self.0.model.clone(),
            profile: self.0.profile.clone(),
            priced: true,
        });
        known.into_iter().collect()
    }
}
