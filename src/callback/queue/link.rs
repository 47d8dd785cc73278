//! The one connection of a queue: made when first needed, and anew after it broke.
//!
//! Guarantees: nothing takes longer than the time given; a connection that broke, or on which a confirmation did not
//! come in time, is used no more; a connection found broken under a message is replaced and the message sent once
//! more (receivers know it by its event id). Deliberately absent: what is spoken over it (`Protocol`).

use crate::callback::client::Answer;
use crate::callback::queue::server::Server;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use crate::callback::transport::accepted;
use crate::callback::transport::refused;
use crate::callback::transport::unreached;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio::time::timeout_at;

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The connection could not be made, or is gone.
    Lost(String),
    /// The server answered and did not take it; later it may.
    Refused(String),
    /// The server says it will never take this message.
    Unfit(String),
}

/// What is spoken with one kind of server.
pub(super) trait Protocol: Send + Sync + std::fmt::Debug {
    /// A connection that is ready for messages.
    type Session: Send + Sync + 'static;

    /// The server.
    fn server(&self) -> &Server;

    /// Connects and introduces itself.
    fn open(&self) -> impl Future<Output = Result<Self::Session, Trouble>> + Send;

    /// Whether the connection is still there, as far as is known.
    fn alive(&self, session: &Self::Session) -> bool;

    /// Sends one message and waits for its confirmation; what the server said to it.
    fn hand_over(
        &self,
        session: &Self::Session,
        message: &Message,
    ) -> impl Future<Output = Result<String, Trouble>> + Send;

    /// Takes leave of the server; nobody uses the session any more.
    fn part(&self, session: &Self::Session) -> impl Future<Output = ()> + Send;
}

/// A destination spoken to by a [`Protocol`].
pub(super) struct Link<P: Protocol> {
    protocol: P,
    slot: Mutex<Option<Arc<P::Session>>>,
}

impl<P: Protocol> std::fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.protocol).finish()
    }
}

impl<P: Protocol> Link<P> {
    /// A link that has not connected yet.
    pub(super) fn new(protocol: P) -> Self {
        Link {
            protocol,
            slot: Mutex::new(None),
        }
    }

    /// The connection, and whether it was made just now. Whoever comes while it is being made waits for it.
    async fn session(&self) -> Result<(Arc<P::Session>, bool), Trouble> {
        let mut slot = self.slot.lock().await;
        if let Some(session) = &*slot {
            if self.protocol.alive(session) {
                return Ok((Arc::clone(session), false));
            }
            *slot = None;
        }
        let session = Arc::new(self.protocol.open().await?);
        *slot = Some(Arc::clone(&session));
        Ok((session, true))
    }

    /// Lets others use this connection no more; who is waiting on it goes on doing so.
    async fn forget(&self, session: &Arc<P::Session>) {
        let mut slot = self.slot.lock().await;
        if slot.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, session)) {
            *slot = None;
        }
    }

    async fn try_send(&self, message: &Message, timeout: Duration) -> Result<String, Trouble> {
        let deadline = Instant::now() + timeout;
        let late = |what: &str| {
            let cause = format!("no {what} within {} s", timeout.as_secs_f32());
            self.protocol.server().lost(cause)
        };
        loop {
            let opened = timeout_at(deadline, self.session()).await;
            let (session, fresh) = opened.unwrap_or_else(|_| Err(late("connection")))?;
            let handed = timeout_at(deadline, self.protocol.hand_over(&session, message)).await;
            let timely = handed.is_ok();
            let result = handed.unwrap_or_else(|_| Err(late("confirmation")));
            match result {
                Err(Trouble::Lost(_)) => {
                    self.forget(&session).await;
                    if fresh || !timely {
                        return result;
                    }
                }
                other => return other,
            }
        }
    }
}

impl<P: Protocol> Transport for Link<P> {
    fn send<'a>(&'a self, message: &'a Message, timeout: Duration) -> BoxFuture<'a, Answer> {
        async move {
            let began = std::time::Instant::now();
            match self.try_send(message, timeout).await {
                Ok(said) => accepted(began, Some(said)),
                Err(Trouble::Lost(why) | Trouble::Refused(why)) => unreached(began, why),
                Err(Trouble::Unfit(why)) => refused(began, why, None),
            }
        }
        .boxed()
    }

    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        async move {
            let session = self.slot.lock().await.take();
            if let Some(session) = session {
                self.protocol.part(&session).await;
            }
        }
        .boxed()
    }
}
