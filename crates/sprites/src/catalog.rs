//! The sprites of an organisation by name: made, looked at, listed, changed and removed. Also the
//! way for those that are not an agent's.

use crate::{
    api::{Api, Twice},
    error::SpritesError,
    wire::sprite::{CreateSprite, ListQuery, Sprite, SpriteList, UpdateSprite},
};
use reqwest::Method;
use std::sync::Arc;

const PAGE: i64 = 100;
const MOST_PAGES: usize = 1000;

/// The sprites a token can see.
pub struct Catalog {
    api: Arc<Api>,
}

impl Catalog {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self { api }
    }

    /// Makes one. A second attempt under the same name is [`SpritesError::Conflict`].
    pub async fn create(&self, wanted: &CreateSprite) -> Result<Sprite, SpritesError> {
        let request = self.api.request(Method::POST, &["sprites"]).json(wanted);
        self.api.json(request, Twice::Same).await
    }

    /// What the service says of one. It is not woken.
    pub async fn get(&self, name: &str) -> Result<Sprite, SpritesError> {
        let request = self.api.request(Method::GET, &["sprites", name]);
        self.api.json(request, Twice::Same).await
    }

    /// All whose names begin so, page by page.
    pub async fn list(&self, prefix: Option<&str>) -> Result<Vec<Sprite>, SpritesError> {
        let mut query = ListQuery {
            prefix: prefix.map(str::to_owned),
            max_results: Some(PAGE),
            continuation_token: None,
        };
        let mut sprites = Vec::new();
        for _ in 0..MOST_PAGES {
            let request = self.api.request(Method::GET, &["sprites"]).query(&query);
            let page: SpriteList = self.api.json(request, Twice::Same).await?;
            sprites.extend(page.sprites);
            query.continuation_token = page.next_continuation_token;
            if !page.has_more || query.continuation_token.is_none() {
                return Ok(sprites);
            }
        }
        Err(SpritesError::Protocol(
            "the list of sprites has no end".into(),
        ))
    }

    /// Changes how its URL is reached, or its labels.
    pub async fn update(&self, name: &str, change: &UpdateSprite) -> Result<Sprite, SpritesError> {
        let request = self.api.request(Method::PUT, &["sprites", name]);
        self.api.json(request.json(change), Twice::Same).await
    }

    /// Removes one with all in it, for good. One that is not there is fine.
    pub async fn destroy(&self, name: &str) -> Result<(), SpritesError> {
        let request = self.api.request(Method::DELETE, &["sprites", name]);
        match self.api.send(request, Twice::Same).await {
            Ok(_) | Err(SpritesError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
