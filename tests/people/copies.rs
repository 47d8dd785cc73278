//! Copies to another storage.

use crate::appliance::Appliance;
use crate::appliance::clips;
use crate::appliance::receiver::Receiver;
use crate::appliance::workflows;
use crate::scene::arrive;
use crate::scene::ended;
use crate::scene::job;
use crate::scene::task_when;
use crate::scene::text;
use crate::scene::told_to;
use crate::scene::workflow;
use serde_json::Value;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

fn outputs_of<'a>(task: &'a Value, activity: &str) -> Vec<&'a Value> {
    let id = &job(task, activity)["id"];
    let outputs = task["outputs"].as_array().expect("a list");
    outputs.iter().filter(|output| output["job"] == *id).collect()
}

fn same(one: &Path, other: &Path) -> bool {
    let read = |path: &Path| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(one) == read(other)
}

/// Outputs of earlier activities and the source go to other places as they are: sets keep their inner places, the copies
/// are outputs of their own, and a workflow that watches where they land does not take them for arrivals.
#[test]
fn what_was_made_and_what_it_was_made_of_are_copied_and_start_nothing() {
    let mut appliance = Appliance::new("");
    let copies = "[[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"ingest\"\nprefix = \"archive/\"\n\
        [[activity]]\nid = \"mirror\"\ntype = \"copy\"\nstorage = \"ingest\"\nprefix = \"mirror/\"\n\
        needs = [\"ladder\"]\noutputs_of = [\"ladder\"]\n\
        [[activity]]\nid = \"nothing\"\ntype = \"copy\"\nstorage = \"ingest\"\nprefix = \"void/\"\n\
        needs = [\"skipped\"]\nwhen = \"always\"\noutputs_of = [\"skipped\"]\n\
        [[activity]]\nid = \"skipped\"\ntype = \"cover\"\nneeds = [\"ladder\"]\nwhen = \"failure\"\n";
    appliance.workflow_file("small", &format!("{}{copies}", workflows::small("small")));
    appliance.start();
    appliance.deliver(&clips::short(), "in/clip.mp4");
    let task = ended(&appliance, "in/clip.mp4");
    assert_eq!(task["status"], "Succeed", "{task:#}");
    assert!(same(&appliance.path("ingest/archive/in/clip.mp4"), &clips::short()));
    let made = appliance.files("renditions");
    let mirrored = appliance.files("ingest/mirror");
    let of_ladder: Vec<&String> = made
        .iter()
        .filter(|file| !file.contains("sprite") && !file.contains("poster"))
        .collect();
    assert!(of_ladder.len() > 3, "a file and a set were made: {made:?}");
    assert_eq!(
        mirrored.iter().collect::<Vec<_>>(),
        of_ladder,
        "and nothing else was copied"
    );
    for file in &mirrored {
        let paths = ["renditions", "ingest/mirror"].map(|folder| appliance.path(folder).join(file));
        assert!(same(&paths[0], &paths[1]), "{file}");
    }
    let copied = outputs_of(&task, "mirror");
    assert_eq!(copied.len(), outputs_of(&task, "ladder").len());
    for output in copied {
        assert!(text(output, "object").starts_with("ingest:mirror/"), "{output:#}");
    }
    assert_eq!(job(&task, "nothing")["status"], "Skipped", "{task:#}");
    // A file of a user in the same place does start something: the trigger has looked by then.
    arrive(
        &appliance,
        "mirror/users.mp4",
        &std::fs::read(clips::silent()).expect("the clip is read"),
    );
    ended(&appliance, "mirror/users.mp4");
    assert_eq!(appliance.tasks().len(), 2, "our own copies started nothing");
    assert!(
        !appliance
            .files("ingest")
            .iter()
            .any(|file| file.starts_with(".reelmill"))
    );
}

/// What stands under the name is never replaced unless the rule says so, and a copy never lands on its own source.
#[test]
fn names_that_are_taken_are_kept_as_the_rule_says() {
    let copy = |prefix: &str| {
        format!("[[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"renditions\"\nprefix = \"{prefix}\"\n")
    };
    let rule = |name: &str, on_conflict: &str| {
        workflow(name, &format!("{name}/"), &copy("kept/")).replace(
            "storage = \"renditions\"\n[[",
            &format!("storage = \"renditions\"\non_conflict = \"{on_conflict}\"\n[["),
        )
    };
    let mut appliance = Appliance::new("");
    for word in ["version", "fail", "overwrite"] {
        appliance.workflow_file(word, &rule(word, word));
        let taken = appliance.path("renditions/kept").join(word);
        std::fs::create_dir_all(&taken).expect("the folder is made");
        std::fs::write(taken.join("a.txt"), b"somebody else's").expect("written");
    }
    let itself = "[[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"ingest\"\n";
    appliance.workflow_file("itself", &workflow("itself", "itself/", itself));
    appliance.start();
    let kept = |name: &str| std::fs::read(appliance.path("renditions/kept").join(name)).expect("it is there");
    for word in ["version", "fail", "overwrite", "itself"] {
        arrive(&appliance, &format!("{word}/a.txt"), word.as_bytes());
    }
    assert_eq!(ended(&appliance, "version/a.txt")["status"], "Succeed");
    assert_eq!(
        (kept("version/a.txt"), kept("version/a-2.txt")),
        (b"somebody else's".to_vec(), b"version".to_vec())
    );
    let task = ended(&appliance, "fail/a.txt");
    assert_eq!(job(&task, "keep")["fault"]["code"], "OutputTaken", "{task:#}");
    assert_eq!(kept("fail/a.txt"), b"somebody else's");
    assert_eq!(ended(&appliance, "overwrite/a.txt")["status"], "Succeed");
    assert_eq!(kept("overwrite/a.txt"), b"overwrite");
    let task = ended(&appliance, "itself/a.txt");
    assert_eq!(job(&task, "keep")["fault"]["code"], "CopyOntoItself", "{task:#}");
}

/// Killed at any moment, a copy is whole or not there, and told once.
#[test]
fn a_copy_survives_the_death_of_the_daemon_at_any_moment() {
    let receiver = Receiver::start();
    let config = told_to(&receiver.url()).replace("\"ims\"", "\"native\"");
    let mut appliance = Appliance::new(&config);
    let copy = "[[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"renditions\"\nprefix = \"kept/\"\n";
    appliance.workflow_file("keep", &workflow("keep", "", copy));
    // Different in every part, so that a torn copy differs.
    let source = appliance.path("large");
    let mut file = std::fs::File::create(&source).expect("the file is made");
    for number in 0..96_u32 {
        let part: Vec<u8> = (0..(1_u32 << 18))
            .flat_map(|at| (at ^ (number << 20)).to_le_bytes())
            .collect();
        file.write_all(&part).expect("written");
    }
    drop(file);
    let kept = appliance.path("renditions/kept/large.bin");
    appliance.start();
    appliance.deliver(&source, "large.bin");
    task_when(&appliance, "large.bin", "taken", |task| {
        job(task, "keep")["status"] != "Init"
    });
    for round in 0..5_u64 {
        appliance.kill_9();
        if kept.exists() {
            assert!(same(&kept, &source), "half a copy under the final name");
        }
        appliance.start();
        std::thread::sleep(Duration::from_millis(40 * round));
    }
    let task = ended(&appliance, "large.bin");
    assert_eq!(
        (&task["status"], &job(&task, "keep")["tries"]),
        (&json!("Succeed"), &json!(0)),
        "{task:#}"
    );
    assert!(same(&kept, &source));
    assert_eq!(
        appliance.files("renditions"),
        ["kept/large.bin"],
        "one copy, and nothing left over"
    );
    appliance.until("the end to be told", || {
        let types = || {
            receiver
                .accepted()
                .into_iter()
                .map(|callback| callback.json().to_string())
        };
        types().any(|text| text.contains("WorkflowTaskComplete")).then_some(())
    });
    let copies = receiver.accepted().into_iter().filter(|callback| {
        let text = callback.json().to_string();
        text.contains("CopyComplete") && !text.contains("WorkflowTaskComplete")
    });
    assert_eq!(copies.count(), 1);
}

/// Issue 9: cancel of running work stops the worker within 2 s. Measured, and the worker must be gone.
#[test]
fn a_cancel_stops_the_worker() {
    let mut appliance = Appliance::new("");
    let slow = workflows::small("slow").replace("preset = \"ultrafast\"", "preset = \"veryslow\"");
    appliance.workflow_file("slow", &slow);
    appliance.start();
    let workers = |pid: u32| {
        let listed = std::process::Command::new("ps")
            .args(["--ppid", &pid.to_string(), "-o", "stat=,args="])
            .output()
            .expect("ps runs");
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        text.lines()
            .filter(|line| line.contains("worker") && !line.starts_with('Z'))
            .count()
    };
    for number in 0..3 {
        let key = format!("{number}.mp4");
        appliance.deliver(&clips::long(), &key);
        let task = task_when(&appliance, &key, "encoding", |task| {
            job(task, "ladder")["progress"]["percent"]
                .as_f64()
                .is_some_and(|percent| percent > 1.0)
        });
        assert!(workers(appliance.pid()) > 0, "it runs");
        let began = std::time::Instant::now();
        crate::scene::post(
            &appliance,
            &format!("/api/v1/tasks/{}/cancel", text(&task, "id")),
            &json!({}),
            202,
        );
        appliance.until("the worker to be gone", || {
            (workers(appliance.pid()) == 0).then_some(())
        });
        let gone_ms = began.elapsed().as_millis();
        assert_eq!(ended(&appliance, &key)["status"], "Canceled");
        println!(
            "the worker was gone {gone_ms} ms after the cancel, the task over after {} ms",
            began.elapsed().as_millis()
        );
    }
}
