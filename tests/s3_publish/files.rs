//! Files out of scratch into a bucket.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::bench::Bench;
use crate::bench::is_naming;
use crate::bench::is_part;
use crate::bench::key_of;
use crate::bench::noise;
use reelmill::base::ids::AttemptId;
use reelmill::executor::Executor;
use reelmill::executor::PublishFile;
use std::time::Duration;

/// A set, a large file, a sprite: in the order in which the scheduler lists them.
fn set(bench: &Bench) -> Vec<PublishFile> {
    vec![
        bench.made("clip/hls/240p/seg-1.m4s", b"one"),
        bench.made("clip/hls/240p/seg-2.m4s", b""),
        bench.made("clip/hls/240p.m3u8", b"#EXTM3U variant"),
        bench.made("clip/hls.m3u8", b"#EXTM3U master"),
        bench.made("clip/240p.mp4", &noise((11 << 20) + 7, 3)),
        bench.made("clip/sprite.vtt", b"WEBVTT"),
        bench.made("clip/sprite.jpg", b"jpeg"),
    ]
}

#[tokio::test]
async fn a_set_is_staged_whole_and_its_manifests_are_named_last() {
    let bench = Bench::new();
    let files = set(&bench);
    let stand = bench.publish(&files).await.expect("published");
    let mut keys: Vec<String> = files.iter().map(|file| file.to.key.clone()).collect();
    let named = bench.named();
    assert_eq!(named[5..], ["clip/hls/240p.m3u8", "clip/hls.m3u8"], "{named:?}");
    assert_eq!(named[4], "clip/sprite.vtt", "{named:?}");
    keys.sort();
    assert_eq!(bench.server.keys("out"), keys);
    let seen = bench.proxy.seen();
    let last_part = seen.iter().rposition(is_part).expect("parts were sent");
    let first_name = seen
        .iter()
        .position(|seen| is_naming(seen) && key_of(seen) != "clip/240p.mp4")
        .expect("files were named");
    assert!(last_part < first_name, "everything is staged before the first name");
    for (file, stood) in files.iter().zip(&stand) {
        let head = bench.head("out", &file.to.key).await.expect("it is there");
        assert_eq!(
            (head.size_bytes, &head.etag),
            (file.size_bytes, &stood.etag),
            "{}",
            file.to
        );
        assert_eq!(head.metadata.get("reelmill-md5"), Some(&file.md5));
        assert_eq!(head.metadata.get("reelmill-output"), Some(&file.output));
        assert_eq!(stood.mtime_ns, 0, "buckets tell by ETag");
    }
    let type_of = |key: &'static str| {
        let bench = &bench;
        async move { bench.head("out", key).await.expect("it is there").content_type }
    };
    assert_eq!(type_of("clip/hls.m3u8").await, "application/vnd.apple.mpegurl");
    assert_eq!(type_of("clip/240p.mp4").await, "video/mp4");
    assert_eq!((bench.open_uploads(), bench.notes()), (vec![], vec![]));

    // Again, as after a death before the store heard of it; scratch may be gone by then.
    std::fs::remove_dir_all(bench.executor.scratch_dir(&bench.attempt)).expect("scratch is removed");
    bench.proxy.forget();
    assert_eq!(bench.publish(&files).await.expect("adopted"), stand);
    assert_eq!(
        bench.proxy.count(|seen| seen.method != "HEAD"),
        0,
        "nothing is sent twice"
    );
}

/// What a death leaves at any step is finished, once, from where it stood.
#[tokio::test]
async fn a_replay_finishes_from_wherever_a_death_left_it() {
    let stalls = [
        (
            "before the upload is begun",
            Rule::new(Ill::Stall).method("POST").target("uploads="),
        ),
        (
            "in the middle of the parts",
            Rule::new(Ill::Stall).method("PUT").target("partNumber=").after(1),
        ),
        (
            "before anything is named",
            Rule::new(Ill::Stall).method("PUT").not_target("partNumber="),
        ),
        (
            "before it is completed",
            Rule::new(Ill::Stall).method("POST").target("uploadId="),
        ),
        (
            "before the master is named",
            Rule::new(Ill::Stall).method("PUT").target("hls.m3u8"),
        ),
        (
            "before the proof",
            Rule::new(Ill::Stall).method("HEAD").target("hls.m3u8").after(2),
        ),
    ];
    for (when, stall) in stalls {
        let mut bench = Bench::new();
        let files = set(&bench);
        bench.proxy.make(stall);
        tokio::select! {
            ended = bench.publish(&files) => panic!("{when}: it does not hang there: {ended:?}"),
            () = bench.proxy.stalled() => {}
        }
        // What was on its way when we died comes to the service all the same.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let keys = bench.server.keys("out");
        assert!(
            !keys.contains(&"clip/hls.m3u8".to_owned()) || keys.len() == files.len(),
            "{when}: {keys:?}"
        );
        bench.proxy.heal();
        bench.proxy.forget();
        bench.die();
        bench.publish(&files).await.expect("finished");
        for file in &files {
            let there = bench.server.object("out", &file.to.key).expect("it is there");
            assert_eq!(crate::bench::md5_of(&there), file.md5, "{when}: {}", file.to);
        }
        assert_eq!(bench.server.keys("out").len(), files.len(), "{when}");
        assert_eq!(
            (bench.open_uploads(), bench.notes()),
            (vec![], vec![]),
            "{when}: nothing is left open"
        );
        if when == "before it is completed" {
            assert_eq!(bench.proxy.count(is_part), 0, "what was sent whole is not sent again");
        }
    }
}

#[tokio::test]
async fn another_object_is_never_replaced_unasked() {
    let bench = Bench::new();
    bench.server.deliver("out", "b.mp4", b"somebody else's");
    let mut files = [bench.made("a.mp4", b"ours"), bench.made("b.mp4", b"ours as well.")];
    assert_eq!(bench.code(&files).await, Err("OutputTaken".to_owned()));
    assert_eq!(bench.server.keys("out"), ["b.mp4"], "named together or not at all");
    files[1].overwrite = true;
    assert_eq!(bench.code(&files).await, Ok(()));
    assert_eq!(
        bench.server.object("out", "b.mp4").expect("it is there"),
        b"ours as well."
    );
    // Between the look and the name.
    let file = bench.made("c.mp4", b"ours");
    bench.proxy.make(
        Rule::new(Ill::Error(412, "PreconditionFailed"))
            .method("PUT")
            .target("c.mp4"),
    );
    bench.server.deliver("out", "elsewhere", b"x");
    assert_eq!(
        bench.code(std::slice::from_ref(&file)).await,
        Err("OutputTaken".to_owned())
    );
    for key in ["../x.mp4", "a//x.mp4", "./x.mp4", ".reelmill/x.mp4"] {
        let mut file = bench.made("x.mp4", b"x");
        file.to.key = key.to_owned();
        assert_eq!(bench.code(&[file]).await, Err("KeyInvalid".to_owned()), "{key}");
    }
    let mut file = bench.made("x.mp4", b"x");
    file.to.key = format!("{}.mp4", "x".repeat(1_100));
    assert_eq!(bench.code(&[file]).await, Err("OutputNameTooLong".to_owned()));
}

#[tokio::test]
async fn scratch_that_is_not_what_was_proved_is_not_published() {
    for size in [6, 6 << 20] {
        let bench = Bench::new();
        let good = bench.made("a.mp4", b"good");
        let file = bench.made("b.mp4", &noise(size, 5));
        let scratch = bench.executor.scratch_dir(&bench.attempt).join("b.mp4");
        std::fs::write(&scratch, noise(size, 6)).expect("written");
        let files = [good, file];
        assert_eq!(bench.code(&files).await, Err("ScratchLost".to_owned()));
        std::fs::remove_file(&scratch).expect("it is there");
        assert_eq!(bench.code(&files).await, Err("ScratchLost".to_owned()));
        assert_eq!(bench.server.keys("out"), Vec::<String>::new());
        bench.executor.discard(&bench.attempt, &["out".to_owned()]).await;
        assert_eq!((bench.open_uploads(), bench.notes()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn what_dead_attempts_left_open_is_aborted() {
    let mut bench = Bench::new();
    let files = [bench.made("a.mp4", &noise(11 << 20, 9))];
    bench
        .proxy
        .make(Rule::new(Ill::Stall).method("POST").target("uploadId="));
    let stopped = tokio::time::timeout(Duration::from_secs(2), bench.publish(&files)).await;
    assert!(stopped.is_err(), "it hangs there");
    bench.proxy.heal();
    assert!(!bench.open_uploads().is_empty());
    bench.die();
    bench.executor.sweep(std::slice::from_ref(&bench.attempt)).await;
    assert_eq!(bench.notes().len(), 1, "one that is to be finished keeps what it sent");
    bench.executor.sweep(&[AttemptId::fresh()]).await;
    for _ in 0..200 {
        if bench.notes().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((bench.open_uploads(), bench.notes()), (vec![], vec![]));
    assert_eq!(bench.server.keys("out"), Vec::<String>::new());
}
