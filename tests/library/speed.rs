//! How long lists and searches take over 200,000 media; measured, not judged. Run it by hand:
//! `cargo test --release --test library -- --ignored --nocapture pages_over_200_000_media`.

use crate::appliance::Appliance;
use crate::appliance::http;
use crate::house::NOOP;
use std::time::Duration;
use std::time::Instant;

const MEDIA: u32 = 200_000;

#[test]
#[ignore = "a measurement of minutes"]
fn pages_over_200_000_media() {
    let mut house = Appliance::new("");
    house.workflow_file("nothing", NOOP);
    house.start();
    house.stop();
    fill(&house);
    let began = Instant::now();
    house.start();
    let token = house.token();
    let ask = |path: &str| {
        let begun = Instant::now();
        let reply = http::get(house.port(), path, Some(&token)).expect("answers");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        begun.elapsed()
    };
    // The oldest are entered first: the newest is the last to be found by the index alone.
    loop {
        let open = rusqlite::Connection::open(house.path("state/reelmill.db")).expect("open");
        let left: i64 = open
            .query_row("select count(*) from media where search_row is null", [], |row| {
                row.get(0)
            })
            .expect("a count");
        if left == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    println!(
        "entering {MEDIA} media and tasks into the search: {:.1} s",
        began.elapsed().as_secs_f64()
    );
    for (name, path) in [
        ("media, newest", "/api/v1/media?limit=50"),
        ("media, oldest", "/api/v1/media?limit=50&sort=created_at"),
        ("search, every row matches", "/api/v1/media?limit=50&search=clip"),
        ("search, one row matches", "/api/v1/media?limit=50&search=clip-0123456"),
        (
            "search, nothing matches",
            "/api/v1/media?limit=50&search=nothing-like-it",
        ),
        ("search, two words", "/api/v1/media?limit=50&search=clip%20day-07"),
        ("search, two letters", "/api/v1/media?limit=50&search=cl"),
        ("tag of one in a hundred", "/api/v1/media?limit=50&tag=tag-7"),
        ("state of one in a thousand", "/api/v1/media?limit=50&state=Failed"),
        ("type", "/api/v1/media?limit=50&type=audio"),
        ("storage", "/api/v1/media?limit=50&storage=renditions"),
        ("origin", "/api/v1/media?limit=50&origin=upload"),
        ("category", "/api/v1/media?limit=50&category=c7"),
        ("tasks, newest", "/api/v1/tasks?limit=50"),
        ("tasks by text, every row matches", "/api/v1/tasks?limit=50&text=clip"),
        (
            "tasks by text, one row matches",
            "/api/v1/tasks?limit=50&text=clip-0123456",
        ),
    ] {
        let mut times: Vec<Duration> = (0..200).map(|_| ask(path)).collect();
        times.sort();
        println!(
            "{name:<34} p50 {:>7.2} ms  p99 {:>7.2} ms",
            times[100].as_secs_f64() * 1e3,
            times[197].as_secs_f64() * 1e3
        );
    }
}

/// Rows as arrivals of a year would have left them, a task each.
fn fill(house: &Appliance) {
    let open = rusqlite::Connection::open(house.path("state/reelmill.db")).expect("open");
    open.execute_batch("pragma foreign_keys = on; begin").expect("begin");
    let workflow: String = open
        .query_row("select id from workflows where name = 'nothing'", [], |row| row.get(0))
        .expect("it");
    for number in 0..MEDIA {
        let at = 1_700_000_000_000_i64 + i64::from(number) * 150_000;
        let id = format!("{at:012x}7{number:07x}800000000000");
        let (kind, ending) = if number % 5 == 0 {
            ("audio", "wav")
        } else {
            ("video", "mov")
        };
        let storage = if number % 50 == 0 { "renditions" } else { "ingest" };
        let origin = if number % 100 == 3 { "upload" } else { "arrival" };
        let state = if number % 1000 == 9 { "Failed" } else { "Normal" };
        let key = format!(
            "show/day-{:02}/camera-{}/clip-{number:07}.{ending}",
            number % 31,
            number % 4
        );
        let category = (number % 20 == 0).then(|| format!("c{}", number % 1000 / 20));
        open.prepare_cached(
            "insert into media (id, storage, key, size_bytes, mtime_ns, etag, created_ms, modified_ms, origin, media_type, \
             title, state, category) values (?1, ?2, ?3, 1, ?4, '', ?4, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .and_then(|mut statement| {
            statement.execute(rusqlite::params![id, storage, key, at, origin, kind, key, state, category])
        })
        .expect("a media");
        if number % 100 == 7 {
            open.execute("insert into media_tags values ('tag-7', ?1)", [&id])
                .expect("a tag");
        }
        open.prepare_cached(
            "insert into tasks (id, workflow_id, workflow_version, workflow_name, media_id, status, trigger, created_ms, \
             ended_ms) values (?1, ?2, 1, 'nothing', ?1, 'Succeed', 'Workflow', ?3, ?3)",
        )
        .and_then(|mut statement| statement.execute(rusqlite::params![id, workflow, at]))
        .expect("a task");
    }
    open.execute_batch("commit").expect("commit");
}
