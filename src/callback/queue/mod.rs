//! Message queues as destinations: AMQP 0.9.1, NATS JetStream, MQTT 5 and Redis streams.
//!
//! Guarantees: a message counts as sent only when its server has confirmed that very message; one connection a
//! destination, made when first needed and anew after it broke; every address is checked when it is connected to;
//! messages name server and cause, never a password. Deliberately absent: order and repeats (`outbox`), and making
//! streams and queues where nobody asked for it.

pub mod amqp;
mod dial;
mod link;
pub mod mqtt;
pub mod nats;
pub mod redis;
mod server;
mod tls;

pub use amqp::amqp;
pub use mqtt::mqtt;
pub use nats::nats;
pub use redis::redis;

use crate::base::address::Reach;

/// How to reach a queue and where in it to put messages; each kind reads the parts that are its own.
#[derive(Clone)]
pub struct QueueOptions {
    /// How far the address may reach: [`Reach::Loopback`] for the configuration file's destinations alone.
    pub reach: Reach,
    /// AMQP: the exchange; empty: the default one.
    pub exchange: String,
    /// AMQP: the routing key; empty with a `queue`: the queue's name.
    pub routing_key: String,
    /// AMQP: the queue; with an `exchange` it is only named to be declared and bound.
    pub queue: String,
    /// AMQP: whether exchange (durable, kind topic) and queue (durable) are declared and bound when connecting.
    pub declare: bool,
    /// NATS: the subject; a JetStream stream must take it.
    pub subject: String,
    /// MQTT: the topic.
    pub topic: String,
    /// Redis: key of the stream.
    pub stream: String,
    /// Redis: about how many entries the stream keeps (`MAXLEN ~`); none: all.
    pub max_entries: Option<u64>,
    /// User name; one in the URL counts when this is none.
    pub user: Option<String>,
    /// Password; one in the URL counts when this is none. NATS, without a user: a token, or the text of a `.creds` file.
    pub password: Option<String>,
    /// Certificate authorities to trust besides those of the system, PEM.
    pub tls_ca_pem: Option<Vec<u8>>,
    /// Certificate and key to show, PEM, both in one.
    pub tls_identity_pem: Option<Vec<u8>>,
}

impl Default for QueueOptions {
    fn default() -> Self {
        QueueOptions {
            reach: Reach::Network,
            exchange: String::new(),
            routing_key: String::new(),
            queue: String::new(),
            declare: false,
            subject: String::new(),
            topic: String::new(),
            stream: String::new(),
            max_entries: None,
            user: None,
            password: None,
            tls_ca_pem: None,
            tls_identity_pem: None,
        }
    }
}

impl std::fmt::Debug for QueueOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |secret: bool| if secret { "set" } else { "none" };
        f.debug_struct("QueueOptions")
            .field("reach", &self.reach)
            .field("exchange", &self.exchange)
            .field("routing_key", &self.routing_key)
            .field("queue", &self.queue)
            .field("declare", &self.declare)
            .field("subject", &self.subject)
            .field("topic", &self.topic)
            .field("stream", &self.stream)
            .field("max_entries", &self.max_entries)
            .field("user", &self.user)
            .field("password", &hidden(self.password.is_some()))
            .field("tls_ca_pem", &hidden(self.tls_ca_pem.is_some()))
            .field("tls_identity_pem", &hidden(self.tls_identity_pem.is_some()))
            .finish()
    }
}
