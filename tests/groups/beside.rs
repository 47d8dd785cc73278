//! What lies beside media of several files, and copies of them.

use crate::appliance::Appliance;
use crate::explained;
use crate::house_of;
use crate::put_text;
use serde_json::Value;
use serde_json::json;

const NOTICE: &str = "name = \"notice\"\n[source]\nstorage = \"cards\"\nextensions = [\"*\"]\n[[activity]]\nid = \"n\"\ntype = \"noop\"\n";

const KEEP: &str = "name = \"keep\"\n[source]\nstorage = \"cards\"\nextensions = [\"*\"]\n[output]\nstorage = \"renditions\"\n\
    [[activity]]\nid = \"keep\"\ntype = \"copy\"\nstorage = \"renditions\"\nprefix = \"kept/\"\n";

fn waits(appliance: &Appliance, key: &str, word: &str) {
    appliance.until(word, || explained(appliance, key).contains(word).then_some(()));
}

fn shot(task: &Value) -> Value {
    task["user_data"].clone()
}

#[test]
fn an_order_that_comes_after_its_chapter_settled_counts_and_a_late_chapter_keeps_it() {
    let appliance = house_of("notice", NOTICE, "sidecars = true\nsubtitles = true\n");
    put_text(&appliance, "in/GH010123.MP4", "chapter 1");
    put_text(&appliance, "in/GH030123.MP4", "chapter 3");
    waits(&appliance, "in/GH010123.MP4", "GH020123.MP4 is not there");
    let order = json!({ "user_data": { "shot": 7 } }).to_string();
    put_text(&appliance, "in/GH010123.MP4.reelmill.json", &order);
    put_text(
        &appliance,
        "in/GH010123.en.srt",
        "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
    );
    put_text(&appliance, "in/GH020123.MP4", "chapter 2");
    let tasks = appliance.ended_tasks(1);
    assert!(shot(&tasks[0]).to_string().contains('7'), "{:#}", tasks[0]);
    let told = explained(&appliance, "in/GH010123.MP4");
    assert!(
        told.contains("GH010123.MP4.reelmill.json") && told.contains("GH010123.en.srt"),
        "{told}"
    );
    // The whole recording runs anew, with what was said of it.
    put_text(&appliance, "in/GH040123.MP4", "chapter 4");
    let tasks = appliance.ended_tasks(2);
    assert_eq!(tasks[0]["parts"]["count"], 4, "{:#}", tasks[0]);
    assert!(shot(&tasks[0]).to_string().contains('7'), "{:#}", tasks[0]);
    // One that cannot be done is waited for, and told.
    put_text(&appliance, "in/GH010123.MP4.reelmill.json", "{ \"start\": ");
    put_text(&appliance, "in/GH050123.MP4", "chapter 5");
    waits(&appliance, "in/GH050123.MP4", "GH010123.MP4.reelmill.json");
    put_text(
        &appliance,
        "in/GH010123.MP4.reelmill.json",
        "{ \"user_data\": { \"shot\": 8 } }",
    );
    let tasks = appliance.ended_tasks(3);
    assert!(shot(&tasks[0]).to_string().contains('8'), "{:#}", tasks[0]);
}

/// The same, once a person has said yes.
const ASK: &str = "name = \"ask\"\n[source]\nstorage = \"cards\"\nextensions = [\"*\"]\n[output]\nstorage = \"renditions\"\n\
    [[activity]]\nid = \"ask\"\ntype = \"review\"\n\
    [[activity]]\nid = \"keep\"\ntype = \"copy\"\nneeds = [\"ask\"]\nstorage = \"renditions\"\nprefix = \"kept/\"\n";

#[test]
fn a_copy_of_several_files_has_all_of_them_or_none() {
    let appliance = house_of("keep", KEEP, "");
    put_text(&appliance, "in/GH010123.THM", "a thumbnail");
    put_text(&appliance, "in/GH020123.MP4", "chapter 2");
    put_text(&appliance, "in/GH010123.MP4", "chapter 1");
    let tasks = appliance.ended_tasks(1);
    assert_eq!(tasks[0]["status"], "Succeed", "{:#}", tasks[0]);
    let kept = ["kept/in/GH010123.MP4", "kept/in/GH010123.THM", "kept/in/GH020123.MP4"];
    assert_eq!(appliance.files("renditions"), kept);
    let read = |name: &str| std::fs::read_to_string(appliance.path("renditions").join(name)).expect("it is there");
    assert_eq!(kept.map(read), ["chapter 1", "a thumbnail", "chapter 2"]);
}

#[test]
fn a_copy_of_which_one_file_changed_is_none() {
    let appliance = house_of("ask", ASK, "");
    put_text(&appliance, "in/GH010200.MP4", "chapter 1");
    put_text(&appliance, "in/GH020200.MP4", "chapter 2");
    let (task, review) = appliance.until("somebody to be asked", || {
        let task = appliance.tasks().first()?["id"].as_str()?.to_owned();
        let review = appliance.get("/api/v1/reviews")["items"][0]["id"].as_str()?.to_owned();
        Some((task, review))
    });
    put_text(&appliance, "in/GH020200.MP4", "chapter 2, another take");
    let said = appliance.post(&format!("/api/v1/reviews/{review}/approve"), &json!({}));
    assert_eq!(said.status, 200, "{}", said.text());
    let failed = appliance.until("it to fail", || {
        let task = appliance.get(&format!("/api/v1/tasks/{task}"));
        (task["status"] == "Failed").then_some(task)
    });
    let jobs = failed["jobs"].as_array().expect("jobs");
    let keep = jobs.iter().find(|job| job["activity"] == "keep").expect("a copy");
    assert_eq!(keep["fault"]["code"], "SourceChanged", "{failed:#}");
    assert!(
        keep["fault"]["subject"].to_string().contains("GH020200.MP4"),
        "{keep:#}"
    );
    assert!(
        appliance.files("renditions").is_empty(),
        "{:?}",
        appliance.files("renditions")
    );
    // What stands there now is a media of its own, as a whole.
    appliance.until("the other take to be a task", || {
        (appliance.tasks().len() == 2).then_some(())
    });
}
