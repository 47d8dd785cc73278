//! Seeds 001 and 003: MPS workflows, the same page in two languages; quoted in English.

use crate::house::House;
use crate::house::names;
use crate::house::noop;
use crate::house::text;
use serde_json::json;

#[test]
fn seed_003_workflows() {
    let house = House::start("ims", "");

    // "Workflow name: Yes. Max 128 characters; supports Chinese characters, letters, digits, underscores, and hyphens."
    let chinese = "媒体处理".repeat(32);
    assert_eq!(chinese.chars().count(), 128);
    house.workflow(&noop(&chinese, json!({"library": true})));
    house.refused(
        422,
        "POST",
        "/api/v1/workflows",
        Some(&noop(&format!("{chinese}x"), json!({"library": true}))),
    );

    // "Trigger bucket: Yes ... After the workflow is enabled, videos uploaded to this bucket will be processed automatically."
    let why = house.refused(
        422,
        "POST",
        "/api/v1/workflows",
        Some(&noop("nowhere", json!({"storage": "ghost"}))),
    );
    assert!(why.contains("ghost"), "{why}");

    // "Trigger directory: No. A string that ends with (/). If it is left empty, the workflow will be applied to all directories
    // under the selected trigger bucket."
    house.refused(
        422,
        "POST",
        "/api/v1/workflows",
        Some(&noop("open", json!({"storage": "ingest", "prefix": "in"}))),
    );
    house.workflow(&noop("everywhere", json!({"storage": "ingest"})));
    house.drop_clip("deep/down/here.mp4");
    assert_eq!(house.task_over("deep/down/here.mp4")["workflow"]["name"], "everywhere");
    house.did("POST", "/api/v1/workflows/everywhere/disable", None);

    // "Output bucket: By default, the output bucket is the same as the trigger bucket." "Output directory: A string that ends
    // with (/). If it is left empty, the output directory will be the same as the trigger directory."
    house.refused(
        422,
        "POST",
        "/api/v1/workflows",
        Some(
            &json!({"name": "open-out", "source": {"storage": "ingest"}, "output": {"prefix": "out"},
            "activity": [{"id": "n", "type": "noop"}]}),
        ),
    );
    house.workflow(
        &json!({"name": "beside", "source": {"storage": "ingest", "prefix": "beside/"}, "activity": [
        {"id": "poster", "type": "snapshot", "times": ["0"]}]}),
    );
    house.drop_clip("beside/clip.mp4");
    assert_eq!(house.task_over("beside/clip.mp4")["status"], "Succeed");
    let made = house.appliance.files("ingest");
    assert!(
        made.iter()
            .any(|file| file.starts_with("beside/clip/") && file.ends_with(".jpg")),
        "{made:?}"
    );

    // "Configuration items: From transcoding, screenshot taking, ..., select at least one task for configuration."
    let why = house.refused(
        422,
        "POST",
        "/api/v1/workflows",
        Some(&json!({"name": "empty", "source": {"storage": "ingest"}, "activity": []})),
    );
    assert!(why.contains("activity") || why.contains("activities"), "{why}");

    // "Event notifications: Disabled by default" there; on this floor the unified callback is off until configured, and a
    // workflow may say "none".
    let mut quiet = noop("quiet", json!({"storage": "ingest", "prefix": "quiet/"}));
    quiet["callback"] = json!({"kind": "none"});
    house.workflow(&quiet);

    // "The workflow list displays information including workflow name, trigger bucket, region, trigger directory, creation
    // time, and status."
    let list = house.did("GET", "/api/v1/workflows?limit=500", None);
    let row = list["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["name"] == "beside")
        .expect("the workflow is listed");
    assert_eq!(
        (&row["source"]["storage"], &row["source"]["prefix"], &row["status"]),
        (&json!("ingest"), &json!("beside/"), &json!("enabled")),
        "{row:#}"
    );
    assert!(text(&row["created_at"]).ends_with('Z'), "{row:#}");

    // "You can sort workflows by creation time, search for a workflow by name"
    let newest = names(&house.did("GET", "/api/v1/workflows?origin=api&limit=500", None));
    let oldest = names(&house.did(
        "GET",
        "/api/v1/workflows?origin=api&sort=created&order=asc&limit=500",
        None,
    ));
    assert_eq!(newest.first().map(String::as_str), Some("quiet"), "{newest:?}");
    assert_eq!(newest.iter().rev().cloned().collect::<Vec<_>>(), oldest);
    assert_eq!(
        names(&house.did("GET", "/api/v1/workflows?name=besid", None)),
        ["beside"]
    );

    // "and view, edit, or delete a workflow."
    // "You cannot edit or delete an enabled workflow."
    house.refused(409, "DELETE", "/api/v1/workflows/beside", None);
    house.refused(
        409,
        "PUT",
        "/api/v1/workflows/beside",
        Some(&noop("beside", json!({"storage": "ingest"}))),
    );

    // "After a workflow is disabled, it will no longer be automatically executed on videos uploaded to the trigger bucket."
    house.did("POST", "/api/v1/workflows/beside/disable", None);
    house.drop_clip("beside/later.mp4");
    house.appliance.until("the ledger to know why not", || {
        let (status, entry) = house.call("GET", "/api/v1/storages/ingest/explain?key=beside/later.mp4", None);
        (status == 200 && entry["state"] == "not_taken").then_some(())
    });
    assert_eq!(
        house.did("GET", "/api/v1/tasks?text=later.mp4", None)["items"],
        json!([])
    );

    // "Click Edit ... to modify its name, trigger bucket, trigger directory, output bucket, output directory, event
    // notification settings, and tasks."
    let edited = json!({"name": "beside-renamed", "source": {"storage": "ingest", "prefix": "else/"},
        "output": {"storage": "renditions", "prefix": "made/"}, "callback": {"kind": "none"},
        "activity": [{"id": "poster", "type": "snapshot", "times": ["0"]}]});
    let row = house.did("PUT", "/api/v1/workflows/beside", Some(&edited));
    assert_eq!(
        (&row["name"], &row["version"]),
        (&json!("beside-renamed"), &json!(2)),
        "{row:#}"
    );
    house.did("POST", "/api/v1/workflows/beside-renamed/enable", None);
    house.drop_clip("else/clip.mp4");
    assert_eq!(house.task_over("else/clip.mp4")["status"], "Succeed");
    let made = house.appliance.files("renditions");
    assert!(made.iter().any(|file| file.starts_with("made/clip/")), "{made:?}");

    // "After a workflow is deleted, it will no longer be automatically executed on videos uploaded to the trigger bucket."
    house.did("POST", "/api/v1/workflows/beside-renamed/disable", None);
    house.did("DELETE", "/api/v1/workflows/beside-renamed", None);
    house.drop_clip("else/after.mp4");
    house.appliance.until("the file to be seen", || {
        let (status, entry) = house.call("GET", "/api/v1/storages/ingest/explain?key=else/after.mp4", None);
        (status == 200 && entry["state"] == "not_taken").then_some(())
    });
    let over = house.did("GET", "/api/v1/tasks?text=after.mp4", None);
    assert_eq!(over["items"], json!([]));
}
