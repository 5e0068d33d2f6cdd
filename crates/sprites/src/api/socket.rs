//! Connections of messages: the HTTP client makes the connection and asks for the upgrade, so that there is one
//! TLS stack, then the connection is taken over.

use super::{Api, Twice};
use crate::error::SpritesError;
use reqwest::{Method, StatusCode, Upgraded, header};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

/// A connection of messages.
pub(crate) type Socket = WebSocketStream<Upgraded>;

const LONGEST_MESSAGE: usize = 16 << 20;

impl Api {
    /// Opens one. The query is told to nobody: it may hold a command's environment.
    pub(crate) async fn socket(
        &self,
        path: &[&str],
        query: &[(&'static str, String)],
        twice: Twice,
    ) -> Result<Socket, SpritesError> {
        let key = generate_key();
        let request = self
            .request(Method::GET, path)
            .query(query)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, &key);
        let response = self.send(request, twice).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let text = format!("no WebSocket was opened (status {})", response.status());
            return Err(SpritesError::Protocol(text));
        }
        let accepted = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        if accepted
            .is_none_or(|value| value.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes())
        {
            return Err(SpritesError::Protocol(
                "the WebSocket was not accepted".into(),
            ));
        }
        let upgraded = response
            .upgrade()
            .await
            .map_err(SpritesError::from_client)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST_MESSAGE))
            .max_frame_size(Some(LONGEST_MESSAGE));
        Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
    }
}
