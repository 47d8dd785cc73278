//! The engine killed with SIGKILL at random moments, again and again, in a process of its own.

use crate::house::House;
use crate::house::activity;
use crate::house::ladder;
use crate::house::workflow;
use reelmill::base::ids::TaskId;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::resolved::When;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// Names the directory the child works in.
const CHILD: &str = "REELMILL_TEST_ENGINE_DIR";
/// Tasks with files.
const LADDERS: usize = 24;
/// Tasks of noops.
const NOOPS: usize = 120;
/// Deaths.
const DEATHS: u64 = 20;

/// The child: runs what is in the directory until it is killed.
#[test]
#[ignore = "the child of `killed_at_any_moment_each_task_ends_once`, useless alone"]
fn child() {
    let Some(root) = std::env::var_os(CHILD) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut house = House::at(Path::new(&root));
        std::sync::Arc::get_mut(&mut house.hand)
            .expect("not shared yet")
            .work_for = Duration::from_millis(15);
        house.run();
        tokio::time::sleep(Duration::from_secs(120)).await;
    });
}

fn begin_child(root: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().expect("the test's binary"))
        .args(["--exact", "death::child", "--ignored", "--nocapture"])
        .env(CHILD, root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child")
}

/// Moments spread over the life of a child; the same each time, so that a failure comes again.
fn moment_ms(death: u64) -> u64 {
    let mixed = (death + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    10 + (mixed >> 33) % 190
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_each_task_ends_once() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let root = temp.path();
    let tasks = fill(root).await;
    for death in 0..DEATHS {
        let mut child = begin_child(root);
        tokio::time::sleep(Duration::from_millis(moment_ms(death))).await;
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    // The last one may finish.
    let mut child = begin_child(root);
    let began = Instant::now();
    let open = || {
        let database = rusqlite::Connection::open(root.join("reelmill.db")).expect("it opens");
        database.busy_timeout(Duration::from_secs(10)).expect("a timeout");
        let sql = "select (select count(*) from tasks where status in ('Init', 'Processing')) \
            + (select count(*) from attempts where phase <> 'ended')";
        database
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .expect("a count")
    };
    while open() > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(90),
            "the engine does not come to an end"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    judge(root, &tasks).await;
}

/// Tasks of both kinds.
async fn fill(root: &Path) -> Vec<TaskId> {
    let house = House::at(root);
    house.save(ladder("ladder")).await;
    let chain = vec![
        activity("a", ActivityKind::Noop, &[], When::Success),
        activity("b", ActivityKind::Noop, &["a"], When::Success),
        activity("c", ActivityKind::Noop, &["a", "b"], When::Always),
    ];
    house.save(workflow("noops", chain)).await;
    let mut tasks = Vec::new();
    for at in 0..LADDERS {
        tasks.push(
            house
                .start("ladder", house.file(&format!("film-{at:02}.mov"), "a film"))
                .await,
        );
    }
    let source = house.file("tick.mov", "tick");
    for _ in 0..NOOPS {
        tasks.push(house.start("noops", source.clone()).await);
    }
    house.store.close().await;
    tasks
}

async fn judge(root: &Path, tasks: &[TaskId]) {
    let house = House::at(root);
    for task in tasks {
        let row = house.store.task(task).await.expect("no task is lost");
        assert_eq!(row.status.as_str(), "Succeed", "{task}");
        let told = house.told(task);
        for once in ["WorkflowTaskStart", "WorkflowTaskComplete"] {
            let times = told.iter().filter(|name| **name == once).count();
            assert_eq!(times, 1, "{once} of {task}: {told:?}");
        }
        if row.workflow_name == "ladder" {
            assert_eq!(told.len(), 8, "{told:?}");
        }
    }
    let ids = house.rows("select id from events where id <> ?1", "");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let expected: Vec<String> = (0..LADDERS)
        .flat_map(|at| {
            ["ladder-360p.mp4", "ladder-720p.mp4", "sprite-00001.jpg", "sprite.vtt"]
                .map(|name| format!("film-{at:02}/{name}"))
        })
        .collect();
    assert_eq!(
        house.tree("out"),
        expected,
        "every output once, no second versions, no stray files"
    );
    assert_eq!(
        house.rows("select key from publish_intents where storage = ?1", "out"),
        [""; 0]
    );
    let lost = house.rows("select id from attempts where outcome = ?1", "lost");
    assert!(!lost.is_empty(), "at least one death must have met a running attempt");
}
