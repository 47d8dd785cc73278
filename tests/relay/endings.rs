//! How attempts end when the endpoint or the object is not what it was.

use crate::appliance::REELMILL;
use crate::appliance::clips;
use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::stage::Outcome;
use crate::stage::Stage;
use crate::stage::bytes_of;
use crate::stage::small_rung;
use reelmill::media::product::JobEnd;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const KEY: &str = "clip.mp4";

fn stage() -> Stage {
    let stage = Stage::new();
    stage.put(KEY, &bytes_of(clips::short()));
    stage
}

/// A stage whose bucket is given up soon, and whose workers are taken for hung sooner.
fn impatient(patience: Duration) -> Stage {
    let stage = Stage::with(|options, with_bucket| {
        options.supervisor.idle_limit = Duration::from_secs(4);
        with_bucket.total = patience;
        with_bucket.idle = patience;
    });
    stage.put(KEY, &bytes_of(clips::short()));
    stage
}

async fn run(stage: &Stage) -> Outcome {
    stage.run("cloud:clip.mp4", &[("rung", small_rung(""))]).await
}

fn md5_of(outcome: &Outcome) -> String {
    match &outcome.jobs.get("rung") {
        Some(JobEnd::Success(product)) => product.outputs[0].files[0].md5.clone(),
        _ => panic!("{outcome:?}"),
    }
}

fn gets() -> Rule {
    rule(Ill::Reset)
}

fn rule(ill: Ill) -> Rule {
    Rule::new(ill).method("GET").target(KEY)
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_trouble_of_the_endpoint_leaves_no_trace() {
    let stage = stage();
    let sound = md5_of(&run(&stage).await);
    for ill in [
        Ill::Error(503, "SlowDown"),
        Ill::Error(500, "InternalError"),
        Ill::Reset,
        Ill::ResetAfter(20_000),
        Ill::EndAfter(10_000),
        Ill::Late(Duration::from_millis(300)),
    ] {
        stage.proxy.heal();
        stage.proxy.make(rule(ill.clone()).times(2));
        let outcome = run(&stage).await;
        assert_eq!(outcome.code(), "", "{ill:?}: {outcome:?}");
        assert_eq!(md5_of(&outcome), sound, "{ill:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_not_what_it_was_is_said_so() {
    let other = || "\"00000000000000000000000000000000\"".to_owned();
    let head = |ill: Ill| Rule::new(ill).method("HEAD").target(KEY);
    for (what, sick, code) in [
        (
            "replaced before",
            head(Ill::Header("content-length", "17".to_owned())),
            "SourceChanged",
        ),
        ("gone before", head(Ill::Error(404, "NoSuchKey")), "SourceGone"),
        (
            "replaced while it is read",
            rule(Ill::Header("ETag", other())).after(1),
            "SourceChanged",
        ),
        (
            "refused by If-Match",
            rule(Ill::Error(412, "PreconditionFailed")).after(1),
            "SourceChanged",
        ),
        (
            "gone while it is read",
            rule(Ill::Error(404, "NoSuchKey")).after(1),
            "SourceGone",
        ),
        (
            "replaced after it was read",
            head(Ill::Header("ETag", other())).after(1),
            "SourceChanged",
        ),
        (
            "gone after it was read",
            head(Ill::Error(404, "NoSuchKey")).after(1),
            "SourceGone",
        ),
    ] {
        let stage = stage();
        stage.proxy.make(sick);
        let outcome = run(&stage).await;
        assert_eq!(outcome.code(), code, "{what}: {outcome:?}");
        assert!(
            !outcome.end.fault.as_ref().is_some_and(|fault| fault.retryable),
            "{what}"
        );
        assert!(
            !outcome.end.crashed && outcome.jobs.is_empty(),
            "{what}: nothing is told to have been made"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_endpoint_does_not_give_is_never_the_files_fault() {
    for (what, ill) in [
        ("never well again", Ill::Error(503, "SlowDown")),
        ("silent", Ill::Stall),
        ("silent in the middle", Ill::StallAfter(5_000)),
        ("broken off each time", Ill::ResetAfter(0)),
    ] {
        // From the second read on; longer than a worker may stand still.
        let stage = impatient(Duration::from_secs(8));
        stage.proxy.make(rule(ill.clone()).after(1));
        let outcome = run(&stage).await;
        assert_eq!(outcome.code(), "StorageNotAnswering", "{what}: {outcome:?}");
        assert!(
            outcome.end.fault.as_ref().is_some_and(|fault| fault.retryable),
            "{what}"
        );
        assert!(!outcome.end.crashed && outcome.jobs.is_empty(), "{what}");
    }
    let stage = stage();
    stage.proxy.make(rule(Ill::Error(403, "AccessDenied")).after(1));
    let outcome = run(&stage).await;
    assert_eq!(outcome.code(), "StorageDenied", "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_a_slow_endpoint_is_not_taken_for_hung() {
    // Each answer takes several times as long as a worker may stand still.
    let stage = impatient(Duration::from_secs(60));
    stage.proxy.make(rule(Ill::Late(Duration::from_secs(10))).times(1));
    let outcome = run(&stage).await;
    assert_eq!(outcome.code(), "", "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_an_attempt_that_waits_for_a_dead_endpoint() {
    for sick in [gets(), Rule::new(Ill::Stall)] {
        let stage = Stage::with(|_, patience| {
            patience.total = Duration::from_secs(86_400);
            patience.idle = Duration::from_secs(86_400);
        });
        stage.put(KEY, &bytes_of(clips::short()));
        stage.proxy.make(sick);
        let stop = CancellationToken::new();
        let order = stage.order("cloud:clip.mp4", &[("rung", small_rung(""))]).await;
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(800)).await;
            stop.cancel();
        };
        let (outcome, ()) = tokio::join!(stage.carry_out(order, stop.clone()), cancel);
        assert!(outcome.end.stopped && !outcome.end.crashed, "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_leaves_no_relay_behind() {
    // Notes its number, then becomes the worker.
    let room = tempfile::tempdir().expect("a folder");
    let (program, number) = (room.path().join("program"), room.path().join("number"));
    let script = format!(
        "#!/bin/sh\necho $$ > {0}.new\nmv {0}.new {0}\nexec {REELMILL} \"$@\"\n",
        number.display()
    );
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    let stage = Stage::with(|options, _| options.supervisor.program = program);
    stage.put(KEY, &bytes_of(clips::short()));
    stage.proxy.make(rule(Ill::Stall));
    let order = stage.order("cloud:clip.mp4", &[("rung", small_rung(""))]).await;
    let kill = async {
        stage.proxy.stalled().await;
        let worker = std::fs::read_to_string(&number).expect("it began");
        crate::appliance::signal(worker.trim().parse().expect("a number"), "KILL");
    };
    let (outcome, ()) = tokio::join!(stage.carry_out(order, CancellationToken::new()), kill);
    assert!(outcome.end.crashed, "{outcome:?}");
    // The request that stalled was hung up on: the proxy writes a request down when it is over.
    while stage.proxy.count(|seen| seen.method == "GET") == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
