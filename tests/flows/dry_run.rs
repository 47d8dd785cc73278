//! `test` of a workflow: what it would do, said before it does it.

use crate::appliance::Appliance;
use crate::appliance::reelmill;
use crate::appliance::said;
use crate::noop;
use serde_json::Value;
use serde_json::json;

/// From `ingest:in/` to `renditions`: facts, a sprite of what is small, a still; `output` and `callback` are appended.
fn pictures(output: &str, rest: &str) -> String {
    format!(
        "name = \"pictures\"\n[source]\nstorage = \"ingest\"\nprefix = \"in/\"\ntrigger = \"manual\"\n\
         [output]\nstorage = \"renditions\"\n{output}\n{rest}\n\
         [[activity]]\nid = \"facts\"\ntype = \"analysis\"\n\
         [[activity]]\nid = \"sheet\"\ntype = \"snapshot\"\nmode = \"sprite\"\ninterval_s = 1\n\
         [[activity]]\nid = \"still\"\ntype = \"snapshot\"\nneeds = [\"facts\"]\nwhen = \"height < 1000\"\n\
         [[activity]]\nid = \"large\"\ntype = \"snapshot\"\nneeds = [\"facts\"]\nwhen = \"height >= 1000\"\n"
    )
}

fn output<'a>(told: &'a Value, activity: &str) -> &'a Value {
    let outputs = told["outputs"].as_array().expect("outputs");
    outputs
        .iter()
        .find(|output| output["activity"] == activity)
        .unwrap_or_else(|| panic!("{activity} in {told}"))
}

/// 000: "Only workflows that are Enabled and use OSS source can be tested in the console."
#[test]
fn seed_000_only_enabled_workflows_of_a_storage_are_tested() {
    let mut appliance = Appliance::new("");
    appliance.start();
    appliance.apply(&noop("asleep", "").replacen("[source]", "enabled = false\n[source]", 1));
    appliance.apply("name = \"of-library\"\n[source]\nlibrary = true\n[[activity]]\nid = \"one\"\ntype = \"noop\"\n");
    let object = json!({ "object": "ingest:a.mp4" });
    let asleep = appliance.post("/api/v1/workflows/asleep/test", &object);
    appliance.refused(&asleep, 409, "WorkflowDisabled");
    let library = appliance.post("/api/v1/workflows/of-library/test", &object);
    appliance.refused(&library, 409, "WorkflowOfLibrary");
    let none = appliance.post("/api/v1/workflows/nobody/test", &object);
    appliance.refused(&none, 404, "NotFound");
    let bad = appliance.post("/api/v1/workflows/asleep/test", &json!({ "object": "nothing" }));
    appliance.refused(&bad, 422, "BadObject");
    let said = appliance.did_not(&["workflow", "test", "asleep", "ingest:a.mp4"], 1);
    assert!(
        said.contains("asleep is disabled") && said.contains("Enable it first"),
        "{said}"
    );
}

/// The issue: "test (dry run on a chosen object that shows what would match, each resolved output path, the fused passes,
/// and can really run)".
#[test]
fn a_test_tells_match_names_passes_and_destinations_and_changes_nothing() {
    let mut appliance =
        Appliance::new("[[destination]]\nname = \"mam\"\nkind = \"http\"\nurl = \"http://127.0.0.1:9/\"\n");
    appliance.start();
    appliance.apply(&pictures("", "[callback]\ndestination = \"mam\"\nalso_unified = true"));
    appliance.object("ingest", "in/a.mp4", b"not looked at");
    let test = |object: &str| appliance.posted("/api/v1/workflows/pictures/test", &json!({ "object": object }), 200);
    let told = test("ingest:in/a.mp4");
    assert_eq!(
        (&told["matches"], &told["exists"], &told["facts_known"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert!(
        told["why"]
            .as_str()
            .is_some_and(|why| why.contains("trigger = \"manual\"")),
        "{told}"
    );
    assert_eq!(told["trigger"], "manual");
    assert_eq!(output(&told, "sheet")["object"], "renditions:in/a/sheet-00001.jpg");
    assert_eq!(output(&told, "sheet")["pattern"], "renditions:in/a/sheet-{Count}.jpg");
    assert_eq!(output(&told, "still")["object"], "renditions:in/a/still.jpg");
    assert_eq!(
        (&output(&told, "still")["conflict"], &output(&told, "still")["standing"]),
        (&json!("none"), &Value::Null)
    );
    let runs: Vec<&str> = told["activities"]
        .as_array()
        .expect("activities")
        .iter()
        .map(|one| one["runs"].as_str().expect("runs"))
        .collect();
    assert_eq!(
        runs,
        ["yes", "yes", "depends", "depends"],
        "the facts are not known yet: {told}"
    );
    assert!(
        told["unknown"][0].as_str().is_some_and(|text| text.contains("facts")),
        "{told}"
    );
    let passes: Vec<(&Value, &Value)> = told["passes"]
        .as_array()
        .expect("passes")
        .iter()
        .map(|pass| (&pass["turn"], &pass["activities"]))
        .collect();
    assert_eq!(
        passes,
        [
            (&json!(1), &json!(["facts", "sheet"])),
            (&json!(2), &json!(["still", "large"]))
        ]
    );
    assert_eq!(
        told["destinations"],
        json!([{ "kind": "unified", "to": null, "profile": null }, { "kind": "destination", "to": "mam", "profile": null }])
    );
    for (object, exists, word) in [
        ("ingest:out/a.mp4", false, "begin with \"in/\""),
        ("ingest:in/notes.txt", false, ".txt"),
        ("renditions:in/a.mp4", false, "watches storage ingest"),
    ] {
        let told = test(object);
        assert_eq!((&told["matches"], &told["exists"]), (&json!(false), &json!(exists)));
        assert!(told["why"].as_str().is_some_and(|why| why.contains(word)), "{told}");
    }
    let unknown = appliance.post("/api/v1/workflows/pictures/test", &json!({ "object": "nowhere:a.mp4" }));
    appliance.refused(&unknown, 422, "StorageUnknown");
    assert!(
        appliance.tasks().is_empty() && appliance.files("renditions").is_empty(),
        "nothing was changed"
    );
    // What would be other for one run is tested the same way.
    let wishes = json!({ "object": "ingest:in/a.mp4", "output": { "prefix": "new/" }, "parameters": { "still": { "format": "png" } } });
    let told = appliance.posted("/api/v1/workflows/pictures/test", &wishes, 200);
    assert_eq!(output(&told, "still")["object"], "renditions:new/a/still.png");
    let shown = appliance.did(&[
        "workflow",
        "test",
        "pictures",
        "ingest:in/a.mp4",
        "--set",
        "still.format=png",
    ]);
    assert!(
        shown.contains("renditions:in/a/still.png") && shown.contains("not known before a run"),
        "{shown}"
    );
}

/// The brief of `test`: "conflicts that would be (version/fail/overwrite) with what stands there".
#[test]
fn a_test_tells_conflicts_and_then_really_runs() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let clip = appliance.path("ingest/in/a.mp4");
    std::fs::create_dir_all(clip.parent().expect("a folder")).expect("made");
    let made = reelmill(&[
        "sample",
        clip.to_str().expect("text"),
        "--seconds",
        "1",
        "--size",
        "256x144",
    ]);
    assert!(made.status.success(), "{}", said(&made));
    appliance.object("renditions", "in/a/still.jpg", b"12345");
    let object = json!({ "object": "ingest:in/a.mp4" });
    let path = "/api/v1/workflows/pictures/test";
    for (rule, published) in [
        ("version", json!("renditions:in/a/still-2.jpg")),
        ("overwrite", json!("renditions:in/a/still.jpg")),
        ("fail", Value::Null),
    ] {
        appliance.apply(&pictures(&format!("on_conflict = \"{rule}\""), ""));
        appliance.did(&["workflow", "enable", "pictures"]);
        let told = appliance.posted(path, &object, 200);
        let still = output(&told, "still");
        assert_eq!(
            (&still["conflict"], &still["published_as"]),
            (&json!(rule), &published),
            "{told}"
        );
        assert_eq!(
            (&still["standing"]["size_bytes"], &still["standing"]["task"]),
            (&json!(5), &Value::Null)
        );
        assert_eq!(output(&told, "sheet")["conflict"], "none");
        appliance.did(&["workflow", "disable", "pictures"]);
    }
    appliance.apply(&pictures("on_conflict = \"version\"", ""));
    appliance.did(&["workflow", "enable", "pictures"]);
    let outside = appliance.post(path, &json!({ "object": "renditions:in/a/still.jpg", "run": true }));
    appliance.refused(&outside, 422, "ObjectNotTaken");
    let foretold = appliance.posted(path, &object, 200);
    let run = appliance.posted(path, &json!({ "object": "ingest:in/a.mp4", "run": true }), 201);
    let task = appliance.ended(run["task"]["id"].as_str().expect("a task"));
    assert_eq!(task["status"], "Succeed", "{task}");
    // What was foretold is what came.
    for made in task["outputs"].as_array().expect("outputs") {
        let job = task["jobs"]
            .as_array()
            .expect("jobs")
            .iter()
            .find(|job| job["id"] == made["job"]);
        let activity = job
            .and_then(|job| job["activity"].as_str())
            .unwrap_or_else(|| panic!("{made}"));
        assert_eq!(output(&foretold, activity)["published_as"], made["object"]);
    }
    let told = appliance.posted(path, &object, 200);
    assert_eq!(
        (&told["facts_known"], &told["media"]),
        (&json!(true), &task["media"]["id"])
    );
    let runs: Vec<&str> = told["activities"]
        .as_array()
        .expect("activities")
        .iter()
        .map(|one| one["runs"].as_str().expect("runs"))
        .collect();
    assert_eq!(runs, ["yes", "yes", "yes", "no"], "the facts decide: {told}");
    assert_eq!(output(&told, "still")["published_as"], "renditions:in/a/still-3.jpg");
    let sheet = output(&told, "sheet");
    assert_eq!(
        sheet["standing"]["task"], task["id"],
        "whose output stands there: {told}"
    );
    let watched = appliance.did(&["workflow", "test", "pictures", "ingest:in/a.mp4", "--run", "--watch"]);
    assert!(
        watched.contains("Succeed") && watched.contains("renditions:in/a/still-3.jpg"),
        "{watched}"
    );
}
