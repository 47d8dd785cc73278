//! Whole tasks into a bucket, by the real daemon.

use crate::appliance::Appliance;
use crate::appliance::clips;
use crate::appliance::fault_proxy::FaultProxy;
use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::appliance::s3_server::S3Server;
use crate::appliance::workflows;
use crate::bench::hers;
use crate::bench::is_naming;
use crate::bench::key_of;
use crate::bench::md5_of;
use crate::bench::noise;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

/// Copies what arrives beneath `prefix` into the bucket.
fn keeper(name: &str, prefix: &str, on_conflict: &str, after: &str) -> String {
    format!(
        "name = \"{name}\"\n[source]\nstorage = \"ingest\"\nprefix = \"{prefix}\"\nextensions = [\"*\"]\nafter = \"{after}\"\n\
         [output]\nstorage = \"vault\"\non_conflict = \"{on_conflict}\"\n\
         [[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"vault\"\nprefix = \"kept/\"\n"
    )
}

fn vault(server: &S3Server, endpoint: &str, extra: &str) -> String {
    server.section("vault", "vault", endpoint, &format!("part_mib = 5\n{extra}"))
}

fn deliver(appliance: &Appliance, key: &str, content: &[u8]) {
    let beside = appliance.path("content.tmp");
    std::fs::write(&beside, content).expect("written");
    appliance.deliver(&beside, key);
}

/// Every file of every output of a task.
fn files(appliance: &Appliance, task: &Value) -> Vec<Value> {
    let outputs = task["outputs"].as_array().expect("a list");
    let of_output = |output: &Value| {
        let id = output["id"].as_str().expect("an id");
        let page = appliance.get(&format!("/api/v1/outputs/{id}/files?limit=500"));
        page["items"].as_array().expect("a list").clone()
    };
    outputs.iter().flat_map(of_output).collect()
}

fn key(file: &Value) -> String {
    let object = file["object"].as_str().expect("a file names its object");
    object
        .strip_prefix("vault:")
        .expect("it stands in the bucket")
        .to_owned()
}

/// Parts of uploads that the service still keeps. An upload that was begun while its answer was lost with us stays known to
/// this service, which cannot list them; it holds no part.
/// Parts of uploads that the service knows. A part that arrived after its upload was completed lies in its folder for
/// ever, and nobody can remove it; a real service refuses it.
fn open_uploads(server: &S3Server) -> Vec<String> {
    let folder = server.folder("vault");
    let root = folder.parent().expect("a folder above");
    let entries = std::fs::read_dir(root).expect("readable");
    entries
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter(|name| {
            let part = name
                .strip_prefix(".upload_id-")
                .and_then(|rest| rest.split_once(".part-"));
            part.is_some_and(|(upload, _)| root.join(format!(".upload-{upload}.json")).exists())
        })
        .collect()
}

#[test]
fn a_ladder_goes_into_a_bucket_and_its_manifests_last() {
    let server = S3Server::start(&["vault"]);
    let proxy = FaultProxy::start(server.port());
    let mut appliance = Appliance::new(&vault(&server, &proxy.endpoint(), "watch = \"off\""));
    let workflow = workflows::small("small").replace("\"renditions\"", "\"vault\"\non_conflict = \"overwrite\"");
    appliance.workflow_file("small", &workflow);
    appliance.start();
    appliance.deliver(&clips::short(), "clip.mp4");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let made = files(&appliance, &task);
    let mut keys: Vec<String> = made.iter().map(key).collect();
    for file in &made {
        let there = server.object("vault", &key(file)).expect("it is there");
        assert_eq!(file["md5"].as_str(), Some(md5_of(&there).as_str()), "{file:#}");
        assert_eq!(file["size_bytes"].as_u64(), Some(there.len() as u64));
    }
    keys.sort();
    assert_eq!(server.keys("vault"), keys, "what the task tells of, and nothing else");
    let named: Vec<String> = proxy
        .seen()
        .iter()
        .filter(|seen| is_naming(seen))
        .map(key_of)
        .filter(|key| key.contains("m3u8") || key.contains("m4s") || key.ends_with(".ts"))
        .collect();
    let first_list = named
        .iter()
        .position(|key| key.ends_with("m3u8"))
        .expect("lists were named");
    assert!(
        first_list > 0 && named[first_list..].iter().all(|key| key.ends_with("m3u8")),
        "{named:?}"
    );
    let master = task["outputs"].as_array().expect("a list").iter().find_map(|output| {
        let object = output["object"].as_str().unwrap_or_default();
        object
            .ends_with("m3u8")
            .then(|| object.trim_start_matches("vault:").to_owned())
    });
    assert_eq!(named.last(), master.as_ref(), "the master comes last: {named:?}");

    // Again under the same names: fresh segments, and the master swapped for one that names them.
    let before = server
        .object("vault", named.last().expect("a master"))
        .expect("it is there");
    appliance.deliver(&clips::short(), "clip.mp4");
    let tasks = appliance.ended_tasks(2);
    assert!(tasks.iter().all(|task| task["status"] == "Succeed"), "{tasks:#?}");
    let after = server
        .object("vault", named.last().expect("a master"))
        .expect("it is there");
    assert_ne!(before, after, "it names the new segments");
    assert!(
        keys.iter().all(|key| server.object("vault", key).is_some()),
        "old segments stay for whoever plays"
    );
    assert_eq!(open_uploads(&server), Vec::<String>::new());
}

/// Killed at any moment, copies are whole or not there, each once, and nothing is left open.
#[test]
fn kills_lose_nothing_double_nothing_and_leave_nothing() {
    let server = S3Server::start(&["vault"]);
    let proxy = FaultProxy::start(server.port());
    let mut appliance = Appliance::new(&vault(&server, &proxy.endpoint(), "watch = \"off\""));
    appliance.workflow_file("keep", &keeper("keep", "", "version", "keep"));
    // Slow enough that kills fall between any two steps.
    proxy.make(Rule::new(Ill::Late(Duration::from_millis(30))));
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .subsec_nanos();
    println!("seed {seed}");
    let moments = noise(16, u64::from(seed));
    let rounds = 10;
    for (round, moment) in moments.iter().enumerate().take(rounds) {
        appliance.start();
        let size = if round % 2 == 0 { (11 << 20) + 1 } else { 1_000 };
        deliver(
            &appliance,
            &format!("clip-{round:02}.bin"),
            &noise(size, round as u64 + 1),
        );
        std::thread::sleep(Duration::from_millis(600 + 5 * u64::from(*moment)));
        appliance.kill_9();
        for key in server.keys("vault") {
            let number: u64 = key[10..12].parse().expect("a number");
            let size = if number.is_multiple_of(2) {
                (11 << 20) + 1
            } else {
                1_000
            };
            let there = server.object("vault", &key).expect("it is there");
            assert!(there == noise(size, number + 1), "{key} is not whole");
        }
    }
    appliance.start();
    let tasks = appliance.ended_tasks(rounds);
    for task in &tasks {
        assert_eq!(
            (&task["status"], &task["jobs"][0]["tries"]),
            (&json!("Succeed"), &json!(0)),
            "{task:#}"
        );
    }
    let expected: Vec<String> = (0..rounds).map(|round| format!("kept/clip-{round:02}.bin")).collect();
    assert_eq!(server.keys("vault"), expected);
    appliance.until("what was left open to be aborted", || {
        open_uploads(&server).is_empty().then_some(())
    });
    appliance.until("scratch to be swept", || {
        appliance.files("scratch").is_empty().then_some(())
    });
}

#[test]
fn names_that_are_taken_get_a_version_give_way_or_fail() {
    let server = S3Server::start(&["vault"]);
    let mut appliance = Appliance::new(&vault(&server, &server.endpoint(), "watch = \"off\""));
    for rule in ["version", "overwrite", "fail"] {
        appliance.workflow_file(rule, &keeper(rule, &format!("{rule}/"), rule, "delete"));
    }
    appliance.start();
    let mut tasks = 0;
    for rule in ["version", "overwrite", "fail"] {
        server.deliver("vault", &format!("kept/{rule}/a.bin"), b"somebody's");
        deliver(&appliance, &format!("{rule}/a.bin"), rule.as_bytes());
        tasks += 1;
        appliance.ended_tasks(tasks);
    }
    let there = |key: &str| {
        server
            .object("vault", key)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    assert_eq!(there("kept/version/a.bin").as_deref(), Some("somebody's"));
    assert_eq!(there("kept/version/a-2.bin").as_deref(), Some("version"));
    assert_eq!(there("kept/overwrite/a.bin").as_deref(), Some("overwrite"));
    assert_eq!(there("kept/fail/a.bin").as_deref(), Some("somebody's"));
    let failed = appliance.tasks();
    let failed = failed
        .iter()
        .find(|task| task["status"] == "Failed")
        .expect("one failed");
    let failed = appliance.get(&format!("/api/v1/tasks/{}", failed["id"].as_str().expect("an id")));
    assert!(failed.to_string().contains("OutputTaken"), "{failed:#}");
    // The rule touches a source only when all of it is published.
    appliance.until("the sources to go", || {
        (appliance.files("ingest") == ["fail/a.bin"]).then_some(())
    });
}

#[test]
fn a_bucket_that_is_away_is_waited_for_without_doing_the_work_again() {
    let mut server = S3Server::start(&["vault"]);
    let mut appliance = Appliance::new(&vault(&server, &server.endpoint(), "watch = \"off\""));
    appliance.workflow_file("keep", &keeper("keep", "", "version", "keep"));
    appliance.start();
    server.stop();
    deliver(&appliance, "clip.bin", &noise(1_000, 1));
    appliance.until("the task to be taken", || (!appliance.tasks().is_empty()).then_some(()));
    std::thread::sleep(Duration::from_secs(3));
    assert!(appliance.is_running());
    // It leaves in time, also while nobody answers.
    let begun = std::time::Instant::now();
    assert!(appliance.stop().success());
    println!("stopped after {:?}", begun.elapsed());
    appliance.start();
    server.go_on();
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    assert_eq!(server.keys("vault"), ["kept/clip.bin"]);
}

/// What is published into a watched bucket starts nothing, also while it is being published; what a user puts in its
/// place does, though it has the same name and the same size.
#[test]
fn our_own_outputs_start_nothing_and_what_she_puts_in_their_place_does() {
    let server = S3Server::start(&["vault"]);
    let proxy = FaultProxy::start(server.port());
    let mut appliance = Appliance::new(&vault(&server, &proxy.endpoint(), "poll_interval_s = 0.5"));
    appliance.workflow_file("keep", &keeper("keep", "", "overwrite", "keep"));
    let seen = "name = \"seen\"\n[source]\nstorage = \"vault\"\nextensions = [\"*\"]\n[output]\nstorage = \"renditions\"\n\
        [[activity]]\nid = \"one\"\ntype = \"noop\"\n";
    appliance.workflow_file("seen", seen);
    appliance.start();
    appliance.until("the first listing to end", || {
        appliance.get("/api/v1/storages/vault")["last_scan_at"]
            .is_string()
            .then_some(())
    });
    // Named, and the proof comes late: listings see it before its task is concluded.
    proxy.make(
        Rule::new(Ill::Late(Duration::from_secs(3)))
            .method("HEAD")
            .target("kept/a.bin")
            .after(2)
            .times(1),
    );
    deliver(&appliance, "a.bin", b"ours");
    appliance.until("it to be named", || server.object("vault", "kept/a.bin"));
    appliance.ended_tasks(1);
    server.deliver("vault", "by-her.bin", b"hers");
    let tasks = appliance.ended_tasks(2);
    assert_eq!(tasks[0]["media"]["object"], "vault:by-her.bin", "{tasks:#?}");
    let explained = appliance
        .get("/api/v1/storages/vault/explain?key=kept%2Fa.bin")
        .to_string();
    assert!(explained.contains("ours"), "{explained}");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(hers(&server, "vault", "kept/a.bin", b"hers"));
    let tasks = appliance.ended_tasks(3);
    assert_eq!(tasks[0]["media"]["object"], "vault:kept/a.bin", "{tasks:#?}");
}

/// The source lies in one bucket, its copy in another place, and then the rule of the workflow is applied to it.
#[test]
fn sources_in_buckets_are_copied_and_then_moved() {
    let server = S3Server::start(&["vault"]);
    let mut appliance = Appliance::new(&vault(&server, &server.endpoint(), "poll_interval_s = 0.5"));
    let workflow = "name = \"out\"\n[source]\nstorage = \"vault\"\nprefix = \"in/\"\nextensions = [\"*\"]\nafter = \"move:done/\"\n\
        [output]\nstorage = \"renditions\"\n\
        [[activity]]\nid = \"down\"\ntype = \"copy\"\nstorage = \"renditions\"\n\
        [[activity]]\nid = \"beside\"\ntype = \"copy\"\nstorage = \"vault\"\nprefix = \"kept/\"\n";
    appliance.workflow_file("out", workflow);
    appliance.start();
    appliance.until("the first listing to end", || {
        appliance.get("/api/v1/storages/vault")["last_scan_at"]
            .is_string()
            .then_some(())
    });
    let content = noise((6 << 20) + 1, 77);
    server.deliver("vault", "in/a.bin", &content);
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    appliance.until("the source to be moved", || {
        (server.keys("vault") == ["done/in/a.bin", "kept/in/a.bin"]).then_some(())
    });
    assert!(server.object("vault", "done/in/a.bin").expect("moved") == content);
    assert!(server.object("vault", "kept/in/a.bin").expect("copied") == content);
    assert!(std::fs::read(appliance.path("renditions/in/a.bin")).expect("copied") == content);
    assert_eq!(appliance.tasks().len(), 1);
}
