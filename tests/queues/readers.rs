//! What a receiver finds in each queue, read with the protocols' own clients.

use crate::servers::Kind;
use crate::servers::PASSWORD;
use crate::servers::Server;
use crate::servers::USER;
use futures_util::StreamExt;
use lapin::options::BasicGetOptions;
use lapin::types::AMQPValue;
use rumqttc::v5::Event;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

/// Name of the queue, stream, topic or subject of every test.
pub const PLACE: &str = "media.events";

/// One message as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub event_id: String,
    pub event_type: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Someone who reads a server's messages.
pub enum Reader {
    Queue(lapin::Connection),
    Stream(Box<async_nats::jetstream::Context>),
    Topic(Arc<Mutex<Vec<Found>>>, tokio::task::JoinHandle<()>),
    Entries(redis::aio::MultiplexedConnection),
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Reader::Topic(_, task) = self {
            task.abort();
        }
    }
}

impl Reader {
    /// Comes to a plain server; where the protocol wants it, it makes the place that messages go to.
    pub async fn new(server: &Server, make: bool) -> Reader {
        let port = server.port;
        match server.kind {
            Kind::Rabbit => {
                let uri = lapin::uri::AMQPUri {
                    authority: lapin::uri::AMQPAuthority {
                        userinfo: lapin::uri::AMQPUserInfo {
                            username: USER.to_owned(),
                            password: PASSWORD.to_owned(),
                        },
                        host: "127.0.0.1".to_owned(),
                        port,
                    },
                    ..lapin::uri::AMQPUri::default()
                };
                let connection = lapin::Connection::connect_uri(uri, lapin::ConnectionProperties::default())
                    .await
                    .expect("the broker lets the reader in");
                if make {
                    let channel = connection.create_channel().await.expect("a channel");
                    let durable = lapin::options::QueueDeclareOptions {
                        durable: true,
                        ..Default::default()
                    };
                    channel
                        .queue_declare(PLACE.into(), durable, Default::default())
                        .await
                        .expect("a queue");
                }
                Reader::Queue(connection)
            }
            Kind::Nats => {
                let client = async_nats::ConnectOptions::with_user_and_password(USER.to_owned(), PASSWORD.to_owned())
                    .connect(format!("nats://127.0.0.1:{port}"))
                    .await
                    .expect("the server lets the reader in");
                let context = async_nats::jetstream::new(client);
                if make {
                    context
                        .get_or_create_stream(async_nats::jetstream::stream::Config {
                            name: "EVENTS".to_owned(),
                            subjects: vec!["media.>".to_owned()],
                            ..Default::default()
                        })
                        .await
                        .expect("a stream");
                }
                Reader::Stream(Box::new(context))
            }
            Kind::Mosquitto => {
                let found = Arc::new(Mutex::new(Vec::new()));
                let (subscribed, ready) = tokio::sync::oneshot::channel();
                let task = tokio::spawn(subscribe(port, Arc::clone(&found), subscribed));
                ready.await.expect("subscribed");
                Reader::Topic(found, task)
            }
            Kind::Redis => {
                let who = redis::RedisConnectionInfo::default()
                    .set_username(USER)
                    .set_password(PASSWORD);
                let stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
                    .await
                    .expect("connected");
                let (connection, driver) = redis::aio::MultiplexedConnection::new_with_config(
                    &who,
                    stream,
                    redis::AsyncConnectionConfig::new(),
                )
                .await
                .expect("the server lets the reader in");
                tokio::spawn(driver);
                Reader::Entries(connection)
            }
        }
    }

    /// Everything there is, oldest first. A queue is emptied by it.
    pub async fn all(&mut self) -> Vec<Found> {
        match self {
            Reader::Queue(connection) => from_queue(connection).await,
            Reader::Stream(context) => from_stream(context).await,
            Reader::Topic(found, _) => {
                // What the broker has acknowledged it may still be handing on.
                tokio::time::sleep(Duration::from_millis(500)).await;
                found.lock().expect("not poisoned").clone()
            }
            Reader::Entries(connection) => from_entries(connection).await,
        }
    }
}

async fn from_queue(connection: &lapin::Connection) -> Vec<Found> {
    let channel = connection.create_channel().await.expect("a channel");
    let mut all = Vec::new();
    loop {
        let options = BasicGetOptions { no_ack: true };
        let Some(message) = channel.basic_get(PLACE.into(), options).await.expect("an answer") else {
            return all;
        };
        let properties = &message.delivery.properties;
        assert_eq!(*properties.delivery_mode(), Some(2), "persistent");
        assert!(properties.timestamp().is_some());
        let headers = properties.headers().clone().unwrap_or_default();
        all.push(Found {
            event_id: properties.message_id().clone().expect("a message id").to_string(),
            event_type: properties.kind().clone().expect("a type").to_string(),
            headers: headers
                .inner()
                .iter()
                .map(|(name, value)| match value {
                    AMQPValue::LongString(text) => (name.to_string(), text.to_string()),
                    other => panic!("{name} is {other:?}"),
                })
                .collect(),
            body: String::from_utf8(message.delivery.data.clone()).expect("UTF-8"),
        });
    }
}

async fn from_stream(context: &async_nats::jetstream::Context) -> Vec<Found> {
    let stream = context.get_stream("EVENTS").await.expect("the stream");
    let consumer = stream
        .create_consumer(async_nats::jetstream::consumer::pull::Config::default())
        .await
        .expect("a consumer");
    let mut messages = consumer
        .fetch()
        .max_messages(1_000)
        .messages()
        .await
        .expect("an answer");
    let mut all = Vec::new();
    while let Some(message) = messages.next().await {
        let message = message.expect("a message");
        let headers: BTreeMap<String, String> = message
            .headers
            .as_ref()
            .expect("headers")
            .iter()
            .map(|(name, values)| (name.to_string(), values[0].to_string()))
            .collect();
        all.push(Found {
            event_id: headers["Nats-Msg-Id"].clone(),
            event_type: headers["X-Reelmill-Event-Type"].clone(),
            body: String::from_utf8(message.payload.to_vec()).expect("UTF-8"),
            headers,
        });
    }
    all
}

async fn from_entries(connection: &mut redis::aio::MultiplexedConnection) -> Vec<Found> {
    let entries: Vec<(String, Vec<(String, String)>)> = redis::cmd("XRANGE")
        .arg(PLACE)
        .arg("-")
        .arg("+")
        .query_async(connection)
        .await
        .expect("an answer");
    entries
        .into_iter()
        .map(|(_, fields)| {
            let headers: BTreeMap<String, String> = fields.into_iter().collect();
            Found {
                event_id: headers["event_id"].clone(),
                event_type: headers["event_type"].clone(),
                body: headers["body"].clone(),
                headers,
            }
        })
        .collect()
}

/// Reads the topic for as long as the test lasts, and comes back when the broker does.
async fn subscribe(port: u16, found: Arc<Mutex<Vec<Found>>>, subscribed: tokio::sync::oneshot::Sender<()>) {
    let mut options = rumqttc::v5::MqttOptions::new("reader", "127.0.0.1", port);
    options.set_credentials(USER, PASSWORD);
    options.set_clean_start(true);
    let (client, mut events) = rumqttc::v5::AsyncClient::new(options, 16);
    let mut subscribed = Some(subscribed);
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                client
                    .subscribe(PLACE.replace('.', "/"), QoS::AtLeastOnce)
                    .await
                    .expect("asked");
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => {
                if let Some(subscribed) = subscribed.take() {
                    let _ = subscribed.send(());
                }
            }
            Ok(Event::Incoming(Packet::Publish(packet))) => {
                assert!(!packet.retain, "never retained");
                let properties = packet.properties.expect("properties");
                let headers: BTreeMap<String, String> = properties.user_properties.into_iter().collect();
                let id = properties.correlation_data.expect("the event's id");
                found.lock().expect("not poisoned").push(Found {
                    event_id: String::from_utf8(id.to_vec()).expect("UTF-8"),
                    event_type: headers["X-Reelmill-Event-Type"].clone(),
                    body: String::from_utf8(packet.payload.to_vec()).expect("UTF-8"),
                    headers,
                });
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
