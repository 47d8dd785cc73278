//! Seed 004: the event that ends a VOD workflow task.

use crate::house::House;
use crate::house::inside;
use crate::house::text;
use serde_json::json;

#[test]
fn seed_004_workflow_task_completion() {
    let house = House::start("vod", "");
    house.workflow(&json!({
        "name": "snap", "source": {"storage": "ingest"}, "output": {"storage": "renditions"},
        "activity": [{"id": "stills", "type": "snapshot", "times": ["0"]}],
    }));
    house.drop_clip("sample.mp4");
    let task = house.task_over("sample.mp4");

    // "This event is triggered when all tasks in a workflow are complete."
    let told = house
        .event("WorkflowTaskComplete", |body| body["TaskId"] == task["id"])
        .json();

    // "EventType: The value is fixed to WorkflowTaskComplete." "EventTime ... in UTC format: yyyy-MM-ddTHH:mm:ssZ."
    assert_eq!(told["EventType"], "WorkflowTaskComplete");
    for time in ["EventTime", "CreateTime", "ModifiedTime", "FinishTime"] {
        let at = text(&told[time]);
        assert!(at.len() == 20 && at.ends_with('Z'), "{time}: {at}");
    }
    // "WorkflowId", "VideoId", "TaskId", "UserId": texts.
    for id in ["WorkflowId", "VideoId", "TaskId", "UserId"] {
        assert!(told[id].is_string(), "{id}: {told:#}");
    }
    assert_eq!(
        (&told["VideoId"], &told["WorkflowId"]),
        (&task["media"]["id"], &task["workflow"]["id"])
    );
    // "Succeed: The task was successful."
    assert_eq!(told["Status"], "Succeed");

    // "ActivityResults is a JSON string that contains the execution status and result of each activity node in the workflow.
    // Each key name (ActivityId) represents a specific workflow node instance, and its value contains the execution details."
    let results = inside(&told["ActivityResults"]);
    let (key, node) = results.as_object().expect("an object").iter().next().expect("one node");
    let digits = key
        .strip_prefix("VodSnapshot_")
        .expect("VodSnapshot_53e77 in the sample");
    assert!(
        digits.len() == 5 && digits.chars().all(|digit| digit.is_ascii_hexdigit()),
        "{key}"
    );
    // "Status, StartTime, EndTime, ActivityId, ActivityInstanceId, Result".
    assert_eq!(
        (&node["Status"], &node["ActivityId"]),
        (&json!("Succeed"), &json!("VodSnapshot"))
    );
    for field in ["StartTime", "EndTime", "ActivityInstanceId"] {
        assert!(node[field].is_string(), "{field}: {node:#}");
    }
    // The sample: Result is itself a text of JSON, the activity's event.
    let result = inside(&node["Result"]);
    assert_eq!(result["EventType"], "SnapshotComplete");
    assert_eq!(
        (&result["MessageBody"]["Status"], &result["MessageBody"]["VideoId"]),
        (&json!("success"), &told["VideoId"])
    );
    assert_eq!(
        inside(&result["MessageBody"]["TriggerSource"])["BizType"],
        "ice-workflow"
    );

    // "TaskInput is a JSON string ... Type, Media, Title, StorageLocation".
    let input = inside(&told["TaskInput"]);
    assert_eq!((&input["Type"], &input["Media"]), (&json!("Media"), &told["VideoId"]));
    assert!(text(&input["Title"]).contains("sample"), "{input:#}");
    assert!(input["StorageLocation"].is_string(), "{input:#}");

    // "Failed: The task failed."
    std::fs::write(house.appliance.path("ingest/bad.mp4"), b"no film at all").expect("written");
    let bad = house.task_over("bad.mp4");
    let told = house
        .event("WorkflowTaskComplete", |body| body["TaskId"] == bad["id"])
        .json();
    assert_eq!(told["Status"], "Failed");
}
