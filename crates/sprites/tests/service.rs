//! The contract of all sprites, kept by the client over the real service. It costs somebody money and
//! makes sprites in their account, so it runs only where `SPRITE_TOKEN` is set; `SPRITES_API_URL`
//! names another service than the public one.
#![expect(clippy::unwrap_used, reason = "test code")]

use async_trait::async_trait;
use domain::secret::Secret;
use ports::sandbox::SandboxHost;
use sprites::{SpritesHost, SpritesSettings, Timing};
use std::sync::Arc;
use test_kit::sandbox::{Ability, Harness, Place};

test_kit::sandbox_contract!(make);

const PUBLIC: &str = "https://api.sprites.dev";

/// The service.
struct Remote(Arc<SpritesHost>);

#[expect(clippy::unused_async, reason = "making a place is async elsewhere")]
#[expect(
    clippy::disallowed_methods,
    reason = "the test runner says whether there is a service, and nobody injects a client"
)]
async fn make() -> Option<Harness> {
    let Ok(token) = std::env::var("SPRITE_TOKEN") else {
        eprintln!("skipped: SPRITE_TOKEN is not set");
        return None;
    };
    drop(rustls::crypto::ring::default_provider().install_default());
    let base_url = std::env::var("SPRITES_API_URL").unwrap_or_else(|_absent| PUBLIC.to_owned());
    let client = SpritesHost::new(SpritesSettings {
        base_url,
        token: Secret::new(token),
        http: reqwest::Client::builder().http1_only().build().unwrap(),
        accept_open_network: false,
        timing: Timing::default(),
    });
    Some(Harness::new(Remote(Arc::new(client.unwrap()))))
}

#[async_trait]
impl Place for Remote {
    fn host(&self) -> Arc<dyn SandboxHost> {
        Arc::<SpritesHost>::clone(&self.0)
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::NoNetwork | Ability::Terminals | Ability::OwnProcesses | Ability::Ports => {
                true
            }
            // Inside it is a machine of its own whose user may become root, nobody can end it and
            // start it again from here, and it knows none of the contract's names.
            Ability::Restart | Ability::NamedHosts | Ability::Walls | Ability::LostProcesses => {
                false
            }
        }
    }

    async fn restart(&mut self) {
        unreachable!("nobody can end the service");
    }
}
