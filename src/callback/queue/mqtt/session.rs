//! One MQTT 5 connection: a task that writes packets, reads acknowledgements and keeps the broker's attention.
//!
//! Guarantees: every publisher gets the acknowledgement of its own packet, or the reason why none can come any more;
//! never more packets are under way than the broker allows. Deliberately absent: sessions that outlive the connection:
//! what was not acknowledged is sent again by the outbox.

use crate::callback::queue::dial::Wire;
use rumqttc::v5::mqttbytes::Error as CodecError;
use rumqttc::v5::mqttbytes::v5::ConnAck;
use rumqttc::v5::mqttbytes::v5::Connect;
use rumqttc::v5::mqttbytes::v5::ConnectReturnCode;
use rumqttc::v5::mqttbytes::v5::Disconnect;
use rumqttc::v5::mqttbytes::v5::DisconnectReasonCode;
use rumqttc::v5::mqttbytes::v5::Login;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::mqttbytes::v5::PingReq;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use rumqttc::v5::mqttbytes::v5::Publish;
use std::collections::HashMap;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::bytes::BytesMut;
use uuid::Uuid;

/// Seconds between signs of life, unless the broker wants others.
const KEEP_ALIVE_S: u16 = 30;
/// Packets under way at once, unless the broker wants fewer.
const UNDER_WAY_MAX: u16 = 64;
/// Largest packet taken from a broker: acknowledgements are small.
const INCOMING_MAX: u32 = 256 * 1024;
/// Time for a good-bye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why there is no acknowledgement.
#[derive(Debug, Clone)]
pub(super) enum Ended {
    /// The connection is gone.
    Lost(String),
    /// The broker did not let us in.
    Refused(String),
    /// The broker takes no packet of this size.
    TooLarge(String),
}

type Reply = oneshot::Sender<Result<PubAckReason, Ended>>;

/// A connection that is introduced.
#[derive(Debug)]
pub(super) struct Session {
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
enum Order {
    Publish(Box<Publish>, Reply),
    Part(oneshot::Sender<()>),
}

impl Session {
    /// Introduces us to the broker at the other end of `wire`.
    pub(super) async fn open(wire: Box<dyn Wire>, login: Option<Login>) -> Result<Session, Ended> {
        let mut talk = Talk {
            wire,
            inbox: BytesMut::new(),
            packet_max: None,
        };
        let connect = Connect {
            keep_alive: KEEP_ALIVE_S,
            client_id: format!("reelmill-{}", Uuid::now_v7().simple()),
            clean_start: true,
            properties: None,
        };
        talk.write(&Packet::Connect(connect, None, login)).await?;
        let welcome = match talk.read().await? {
            Packet::ConnAck(welcome) => welcome,
            other => return Err(Ended::Lost(format!("it did not answer as MQTT 5 does: {other:?}"))),
        };
        let terms = terms(&welcome)?;
        talk.packet_max = terms.packet_max;
        let (orders, inbox) = mpsc::channel(1);
        tokio::spawn(serve(talk, inbox, terms));
        Ok(Session { orders })
    }

    /// Whether the connection is still there.
    pub(super) fn alive(&self) -> bool {
        !self.orders.is_closed()
    }

    /// Sends a packet and waits for its acknowledgement.
    pub(super) async fn publish(&self, packet: Publish) -> Result<PubAckReason, Ended> {
        let gone = || Ended::Lost("the connection broke before the acknowledgement".to_owned());
        let (reply, answer) = oneshot::channel();
        let order = Order::Publish(Box::new(packet), reply);
        self.orders.send(order).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Says good-bye.
    pub(super) async fn part(&self) {
        let (done, parted) = oneshot::channel();
        if self.orders.send(Order::Part(done)).await.is_ok() {
            // A broker that does not listen any more needs none.
            let _ = tokio::time::timeout(GOODBYE, parted).await;
        }
    }
}

/// What the broker allows.
#[derive(Debug, Clone, Copy)]
struct Terms {
    under_way_max: usize,
    packet_max: Option<u32>,
    keep_alive: Duration,
}

fn terms(welcome: &ConnAck) -> Result<Terms, Ended> {
    if welcome.code != ConnectReturnCode::Success {
        let said = welcome
            .properties
            .as_ref()
            .and_then(|properties| properties.reason_string.clone());
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        let code = welcome.code;
        return Err(Ended::Refused(match code {
            ConnectReturnCode::NotAuthorized | ConnectReturnCode::BadUserNamePassword => {
                format!("the broker does not let us in ({code:?}{said}); check user and password")
            }
            ConnectReturnCode::RefusedProtocolVersion | ConnectReturnCode::UnsupportedProtocolVersion => {
                "the broker does not speak MQTT 5".to_owned()
            }
            _ => format!("the broker refused the connection ({code:?}{said})"),
        }));
    }
    let properties = welcome.properties.as_ref();
    if properties.is_some_and(|properties| properties.max_qos == Some(0)) {
        return Err(Ended::Refused(
            "the broker acknowledges no messages (its maximum QoS is 0)".to_owned(),
        ));
    }
    let receive_max = properties.and_then(|properties| properties.receive_max);
    let keep_alive_s = properties.and_then(|properties| properties.server_keep_alive);
    Ok(Terms {
        under_way_max: usize::from(receive_max.unwrap_or(UNDER_WAY_MAX).clamp(1, UNDER_WAY_MAX)),
        packet_max: properties.and_then(|properties| properties.max_packet_size),
        keep_alive: Duration::from_secs(u64::from(keep_alive_s.unwrap_or(KEEP_ALIVE_S).max(1))),
    })
}

/// Packets over a wire.
struct Talk {
    wire: Box<dyn Wire>,
    inbox: BytesMut,
    packet_max: Option<u32>,
}

impl Talk {
    async fn write(&mut self, packet: &Packet) -> Result<(), Ended> {
        let mut bytes = BytesMut::new();
        match packet.write(&mut bytes, self.packet_max) {
            Ok(_) => {}
            Err(CodecError::OutgoingPacketTooLarge { pkt_size, max }) => {
                let cause = format!("the event makes a packet of {pkt_size} bytes and the broker takes {max}");
                return Err(Ended::TooLarge(cause));
            }
            Err(error) => return Err(Ended::TooLarge(format!("the event makes no packet: {error}"))),
        }
        let sent = async {
            self.wire.write_all(&bytes).await?;
            self.wire.flush().await
        };
        sent.await
            .map_err(|error: std::io::Error| Ended::Lost(format!("the connection broke: {error}")))
    }

    /// The next packet. Nothing is lost when the caller stops waiting.
    async fn read(&mut self) -> Result<Packet, Ended> {
        loop {
            match Packet::read(&mut self.inbox, Some(INCOMING_MAX)) {
                Ok(packet) => return Ok(packet),
                Err(CodecError::InsufficientBytes(_)) => {}
                Err(error) => {
                    let cause = format!("the broker does not speak MQTT 5 as it should: {error}");
                    return Err(Ended::Lost(cause));
                }
            }
            match self.wire.read_buf(&mut self.inbox).await {
                Ok(0) => return Err(Ended::Lost("the broker closed the connection".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(Ended::Lost(format!("the connection broke: {error}"))),
            }
        }
    }
}

/// The life of a connection after the introduction.
async fn serve(mut talk: Talk, mut orders: mpsc::Receiver<Order>, terms: Terms) {
    let mut waiting: HashMap<u16, Reply> = HashMap::new();
    let ended = converse(&mut talk, &mut orders, terms, &mut waiting).await;
    // First nobody comes any more, then everybody hears why.
    orders.close();
    let why = ended
        .err()
        .unwrap_or_else(|| Ended::Lost("the connection was closed".to_owned()));
    for (_, reply) in waiting.drain() {
        let _ = reply.send(Err(why.clone()));
    }
    while let Ok(order) = orders.try_recv() {
        if let Order::Publish(_, reply) = order {
            let _ = reply.send(Err(why.clone()));
        }
    }
}

async fn converse(
    talk: &mut Talk,
    orders: &mut mpsc::Receiver<Order>,
    terms: Terms,
    waiting: &mut HashMap<u16, Reply>,
) -> Result<(), Ended> {
    let mut last_id: u16 = 0;
    let mut pinged = false;
    let mut ping_at = Instant::now() + terms.keep_alive;
    loop {
        tokio::select! {
            order = orders.recv(), if waiting.len() < terms.under_way_max => match order {
                Some(Order::Publish(mut packet, reply)) => {
                    // Fewer are under way than there are numbers.
                    loop {
                        last_id = last_id.checked_add(1).unwrap_or(1);
                        if !waiting.contains_key(&last_id) {
                            break;
                        }
                    }
                    packet.pkid = last_id;
                    match talk.write(&Packet::Publish(*packet)).await {
                        Ok(()) => {
                            waiting.insert(last_id, reply);
                        }
                        Err(Ended::TooLarge(why)) => {
                            let _ = reply.send(Err(Ended::TooLarge(why)));
                        }
                        Err(ended) => {
                            let _ = reply.send(Err(ended.clone()));
                            return Err(ended);
                        }
                    }
                }
                Some(Order::Part(done)) => {
                    let result = goodbye(talk).await;
                    let _ = done.send(());
                    return result;
                }
                None => return goodbye(talk).await,
            },
            packet = talk.read() => match packet? {
                Packet::PubAck(ack) => {
                    if let Some(reply) = waiting.remove(&ack.pkid) {
                        // Who stopped waiting sends it again.
                        let _ = reply.send(Ok(ack.reason));
                    }
                }
                Packet::PingResp(_) => pinged = false,
                Packet::Disconnect(said) => {
                    return Err(Ended::Lost(format!("the broker ended the connection ({:?})", said.reason_code)));
                }
                _ => {}
            },
            () = tokio::time::sleep_until(ping_at) => {
                if pinged {
                    return Err(Ended::Lost("the broker gives no sign of life".to_owned()));
                }
                talk.write(&Packet::PingReq(PingReq)).await?;
                pinged = true;
                ping_at = Instant::now() + terms.keep_alive;
            }
        }
    }
}

async fn goodbye(talk: &mut Talk) -> Result<(), Ended> {
    let packet = Packet::Disconnect(Disconnect::new(DisconnectReasonCode::NormalDisconnection));
    let said = tokio::time::timeout(GOODBYE, talk.write(&packet)).await;
    said.unwrap_or(Ok(()))
}
