//! Reviews by people.

use crate::appliance::Appliance;
use crate::appliance::receiver::Receiver;
use crate::appliance::said;
use crate::scene::arrive;
use crate::scene::as_expected;
use crate::scene::ended;
use crate::scene::job;
use crate::scene::post;
use crate::scene::post_once;
use crate::scene::statuses;
use crate::scene::task_when;
use crate::scene::text;
use crate::scene::told_to;
use crate::scene::workflow;
use serde_json::Value;
use serde_json::json;

/// A review, and a way on for each of its ends.
const LOOK: &str = r#"
[[activity]]
id = "look"
type = "review"
instructions = "Is the slate right?"
[[activity]]
id = "on"
type = "noop"
needs = ["look"]
[[activity]]
id = "away"
type = "noop"
needs = ["look"]
when = "blocked"
[[activity]]
id = "anna"
type = "noop"
needs = ["look"]
when = "results.look.verdict == 'pass' && results.look.by == 'first start'"
[[activity]]
id = "after"
type = "noop"
needs = ["on"]
"#;

fn waits(task: &Value) -> bool {
    job(task, "look")["status"] == "Waiting" && !task["reviews"].as_array().expect("a list").is_empty()
}

/// The id of the waiting review of a task.
fn review_of(task: &Value) -> String {
    let reviews = task["reviews"].as_array().expect("a list");
    let waiting = reviews.iter().find(|review| review["status"] == "waiting");
    text(waiting.unwrap_or_else(|| panic!("nobody is asked: {task:#}")), "id").to_owned()
}

fn state_of(appliance: &Appliance, media: &str) -> String {
    let media = appliance.get(&format!("/api/v1/media/{media}"));
    let state = media["state"].as_str().or(media["status"].as_str());
    state.unwrap_or_else(|| panic!("no state: {media:#}")).to_owned()
}

/// Seed 002, "CreateAuditComplete: Manual review complete", and issue 5: a task waits; a person approves or blocks with
/// reason and comment; the next nodes follow by condition.
#[test]
fn a_task_waits_for_a_person_whose_word_decides_what_follows() {
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&told_to(&receiver.url()));
    appliance.workflow_file("look", &workflow("look", "", LOOK));
    appliance.start();
    arrive(&appliance, "good.txt", b"good");
    arrive(&appliance, "bad.txt", b"bad");
    let good = task_when(&appliance, "good.txt", "waiting", waits);
    let bad = task_when(&appliance, "bad.txt", "waiting", waits);
    assert_eq!(good["status"], "Processing", "{good:#}");
    assert_eq!(good["attempts"], json!([]), "it holds no capacity");

    let waiting = appliance.get("/api/v1/reviews?status=waiting");
    assert_eq!(waiting["items"].as_array().map(Vec::len), Some(2), "{waiting:#}");
    let review = appliance.get(&format!("/api/v1/reviews/{}", review_of(&good)));
    assert_eq!(review["instructions"], "Is the slate right?");
    assert_eq!(
        (&review["object"], &review["activity"]),
        (&json!("ingest:good.txt"), &json!("look"))
    );
    let listed = appliance.cli(&["review", "list", "--status", "waiting"]);
    assert!(
        String::from_utf8_lossy(&listed.stdout).contains("ingest:bad.txt"),
        "{}",
        said(&listed)
    );

    let approved = appliance.cli(&[
        "review",
        "approve",
        &review_of(&good),
        "--reason",
        "fine",
        "--comment",
        "as agreed",
    ]);
    assert!(approved.status.success(), "{}", said(&approved));
    let body = json!({"reason": "wrong slate", "comment": "send it again"});
    let blocked = post(
        &appliance,
        &format!("/api/v1/reviews/{}/block", review_of(&bad)),
        &body,
        200,
    );
    assert_eq!(
        (&blocked["status"], &blocked["auditor"]),
        (&json!("blocked"), &json!("first start"))
    );

    let good = ended(&appliance, "good.txt");
    assert_eq!(
        statuses(&good),
        as_expected(&[
            ("look", "Success"),
            ("on", "Success"),
            ("away", "Skipped"),
            ("anna", "Success"),
            ("after", "Success")
        ]),
        "{good:#}"
    );
    let bad = ended(&appliance, "bad.txt");
    assert_eq!(
        statuses(&bad),
        as_expected(&[
            ("look", "Success"),
            ("on", "Skipped"),
            ("away", "Success"),
            ("anna", "Skipped"),
            ("after", "Skipped")
        ]),
        "{bad:#}"
    );
    assert_eq!(
        (&good["status"], &bad["status"]),
        (&json!("Succeed"), &json!("Succeed"))
    );
    let opinion = &job(&bad, "look")["result"]["opinion"];
    assert_eq!(
        (&opinion["verdict"], &opinion["by"]),
        (&json!("block"), &json!("first start"))
    );
    let skipped = text(job(&bad, "on"), "skip_reason");
    assert!(skipped.contains("look said block"), "{skipped}");
    assert_eq!(state_of(&appliance, text(&bad["media"], "id")), "Blocked");
    assert_eq!(state_of(&appliance, text(&good["media"], "id")), "Normal");

    let told = appliance.until("both decisions to be told", || {
        Some(receiver.of_type("CreateAuditComplete")).filter(|told| told.len() == 2)
    });
    let of = |task: &Value| {
        let media = text(&task["media"], "id");
        let mut bodies = told.iter().map(|callback| callback.json()["MessageBody"].clone());
        bodies.find(|body| body["MediaId"] == media).expect("its event")
    };
    let body = of(&good);
    assert_eq!(
        (
            &body["Status"],
            &body["AuditStatus"],
            &body["Auditor"],
            &body["Reason"],
            &body["Comment"]
        ),
        (
            &json!("Success"),
            &json!("Normal"),
            &json!("first start"),
            &json!("fine"),
            &json!("as agreed")
        ),
        "{body:#}"
    );
    assert!(text(&body, "CreationTime").ends_with('Z'), "{body:#}");
    assert_eq!(of(&bad)["AuditStatus"], "Blocked");

    // Decided once.
    let again = appliance.post(&format!("/api/v1/reviews/{}/approve", text(&blocked, "id")), &json!({}));
    assert_eq!(again.status, 409, "{}", again.text());
    assert!(
        text(&again.json(), "detail").contains("was blocked by first start"),
        "{}",
        again.text()
    );
}

/// Issue 5: time-out policy; and a daemon that was dead when the time was over.
#[test]
fn time_that_is_over_decides_as_the_workflow_says_also_after_a_death() {
    let look =
        |id: &str, rule: &str| format!("[[activity]]\nid = \"{id}\"\ntype = \"review\"\ntimeout_s = 2\n{rule}\n");
    let follow = |id: &str, need: &str, when: &str| {
        format!("[[activity]]\nid = \"{id}\"\ntype = \"noop\"\nneeds = [\"{need}\"]\nwhen = \"{when}\"\n")
    };
    let activities = [
        look("fails", "optional = true"),
        look("approves", "on_timeout = \"approve\""),
        look("blocks", "on_timeout = \"block\""),
        follow("failed", "fails", "failure"),
        follow("approved", "approves", "success"),
        follow("blocked", "blocks", "blocked"),
    ]
    .concat();
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&told_to(&receiver.url()));
    appliance.workflow_file("look", &workflow("look", "", &activities));
    appliance.start();
    arrive(&appliance, "a.txt", b"a");
    task_when(&appliance, "a.txt", "waiting", |task| {
        task["reviews"].as_array().is_some_and(|reviews| reviews.len() == 3)
    });
    appliance.kill_9();
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    appliance.start();
    let task = ended(&appliance, "a.txt");
    assert_eq!(
        statuses(&task),
        as_expected(&[
            ("fails", "Fail"),
            ("approves", "Success"),
            ("blocks", "Success"),
            ("failed", "Success"),
            ("approved", "Success"),
            ("blocked", "Success")
        ]),
        "{task:#}"
    );
    assert_eq!(task["status"], "Succeed", "what failed is optional");
    assert_eq!(job(&task, "fails")["fault"]["code"], "ReviewTimedOut");
    for review in task["reviews"].as_array().expect("a list") {
        assert_eq!(review["status"], "expired", "{review:#}");
    }
    let told = appliance.until("all three to be told", || {
        Some(receiver.of_type("CreateAuditComplete")).filter(|told| told.len() == 3)
    });
    let failed = told
        .iter()
        .filter(|callback| callback.json()["MessageBody"]["Status"] == "Fail");
    assert_eq!(failed.count(), 1, "{told:#?}");
}

/// Cancel of a task cancels its review; retry asks again.
#[test]
fn a_cancelled_task_takes_its_question_back_and_a_retry_asks_again() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("look", &workflow("look", "", LOOK));
    appliance.start();
    arrive(&appliance, "a.txt", b"a");
    let task = task_when(&appliance, "a.txt", "waiting", waits);
    let id = text(&task, "id");
    let first = review_of(&task);
    post(&appliance, &format!("/api/v1/tasks/{id}/cancel"), &json!({}), 202);
    let task = ended(&appliance, "a.txt");
    assert_eq!(
        (&task["status"], &job(&task, "look")["status"]),
        (&json!("Canceled"), &json!("Canceled"))
    );
    assert_eq!(appliance.get(&format!("/api/v1/reviews/{first}"))["status"], "canceled");
    assert_eq!(
        appliance
            .post(&format!("/api/v1/reviews/{first}/approve"), &json!({}))
            .status,
        409
    );

    post(&appliance, &format!("/api/v1/tasks/{id}/retry"), &json!({}), 202);
    let task = task_when(&appliance, "a.txt", "waiting again", waits);
    let second = review_of(&task);
    assert_ne!(first, second);
    // The death of the daemon in the middle of it changes nothing.
    appliance.kill_9();
    appliance.start();
    assert_eq!(
        appliance.get("/api/v1/reviews?status=waiting")["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    post(
        &appliance,
        &format!("/api/v1/reviews/{second}/approve"),
        &json!({}),
        200,
    );
    assert_eq!(ended(&appliance, "a.txt")["status"], "Succeed");
}

/// Issue 5: any media can also be reviewed outside a workflow.
#[test]
fn a_media_is_reviewed_outside_of_any_workflow() {
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&told_to(&receiver.url()));
    appliance.workflow_file(
        "none",
        &workflow("none", "", "[[activity]]\nid = \"n\"\ntype = \"noop\""),
    );
    appliance.start();
    arrive(&appliance, "a.txt", b"a");
    let media = text(&ended(&appliance, "a.txt")["media"], "id").to_owned();
    let path = format!("/api/v1/media/{media}/reviews");
    let body = json!({"instructions": "Rights?", "user_data": {"ticket": 7}});
    let first = post_once(&appliance, &path, &body, "key-1");
    assert_eq!(first.status, 201, "{}", first.text());
    let id = text(&first.json(), "id").to_owned();
    let again = post_once(&appliance, &path, &body, "key-1");
    assert_eq!(
        (again.status, text(&again.json(), "id")),
        (200, id.as_str()),
        "{}",
        again.text()
    );
    let other = post_once(&appliance, &path, &json!({"instructions": "Other?"}), "key-1");
    assert_eq!(other.status, 409, "{}", other.text());
    assert_eq!(appliance.get(&path)["items"].as_array().map(Vec::len), Some(1));

    post(
        &appliance,
        &format!("/api/v1/reviews/{id}/block"),
        &json!({"reason": "no rights"}),
        200,
    );
    assert_eq!(state_of(&appliance, &media), "Blocked");
    let told = appliance.until("the decision to be told", || {
        receiver.of_type("CreateAuditComplete").pop()
    });
    let body = &told.json()["MessageBody"];
    assert_eq!(
        (&body["AuditStatus"], &body["Reason"], &body["MediaId"]),
        (&json!("Blocked"), &json!("no rights"), &json!(media)),
        "{body:#}"
    );

    let asked = appliance.cli(&["review", "ask", &media, "--timeout-s", "1", "--on-timeout", "approve"]);
    assert!(asked.status.success(), "{}", said(&asked));
    appliance.until("the time to be over", || {
        (state_of(&appliance, &media) == "Normal").then_some(())
    });
    let third = post(&appliance, &path, &json!({}), 201);
    let taken_back = appliance.cli(&["review", "cancel", text(&third, "id")]);
    assert!(taken_back.status.success(), "{}", said(&taken_back));
    assert_eq!(
        appliance.get(&format!("/api/v1/reviews/{}", text(&third, "id")))["status"],
        "canceled"
    );
    let wrong = appliance.post(&path, &json!({"timeout_s": 0}));
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(wrong.text().contains("1 to 31536000"), "{}", wrong.text());
    assert_eq!(appliance.post("/api/v1/media/nobody/reviews", &json!({})).status, 404);
    assert_eq!(
        appliance.get("/api/v1/reviews?status=expired")["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}
