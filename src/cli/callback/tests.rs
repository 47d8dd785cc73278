//! The receiver of `callback listen` with the outbox as its sender: signatures, retries, ends.

use super::Keys;
use super::Listen;
use super::Verify;
use super::listen;
use super::verify;
use crate::base::ids::EventId;
use crate::base::wake::Bell;
use crate::callback::CallbackOptions;
use crate::callback::Callbacks;
use crate::callback::Pace;
use crate::callback::directory::Unified;
use crate::callback::way::Surroundings;
use crate::events::profile::Deployment;
use crate::events::specimen;
use crate::store::Store;
use crate::store::announce::announce;
use crate::telemetry::metrics::Metrics;
use crate::workflow::destination::Definition;
use crate::workflow::resolved::CallbackRule;
use serde_json::Value;
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the command printed, shared with the test while it runs.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Printed {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON lines"))
            .collect()
    }

    async fn url(&self) -> String {
        loop {
            if let Some(first) = self.lines().first() {
                return first["listening"].as_str().expect("the first line").to_owned();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn args(auth_key: Option<&str>, signing_key: Option<&str>) -> Listen {
    Listen {
        listen: "127.0.0.1:0".parse().expect("an address"),
        url: None,
        profile: "ims".to_owned(),
        keys: Keys {
            auth_key: auth_key.map(str::to_owned),
            signing_key: signing_key.map(str::to_owned),
            ..Keys::default()
        },
        max_skew: 300,
        count: None,
        until: None,
        timeout: Some(60),
        fail_first: 0,
        json: true,
    }
}

/// Listens with `args` while an outbox with the given keys posts three events to `path` of it.
async fn exchange(args: Listen, path: &str, auth_key: &str, signing_key: &str) -> (bool, Vec<Value>) {
    let printed = Printed::default();
    let mut out = printed.clone();
    let listening = tokio::spawn(async move { listen(args, &mut out, std::future::pending()).await });
    let base = printed.url().await;
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("reelmill.db")).expect("a store");
    for mut event in [specimen::sprite(), specimen::output(), specimen::transcode()] {
        event.id = EventId::fresh();
        let rule = CallbackRule {
            unified: true,
            ..CallbackRule::default()
        };
        store
            .write("test", move |connection| announce(connection, &event, &rule))
            .await
            .expect("written");
    }
    let options = CallbackOptions {
        deployment: Deployment::new(7, "app", "here", "http://mam.local"),
        destinations: Vec::new(),
        unified: Unified::Inline(Definition {
            url: format!("{}{path}", base.trim_end_matches('/')),
            profile: "ims".to_owned(),
            auth_key: Some(auth_key.into()),
            signing_key: Some(signing_key.into()),
            ..Definition::default()
        }),
        surroundings: Surroundings::default(),
        pace: Pace {
            first_ms: 10,
            ceiling_ms: 40,
            ..Pace::default()
        },
        metrics: Metrics::default(),
    };
    let callbacks = Callbacks::new(store, Bell::default(), options).expect("valid");
    let stop = CancellationToken::new();
    let sending = tokio::spawn({
        let stop = stop.clone();
        async move { callbacks.run(stop).await }
    });
    let good = listening.await.expect("no panic").expect("no error");
    stop.cancel();
    sending.await.expect("a clean end");
    (good, printed.lines())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_for_an_event_through_failures_and_verifies_both_signatures() {
    let mut args = args(Some("Key1"), Some("secret"));
    args.until = Some("MediaConvertComplete".to_owned());
    args.fail_first = 2;
    let (good, lines) = exchange(args, "/hook?tenant=1", "Key1", "secret").await;
    assert!(good, "{lines:#?}");
    let told = &lines[1..];
    assert!(told.iter().all(|line| line["verdict"] == "verified"), "{told:#?}");
    let answers: Vec<(&str, &str, u64)> = told
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().expect("a text");
            (
                text("event_seq"),
                text("attempt"),
                line["answered"].as_u64().expect("a number"),
            )
        })
        .collect();
    let expected = [
        ("1", "1", 500),
        ("1", "2", 500),
        ("1", "3", 200),
        ("2", "1", 200),
        ("3", "1", 200),
    ];
    assert_eq!(answers, expected);
    assert_eq!(told[4]["status"], "Complete");
    assert_eq!(told[4]["body"]["MessageBody"]["Status"], "Complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_without_a_path_is_recognised() {
    let mut args = args(Some("Key1"), None);
    args.count = Some(1);
    let (good, lines) = exchange(args, "", "Key1", "secret").await;
    assert!(good, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_ends_the_wait_with_a_failure() {
    for (auth_key, signing_key) in [("Other", "secret"), ("Key1", "other")] {
        let mut args = args(Some(auth_key), Some(signing_key));
        args.count = Some(1);
        let (good, lines) = exchange(args, "/hook", "Key1", "secret").await;
        assert!(!good);
        assert_eq!(lines[1]["verdict"], "bad");
        assert_eq!(lines[1]["answered"], 401);
    }
}

#[tokio::test]
async fn nothing_in_time_is_a_failure() {
    let mut args = args(None, None);
    args.count = Some(1);
    args.timeout = Some(0);
    let good = listen(args, &mut Printed::default(), std::future::pending())
        .await
        .expect("no error");
    assert!(!good);
}

#[test]
fn one_signature_is_checked_by_hand() {
    let directory = tempfile::tempdir().expect("a directory");
    let body = directory.path().join("body");
    std::fs::write(&body, "{\"a\":1}").expect("written");
    let cloud = |signature: &str| Verify {
        url: Some("https://www.example.com/your/callback".to_owned()),
        timestamp: "1519375990".to_owned(),
        signature: signature.to_owned(),
        keys: Keys {
            auth_key: Some("test123".to_owned()),
            ..Keys::default()
        },
        body_file: None,
    };
    assert!(verify(&cloud("c72b60894140fa98920f1279219b7ed4")).expect("checked"));
    assert!(!verify(&cloud("c72b60894140fa98920f1279219b7ed5")).expect("checked"));
    let ours = |prefix: &str| Verify {
        url: None,
        timestamp: "1519375990".to_owned(),
        signature: format!("{prefix}cbd0f748d0cb4e977002f04d178de5ebc15647a7376c7844082f502187731127"),
        keys: Keys {
            signing_key: Some("old".to_owned()),
            ..Keys::default()
        },
        body_file: Some(body.clone()),
    };
    assert!(verify(&ours("v1=")).expect("checked"));
    assert!(verify(&ours("")).expect("checked"));
    let mut without = cloud("x");
    without.url = None;
    assert!(verify(&without).is_err());
}
