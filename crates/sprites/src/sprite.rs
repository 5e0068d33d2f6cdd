//! One sprite of a service as its users hold it. It is made, walled off and remembered at its first
//! use; what it does is in the modules beside this one.

use crate::{
    api::{Api, Twice},
    error::SpritesError,
    files::absolute,
    host::Inner,
    process::Door,
    shell::Shells,
    wire::sprite::Sprite as Described,
};
use domain::sprite::SpriteKey;
use ports::sandbox::SandboxError;
use reqwest::Method;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A handle; it costs nothing and may be kept.
pub(crate) struct RemoteSprite {
    pub(crate) inner: Arc<Inner>,
    pub(crate) key: SpriteKey,
}

/// A sprite that is there.
pub(crate) struct Place {
    pub(crate) door: Door,
    /// The home directory as its commands see it.
    pub(crate) home: String,
    pub(crate) shells: Shells,
    /// Somebody else removed it; the next use makes it anew.
    gone: AtomicBool,
}

impl Place {
    pub(crate) fn new(door: Door, home: String) -> Self {
        Self {
            shells: Shells::new(door.clone()),
            door,
            home,
            gone: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// A path as the service takes it.
    pub(crate) fn absolute(&self, path: &str) -> String {
        absolute(&self.home, path)
    }

    /// What callers hear of a failure.
    pub(crate) fn failed(&self, error: SpritesError) -> SandboxError {
        self.noticed(error, SandboxError::from)
    }

    /// The same, in words that fit the request.
    pub(crate) fn noticed(
        &self,
        error: SpritesError,
        words: impl FnOnce(SpritesError) -> SandboxError,
    ) -> SandboxError {
        if error.sprite_is_gone() {
            self.gone.store(true, Ordering::Release);
            let text = "the sprite was removed at the service; the next use makes a new, empty one";
            return SandboxError::Lost(text.into());
        }
        words(error)
    }

    /// The path of a request about this sprite.
    pub(crate) fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        let mut path = vec!["sprites", &*self.door.sprite];
        path.extend_from_slice(rest);
        path
    }
}

impl RemoteSprite {
    /// The sprite, made when it is not there yet.
    pub(crate) async fn place(&self) -> Result<Arc<Place>, SandboxError> {
        self.inner.place(self.key).await
    }

    /// The sprite if it is there; looking makes none.
    pub(crate) async fn existing(&self) -> Result<Option<Arc<Place>>, SandboxError> {
        let used = self.inner.known(self.key).filter(|place| !place.is_gone());
        if used.is_none() && self.described().await?.is_none() {
            return Ok(None);
        }
        self.place().await.map(Some)
    }

    pub(crate) fn api(&self) -> &Api {
        &self.inner.api
    }

    /// What the service says of it, without waking or making it.
    pub(crate) async fn described(&self) -> Result<Option<Described>, SandboxError> {
        let name = crate::host::name_of(self.key);
        let request = self.api().request(Method::GET, &["sprites", &name]);
        match self.api().json(request, Twice::Same).await {
            Ok(described) => Ok(Some(described)),
            Err(SpritesError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
