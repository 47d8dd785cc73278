//! Old rows go and what must stay stays, on rows made by hand with times of long ago.

use super::Family;
use crate::base::clock::UtcMs;
use crate::store::Store;
use crate::store::listing::tasks::TaskFilter;

/// Rows around one task that ended at 10 and published `renditions:a.mp4`, told in two deliveries, one of them pending.
const ROWS: &str = "
insert into storages (id, name, baseline_ms) values (1, 'ingest', 1), (2, 'renditions', 1);
insert into media (id, storage, key, size_bytes, mtime_ns, etag, created_ms, modified_ms, search_row)
  values ('000000000001m', 'ingest', 'in/a.mp4', 5, 7, '', 1, 1, 3);
insert into media_search (rowid, words) values (3, 'in/a.mp4');
insert into tasks (id, workflow_id, workflow_version, workflow_name, media_id, status, trigger, created_ms, ended_ms)
  values ('000000000001t', 'w', 1, 'w', '000000000001m', 'Succeed', 'Workflow', 1, 10);
insert into jobs (id, task_id, activity, ordinal, kind, status, priority, created_ms)
  values ('000000000001j', '000000000001t', 'ladder', 0, 'transcode', 'Success', 0, 1);
insert into attempts (id, task_id, number, phase, jobs, threads, lease_expires_ms, started_ms)
  values ('000000000001a', '000000000001t', 1, 'ended', '[]', 1, 1, 1);
insert into outputs (id, job_id, task_id, attempt_id, ordinal, group_name, name, kind, storage, key, size_bytes,
  published, detail, created_ms)
  values ('000000000001o', '000000000001j', '000000000001t', '000000000001a', 0, '', '240p', 'file', 'renditions', 'a.mp4', 9, 1, '{}', 1);
insert into output_files (output_id, ordinal, storage, key, size_bytes, md5, mtime_ns)
  values ('000000000001o', 0, 'renditions', 'a.mp4', 9, 'x', 11);
insert into events (id, task_id, media_id, type, at_ms, body, callback, dispatched)
  values ('000000000001e', '000000000001t', '000000000001m', 'TranscodeComplete', 10, '{}', '{}', 1),
         ('000000000001f', '000000000001t', '000000000001m', 'WorkflowTaskComplete', 10, '{}', '{}', 1);
insert into deliveries (id, event_seq, destination, lane, line, seq, state, since_ms, next_ms, created_ms, ended_ms)
  values ('000000000001d', 1, 'mam', 'mam', '000000000001t', 1, 'done', 1, 1, 1, 10),
         ('000000000001g', 2, 'mam', 'mam', '000000000001t', 2, 'done', 1, 1, 1, 10);
";

async fn store(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(&folder.path().join("state.db")).expect("opens");
    run(&store, ROWS).await;
    store
}

async fn run(store: &Store, sql: &'static str) {
    store
        .write("make rows", move |connection| Ok(connection.execute_batch(sql)?))
        .await
        .expect("made");
}

async fn count(store: &Store, table: &'static str) -> i64 {
    store
        .read("count", move |connection| {
            Ok(connection.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0))?)
        })
        .await
        .expect("reads")
}

/// All steps of a family.
async fn prune(store: &Store, family: Family, before: i64) -> usize {
    let (mut removed, mut from) = (0, String::new());
    loop {
        let step = store.prune(family, UtcMs(before), &from).await.expect("prunes");
        removed += step.removed;
        match step.next {
            Some(next) => from = next,
            None => return removed,
        }
    }
}

#[tokio::test]
async fn an_old_task_goes_with_its_rows_and_its_files_stay_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder).await;
    assert_eq!(prune(&store, Family::Tasks, 10).await, 0, "it ended at 10, not before");
    run(&store, "update tasks set intent = 'retry'").await;
    assert_eq!(prune(&store, Family::Tasks, 11).await, 0, "somebody wants it again");
    run(&store, "update tasks set intent = null").await;
    assert_eq!(prune(&store, Family::Tasks, 11).await, 1);
    for table in ["tasks", "jobs", "attempts", "outputs", "output_files"] {
        assert_eq!(count(&store, table).await, 0, "{table}");
    }
    for (table, rows) in [("media", 1), ("events", 2), ("own_files", 1)] {
        assert_eq!(count(&store, table).await, rows, "{table}");
    }
    // The ledger has not met the file: it may be there.
    assert_eq!(prune(&store, Family::OwnFiles, 99).await, 0);
    run(
        &store,
        "insert into arrivals (storage, key, size_bytes, mtime_ns, state, arrival_seq, seen_ms) \
         values (2, 'a.mp4', 9, 11, 3, 1, 1)",
    )
    .await;
    assert_eq!(prune(&store, Family::OwnFiles, 99).await, 0, "it is there");
    run(&store, "update arrivals set gone_ms = 5").await;
    assert_eq!(prune(&store, Family::OwnFiles, 99).await, 1, "it is gone");
}

#[tokio::test]
async fn events_go_when_they_are_old_and_told_but_numbers_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder).await;
    assert_eq!(prune(&store, Family::Events, 10).await, 0);
    assert_eq!(
        prune(&store, Family::Deliveries, 11).await,
        1,
        "the newest of its task stays"
    );
    run(&store, "update events set dispatched = 0 where id = '000000000001e'").await;
    assert_eq!(prune(&store, Family::Events, 11).await, 0, "one is not told yet");
    run(&store, "update events set dispatched = 1").await;
    assert_eq!(prune(&store, Family::Events, 11).await, 1);
    // A later event of the same task gets the next number.
    let next: i64 = store
        .read("next", |connection| {
            let sql = "select coalesce(max(seq), 0) + 1 from deliveries where lane = 'mam' and line = '000000000001t'";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .await
        .expect("reads");
    assert_eq!(next, 3);
    prune(&store, Family::Tasks, 11).await;
    assert_eq!(
        prune(&store, Family::Events, 11).await,
        1,
        "with its task the last one may go"
    );
    assert_eq!(
        (count(&store, "events").await, count(&store, "deliveries").await),
        (0, 0)
    );
}

#[tokio::test]
async fn what_is_still_to_be_delivered_stays_whatever_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder).await;
    run(
        &store,
        "update deliveries set state = 'pending', ended_ms = null where id = '000000000001g'",
    )
    .await;
    let forgotten = store.forget_tasks(TaskFilter::default(), 10).await.expect("forgets");
    assert_eq!((forgotten.tasks, forgotten.more), (1, false));
    assert_eq!((count(&store, "tasks").await, count(&store, "own_files").await), (0, 1));
    assert_eq!(
        (count(&store, "events").await, count(&store, "deliveries").await),
        (1, 1)
    );
    assert_eq!(prune(&store, Family::Events, 99).await, 0);
    assert_eq!(prune(&store, Family::Deliveries, 99).await, 0);
}

#[tokio::test]
async fn media_stay_while_anything_names_them_or_their_object_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder).await;
    let kept = |why: &'static str| {
        let store = store.clone();
        async move { assert_eq!(prune(&store, Family::Media, 99).await, 0, "{why}") }
    };
    kept("its task names it").await;
    prune(&store, Family::Tasks, 99).await;
    kept("events name it").await;
    prune(&store, Family::Events, 99).await;
    run(
        &store,
        "insert into arrivals (storage, key, size_bytes, mtime_ns, state, arrival_seq, seen_ms) \
         values (1, 'in/a.mp4', 5, 7, 2, 1, 1)",
    )
    .await;
    kept("its object is there").await;
    run(&store, "update arrivals set gone_ms = 5; update media set title = 'A'").await;
    kept("somebody described it").await;
    run(
        &store,
        "update media set title = ''; update storages set frozen = 'mount gone'",
    )
    .await;
    kept("its storage is not believed now").await;
    run(&store, "update storages set frozen = null").await;
    assert_eq!(prune(&store, Family::Media, 99).await, 1);
    assert_eq!(
        (count(&store, "media").await, count(&store, "media_search").await),
        (0, 0)
    );
    // What the ledger knows is never taken away here.
    assert_eq!(count(&store, "arrivals").await, 1);
}

#[tokio::test]
async fn long_lists_go_step_by_step_and_the_file_shrinks() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder).await;
    let many = "with recursive n (i) as (select 0 union all select i + 1 from n where i < 9999) ";
    for table in [
        "insert into audit (at_ms, who, verb, subject, detail) select i, 'w', 'v', 's', printf('%2000d', i) from n",
        "insert into gauges (name, at_ms, value) select iif(i % 2, 'a', 'b'), i, i from n",
        "insert into output_files (output_id, ordinal, storage, key, size_bytes, md5) select '000000000001o', i + 1, 'r', i, 1, '' from n",
    ] {
        let sql = format!("{many} {table}");
        store
            .write("make rows", move |connection| Ok(connection.execute_batch(&sql)?))
            .await
            .expect("made");
    }
    assert_eq!(prune(&store, Family::Audit, 9_000).await, 9_000);
    assert_eq!(prune(&store, Family::Gauges, 9_000).await, 9_000);
    assert_eq!(prune(&store, Family::Tasks, 99).await, 1, "however many files it has");
    assert_eq!(
        (count(&store, "audit").await, count(&store, "gauges").await),
        (1_000, 1_000)
    );
    assert_eq!(
        (count(&store, "output_files").await, count(&store, "own_files").await),
        (0, 10_001)
    );
    let pages = || async {
        let sql = "select page_count from pragma_page_count";
        store
            .read("pages", |connection| {
                Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
            })
            .await
            .expect("reads")
    };
    let before = pages().await;
    while store.give_pages_back(500).await.expect("gives back") {}
    let after = pages().await;
    assert!(after < before - 2_000, "{before} -> {after}");
}

#[tokio::test]
async fn every_family_has_statements_that_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder).await;
    run(
        &store,
        "insert into uploads (id, storage, key, on_conflict, state, wanted, who, created_ms, expires_ms, ended_ms) \
           values ('000000000001u', 's', 'k', 'fail', 'done', '{}', 'w', 1, 1, 5), ('000000000001v', 's', 'k', 'fail', 'open', '{}', 'w', 1, 1, null); \
         insert into pulls (id, url, request, storage, key, on_conflict, state, next_ms, wanted, who, created_ms, ended_ms) \
           values ('000000000001p', 'u', '{}', 's', 'k', 'fail', 'failed', 1, '{}', 'w', 1, 5), ('000000000001q', 'u', '{}', 's', 'k', 'fail', 'waiting', 1, '{}', 'w', 1, null); \
         insert into alerts (id, code, subject, severity, cause, remedy, raised_ms, seen_ms, cleared_ms) \
           values ('000000000001l', 'C', 's', 'warning', 'c', 'r', 1, 1, 5), ('000000000001k', 'C', 's', 'warning', 'c', 'r', 1, 1, null); \
         insert into users (id, name, role, password, created_ms, modified_ms) values ('000000000001x', 'n', 'admin', 'p', 1, 1); \
         insert into sessions (sha256, user_id, csrf, created_ms, expires_ms, used_ms) \
           values ('a', '000000000001x', 'c', 1, 5, 1), ('b', '000000000001x', 'c', 1, 500, 1); \
         insert into idempotency (key, request_sha256, answer, created_ms) values ('k', 'r', '{}', 5), ('l', 'r', '{}', 500)",
    )
    .await;
    for (family, table) in [
        (Family::Uploads, "uploads"),
        (Family::Pulls, "pulls"),
        (Family::Alerts, "alerts"),
        (Family::Sessions, "sessions"),
        (Family::Idempotency, "idempotency"),
    ] {
        assert_eq!(prune(&store, family, 100).await, 1, "{family:?}");
        assert_eq!(count(&store, table).await, 1, "{family:?}");
    }
}
