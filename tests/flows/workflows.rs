//! Managing workflows.

use crate::appliance::Appliance;
use crate::appliance::reelmill;
use crate::appliance::said;
use crate::each;
use crate::noop;
use serde_json::Value;
use serde_json::json;

const TOML: &str = "application/toml";

/// 003: "The workflow list displays information including workflow name, trigger bucket, region, trigger directory,
/// creation time, and status. You can sort workflows by creation time, search for a workflow by name, and view, edit, or
/// delete a workflow."
#[test]
fn seed_003_the_list_shows_sorts_searches_filters_and_pages() {
    let mut appliance = Appliance::new("");
    appliance.start();
    for name in ["first", "second-x", "third-x"] {
        appliance.apply(&noop(name, "prefix = \"in/\"\ntrigger = \"manual\""));
        // Times are shown and sorted by milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    appliance.apply("name = \"of-library\"\nenabled = false\n[source]\nlibrary = true\n[output]\nstorage = \"renditions\"\nprefix = \"out/\"\n[[activity]]\nid = \"one\"\ntype = \"noop\"\n");
    let own = appliance.get("/api/v1/workflows?origin=api");
    assert_eq!(
        each(&own, "/name"),
        ["of-library", "third-x", "second-x", "first"],
        "newest first"
    );
    let first = &own["items"][3];
    assert_eq!(
        first["source"],
        json!({ "kind": "storage", "storage": "ingest", "prefix": "in/", "trigger": "manual" })
    );
    assert_eq!(first["output"], json!({ "storage": null, "prefix": null }));
    assert_eq!(first["status"], "enabled");
    assert!(
        first["created_at"]
            .as_str()
            .is_some_and(|at| at.ends_with('Z') && at.len() == 20)
    );
    let library = &own["items"][0];
    assert_eq!(
        library["source"],
        json!({ "kind": "library", "storage": null, "prefix": "", "trigger": "manual" })
    );
    assert_eq!(library["output"], json!({ "storage": "renditions", "prefix": "out/" }));
    assert_eq!(library["status"], "disabled");
    let named = |query: &str| {
        let list = appliance.get(&format!("/api/v1/workflows?{query}"));
        each(&list, "/name").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        named("origin=api&order=asc"),
        ["first", "second-x", "third-x", "of-library"]
    );
    assert_eq!(
        named("origin=api&sort=name"),
        ["first", "of-library", "second-x", "third-x"]
    );
    assert_eq!(named("name=X&sort=name&order=desc&origin=api"), ["third-x", "second-x"]);
    assert_eq!(named("enabled=false&origin=api"), ["of-library"]);
    assert_eq!(named("storage=ingest&order=asc"), ["first", "second-x", "third-x"]);
    assert_eq!(named("storage=library&origin=api"), ["of-library"]);
    assert!(named("origin=preset").contains(&"web-ladder".to_owned()));
    for order in ["order=asc", "order=desc", "sort=name"] {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = appliance.get(&format!("/api/v1/workflows?limit=2&{order}{cursor}"));
            all.extend(each(&page, "/name").into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(all, named(order), "{order}");
    }
    let reply = appliance.ask("GET", "/api/v1/workflows?order=up", "", "");
    appliance.refused(&reply, 400, "BadOrder");
    let shown = appliance.did(&["workflow", "list", "--origin", "api", "--order", "asc"]);
    let columns = shown.lines().next().expect("headings");
    for heading in ["NAME", "TRIGGER", "STORAGE", "PREFIX", "OUTPUT", "CREATED", "STATUS"] {
        assert!(columns.contains(heading), "{columns}");
    }
    assert!(
        shown.lines().nth(1).is_some_and(|line| line.starts_with("first ")),
        "{shown}"
    );
}

/// 000: "A workflow is automatically activated and set to an Enabled state upon creation." "Only workflows in the Disabled
/// state can be edited or deleted." 003: "on the workflow editing page to modify its name, trigger bucket, trigger
/// directory, output bucket, output directory, event notification settings, and tasks. You cannot edit or delete an
/// enabled workflow." 000: "In the Actions column, you can view, edit, enable, disable, test, copy, or delete a workflow
/// template."
#[test]
fn seed_000_and_003_a_workflow_is_edited_and_deleted_only_while_disabled() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let made = appliance.apply(&noop("one", ""));
    assert_eq!((&made["enabled"], &made["version"]), (&json!(true), &json!(1)));
    let id = made["id"].as_str().expect("an id").to_owned();
    let edited = "name = \"renamed\"\n[source]\nstorage = \"renditions\"\nprefix = \"in/\"\n[output]\nstorage = \"ingest\"\nprefix = \"out/\"\n\
        [callback]\nkind = \"none\"\n[[activity]]\nid = \"two\"\ntype = \"noop\"\n";
    let path = "/api/v1/workflows/one";
    for reply in [
        appliance.ask("PUT", path, TOML, edited),
        appliance.ask("POST", "/api/v1/workflows", TOML, &noop("one", "prefix = \"x/\"")),
        appliance.ask("DELETE", path, "", ""),
        appliance.ask("DELETE", &format!("{path}/activities/one"), "", ""),
    ] {
        let why = appliance.refused(&reply, 409, "WorkflowEnabled");
        assert!(
            why.contains("one is enabled") && why.contains("only while disabled"),
            "{why}"
        );
    }
    assert!(appliance.did_not(&["workflow", "delete", "one"], 1).contains("disable"));
    assert_eq!(
        appliance.did(&["workflow", "disable", "one"]),
        "one version 1 is disabled\n"
    );
    let put = appliance.ask("PUT", path, TOML, edited);
    assert_eq!(put.status, 200, "{}", put.text());
    let put = put.json();
    assert_eq!(
        (
            &put["id"],
            &put["name"],
            &put["version"],
            &put["source"]["storage"],
            &put["output"]["prefix"]
        ),
        (
            &json!(id),
            &json!("renamed"),
            &json!(2),
            &json!("renditions"),
            &json!("out/")
        )
    );
    assert_eq!(put["resolved"]["callback"]["unified"], false);
    assert_eq!(appliance.ask("GET", path, "", "").status, 404, "the old name is free");
    appliance.apply(&noop("other", ""));
    let clash = appliance.ask(
        "PUT",
        "/api/v1/workflows/renamed",
        TOML,
        &noop("other", "prefix = \"y/\""),
    );
    appliance.refused(&clash, 409, "NameTaken");
    // Copies begin disabled, under a name of their own.
    assert_eq!(
        appliance.did(&["workflow", "copy", "renamed", "twin"]),
        "twin version 1 is disabled\n"
    );
    assert_eq!(
        appliance.get("/api/v1/workflows/twin")["source"]["storage"],
        "renditions"
    );
    appliance.did(&["workflow", "enable", "twin"]);
    appliance.did(&["workflow", "disable", "twin"]);
    appliance.did(&["workflow", "delete", "twin"]);
    assert_eq!(appliance.ask("DELETE", "/api/v1/workflows/renamed", "", "").status, 204);
    assert_eq!(appliance.ask("GET", "/api/v1/workflows/renamed", "", "").status, 404);
    let audit: Vec<String> = appliance
        .log()
        .lines()
        .filter(|line| line.contains("workflow.delete"))
        .map(str::to_owned)
        .collect();
    assert_eq!(audit.len(), 2, "who deleted what is written down");
}

/// 000: "System-preset templates can only be viewed, enabled, or disabled. They cannot be copied, edited, or deleted."
#[test]
fn seed_000_preset_workflows_are_viewed_enabled_and_disabled_only() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let path = "/api/v1/workflows/web-ladder";
    let shown = appliance.get(path);
    assert_eq!(shown["origin"], "preset");
    assert!(shown["definition"].as_str().is_some_and(|text| text.contains("1080p")));
    appliance.posted(&format!("{path}/disable"), &json!({}), 200);
    appliance.posted(&format!("{path}/enable"), &json!({}), 200);
    appliance.posted(&format!("{path}/disable"), &json!({}), 200);
    let definition = noop("web-ladder", "");
    for reply in [
        appliance.post(&format!("{path}/copy"), &json!({ "name": "mine" })),
        appliance.ask("PUT", path, TOML, &definition),
        appliance.ask("POST", "/api/v1/workflows", TOML, &definition),
        appliance.ask("DELETE", path, "", ""),
        appliance.ask("DELETE", &format!("{path}/activities/poster"), "", ""),
    ] {
        let why = appliance.refused(&reply, 409, "WorkflowPreset");
        assert!(why.contains("ships with the product"), "{why}");
    }
}

/// 000: "Only workflows in the Enabled state can be used for media processing." 003: "After a workflow is disabled, it will
/// no longer be automatically executed on videos uploaded to the trigger bucket." "After a workflow is enabled, it will be
/// automatically executed for videos uploaded to the trigger bucket." "If it is left empty, the workflow will be applied to
/// all directories under the selected trigger bucket."
#[test]
fn seed_000_and_003_only_enabled_workflows_run() {
    let mut appliance = Appliance::new("");
    appliance.start();
    appliance.apply(&noop("whole", "extensions = [\"*\"]"));
    appliance.apply(&noop("asleep", "extensions = [\"*\"]").replacen("[source]", "enabled = false\n[source]", 1));
    appliance.object("ingest", "a/deep/file.bin", b"1");
    let tasks = appliance.ended_tasks(1);
    assert_eq!(tasks[0]["workflow"]["name"], "whole");
    let by_hand = json!({ "workflow": "asleep", "object": "ingest:a/deep/file.bin" });
    let why = appliance.refused(&appliance.post("/api/v1/tasks", &by_hand), 409, "WorkflowDisabled");
    assert!(why.contains("asleep is disabled"), "{why}");
    appliance.did(&["workflow", "disable", "whole"]);
    appliance.did(&["workflow", "enable", "asleep"]);
    appliance.object("ingest", "second.bin", b"22");
    let tasks = appliance.ended_tasks(2);
    assert_eq!(tasks[0]["workflow"]["name"], "asleep", "the newest first");
    appliance.did(&["workflow", "disable", "asleep"]);
    appliance.did(&["workflow", "delete", "asleep"]);
    appliance.object("ingest", "third.bin", b"333");
    appliance.until("the third to be looked at", || {
        let explained = appliance.get("/api/v1/storages/ingest/explain?key=third.bin");
        (explained["state"] == "not_taken").then_some(())
    });
    assert_eq!(appliance.tasks().len(), 2, "003: after it is deleted it runs no more");
}

/// 000: "By default, each Alibaba Cloud account can create up to 10 workflows per service region."
#[test]
fn seed_000_a_quota_limits_workflows_of_ones_own() {
    let mut appliance = Appliance::new("[workflows]\nquota = 3\n");
    appliance.workflow_file("of-a-file", &noop("of-a-file", "prefix = \"f/\""));
    appliance.start();
    appliance.apply(&noop("a", "prefix = \"a/\""));
    appliance.apply(&noop("b", "prefix = \"b/\""));
    let reply = appliance.ask("POST", "/api/v1/workflows", TOML, &noop("c", "prefix = \"c/\""));
    let why = appliance.refused(&reply, 422, "WorkflowQuotaReached");
    assert!(why.contains("the quota is 3"), "{why}");
    let copy = appliance.post("/api/v1/workflows/a/copy", &json!({ "name": "d" }));
    appliance.refused(&copy, 422, "WorkflowQuotaReached");
    appliance.did(&["workflow", "disable", "a"]);
    appliance.apply(&noop("a", "prefix = \"again/\""));
    appliance.did(&["workflow", "delete", "a"]);
    appliance.apply(&noop("c", "prefix = \"c/\""));
    // Without a quota there is no limit.
    let mut free = Appliance::new("");
    free.start();
    for number in 0..12 {
        free.apply(&noop(&format!("w{number}"), &format!("prefix = \"p{number}/\"")));
    }
}

/// The issue: "versions, with running tasks keeping theirs".
#[test]
fn a_running_task_keeps_the_version_it_began_with() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let clip = appliance.path("clip.mp4");
    let made = reelmill(&[
        "sample",
        clip.to_str().expect("text"),
        "--seconds",
        "1",
        "--size",
        "256x144",
    ]);
    assert!(made.status.success(), "{}", said(&made));
    let definition = |last: &str| {
        format!(
            "name = \"w\"\n[source]\nstorage = \"ingest\"\ntrigger = \"manual\"\n[[activity]]\nid = \"facts\"\ntype = \"analysis\"\n\
             [[activity]]\nid = \"{last}\"\ntype = \"noop\"\nneeds = [\"facts\"]\n"
        )
    };
    appliance.apply(&definition("old"));
    std::fs::copy(&clip, appliance.path("ingest/clip.mp4")).expect("copied");
    // Nothing begins meanwhile: the task has its version, and no job of it has run.
    appliance.did(&["drain", "on"]);
    let object = json!({ "workflow": "w", "object": "ingest:clip.mp4" });
    let first = appliance.posted("/api/v1/tasks", &object, 201);
    appliance.did(&["workflow", "disable", "w"]);
    let put = appliance.ask("PUT", "/api/v1/workflows/w", TOML, &definition("new"));
    assert_eq!(put.json()["version"], 2, "{}", put.text());
    appliance.did(&["workflow", "enable", "w"]);
    let second = appliance.posted("/api/v1/tasks", &object, 201);
    let versions = appliance.get("/api/v1/workflows/w/versions");
    let numbers: Vec<&Value> = versions["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| &item["version"])
        .collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
    assert_eq!(
        (&versions["items"][0]["newest"], &versions["items"][1]["newest"]),
        (&json!(true), &json!(false))
    );
    let page = appliance.get("/api/v1/workflows/w/versions?limit=1");
    let rest = appliance.get(&format!(
        "/api/v1/workflows/w/versions?limit=1&cursor={}",
        page["next"].as_str().expect("more")
    ));
    assert_eq!((&rest["items"][0]["version"], &rest["next"]), (&json!(1), &Value::Null));
    assert!(
        appliance
            .did(&["workflow", "show", "w", "--at", "1"])
            .contains("\"old\"")
    );
    let missing = appliance.ask("GET", "/api/v1/workflows/w/versions/3", "", "");
    appliance.refused(&missing, 404, "NotFound");
    appliance.did(&["drain", "off"]);
    for (task, version, last) in [(&first, 1, "old"), (&second, 2, "new")] {
        let ended = appliance.ended(task["id"].as_str().expect("an id"));
        assert_eq!(
            (&ended["status"], &ended["workflow"]["version"]),
            (&json!("Succeed"), &json!(version)),
            "{ended}"
        );
        let jobs: Vec<&Value> = ended["jobs"]
            .as_array()
            .expect("jobs")
            .iter()
            .map(|job| &job["activity"])
            .collect();
        assert_eq!(jobs, [&json!("facts"), &json!(last)]);
        assert_eq!(ended["activities"][1]["id"], last);
    }
}

/// 000: "Every workflow must include a Start and an End node. Intermediate nodes can be freely arranged." "to add a serial or
/// parallel node." "to delete a workflow node. A deleted node cannot be recovered. If the node has subsequent nodes, they
/// will also be deleted."
#[test]
fn seed_000_the_graph_has_start_and_end_and_a_deleted_node_takes_its_successors_along() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let definition = "name = \"tree\"\nenabled = false\n[source]\nstorage = \"ingest\"\n\
        [[activity]]\nid = \"begin\"\ntype = \"Start\"\n\
        [[activity]]\nid = \"facts\"\ntype = \"analysis\"\nneeds = [\"begin\"]\n\
        [[activity]]\nid = \"big\"\ntype = \"noop\"\nneeds = [\"facts\"]\nwhen = \"height >= 2160 && hdr\"\n\
        [[activity]]\nid = \"after-big\"\ntype = \"noop\"\nneeds = [\"big\"]\noptional = true\n\
        [[activity]]\nid = \"beside\"\ntype = \"noop\"\n\
        [[activity]]\nid = \"both\"\ntype = \"noop\"\nneeds = [\"big\", \"beside\"]\nwhen = \"always\"\n\
        [[activity]]\nid = \"finish\"\ntype = \"End\"\nneeds = [\"after-big\", \"both\"]\n";
    let made = appliance.apply(definition);
    let graph = &made["graph"];
    let nodes: Vec<(&str, &str)> = graph["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| (node["id"].as_str().expect("id"), node["type"].as_str().expect("type")))
        .collect();
    assert_eq!(nodes.first(), Some(&("Start", "Start")));
    assert_eq!(nodes.last(), Some(&("End", "End")));
    let edges = graph["edges"].as_array().expect("edges");
    let has = |from: &str, to: &str, when: &str| edges.contains(&json!({ "from": from, "to": to, "when": when }));
    assert!(
        has("Start", "facts", "always") && has("Start", "beside", "always"),
        "parallel: {graph}"
    );
    assert!(has("facts", "big", "height >= 2160 && hdr"), "a condition: {graph}");
    assert!(has("big", "after-big", "success") && has("big", "both", "always") && has("beside", "both", "always"));
    assert!(has("after-big", "End", "always") && has("both", "End", "always"));
    let printed = appliance.did(&["workflow", "show", "tree", "--graph"]);
    assert!(
        printed.contains("big (noop) <- facts [height >= 2160 && hdr]"),
        "{printed}"
    );
    let unknown = appliance.did_not(&["workflow", "activity-delete", "tree", "none"], 2);
    assert!(unknown.contains("no activity none"), "{unknown}");
    let left = appliance.did(&["workflow", "activity-delete", "tree", "big"]);
    for gone in ["big", "after-big", "both"] {
        assert!(!left.contains(&format!("{gone} (")), "{left}");
    }
    assert!(
        left.contains("facts (analysis)") && left.contains("beside (noop)"),
        "{left}"
    );
    assert_eq!(appliance.get("/api/v1/workflows/tree")["version"], 2);
    appliance.did(&["workflow", "activity-delete", "tree", "beside"]);
    let last = appliance.ask("DELETE", "/api/v1/workflows/tree/activities/facts", "", "");
    let why = appliance.refused(&last, 409, "LastActivity");
    assert!(why.contains("nothing of workflow tree would be left"), "{why}");
    // A workflow that took a preset's activities gets them as its own.
    appliance.apply("name = \"mine\"\nenabled = false\npreset = \"web-ladder\"\n[source]\nstorage = \"ingest\"\n");
    let left = appliance.did(&["workflow", "activity-delete", "mine", "poster"]);
    assert!(
        left.contains("ladder (transcode)") && !left.contains("poster"),
        "{left}"
    );
}

/// 001 and 003: "Max 128 characters; supports Chinese characters, letters, digits, underscores, and hyphens." "Trigger
/// directory: A string that ends with (/). If it is left empty, the workflow will be applied to all directories under the
/// selected trigger bucket." "By default, the output bucket is the same as the trigger bucket." "Output directory: A string
/// that ends with (/). If it is left empty, the output directory will be the same as the trigger directory." "select at least
/// one task for configuration."
#[test]
fn seed_001_and_003_what_a_workflow_is_made_of() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let written = |name: &str, source: &str, rest: &str| {
        format!(
            "name = \"{name}\"\n[source]\nstorage = \"ingest\"\n{source}\n{rest}\n[[activity]]\nid = \"still\"\ntype = \"snapshot\"\n"
        )
    };
    for name in ["\u{5de5}\u{4f5c}\u{6d41}_1-a", &"\u{5de5}".repeat(128)] {
        let made = appliance.apply(&written(name, "trigger = \"manual\"", ""));
        assert_eq!(made["name"], name);
        appliance.did(&["workflow", "disable", name]);
    }
    for (definition, word) in [
        (written(&"a".repeat(129), "", ""), "1 to 128"),
        (written("a b", "", ""), "not a name"),
        (written("w", "prefix = \"in\"", ""), "end with a slash"),
        (written("w", "", "[output]\nprefix = \"out\""), "end with a slash"),
        (
            written("w", "", "[output]\nstorage = \"nowhere\""),
            "there is no storage \"nowhere\"",
        ),
        (
            "name = \"w\"\n[source]\nstorage = \"ingest\"\n".to_owned(),
            "at least one",
        ),
        (written("w", "trigger = \"sometimes\"", ""), "sometimes"),
    ] {
        let reply = appliance.ask("POST", "/api/v1/workflows", TOML, &definition);
        let why = appliance.refused(&reply, 422, "WorkflowInvalid");
        assert!(why.contains(word), "{why}");
    }
    appliance.object("ingest", "in/deep/a.mp4", b"1");
    for (name, rest, expected) in [
        ("beside", "", "ingest:in/deep/a/still.jpg"),
        (
            "elsewhere",
            "[output]\nstorage = \"renditions\"",
            "renditions:in/deep/a/still.jpg",
        ),
        (
            "placed",
            "[output]\nstorage = \"renditions\"\nprefix = \"out/\"",
            "renditions:out/a/still.jpg",
        ),
        ("flat", "[output]\nprefix = \"\"", "ingest:a/still.jpg"),
    ] {
        appliance.apply(&written(name, "prefix = \"in/\"\ntrigger = \"manual\"", rest));
        let told = appliance.posted(
            &format!("/api/v1/workflows/{name}/test"),
            &json!({ "object": "ingest:in/deep/a.mp4" }),
            200,
        );
        assert_eq!(told["outputs"][0]["object"], expected, "{name}");
    }
    // The same call again makes one copy.
    let copy = || {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "once")];
        let (path, body) = ("/api/v1/workflows/flat/copy", b"{\"name\":\"twin\"}");
        crate::http::request(appliance.port(), "POST", path, Some(&appliance.token()), &headers, body).expect("answers")
    };
    let (first, again) = (copy(), copy());
    assert_eq!((first.status, again.status), (201, 200), "{}", again.text());
    assert_eq!(first.json()["id"], again.json()["id"]);
}
