//! The way to each server alone: what arrives, what is said when it cannot, and that a server's death loses nothing.

use crate::readers::PLACE;
use crate::readers::Reader;
use crate::servers::Kind;
use crate::servers::PASSWORD;
use crate::servers::Server;
use crate::servers::USER;
use reelmill::base::address::Reach;
use reelmill::base::clock::UtcMs;
use reelmill::callback::client::Answer;
use reelmill::callback::queue::QueueOptions;
use reelmill::callback::queue::amqp;
use reelmill::callback::queue::mqtt;
use reelmill::callback::queue::nats;
use reelmill::callback::queue::redis;
use reelmill::callback::transport::Message;
use reelmill::callback::transport::Transport;
use std::time::Duration;

/// Enough for a loaded machine.
const LONG: Duration = Duration::from_secs(30);

fn options() -> QueueOptions {
    QueueOptions {
        reach: Reach::Loopback,
        queue: PLACE.to_owned(),
        subject: PLACE.to_owned(),
        topic: PLACE.replace('.', "/"),
        stream: PLACE.to_owned(),
        user: Some(USER.to_owned()),
        password: Some(PASSWORD.to_owned()),
        ..QueueOptions::default()
    }
}

fn way(server: &Server, options: &QueueOptions) -> Box<dyn Transport> {
    let url = server.url();
    let way = match server.kind {
        Kind::Rabbit => amqp(&url, options),
        Kind::Nats => nats(&url, options),
        Kind::Mosquitto => mqtt(&url, options),
        Kind::Redis => redis(&url, options),
    };
    way.expect("valid options")
}

fn message(number: usize) -> Message {
    Message {
        event_id: format!("{number:032x}"),
        event_type: "WorkflowTaskComplete".to_owned(),
        headers: vec![
            ("X-Reelmill-Event-Id".to_owned(), format!("{number:032x}")),
            ("X-Reelmill-Event-Seq".to_owned(), number.to_string()),
            ("X-Reelmill-Signature".to_owned(), "v1=00ff,v1=11ee".to_owned()),
        ],
        body: format!("{{\"number\":{number},\"name\":\"Überblick 中文\"}}").into_bytes(),
        at: UtcMs(1_790_000_000_123),
        line: "task".to_owned(),
    }
}

/// The sentence of a failure: it names the server and never the password.
fn failure(answer: &Answer, server: &Server) -> String {
    let why = answer.error.clone().unwrap_or_else(|| panic!("a failure: {answer:?}"));
    assert_ne!(answer.status, Some(200), "{why}");
    assert!(why.contains(&format!("localhost:{}", server.port)), "{why}");
    assert!(!why.contains(PASSWORD) && !why.contains("pa%3A"), "{why}");
    println!("{:?}: {why}", server.kind);
    why
}

/// What all queues must do.
async fn tells(kind: Kind, nowhere: &str) {
    let Some(mut server) = Server::start(kind, false) else {
        return;
    };
    let way = way_of(&server);

    // Nobody is there for the message yet: it is not counted as sent, and the sentence says why.
    if !nowhere.is_empty() {
        let why = failure(&way.send(&message(0), LONG).await, &server);
        assert!(why.contains(nowhere), "{why}");
    }

    // It arrives with everything that goes with it.
    let mut reader = Reader::new(&server, true).await;
    let sent = message(1);
    let answer = way.send(&sent, LONG).await;
    assert_eq!((answer.status, &answer.error), (Some(200), &None));
    let found = reader.all().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].event_id, sent.event_id);
    assert_eq!(found[0].event_type, sent.event_type);
    assert_eq!(found[0].body.as_bytes(), sent.body);
    for (name, value) in &sent.headers {
        assert_eq!(found[0].headers.get(name), Some(value), "{found:?}");
    }

    // Many at a time over one connection.
    let many: Vec<Message> = (2..34).map(message).collect();
    let answers = futures_util::future::join_all(many.iter().map(|message| way.send(message, LONG))).await;
    assert!(answers.iter().all(|answer| answer.status == Some(200)), "{answers:?}");

    // A server that does not answer is waited for no longer than allowed, and used again when it answers.
    server.freeze(true);
    let why = failure(&way.send(&message(34), Duration::from_millis(300)).await, &server);
    assert!(why.contains("no confirmation within 0.3 s"), "{why}");
    server.freeze(false);
    until_accepted(way.as_ref(), 34).await;

    // A wrong password.
    let stranger = QueueOptions {
        password: Some("wrong".to_owned()),
        ..options()
    };
    let stranger = crate::transports::way(&server, &stranger);
    let why = failure(&stranger.send(&message(35), LONG).await, &server);
    assert!(!why.contains("wrong"), "{why}");

    // Killed and started again in the middle: all arrive, in order, some perhaps twice.
    for number in 35..60 {
        until_accepted(way.as_ref(), number).await;
    }
    server.kill_9();
    let why = failure(&way.send(&message(60), LONG).await, &server);
    assert!(why.contains("connect") || why.contains("confirmation"), "{why}");
    server.again();
    for number in 60..85 {
        until_accepted(way.as_ref(), number).await;
    }
    way.close().await;
    let mut again = match reader {
        Reader::Topic(..) => reader,
        _ => Reader::new(&server, false).await,
    };
    let found = again.all().await;
    let mut order: Vec<usize> = Vec::new();
    for found in &found {
        let number = usize::from_str_radix(&found.event_id, 16).expect("ours");
        if number >= 34 && !order.contains(&number) {
            order.push(number);
        }
    }
    assert_eq!(order, (34..85).collect::<Vec<_>>(), "everything, in order");
    let early = found
        .iter()
        .filter(|found| usize::from_str_radix(&found.event_id, 16).is_ok_and(|number| (2..34).contains(&number)));
    assert!(early.count() >= 32, "what was accepted before is there too");
}

fn way_of(server: &Server) -> Box<dyn Transport> {
    way(server, &options())
}

async fn until_accepted(way: &dyn Transport, number: usize) {
    let mut last = None;
    for _ in 0..300 {
        let answer = way.send(&message(number), LONG).await;
        if answer.status == Some(200) {
            return;
        }
        last = answer.error;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("message {number} is never accepted: {last:?}");
}

/// TLS with an authority of one's own; without it the certificate is refused.
async fn speaks_tls(kind: Kind) {
    let Some(server) = Server::start(kind, true) else {
        return;
    };
    let trusting = QueueOptions {
        tls_ca_pem: Some(server.authority()),
        declare: true,
        ..options()
    };
    let accepted = way(&server, &trusting).send(&message(1), LONG).await;
    let why = accepted.error.unwrap_or_default();
    match kind {
        Kind::Rabbit | Kind::Redis => assert_eq!(accepted.status, Some(200), "{why}"),
        // Nobody made a stream or subscribed, which the server could say through TLS alone.
        Kind::Nats => assert!(why.contains("no stream of JetStream"), "{why}"),
        Kind::Mosquitto => assert!(why.contains("nobody subscribes"), "{why}"),
    }
    let why = failure(&way(&server, &options()).send(&message(2), LONG).await, &server);
    assert!(why.contains("certificate"), "{why}");
    // The certificate is for the name, not for whoever has the address.
    let by_address = server.url().replace("localhost", "127.0.0.1");
    let elsewhere = match kind {
        Kind::Rabbit => amqp(&by_address, &trusting),
        Kind::Nats => nats(&by_address, &trusting),
        Kind::Mosquitto => mqtt(&by_address, &trusting),
        Kind::Redis => redis(&by_address, &trusting),
    };
    let answer = elsewhere.expect("valid").send(&message(3), LONG).await;
    let why = answer.error.expect("refused");
    assert!(why.contains("certificate") && why.contains("127.0.0.1"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_confirms_what_it_keeps() {
    tells(Kind::Rabbit, "no queue takes messages of queue media.events").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jetstream_acknowledges_what_it_keeps() {
    tells(Kind::Nats, "no stream of JetStream takes subject media.events").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_acknowledges_what_it_hands_on() {
    tells(Kind::Mosquitto, "nobody subscribes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_answers_with_the_entry() {
    tells(Kind::Redis, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_over_tls() {
    speaks_tls(Kind::Rabbit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_over_tls() {
    speaks_tls(Kind::Nats).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_over_tls() {
    speaks_tls(Kind::Mosquitto).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_over_tls() {
    speaks_tls(Kind::Redis).await;
}

/// A server that wants a certificate sees ours; without one, or with a stranger's, nothing is told.
async fn shows_its_certificate(kind: Kind) {
    let Some(server) = Server::start_mutual(kind) else {
        return;
    };
    let showing = |client: Option<&str>| QueueOptions {
        tls_ca_pem: Some(server.authority()),
        tls_identity_pem: client.map(|name| server.client(name)),
        declare: true,
        ..options()
    };
    let accepted = way(&server, &showing(Some("client"))).send(&message(1), LONG).await;
    let why = accepted.error.unwrap_or_default();
    match kind {
        Kind::Rabbit | Kind::Redis => assert_eq!(accepted.status, Some(200), "{why}"),
        // Nobody made a stream or subscribed, which the server could say through TLS alone.
        Kind::Nats => assert!(why.contains("no stream of JetStream"), "{why}"),
        Kind::Mosquitto => assert!(why.contains("nobody subscribes"), "{why}"),
    }
    for client in [None, Some("stranger")] {
        failure(&way(&server, &showing(client)).send(&message(2), LONG).await, &server);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_sees_a_certificate_of_ours() {
    shows_its_certificate(Kind::Rabbit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_sees_a_certificate_of_ours() {
    shows_its_certificate(Kind::Nats).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_sees_a_certificate_of_ours() {
    shows_its_certificate(Kind::Mosquitto).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_sees_a_certificate_of_ours() {
    shows_its_certificate(Kind::Redis).await;
}

/// What each kind says besides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broker_will_never_take_is_refused_for_itself_alone() {
    for kind in [Kind::Nats, Kind::Mosquitto] {
        let Some(server) = Server::start(kind, false) else {
            return;
        };
        let _reader = Reader::new(&server, true).await;
        let way = way_of(&server);
        let mut large = message(1);
        large.body = vec![b' '; 100_000];
        let answer = way.send(&large, LONG).await;
        failure(&answer, &server);
        // Not "try again when it is well": others pass.
        assert_eq!(answer.status, Some(422), "{answer:?}");
        until_accepted(way.as_ref(), 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission_is_told_in_the_servers_words() {
    let Some(server) = Server::start(Kind::Nats, false) else {
        return;
    };
    let _reader = Reader::new(&server, true).await;
    let guest = QueueOptions {
        user: Some("guest".to_owned()),
        password: Some("guest".to_owned()),
        ..options()
    };
    let answer = way(&server, &guest).send(&message(1), Duration::from_secs(5)).await;
    let why = failure(&answer, &server);
    assert!(why.to_lowercase().contains("permissions violation"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_sees_a_repeat_and_keeps_one() {
    let Some(server) = Server::start(Kind::Nats, false) else {
        return;
    };
    let mut reader = Reader::new(&server, true).await;
    let way = way_of(&server);
    for _ in 0..2 {
        until_accepted(way.as_ref(), 7).await;
    }
    assert_eq!(reader.all().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_is_declared_when_asked_for_and_named_when_missing() {
    let Some(server) = Server::start(Kind::Rabbit, false) else {
        return;
    };
    let undeclared = QueueOptions {
        exchange: "mam".to_owned(),
        routing_key: "media.done".to_owned(),
        ..options()
    };
    let way_there = way(&server, &undeclared);
    let why = failure(&way_there.send(&message(1), LONG).await, &server);
    assert!(why.contains("no exchange 'mam'"), "{why}");
    let declared = QueueOptions {
        declare: true,
        ..undeclared.clone()
    };
    until_accepted(way(&server, &declared).as_ref(), 2).await;
    // The first way works on, now that there is one.
    until_accepted(way_there.as_ref(), 3).await;
    // A key that nobody bound.
    let unbound = QueueOptions {
        routing_key: "media.other".to_owned(),
        ..undeclared
    };
    let why = failure(&way(&server, &unbound).send(&message(4), LONG).await, &server);
    assert!(why.contains("NO_ROUTE"), "{why}");
    let found = Reader::new(&server, false).await.all().await;
    let ids: Vec<&str> = found
        .iter()
        .map(|found| found.event_id.trim_start_matches('0'))
        .collect();
    assert_eq!(ids, ["2", "3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_stream_is_kept_short_when_asked_for() {
    let Some(server) = Server::start(Kind::Redis, false) else {
        return;
    };
    let short = QueueOptions {
        max_entries: Some(10),
        ..options()
    };
    let way = way(&server, &short);
    for number in 0..600 {
        until_accepted(way.as_ref(), number).await;
    }
    // "About": a stream drops whole nodes of entries.
    let kept = Reader::new(&server, false).await.all().await;
    assert!((10..=200).contains(&kept.len()), "{}", kept.len());
    assert_eq!(
        kept.last().map(|found| found.event_id.clone()),
        Some(message(599).event_id)
    );
}
