//! MQTT 5: each event is a message of QoS 1, never retained, with the headers as user properties.
//!
//! Guarantees: an event counts as sent when the broker has acknowledged that very packet, with a reason that says it
//! reached a subscription; a broker that says nobody subscribes has dropped it, and that is a failure. Deliberately
//! absent: 3.1.1, which has neither headers nor reasons; subscriptions.

use crate::base::fault::Fault;
use crate::callback::queue::QueueOptions;
use crate::callback::queue::dial::dial;
use crate::callback::queue::link::Link;
use crate::callback::queue::link::Protocol;
use crate::callback::queue::link::Trouble;
use crate::callback::queue::server::Scheme;
use crate::callback::queue::server::Server;
use crate::callback::queue::server::refused;
use crate::callback::queue::tls::client_config;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Login;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use rumqttc::v5::mqttbytes::v5::Publish;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use rustls::ClientConfig;
use session::Ended;
use session::Session;
use std::sync::Arc;

mod session;

const SCHEMES: [Scheme; 2] = [
    Scheme {
        name: "mqtt",
        tls: false,
        port: 1883,
    },
    Scheme {
        name: "mqtts",
        tls: true,
        port: 8883,
    },
];
/// Longest text in this protocol.
const TEXT_MAX: usize = 65_535;

/// A destination that is a topic: `mqtt://[USER:PASSWORD@]HOST[:PORT]`, or `mqtts://`.
///
/// # Errors
/// A request fault of the address, the topic or the certificates.
pub fn mqtt(url: &str, options: &QueueOptions) -> Result<Box<dyn Transport>, Fault> {
    let server = Server::read(url, &SCHEMES, options)?;
    if options.topic.is_empty() {
        let remedy = "Set topic = \"NAME/NAME\".";
        return Err(refused(&server.shown, "it has no topic", remedy));
    }
    if options.topic.len() > TEXT_MAX
        || options
            .topic
            .contains(|c: char| matches!(c, '+' | '#') || c.is_control())
    {
        return Err(refused(
            &server.shown,
            "its topic is not one that can be published to",
            "Write names separated by slashes, without + or #.",
        ));
    }
    let tls = match server.tls {
        true => Some(Arc::new(client_config(&server.host, options)?)),
        false => None,
    };
    Ok(Box::new(Link::new(Mqtt {
        server,
        tls,
        topic: options.topic.clone(),
    })))
}

struct Mqtt {
    server: Server,
    tls: Option<Arc<ClientConfig>>,
    topic: String,
}

impl std::fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mqtt")
            .field("server", &self.server)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl Mqtt {
    fn packet(&self, message: &Message) -> Publish {
        let mut user_properties = vec![("X-Reelmill-Event-Type".to_owned(), message.event_type.clone())];
        user_properties.extend(
            message
                .headers
                .iter()
                .filter(|(name, value)| name.len() <= TEXT_MAX && value.len() <= TEXT_MAX)
                .cloned(),
        );
        let properties = PublishProperties {
            // The body is UTF-8.
            payload_format_indicator: Some(1),
            message_expiry_interval: None,
            topic_alias: None,
            response_topic: None,
            correlation_data: Some(message.event_id.clone().into_bytes().into()),
            user_properties,
            subscription_identifiers: Vec::new(),
            content_type: Some("application/json; charset=utf-8".to_owned()),
        };
        Publish::new(
            self.topic.as_str(),
            QoS::AtLeastOnce,
            message.body.clone(),
            Some(properties),
        )
    }

    fn trouble(&self, ended: Ended) -> Trouble {
        match ended {
            Ended::Lost(why) => self.server.lost(why),
            Ended::Refused(why) => self.server.refused(why),
            Ended::TooLarge(why) => Trouble::Unfit(format!("{}: {why}", self.server.shown)),
        }
    }
}

impl Protocol for Mqtt {
    type Session = Session;

    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(&self) -> Result<Session, Trouble> {
        let wire = dial(&self.server, self.tls.as_ref()).await?;
        let login = match (&self.server.user, &self.server.password) {
            (None, None) => None,
            (user, password) => Some(Login::new(
                user.clone().unwrap_or_default(),
                password.clone().unwrap_or_default(),
            )),
        };
        Session::open(wire, login).await.map_err(|ended| self.trouble(ended))
    }

    fn alive(&self, session: &Session) -> bool {
        session.alive()
    }

    async fn hand_over(&self, session: &Session, message: &Message) -> Result<String, Trouble> {
        let reason = session
            .publish(self.packet(message))
            .await
            .map_err(|ended| self.trouble(ended))?;
        let cause = match reason {
            PubAckReason::Success => return Ok(format!("acknowledged for topic {}", self.topic)),
            PubAckReason::NoMatchingSubscribers => "nobody subscribes to it, so the broker dropped the message",
            PubAckReason::NotAuthorized => "we may not publish to it",
            PubAckReason::TopicNameInvalid => "the broker has no such topic name",
            PubAckReason::QuotaExceeded => "a quota of the broker is used up",
            PubAckReason::PayloadFormatInvalid => "the broker wants another format",
            PubAckReason::PacketIdentifierInUse
            | PubAckReason::UnspecifiedError
            | PubAckReason::ImplementationSpecificError => "the broker failed",
        };
        let cause = format!("topic {}: {cause} ({reason:?})", self.topic);
        Err(self.server.refused(cause))
    }

    async fn part(&self, session: &Session) {
        session.part().await;
    }
}

#[cfg(test)]
mod tests {
    use super::mqtt;
    use crate::callback::queue::QueueOptions;

    #[test]
    fn a_topic_to_publish_to_is_asked_for() {
        let with = |topic: &str| QueueOptions {
            topic: topic.to_owned(),
            ..QueueOptions::default()
        };
        for bad in ["", "media/#", "media/+/done", "a\u{0}b"] {
            assert!(mqtt("mqtt://10.0.0.1", &with(bad)).is_err(), "{bad}");
        }
        let transport = mqtt("mqtts://u:secret@10.0.0.1", &with("media/done")).expect("valid");
        assert!(!format!("{transport:?}").contains("secret"), "{transport:?}");
    }
}
