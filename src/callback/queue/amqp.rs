//! AMQP 0.9.1 (RabbitMQ): each event is a persistent message, published with confirms and the mandatory flag.
//!
//! Guarantees: an event counts as sent when the broker has confirmed it and not returned it; nothing is declared
//! unless the options ask for it. One message at a time a channel, because a broker may confirm several at once and a
//! returned one is then not told from its neighbours; a connection has as many channels as messages are under way.
//! Deliberately absent: consuming.

use crate::base::fault::Fault;
use crate::callback::queue::QueueOptions;
use crate::callback::queue::link::Link;
use crate::callback::queue::link::Protocol;
use crate::callback::queue::link::Trouble;
use crate::callback::queue::server::Scheme;
use crate::callback::queue::server::Server;
use crate::callback::queue::server::refused;
use crate::callback::queue::tls::client_config;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use lapin::AsyncTcpStream;
use lapin::BasicProperties;
use lapin::Channel;
use lapin::Confirmation;
use lapin::Connection;
use lapin::ConnectionProperties;
use lapin::ErrorKind;
use lapin::ExchangeKind;
use lapin::options::BasicPublishOptions;
use lapin::options::ConfirmSelectOptions;
use lapin::options::ExchangeDeclareOptions;
use lapin::options::QueueBindOptions;
use lapin::options::QueueDeclareOptions;
use lapin::tcp::RustlsConnector;
use lapin::types::AMQPValue;
use lapin::types::FieldTable;
use lapin::types::LongString;
use lapin::types::ShortString;
use lapin::uri::AMQPAuthority;
use lapin::uri::AMQPQueryString;
use lapin::uri::AMQPScheme;
use lapin::uri::AMQPUri;
use lapin::uri::AMQPUserInfo;
use rustls::ClientConfig;
use std::sync::Arc;
use std::sync::Mutex;

const SCHEMES: [Scheme; 2] = [
    Scheme {
        name: "amqp",
        tls: false,
        port: 5672,
    },
    Scheme {
        name: "amqps",
        tls: true,
        port: 5671,
    },
];
/// Seconds after which a connection without a sign of life is dead.
const HEARTBEAT_S: u16 = 30;
/// Written to disk by the broker, where the queue is durable.
const PERSISTENT: u8 = 2;
/// Longest name in this protocol.
const NAME_MAX: usize = 255;
/// Reply code of an orderly good-bye.
const GOODBYE: u16 = 200;

/// A destination that is an exchange or a queue: `amqp://[USER:PASSWORD@]HOST[:PORT][/VHOST]`, or `amqps://`.
///
/// # Errors
/// A request fault of the address, the names or the certificates.
pub fn amqp(url: &str, options: &QueueOptions) -> Result<Box<dyn Transport>, Fault> {
    let server = Server::read(url, &SCHEMES, options)?;
    let refuse = |cause: &str, remedy: &str| Err(refused(&server.shown, cause, remedy));
    if options.exchange.is_empty() && options.queue.is_empty() {
        return refuse(
            "it has neither an exchange nor a queue",
            "Set exchange and routing_key, or queue.",
        );
    }
    if options.exchange.is_empty() && !options.routing_key.is_empty() && options.routing_key != options.queue {
        return refuse(
            "it has a routing key and no exchange to route by it",
            "Set exchange, or remove routing_key: without an exchange messages go to the queue of their name.",
        );
    }
    for name in [&options.exchange, &options.queue, &options.routing_key] {
        if name.len() > NAME_MAX {
            return refuse(
                "a name is longer than 255 bytes",
                "Shorten exchange, queue or routing_key.",
            );
        }
    }
    let routing_key = match options.routing_key.is_empty() {
        true if options.exchange.is_empty() => options.queue.clone(),
        _ => options.routing_key.clone(),
    };
    let tls = match server.tls {
        true => Some(Arc::new(client_config(&server.host, options)?)),
        false => None,
    };
    Ok(Box::new(Link::new(Amqp {
        server,
        tls,
        exchange: options.exchange.clone(),
        routing_key,
        queue: options.queue.clone(),
        declare: options.declare,
    })))
}

struct Amqp {
    server: Server,
    tls: Option<Arc<ClientConfig>>,
    exchange: String,
    routing_key: String,
    queue: String,
    declare: bool,
}

impl std::fmt::Debug for Amqp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Amqp")
            .field("server", &self.server)
            .field("exchange", &self.exchange)
            .field("routing_key", &self.routing_key)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// A connection, and its channels that wait for a message.
struct Session {
    connection: Connection,
    idle: Mutex<Vec<Channel>>,
}

impl Amqp {
    /// What an error of the broker or of the connection means.
    fn trouble(&self, error: &lapin::Error) -> Trouble {
        match error.kind() {
            // The broker answered in words: a missing exchange, a refused permission.
            ErrorKind::ProtocolError(said) => self.server.refused(said),
            ErrorKind::IOError(cause) => self.server.lost(cause),
            ErrorKind::MissingHeartbeatError => self.server.lost("the broker gave no sign of life"),
            _ => self.server.lost(error),
        }
    }

    async fn connect(&self) -> Result<Connection, Trouble> {
        let addresses = self.server.resolve().await?;
        let scheme = match self.tls {
            Some(_) => AMQPScheme::AMQPS,
            None => AMQPScheme::AMQP,
        };
        let uri = AMQPUri {
            scheme,
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo {
                    username: self.server.user.clone().unwrap_or_else(|| "guest".to_owned()),
                    password: self.server.password.clone().unwrap_or_else(|| "guest".to_owned()),
                },
                host: self.server.host.clone(),
                port: self.server.port,
            },
            vhost: match self.server.path.as_str() {
                "" => "/".to_owned(),
                name => name.to_owned(),
            },
            query: AMQPQueryString {
                heartbeat: Some(HEARTBEAT_S),
                ..AMQPQueryString::default()
            },
        };
        let runtime = lapin::runtime::default_runtime().map_err(|error| self.trouble(&error))?;
        let tls = self
            .tls
            .as_ref()
            .map(|config| RustlsConnector::from(Arc::clone(config)));
        let host = self.server.host.clone();
        let properties = ConnectionProperties::default().with_connection_name(LongString::from("reelmill"));
        Connection::connector(
            uri,
            runtime,
            async move |_uri, runtime| {
                let stream = AsyncTcpStream::connect(&runtime, addresses.clone()).await?;
                match &tls {
                    Some(connector) => Ok(stream.into_rustls(connector, &host).await?),
                    None => Ok(stream),
                }
            },
            properties,
        )
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::IOError(cause) => self.server.lost(format!("cannot connect: {cause}")),
            _ => self.trouble(&error),
        })
    }

    /// Makes durable what messages go to: the exchange, the queue, and the binding between them.
    async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let exchange = ShortString::from(self.exchange.as_str());
        if !self.exchange.is_empty() {
            let durable = ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            };
            channel
                .exchange_declare(exchange.clone(), ExchangeKind::Topic, durable, FieldTable::default())
                .await?;
        }
        if !self.queue.is_empty() {
            let queue = ShortString::from(self.queue.as_str());
            let durable = QueueDeclareOptions {
                durable: true,
                ..QueueDeclareOptions::default()
            };
            channel
                .queue_declare(queue.clone(), durable, FieldTable::default())
                .await?;
            if !self.exchange.is_empty() {
                let key = ShortString::from(self.routing_key.as_str());
                channel
                    .queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default())
                    .await?;
            }
        }
        Ok(())
    }

    async fn channel(&self, session: &Session) -> lapin::Result<Channel> {
        let idle = session.idle.lock().unwrap_or_else(|poison| poison.into_inner()).pop();
        if let Some(channel) = idle
            && channel.status().connected()
        {
            return Ok(channel);
        }
        let channel = session.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    async fn publish(&self, channel: &Channel, message: &Message) -> lapin::Result<Confirmation> {
        let mandatory = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let confirm = channel
            .basic_publish(
                ShortString::from(self.exchange.as_str()),
                ShortString::from(self.routing_key.as_str()),
                mandatory,
                &message.body,
                properties(message),
            )
            .await?;
        confirm.await
    }

    /// Where messages go, in words.
    fn place(&self) -> String {
        if self.exchange.is_empty() {
            format!("queue {}", self.routing_key)
        } else {
            format!("exchange {} with routing key \"{}\"", self.exchange, self.routing_key)
        }
    }
}

/// What a message says about itself besides its body.
fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &message.headers {
        if let Ok(name) = ShortString::try_new(name.as_str()) {
            headers.insert(name, AMQPValue::LongString(LongString::from(value.as_str())));
        }
    }
    let mut properties = BasicProperties::default()
        .with_content_type(ShortString::from("application/json"))
        .with_content_encoding(ShortString::from("utf-8"))
        .with_delivery_mode(PERSISTENT)
        .with_app_id(ShortString::from("reelmill"))
        .with_timestamp(u64::try_from(message.at.0.div_euclid(1_000)).unwrap_or(0))
        .with_headers(headers);
    if let Ok(id) = ShortString::try_new(message.event_id.as_str()) {
        properties = properties.with_message_id(id);
    }
    if let Ok(name) = ShortString::try_new(message.event_type.as_str()) {
        properties = properties.with_type(name);
    }
    properties
}

impl Protocol for Amqp {
    type Session = Session;

    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(&self) -> Result<Session, Trouble> {
        let session = Session {
            connection: self.connect().await?,
            idle: Mutex::new(Vec::new()),
        };
        let channel = self.channel(&session).await.map_err(|error| self.trouble(&error))?;
        if self.declare {
            self.declare(&channel).await.map_err(|error| self.trouble(&error))?;
        }
        session
            .idle
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .push(channel);
        Ok(session)
    }

    fn alive(&self, session: &Session) -> bool {
        session.connection.status().connected()
    }

    async fn hand_over(&self, session: &Session, message: &Message) -> Result<String, Trouble> {
        let channel = self.channel(session).await.map_err(|error| self.trouble(&error))?;
        let confirmed = self
            .publish(&channel, message)
            .await
            .map_err(|error| self.trouble(&error))?;
        // Only now it may carry another one: this far nothing of the last one is outstanding.
        session
            .idle
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .push(channel);
        match confirmed {
            Confirmation::Ack(None) => Ok(format!("confirmed by {}", self.place())),
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                Err(self.server.refused(format!(
                    "no queue takes messages of {} ({} {}); bind one to it, or set declare",
                    self.place(),
                    returned.reply_code,
                    returned.reply_text
                )))
            }
            Confirmation::Nack(None) => Err(self.server.refused(format!(
                "the broker did not take the message into {}: its queue may be full",
                self.place()
            ))),
            Confirmation::NotRequested => Err(self.server.lost("the broker does not confirm messages")),
        }
    }

    async fn part(&self, session: &Session) {
        // A broker that is gone needs no good-bye.
        let _ = session.connection.close(GOODBYE, ShortString::from("bye")).await;
    }
}

#[cfg(test)]
mod tests {
    use super::amqp;
    use crate::callback::queue::QueueOptions;

    #[test]
    fn a_place_for_messages_is_asked_for() {
        let refused = |options: QueueOptions| {
            let fault = amqp("amqp://u:secret@10.0.0.1", &options).expect_err("refused");
            assert!(!fault.to_string().contains("secret"), "{fault}");
            fault.to_string()
        };
        assert!(refused(QueueOptions::default()).contains("neither an exchange nor a queue"));
        let key_alone = QueueOptions {
            queue: "events".to_owned(),
            routing_key: "media".to_owned(),
            ..QueueOptions::default()
        };
        assert!(refused(key_alone).contains("no exchange"));
        let long = QueueOptions {
            exchange: "x".repeat(256),
            ..QueueOptions::default()
        };
        assert!(refused(long).contains("longer than 255"));
        let good = QueueOptions {
            queue: "events".to_owned(),
            ..QueueOptions::default()
        };
        let transport = amqp("amqp://u:secret@10.0.0.1", &good).expect("valid");
        assert!(!format!("{transport:?}").contains("secret"), "{transport:?}");
    }
}
