//! The whole way: the daemon announces tasks to a queue, in order, with all headers, through a server's death.

use crate::appliance::Appliance;
use crate::readers::Found;
use crate::readers::PLACE;
use crate::readers::Reader;
use crate::servers::Kind;
use crate::servers::PASSWORD;
use crate::servers::Server;
use crate::servers::USER;
use hmac::Hmac;
use hmac::Mac;
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;

const SIGNING_KEY: &str = "a-key-of-ours";
/// Longest wait for messages on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// Nothing is made: what counts is that two events a task are told.
const WORKFLOW: &str = r#"
name = "tell"
[source]
storage = "ingest"
extensions = ["*"]
[[activity]]
id = "nothing"
type = "noop"
"#;

/// A daemon whose one destination is the server.
fn appliance(server: &Server) -> Appliance {
    let keys = match server.kind {
        Kind::Rabbit => ("amqp", format!("queue = \"{PLACE}\"")),
        Kind::Nats => ("nats", format!("subject = \"{PLACE}\"")),
        Kind::Mosquitto => ("mqtt", format!("topic = \"{}\"", PLACE.replace('.', "/"))),
        Kind::Redis => ("redis", format!("stream = \"{PLACE}\"")),
    };
    let appliance = Appliance::new("");
    for (name, text) in [("password", PASSWORD), ("signing.key", SIGNING_KEY)] {
        std::fs::write(appliance.path(name), text).expect("the secret is written");
    }
    let mut text = std::fs::read_to_string(appliance.config()).expect("the configuration is readable");
    text.push_str(&format!(
        "[[destination]]\nname = \"queue\"\nkind = \"{kind}\"\nurl = \"{url}\"\nprofile = \"native\"\n{place}\n\
         user = \"{USER}\"\npassword_file = \"{password}\"\nsigning_key_file = \"{key}\"\n\
         events = [\"WorkflowTaskStart\", \"WorkflowTaskComplete\"]\nheaders = {{ \"X-Studio\" = \"seven\" }}\n\n\
         [callback]\ndestination = \"queue\"\n",
        kind = keys.0,
        place = keys.1,
        url = server.url(),
        password = appliance.path("password").display(),
        key = appliance.path("signing.key").display(),
    ));
    std::fs::write(appliance.config(), text).expect("the configuration is written");
    appliance.workflow_file("tell", WORKFLOW);
    appliance
}

fn drop_in(appliance: &Appliance, numbers: std::ops::Range<usize>) {
    let source = appliance.path("source.bin");
    for number in numbers {
        std::fs::write(&source, format!("file {number}")).expect("written");
        appliance.deliver(&source, &format!("{number:03}.bin"));
    }
}

/// What the signature of a message must be.
fn signature(found: &Found) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_KEY.as_bytes()).expect("any length");
    mac.update(found.headers["X-Reelmill-Timestamp"].as_bytes());
    mac.update(b".");
    mac.update(found.body.as_bytes());
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// Events by task, each once, in the order they came first.
fn by_task(found: &[Found]) -> BTreeMap<String, Vec<Found>> {
    let mut tasks: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    for one in found {
        let body: Value = serde_json::from_str(&one.body).expect("JSON");
        let task = body["task"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{body:#}"))
            .to_owned();
        let events = tasks.entry(task).or_default();
        if events.iter().all(|known| known.event_id != one.event_id) {
            events.push(one.clone());
        }
    }
    tasks
}

async fn arrives(kind: Kind) {
    let Some(mut server) = Server::start(kind, false) else {
        return;
    };
    let mut appliance = appliance(&server);
    appliance.start();

    // Nobody takes it yet: told with the delivery, in the server's words and without a password.
    drop_in(&appliance, 0..1);
    if kind != Kind::Redis {
        let said = appliance.until("the failure to be told", || {
            let deliveries = appliance.get("/api/v1/deliveries?status=pending");
            deliveries["items"]
                .as_array()?
                .iter()
                .find_map(|delivery| delivery["last_error"].as_str().map(str::to_owned))
        });
        let expected = match kind {
            Kind::Rabbit => "no queue takes messages of queue media.events",
            Kind::Nats => "no stream of JetStream takes subject media.events",
            Kind::Mosquitto | Kind::Redis => "nobody subscribes",
        };
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }
    let mut reader = Reader::new(&server, true).await;

    // Some while it lives, some after it was killed, and some when it is there again.
    drop_in(&appliance, 1..15);
    let mut found = Vec::new();
    until(&mut reader, &mut found, |found| by_task(found).len() >= 5).await;
    server.kill_9();
    drop_in(&appliance, 15..25);
    appliance.until("a failure while the server is dead", || {
        let deliveries = appliance.get("/api/v1/deliveries?status=pending");
        let waiting = deliveries["items"].as_array()?.iter();
        waiting
            .filter_map(|delivery| delivery["last_error"].as_str())
            .any(|error| error.contains(&format!("localhost:{}", server.port)))
            .then_some(())
    });
    server.again();
    if !matches!(reader, Reader::Topic(..)) {
        reader = Reader::new(&server, false).await;
    }
    drop_in(&appliance, 25..30);
    until(&mut reader, &mut found, |found| {
        let tasks = by_task(found);
        tasks.len() == 30 && tasks.values().all(|events| events.len() == 2)
    })
    .await;

    for events in by_task(&found).values() {
        let types: Vec<&str> = events.iter().map(|one| one.event_type.as_str()).collect();
        assert_eq!(types, ["WorkflowTaskStart", "WorkflowTaskComplete"]);
        let seqs: Vec<u64> = events
            .iter()
            .map(|one| one.headers["X-Reelmill-Event-Seq"].parse().expect("a number"))
            .collect();
        assert!(seqs[0] < seqs[1], "{seqs:?}");
    }
    for one in &found {
        assert_eq!(one.headers["X-Reelmill-Event-Id"], one.event_id);
        assert_eq!(one.headers["X-Reelmill-Replay"], "0");
        assert!(
            one.headers["X-Reelmill-Attempt"]
                .parse::<u32>()
                .is_ok_and(|tries| tries >= 1)
        );
        assert_eq!(one.headers["X-Studio"], "seven");
        assert_eq!(one.headers["X-Reelmill-Signature"], signature(one));
    }
    assert!(!appliance.log().contains(PASSWORD), "the log holds no password");
}

/// Reads until enough is there.
async fn until(reader: &mut Reader, found: &mut Vec<Found>, enough: impl Fn(&[Found]) -> bool) {
    let began = Instant::now();
    while !enough(found) {
        assert!(
            began.elapsed() < PATIENCE,
            "{} messages of {} tasks came",
            found.len(),
            by_task(found).len()
        );
        let all = reader.all().await;
        match reader {
            // Reading takes them out.
            Reader::Queue(_) => found.extend(all),
            _ => *found = all,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_tells_rabbitmq() {
    arrives(Kind::Rabbit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_tells_jetstream() {
    arrives(Kind::Nats).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_tells_mosquitto() {
    arrives(Kind::Mosquitto).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_tells_redis() {
    arrives(Kind::Redis).await;
}
