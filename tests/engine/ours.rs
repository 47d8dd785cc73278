//! Outputs that arrive where they were put start nothing; what a user puts in their place does, whenever it comes.

use crate::house::House;
use crate::rows::lease;
use crate::rows::one_job;
use crate::rows::reservation;
use reelmill::base::clock::UtcMs;
use reelmill::objects::uri::ObjectUri;
use reelmill::store::conclusions::Verdict;
use reelmill::store::intake::Chosen;
use reelmill::store::intake::Taken;
use reelmill::store::jobs::JobResult;
use reelmill::store::outputs::Reserved;
use reelmill::store::outputs::StoodFile;
use reelmill::workflow::arrival::Arrival;

const STOOD_NS: i64 = 7_000_000_000;

/// An object of one byte arrives in `out` and settles.
async fn arrives(house: &House, key: &str, mtime_ns: i64, etag: &str) {
    let storage = house.store.enter_storage("out").await.expect("entered").id;
    let arrival = Arrival {
        key: key.to_owned(),
        size_bytes: 1,
        mtime_ns,
        etag: etag.to_owned(),
        seen_at: UtcMs::now(),
    };
    let settled = house
        .store
        .settle_arrivals(storage, vec![arrival.into()], UtcMs::now())
        .await;
    assert_eq!(settled.expect("settled"), 1);
}

/// What intake makes of everything that has settled.
async fn taken(house: &House) -> Vec<Taken> {
    let mut taken = Vec::new();
    for settled in house.store.settled_arrivals(10).await.expect("read") {
        let answer = house
            .store
            .take_arrival(
                Chosen {
                    settled,
                    matches: Vec::new(),
                    why_not: "nothing takes it".to_owned(),
                },
                UtcMs::now(),
            )
            .await;
        taken.push(answer.expect("taken"));
    }
    taken
}

#[tokio::test]
async fn what_arrives_while_we_publish_is_told_apart_when_that_ends() {
    for (stood, hers) in [((STOOD_NS, ""), (STOOD_NS + 1, "")), ((0, "our-etag"), (5, "her-etag"))] {
        let house = House::new();
        let (task, job, workflow) = one_job(&house, "a.mov").await;
        let attempt = lease(&house, &task, &job, &workflow).await.expect("it is free");
        let now = UtcMs::now();
        let mut reserve = reservation(&attempt, &job, "x");
        let mut second = reserve.intents[0].clone();
        (second.ordinal, second.to) = (1, ObjectUri::new("out", "y"));
        reserve.intents.push(second);
        assert_eq!(
            house.store.reserve(reserve, now).await.expect("reserved"),
            Reserved::Yes
        );
        // Ours under one name, hers of the same size under the other: nobody can tell yet.
        arrives(&house, "x", stood.0.max(5), stood.1).await;
        arrives(&house, "y", hers.0, hers.1).await;
        assert_eq!(taken(&house).await, [Taken::Ours, Taken::Ours]);
        let files = ["x", "y"].map(|key| StoodFile {
            at: ObjectUri::new("out", key),
            mtime_ns: stood.0,
            etag: stood.1.to_owned(),
        });
        let verdict = Verdict::Success {
            result: Some(JobResult::default()),
            files: files.to_vec(),
        };
        house
            .store
            .conclude(&attempt, &job, verdict, workflow, now)
            .await
            .expect("concluded");
        assert_eq!(taken(&house).await, [Taken::None], "hers is an arrival like any other");
        // Later ones are known at once: hers by its identity, ours seen anew.
        arrives(&house, "x", hers.0 + 9, "yet-another").await;
        assert_eq!(taken(&house).await, [Taken::None]);
        arrives(&house, "x", stood.0.max(5), stood.1).await;
        assert_eq!(taken(&house).await, [Taken::Ours], "put back as it was");
    }
}

#[tokio::test]
async fn what_made_our_publishing_fail_is_no_output_of_ours() {
    let house = House::new();
    let (task, job, workflow) = one_job(&house, "a.mov").await;
    let attempt = lease(&house, &task, &job, &workflow).await.expect("it is free");
    let now = UtcMs::now();
    let reserved = house.store.reserve(reservation(&attempt, &job, "x"), now).await;
    assert_eq!(reserved.expect("reserved"), Reserved::Yes);
    arrives(&house, "x", 3, "").await;
    assert_eq!(taken(&house).await, [Taken::Ours], "its name is reserved");
    house
        .store
        .disown(&job, vec![ObjectUri::new("out", "x")])
        .await
        .expect("disowned");
    assert_eq!(
        taken(&house).await,
        [Taken::None],
        "also while the name is still reserved"
    );
}
