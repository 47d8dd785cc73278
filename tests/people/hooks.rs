//! Programs outside that are asked: services and executables.

use crate::appliance::Appliance;
use crate::appliance::http;
use crate::appliance::receiver::Receiver;
use crate::scene::arrive;
use crate::scene::as_expected;
use crate::scene::ended;
use crate::scene::hook;
use crate::scene::job;
use crate::scene::post;
use crate::scene::statuses;
use crate::scene::task_when;
use crate::scene::text;
use crate::scene::told_to;
use crate::scene::workflow;
use crate::service::Service;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Instant;

const PASS: &str = r#"{"verdict": "pass"}"#;

fn asks(kind: &str, who: &str, more: &str) -> String {
    format!("[[activity]]\nid = \"ask\"\ntype = \"{kind}\"\n{who}\n{more}\n")
}

fn url(service: &Service) -> String {
    format!("url = \"{}\"", service.url())
}

/// Issue 6 and seed 002 "AIMediaAuditComplete", "MediaAiAnalysisComplete": a service gets facts, stills and paths, and
/// answers with labels and segments; the result is stored, shown and sent.
#[test]
fn a_service_is_told_everything_and_its_answer_decides_is_shown_and_is_sent() {
    let answer = r#"{"verdict": "block", "summary": "smoke", "labels": [{"name": "smoke", "confidence": 0.9}],
        "segments": [{"start_ms": 10, "end_ms": 20, "label": "smoke", "confidence": 0.8, "verdict": "block"}]}"#;
    let service = Service::start(move |_, _| Some((200, answer.to_owned())));
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&told_to(&receiver.url()));
    let activities = format!(
        "{}{}{}{}{}",
        asks("moderation", &url(&service), "parameters = { level = 3 }"),
        format_args!(
            "[[activity]]\nid = \"tags\"\ntype = \"recognition\"\n{}\n",
            url(&service)
        ),
        "[[activity]]\nid = \"on\"\ntype = \"noop\"\nneeds = [\"ask\"]\n",
        "[[activity]]\nid = \"away\"\ntype = \"noop\"\nneeds = [\"ask\"]\nwhen = \"blocked\"\n",
        "[[activity]]\nid = \"smoky\"\ntype = \"noop\"\nneeds = [\"ask\"]\n\
         when = \"results.ask.labels.exists(one, one.name == 'smoke' && one.confidence > 0.5)\"\n",
    );
    appliance.workflow_file("ask", &workflow("ask", "", &activities));
    appliance.start();
    arrive(&appliance, "a.txt", b"look at me");
    let task = ended(&appliance, "a.txt");
    assert_eq!(
        statuses(&task),
        as_expected(&[
            ("ask", "Success"),
            ("tags", "Success"),
            ("on", "Skipped"),
            ("away", "Success"),
            ("smoky", "Success")
        ]),
        "{task:#}"
    );
    let opinion = &job(&task, "ask")["result"]["opinion"];
    assert_eq!(
        (&opinion["verdict"], &opinion["by"]),
        (&json!("block"), &json!(service.url())),
        "{opinion:#}"
    );
    assert_eq!(opinion["segments"][0]["end_ms"], 20);

    let asked = service.asked();
    let question = asked
        .iter()
        .find(|question| question.body["activity"] == "ask")
        .expect("it was asked");
    let body = &question.body;
    assert_eq!(
        (&body["type"], &body["parameters"]["level"]),
        (&json!("moderation"), &json!(3)),
        "{body:#}"
    );
    assert_eq!(body["task"]["id"], task["id"]);
    assert_eq!(question.header("idempotency-key"), text(body, "id"));
    assert_eq!(
        std::fs::read(text(&body["media"], "path")).expect("the path leads to it"),
        b"look at me"
    );
    let link = text(&body["media"], "url");
    let path = link
        .split_once("127.0.0.1")
        .and_then(|(_, rest)| rest.split_once('/'))
        .expect("a link")
        .1;
    let got = http::get(appliance.port(), &format!("/{path}"), None).expect("it answers");
    assert_eq!(
        (got.status, got.body.as_slice()),
        (200, b"look at me".as_slice()),
        "the link needs no token"
    );

    let told = appliance.until("both opinions to be told", || {
        let both = ["AIMediaAuditComplete", "MediaAiAnalysisComplete"].map(|name| receiver.of_type(name).pop());
        match both {
            [Some(audit), Some(analysis)] => Some((audit.json(), analysis.json())),
            _ => None,
        }
    });
    let (audit, analysis) = (&told.0["MessageBody"], &told.1["MessageBody"]);
    assert_eq!(
        (&audit["Status"], &audit["JobId"]),
        (&json!("Success"), &job(&task, "ask")["id"]),
        "{audit:#}"
    );
    assert!(text(audit, "MediaId").contains(text(&task["media"], "id")), "{audit:#}");
    assert_eq!(analysis["JobStatus"], "AnalyzeSuccess", "{analysis:#}");
}

/// What can heal is asked again under the same key; what cannot is not; a broken answer is none.
#[test]
fn a_service_that_fails_is_asked_again_only_when_that_may_help() {
    let ill = Service::start(|number, _| match number {
        0 => Some((503, "busy".to_owned())),
        _ => Some((200, PASS.to_owned())),
    });
    let final_no = Service::start(|_, _| Some((400, "no such thing".to_owned())));
    let broken = Service::start(|_, _| {
        Some((
            200,
            r#"{"verdict": "pass", "labels": [{"name": "a", "confidence": 7}]}"#.to_owned(),
        ))
    });
    let mut appliance = Appliance::new("");
    let activities = [
        asks("hook", &url(&ill), ""),
        format!(
            "[[activity]]\nid = \"no\"\ntype = \"hook\"\noptional = true\n{}\n",
            url(&final_no)
        ),
        format!(
            "[[activity]]\nid = \"broken\"\ntype = \"hook\"\noptional = true\n{}\n",
            url(&broken)
        ),
    ]
    .concat();
    appliance.workflow_file("ask", &workflow("ask", "", &activities));
    appliance.start();
    arrive(&appliance, "a.txt", b"a");
    let task = ended(&appliance, "a.txt");
    assert_eq!(
        statuses(&task),
        as_expected(&[("ask", "Success"), ("no", "Fail"), ("broken", "Fail")]),
        "{task:#}"
    );
    assert_eq!(task["status"], "Succeed", "those that failed are optional");
    let keys: Vec<String> = ill
        .asked()
        .iter()
        .map(|question| question.header("idempotency-key").to_owned())
        .collect();
    assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
    assert_eq!(ill.asked()[1].header("x-reelmill-try"), "2");
    assert_eq!(final_no.asked().len(), 1);
    let cause = text(&job(&task, "no")["fault"], "cause");
    assert!(cause.contains("400") && cause.contains("no such thing"), "{cause}");
    let cause = text(&job(&task, "broken")["fault"], "cause");
    assert!(cause.contains("labels[0].confidence 7 is out of range"), "{cause}");

    // One failed activity is run again, alone, under another key.
    let failed = text(job(&task, "no"), "id").to_owned();
    post(&appliance, &format!("/api/v1/jobs/{failed}/retry"), &json!({}), 202);
    appliance.until("it to be asked once more", || {
        (final_no.asked().len() == 2).then_some(())
    });
    let asked = final_no.asked();
    assert_ne!(asked[0].header("idempotency-key"), asked[1].header("idempotency-key"));
    assert_eq!(ended(&appliance, "a.txt")["status"], "Succeed");
    assert_eq!(
        (ill.asked().len(), broken.asked().len()),
        (2, 1),
        "the others are left alone"
    );
}

/// 202: the job waits, without holding anything, until the answer is posted; also over the death of the daemon.
#[test]
fn an_answer_may_come_later_and_counts_once() {
    let service = Service::start(|_, _| Some((202, String::new())));
    let mut appliance = Appliance::new("");
    appliance.workflow_file(
        "ask",
        &workflow("ask", "", &asks("content_analysis", &url(&service), "")),
    );
    appliance.start();
    arrive(&appliance, "a.txt", b"a");
    let task = task_when(&appliance, "a.txt", "waiting", |task| {
        job(task, "ask")["status"] == "Waiting"
    });
    assert_eq!(task["status"], "Processing");
    appliance.kill_9();
    appliance.start();
    let link = text(&service.asked()[0].body, "answer_url").to_owned();
    let path = link
        .split_once("/api/")
        .map(|(_, rest)| format!("/api/{rest}"))
        .expect("a path");
    let answer = |path: &str, body: Value| http::post(appliance.port(), path, None, &body).expect("it answers");
    let bad = answer(&path, json!({"verdict": "perhaps"}));
    assert_eq!(bad.status, 422, "{}", bad.text());
    let mut wrong = path.clone();
    let last = wrong.pop().expect("a digit");
    wrong.push(if last == '0' { '1' } else { '0' });
    assert_eq!(answer(&wrong, json!({"verdict": "pass"})).status, 404);
    let taken = answer(
        &path,
        json!({"verdict": "pass", "labels": [{"name": "goal", "confidence": 1}]}),
    );
    assert_eq!(taken.status, 200, "{}", taken.text());
    assert_eq!(
        answer(&path, json!({"verdict": "block"})).status,
        409,
        "one answer only"
    );
    let task = ended(&appliance, "a.txt");
    assert_eq!(
        job(&task, "ask")["result"]["opinion"]["labels"][0]["name"],
        "goal",
        "{task:#}"
    );
    assert_eq!(service.asked().len(), 1, "the death of the daemon asked nobody again");
}

/// An answer that was promised and never comes fails the job in the end; a task that is cancelled waits for none.
#[test]
fn an_answer_that_never_comes_is_given_up() {
    let service = Service::start(|_, question| match question.body["try"].as_u64() {
        Some(1) => Some((202, String::new())),
        _ => Some((200, PASS.to_owned())),
    });
    let mut appliance = Appliance::new("");
    appliance.workflow_file(
        "short",
        &workflow("short", "short/", &asks("hook", &url(&service), "answer_within_s = 1")),
    );
    appliance.workflow_file("long", &workflow("long", "long/", &asks("hook", &url(&service), "")));
    appliance.start();
    arrive(&appliance, "short/a.txt", b"a");
    let task = ended(&appliance, "short/a.txt");
    assert_eq!(
        (&task["status"], &job(&task, "ask")["tries"]),
        (&json!("Succeed"), &json!(1)),
        "{task:#}"
    );
    arrive(&appliance, "long/a.txt", b"a");
    let task = task_when(&appliance, "long/a.txt", "waiting", |task| {
        job(task, "ask")["status"] == "Waiting"
    });
    post(
        &appliance,
        &format!("/api/v1/tasks/{}/cancel", text(&task, "id")),
        &json!({}),
        202,
    );
    assert_eq!(ended(&appliance, "long/a.txt")["status"], "Canceled");
}

/// A verdict of review opens a review by a person, who has the last word.
#[test]
fn a_program_that_is_not_sure_has_a_person_asked() {
    let answer = r#"{"verdict": "review", "labels": [{"name": "crowd", "confidence": 0.5}]}"#;
    let service = Service::start(move |_, _| Some((200, answer.to_owned())));
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&told_to(&receiver.url()));
    let activities = asks(
        "moderation",
        &url(&service),
        "on_review = \"ask\"\nreview = { instructions = \"A crowd?\" }",
    );
    let activities = format!(
        "{activities}[[activity]]\nid = \"away\"\ntype = \"noop\"\nneeds = [\"ask\"]\nwhen = \"blocked\"\n\
         [[activity]]\nid = \"kept\"\ntype = \"hook\"\n{}\n\
         [[activity]]\nid = \"unsure\"\ntype = \"noop\"\nneeds = [\"kept\"]\nwhen = \"results.kept.verdict == 'review'\"\n",
        url(&service)
    );
    appliance.workflow_file("ask", &workflow("ask", "", &activities));
    appliance.start();
    arrive(&appliance, "a.txt", b"a");
    let task = task_when(&appliance, "a.txt", "waiting for a person", |task| {
        task["reviews"].as_array().is_some_and(|reviews| !reviews.is_empty())
    });
    let review = &task["reviews"][0];
    assert_eq!(
        (&review["instructions"], &review["activity"]),
        (&json!("A crowd?"), &json!("ask"))
    );
    assert!(
        receiver.of_type("AIMediaAuditComplete").is_empty(),
        "nothing is told before the last word"
    );
    post(
        &appliance,
        &format!("/api/v1/reviews/{}/block", text(review, "id")),
        &json!({"reason": "a crowd"}),
        200,
    );
    let task = ended(&appliance, "a.txt");
    assert_eq!(
        statuses(&task),
        as_expected(&[
            ("ask", "Success"),
            ("away", "Success"),
            ("kept", "Success"),
            ("unsure", "Success")
        ]),
        "{task:#}"
    );
    let opinion = &job(&task, "ask")["result"]["opinion"];
    assert_eq!(
        (&opinion["verdict"], &opinion["by"], &opinion["labels"][0]["name"]),
        (&json!("block"), &json!("first start"), &json!("crowd"))
    );
    appliance.until("both to be told", || {
        let told = ["CreateAuditComplete", "AIMediaAuditComplete"].map(|name| receiver.of_type(name).len());
        (told == [1, 1]).then_some(())
    });
}

/// An executable hears the question on its standard input; cancel ends it and everything that it started.
#[test]
fn an_executable_answers_and_a_cancel_ends_all_that_it_started() {
    let mut appliance = Appliance::new("");
    hook(
        &appliance,
        "good.sh",
        r#"question=$(cat)
case "$question" in *'"activity":"ask"'*) ;; *) exit 3 ;; esac
[ "$(cat "$REELMILL_SOURCE_PATH")" = "look at me" ] || exit 4
[ -z "$HOME$PATH_OF_NOTHING" ] || exit 5
echo "{\"verdict\": \"block\", \"summary\": \"$REELMILL_TYPE\"}""#,
    );
    hook(
        &appliance,
        "slow.sh",
        r#"sleep 600 & echo "$! $$" > "$REELMILL_SCRATCH/../pids"; trap '' TERM; wait; wait; sleep 600"#,
    );
    appliance.workflow_file(
        "good",
        &workflow("good", "good/", &asks("moderation", "exec = \"good.sh\"", "")),
    );
    appliance.workflow_file(
        "slow",
        &workflow("slow", "slow/", &asks("hook", "exec = \"slow.sh\"", "")),
    );
    appliance.workflow_file(
        "none",
        &workflow("none", "none/", &asks("hook", "exec = \"none.sh\"", "")),
    );
    appliance.start();
    arrive(&appliance, "good/a.txt", b"look at me");
    let task = ended(&appliance, "good/a.txt");
    assert_eq!(
        job(&task, "ask")["result"]["opinion"]["summary"],
        "moderation",
        "{task:#}"
    );
    arrive(&appliance, "none/a.txt", b"a");
    let fault = job(&ended(&appliance, "none/a.txt"), "ask")["fault"].clone();
    assert_eq!(fault["code"], "HookRefusedToStart", "{fault:#}");

    arrive(&appliance, "slow/a.txt", b"a");
    let pids = appliance.until("the slow one to begin", || {
        let text = std::fs::read_to_string(appliance.path("scratch/pids")).ok()?;
        text.ends_with('\n')
            .then(|| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    });
    let task = task_when(&appliance, "slow/a.txt", "running", |task| {
        job(task, "ask")["status"] == "Processing"
    });
    let began = Instant::now();
    post(
        &appliance,
        &format!("/api/v1/tasks/{}/cancel", text(&task, "id")),
        &json!({}),
        202,
    );
    let task = ended(&appliance, "slow/a.txt");
    println!(
        "a hook that takes no notice was over {} ms after its cancel",
        began.elapsed().as_millis()
    );
    assert_eq!(task["status"], "Canceled", "{task:#}");
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{pid} lives on: {stat}");
    }
}

/// The daemon dies while a service thinks: it is asked again under the same key, and the end is told once.
#[test]
fn a_death_while_somebody_thinks_asks_again_and_tells_once() {
    let thinks = Arc::new(AtomicBool::new(true));
    let lets = thinks.clone();
    let service = Service::start(move |_, _| match lets.load(Ordering::SeqCst) {
        true => None,
        false => Some((200, PASS.to_owned())),
    });
    let receiver = Receiver::start();
    let mut appliance = Appliance::new(&told_to(&receiver.url()));
    appliance.workflow_file("ask", &workflow("ask", "", &asks("moderation", &url(&service), "")));
    appliance.start();
    arrive(&appliance, "a.txt", b"a");
    appliance.until("it to be asked", || (service.asked().len() == 1).then_some(()));
    appliance.kill_9();
    thinks.store(false, Ordering::SeqCst);
    appliance.start();
    let task = ended(&appliance, "a.txt");
    assert_eq!(
        (&task["status"], &job(&task, "ask")["tries"]),
        (&json!("Succeed"), &json!(0)),
        "{task:#}"
    );
    let keys: Vec<String> = service
        .asked()
        .iter()
        .map(|question| question.header("idempotency-key").to_owned())
        .collect();
    assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
    appliance.until("the end of the task to be told", || {
        receiver.of_type("WorkflowTaskComplete").pop()
    });
    assert_eq!(receiver.of_type("AIMediaAuditComplete").len(), 1);
}

/// Many are asked at once, but not more than may be, and workers are not kept waiting by them.
#[test]
fn many_hooks_wait_beside_the_work_and_not_in_front_of_it() {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.clone();
    let service = Service::start(move |_, _| {
        drop(closed.lock());
        Some((200, PASS.to_owned()))
    });
    let mut appliance = Appliance::new("");
    appliance.workflow_file("ask", &workflow("ask", "ask/", &asks("hook", &url(&service), "")));
    appliance.workflow_file(
        "plain",
        &workflow("plain", "plain/", "[[activity]]\nid = \"n\"\ntype = \"noop\""),
    );
    appliance.start();
    let held = gate.lock().expect("no panic holds it");
    for number in 0..20 {
        arrive(&appliance, &format!("ask/{number}.txt"), format!("{number}").as_bytes());
    }
    appliance.until("as many to be asked as may be", || {
        (service.asked().len() >= 16).then_some(())
    });
    arrive(&appliance, "plain/a.txt", b"a");
    assert_eq!(ended(&appliance, "plain/a.txt")["status"], "Succeed");
    assert_eq!(service.asked().len(), 16, "the others wait for their turn");
    drop(held);
    for task in appliance.ended_tasks(21) {
        assert_eq!(task["status"], "Succeed", "{task:#}");
    }
    assert_eq!(service.asked().len(), 20);
}

/// This host itself may be named by a file on it, and by nobody who comes in over the network.
#[test]
fn a_request_cannot_point_a_hook_at_this_host() {
    let service = Service::start(|_, _| Some((200, PASS.to_owned())));
    let mut appliance = Appliance::new("");
    appliance.workflow_file("file", &workflow("file", "", &asks("hook", &url(&service), "")));
    appliance.start();
    let body = json!({
        "name": "near", "source": {"library": true},
        "activity": [{"id": "ask", "type": "hook", "url": service.url()}],
    });
    let refused = appliance.post("/api/v1/workflows", &body);
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("it is this host itself"), "{}", refused.text());
    let copied = appliance.post("/api/v1/workflows/file/copy", &json!({"name": "copied"}));
    assert_eq!(copied.status, 422, "{}", copied.text());
    // What one run wants otherwise is a request too.
    arrive(&appliance, "a.txt", b"a");
    assert_eq!(ended(&appliance, "a.txt")["status"], "Succeed");
    let other = format!("{}/other", service.url());
    let run = json!({"workflow": "file", "object": "ingest:a.txt", "parameters": {"ask": {"url": other}}});
    let started = appliance.post("/api/v1/tasks", &run);
    assert_eq!(started.status, 201, "{}", started.text());
    let id = text(&started.json(), "id").to_owned();
    let task = appliance.until("it to end", || {
        let task = appliance.get(&format!("/api/v1/tasks/{id}"));
        (task["status"] == "Failed").then_some(task)
    });
    assert_eq!(job(&task, "ask")["fault"]["code"], "HookUrlRefused", "{task:#}");
    assert_eq!(service.asked().len(), 1);
}
