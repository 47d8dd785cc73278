//! How fast the engine is, for `benches/README.md`: `cargo test --release --test engine pace -- --ignored --nocapture`.

use crate::house::House;
use crate::house::activity;
use crate::house::workflow;
use reelmill::base::clock::UtcMs;
use reelmill::workflow::arrival::Arrival;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::resolved::When;
use std::time::Duration;
use std::time::Instant;

const ARRIVALS: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; asserts only that everything ended"]
async fn arrivals_into_tasks_into_events() {
    let mut house = House::new();
    let one = vec![activity("noop", ActivityKind::Noop, &[], When::Success)];
    house.save(workflow("w", one)).await;
    let storage = house.store.enter_storage("ingest").await.expect("a storage").id;
    let arrivals: Vec<Arrival> = (0..ARRIVALS)
        .map(|at| Arrival {
            key: format!("some/folder/of/usual/depth/a-file-with-a-usual-name-{at:08}.mov"),
            size_bytes: 1,
            mtime_ns: 1,
            etag: String::new(),
            seen_at: UtcMs::now(),
        })
        .collect();
    let began = Instant::now();
    for some in arrivals.chunks(1_000) {
        house
            .store
            .settle_arrivals(storage, some.iter().cloned().map(Into::into).collect(), UtcMs::now())
            .await
            .expect("settled");
    }
    println!(
        "settled: {:.0} arrivals/s",
        ARRIVALS as f64 / began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    house.run();
    let ended = loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let counted = house.rows("select cast(count(*) as text) from tasks where status = ?1", "Succeed");
        if counted == [ARRIVALS.to_string()] {
            break began.elapsed();
        }
    };
    println!(
        "taken, run and told: {:.0} tasks/s",
        ARRIVALS as f64 / ended.as_secs_f64()
    );
    house.stop().await;
    let size = house.rows(
        "select cast(sum(pgsize) as text) from dbstat where name = ?1",
        "arrivals",
    );
    println!(
        "ledger: {} bytes a row",
        size[0].parse::<usize>().map_or(0, |bytes| bytes / ARRIVALS)
    );
}
