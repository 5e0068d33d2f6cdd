//! Opening connections to processes, new ones and those that run: the upgrade, then the message
//! that says whose connection it is.

use crate::{
    api::{Api, Socket, Twice},
    error::SpritesError,
    wire::exec::{ExecQuery, ServerMessage, SessionInfo},
};
use futures_util::StreamExt as _;
use std::{collections::VecDeque, sync::Arc};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Messages that may come before the one we wait for.
const EARLY: usize = 64;

/// Where processes of a sprite are.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) api: Arc<Api>,
    pub(crate) sprite: Arc<str>,
    /// Who holds the connections, and when they have to let go.
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// A connection to a process.
pub(crate) struct Session {
    pub(crate) socket: Socket,
    pub(crate) info: SessionInfo,
    /// What came before the information; it is the first of the output.
    pub(crate) early: VecDeque<Message>,
}

impl Door {
    /// Starts a process. It is tried once: whether an attempt that broke started it is not known.
    pub(crate) async fn start(&self, query: &ExecQuery) -> Result<Session, SpritesError> {
        let path = ["sprites", &*self.sprite, "exec"];
        let socket = self
            .api
            .socket(&path, &query.pairs(), Twice::Differs)
            .await?;
        self.introduced(socket).await
    }

    /// Connects to one that runs.
    pub(crate) async fn attach(
        &self,
        id: &str,
        query: &ExecQuery,
    ) -> Result<Session, SpritesError> {
        let path = ["sprites", &*self.sprite, "exec", id];
        let socket = self.api.socket(&path, &query.pairs(), Twice::Same).await?;
        self.introduced(socket).await
    }

    async fn introduced(&self, mut socket: Socket) -> Result<Session, SpritesError> {
        let deadline = Instant::now() + self.api.timing.answer;
        let mut early = VecDeque::new();
        while early.len() < EARLY {
            let message = timeout_at(deadline, socket.next()).await;
            let Ok(Some(Ok(message))) = message else {
                let text = "the connection to a process ended before it was introduced";
                return Err(SpritesError::Interrupted(text.into()));
            };
            match &message {
                Message::Text(text) => match serde_json::from_str(text) {
                    Ok(ServerMessage::SessionInfo(info)) => {
                        return Ok(Session {
                            socket,
                            info,
                            early,
                        });
                    }
                    Ok(ServerMessage::Error { message }) => {
                        return Err(SpritesError::Protocol(message));
                    }
                    // What is not understood is passed over here as everywhere.
                    _ => early.push_back(message),
                },
                Message::Binary(_) => early.push_back(message),
                Message::Close(_) => {
                    let text = "the connection to a process was closed before it was introduced";
                    return Err(SpritesError::Interrupted(text.into()));
                }
                _ => {}
            }
        }
        Err(SpritesError::Protocol(
            "a process was never introduced".into(),
        ))
    }
}
