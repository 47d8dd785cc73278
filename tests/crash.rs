//! Does kill -9 of the daemon, at any moment of a task, lose nothing, leave nothing half-done and tell nothing twice?

mod appliance;

use appliance::Appliance;
use appliance::clips;
use appliance::receiver::Receiver;
use appliance::workflows;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// A linear congruential generator: the moments differ from run to run by the seed that is printed.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[test]
fn twenty_kills_lose_nothing_and_tell_nothing_twice() {
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&format!(
        "[callback]\nurl = \"{}\"\nprofile = \"ims\"\nauth_key = \"Abc123Abc123\"\n",
        receiver.url()
    ));
    let workflow = workflows::small("crash") + "needs = [\"ladder\"]\n";
    appliance.workflow_file("crash", &workflow);
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .subsec_nanos();
    println!("seed {seed}");
    let mut moments = Moments(u64::from(seed));
    let kills = 20;
    for number in 0..kills {
        appliance.start();
        appliance.deliver(&clips::short(), &format!("clip-{number:02}.mp4"));
        // From before the file has settled to after its publication, whatever the machine's speed today.
        std::thread::sleep(Duration::from_millis(moments.next(3_000)));
        appliance.kill_9();
    }
    appliance.start();
    let tasks = appliance.ended_tasks(kills);

    for task in &tasks {
        assert_eq!(task["status"], "Succeed", "{task:#}");
        outputs_are_whole(&appliance, task);
    }
    let sources: BTreeSet<String> = tasks.iter().map(source_of).collect();
    assert_eq!(sources.len(), kills, "each clip ran exactly once: {sources:?}");

    // Every published file is one that a task tells of: nothing stray, no second versions, no staging left.
    let told: BTreeSet<String> = tasks.iter().flat_map(|task| published_keys(&appliance, task)).collect();
    let found: BTreeSet<String> = appliance.files("renditions").into_iter().collect();
    assert_eq!(
        found, told,
        "files in the output storage against files the tasks tell of"
    );
    let scratch = appliance.until("scratch to be swept", || {
        let left = appliance.files("scratch");
        left.is_empty().then_some(left)
    });
    assert_eq!(scratch, Vec::<String>::new());

    let completes = appliance.until("every task to be announced", || {
        let heard = receiver.of_type("WorkflowTaskComplete");
        let tasks: BTreeSet<String> = heard.iter().map(|callback| task_of(&callback.json())).collect();
        (tasks.len() == kills).then_some(heard)
    });
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for callback in completes {
        let id = callback
            .header("X-Reelmill-Event-Id")
            .expect("every callback has its event's id")
            .to_owned();
        ids.entry(task_of(&callback.json())).or_default().insert(id);
    }
    for (task, ids) in ids {
        assert_eq!(ids.len(), 1, "task {task} was announced under several ids: {ids:?}");
    }
}

fn task_of(event: &Value) -> String {
    event["MessageBody"]["TaskId"].as_str().expect("a task id").to_owned()
}

fn source_of(task: &Value) -> String {
    let text = task["media"].to_string();
    let at = text
        .find("clip-")
        .unwrap_or_else(|| panic!("the media names its source: {task:#}"));
    text[at..at + 11].to_owned()
}

fn outputs(task: &Value) -> &Vec<Value> {
    task["outputs"]
        .as_array()
        .unwrap_or_else(|| panic!("a task shows its outputs: {task:#}"))
}

/// Every file of every output of a task.
fn files(appliance: &Appliance, task: &Value) -> Vec<Value> {
    let of_output = |output: &Value| {
        let id = output["id"].as_str().expect("an output has an id").to_owned();
        let page = appliance.get(&format!("/api/v1/outputs/{id}/files?limit=500"));
        assert!(page["next"].is_null(), "these sets are small");
        page["items"].as_array().expect("a list").clone()
    };
    outputs(task).iter().flat_map(of_output).collect()
}

fn published_keys(appliance: &Appliance, task: &Value) -> Vec<String> {
    files(appliance, task).iter().map(|file| key(file).to_owned()).collect()
}

fn key(file: &Value) -> &str {
    let object = file["object"]
        .as_str()
        .unwrap_or_else(|| panic!("a file names its object: {file:#}"));
    object
        .strip_prefix("renditions:")
        .expect("it stands in the output storage")
}

fn outputs_are_whole(appliance: &Appliance, task: &Value) {
    assert_eq!(outputs(task).len(), 4, "MP4, HLS, sprite, poster: {task:#}");
    for file in files(appliance, task) {
        let key = key(&file);
        let path = appliance.path("renditions").join(key);
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{key}: {error}"));
        assert_eq!(file["size_bytes"].as_u64(), Some(bytes.len() as u64), "{key}");
        assert_eq!(file["md5"].as_str(), Some(md5_hex(&bytes).as_str()), "{key}");
    }
}

fn md5_hex(bytes: &[u8]) -> String {
    use md5::Digest;
    hex::encode(md5::Md5::digest(bytes))
}
