//! How each kind of destination is reached.
//!
//! Guarantees: made from a definition without connecting anywhere; what cannot work (an address that may not be reached, a
//! program that may not be run, a certificate that cannot be read) is refused here, by name. Deliberately absent: what is
//! sent and when.

use crate::base::address::Reach;
use crate::base::address::check_callback_url;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::base::http_client::HttpOptions;
use crate::callback::archive::Archive;
use crate::callback::destination::Maker;
use crate::callback::destination::refused;
use crate::callback::exec::Exec;
use crate::callback::mail::Mail;
use crate::callback::queue;
use crate::callback::queue::QueueOptions;
use crate::callback::transport::Transport;
use crate::objects::storages::Storages;
use crate::workflow::destination::Definition;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// What destinations need of the host they are on.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The only programs that a destination may run.
    pub hooks_dir: PathBuf,
    /// Where archives may lie; none: nowhere.
    pub storages: Option<Storages>,
}

/// How a destination is reached.
#[derive(Debug, Clone)]
pub enum Way {
    /// By a POST.
    Http(Post),
    /// By something else.
    Carried(Arc<dyn Transport>),
}

/// Where to post.
#[derive(Debug, Clone)]
pub struct Post {
    /// The address as written: signatures cover its text.
    pub url_text: String,
    /// The same, parsed.
    pub url: Url,
    /// How far it may reach.
    pub reach: Reach,
    /// A client that shows a certificate or trusts other authorities; none: the one that is shared.
    pub client: Option<reqwest::Client>,
}

/// The way of a kind.
///
/// # Errors
/// What it lacks, or what of it cannot work.
pub fn make(definition: &Definition, maker: Maker, surroundings: &Surroundings) -> Result<Way, Fault> {
    let reach = match maker {
        Maker::File => Reach::Loopback,
        Maker::Api => Reach::Network,
    };
    let carried = |transport: Box<dyn Transport>| Ok(Way::Carried(Arc::from(transport)));
    match definition.kind() {
        "http" => with_certificates(posting(&definition.url, reach)?, definition, reach),
        "amqp" => carried(queue::amqp(&definition.url, &queue_options(definition, reach))?),
        "nats" => carried(queue::nats(&definition.url, &queue_options(definition, reach))?),
        "mqtt" => carried(queue::mqtt(&definition.url, &queue_options(definition, reach))?),
        "redis" => carried(queue::redis(&definition.url, &queue_options(definition, reach))?),
        "exec" => carried(Box::new(Exec::new(&surroundings.hooks_dir, definition)?)),
        "storage" => carried(Box::new(Archive::new(surroundings.storages.as_ref(), definition)?)),
        "mail" => carried(Box::new(Mail::new(definition, reach)?)),
        other => Err(refused(
            other,
            "there is no such kind of destination",
            "Use http, amqp, nats, mqtt, redis, exec, storage or mail.",
        )),
    }
}

/// Posts to `url`.
///
/// # Errors
/// The address may not be reached.
pub fn posting(url: &str, reach: Reach) -> Result<Way, Fault> {
    Ok(Way::Http(Post {
        url_text: url.to_owned(),
        url: check_callback_url(url, reach)?,
        reach,
        client: None,
    }))
}

fn with_certificates(way: Way, definition: &Definition, reach: Reach) -> Result<Way, Fault> {
    let Way::Http(post) = way else { return Ok(way) };
    if definition.tls_client.is_none() && definition.tls_ca.is_empty() {
        return Ok(Way::Http(post));
    }
    let pem = |text: &str| text.as_bytes().to_vec();
    let client = http_client::build(&HttpOptions {
        identity_pem: definition.tls_client.as_ref().map(|text| pem(text.expose())),
        roots_pem: (!definition.tls_ca.is_empty())
            .then(|| pem(&definition.tls_ca))
            .into_iter()
            .collect(),
        ..HttpOptions::new(reach)
    })?;
    Ok(Way::Http(Post {
        client: Some(client),
        ..post
    }))
}

fn queue_options(definition: &Definition, reach: Reach) -> QueueOptions {
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    QueueOptions {
        reach,
        exchange: definition.exchange.clone(),
        routing_key: definition.routing_key.clone(),
        declare: definition.declare,
        queue: definition.queue.clone(),
        subject: definition.subject.clone(),
        topic: definition.topic.clone(),
        stream: definition.stream.clone(),
        max_entries: (definition.max_entries > 0).then_some(definition.max_entries),
        user: text(&definition.user),
        password: definition.password.as_ref().map(|text| text.expose().to_owned()),
        tls_ca_pem: text(&definition.tls_ca).map(String::into_bytes),
        tls_identity_pem: definition
            .tls_client
            .as_ref()
            .map(|text| text.expose().as_bytes().to_vec()),
    }
}
