//! Copies between storages, and what becomes of sources.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::bench::Bench;
use crate::bench::md5_of;
use crate::bench::noise;
use reelmill::executor::Executor;
use reelmill::executor::Identity;
use reelmill::objects::uri::ObjectUri;
use reelmill::workflow::resolved::AfterRule;

#[tokio::test]
async fn copies_go_every_way() {
    for size in [7, (11 << 20) + 3] {
        let bench = Bench::new();
        let content = noise(size, 8);
        std::fs::create_dir_all(bench.nas().join("in")).expect("a folder");
        std::fs::write(bench.nas().join("in/clip.mov"), &content).expect("written");
        bench.server.deliver("other", "in/clip.mov", &content);

        let into = bench.copied("nas:in/clip.mov", "out:kept/clip.mov", &content);
        bench
            .publish(std::slice::from_ref(&into))
            .await
            .expect("folder to bucket");
        assert_eq!(
            bench.server.object("out", "kept/clip.mov").expect("it is there"),
            content
        );

        let from = bench.copied("other:in/clip.mov", "nas:kept/clip.mov", &content);
        bench
            .publish(std::slice::from_ref(&from))
            .await
            .expect("bucket to folder");
        assert_eq!(
            std::fs::read(bench.nas().join("kept/clip.mov")).expect("it is there"),
            content
        );
        assert!(!bench.nas().join(".reelmill").exists(), "nothing is left in staging");

        // With the ETag that has this hash the server does it alone; knowing the hash only, the bytes are looked at.
        let etag = bench.head("other", "in/clip.mov").await.expect("it is there").etag;
        for (to, known) in [("out:alone.mov", Some(etag)), ("out:looked.mov", None)] {
            bench.proxy.forget();
            let mut copy = bench.copied("other:in/clip.mov", to, &content);
            copy.from_etag.clone_from(&known);
            bench
                .publish(std::slice::from_ref(&copy))
                .await
                .expect("bucket to bucket");
            let moved = bench
                .proxy
                .count(|seen| seen.method == "GET" || seen.body_bytes > 1_000);
            assert_eq!(moved == 0, known.is_some(), "{to}");
            assert_eq!(bench.server.object("out", &copy.to.key).expect("it is there"), content);
            let head = bench.head("out", &copy.to.key).await.expect("it is there");
            assert_eq!(head.metadata.get("reelmill-md5"), Some(&md5_of(&content)));
            assert_eq!(bench.publish(&[copy]).await.expect("adopted")[0].etag, head.etag);
        }
        // An output of ours bears its hash: the server copies it alone as well.
        bench.proxy.forget();
        let again = bench.copied("out:kept/clip.mov", "other:again.mov", &content);
        bench.publish(&[again]).await.expect("copied");
        assert_eq!(
            bench
                .proxy
                .count(|seen| seen.method == "GET" || seen.body_bytes > 1_000),
            0
        );
        assert_eq!((bench.open_uploads(), bench.notes()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_copy_of_another_content_is_none() {
    for size in [7, (5 << 20) + 3] {
        let bench = Bench::new();
        let (then, now) = (noise(size, 1), noise(size, 2));
        std::fs::write(bench.nas().join("a.mov"), &now).expect("written");
        bench.server.deliver("other", "a.mov", &now);
        for (from, to) in [
            ("nas:a.mov", "out:a.mov"),
            ("other:a.mov", "out:a.mov"),
            ("other:a.mov", "nas:b.mov"),
        ] {
            let copy = bench.copied(from, to, &then);
            let fault = bench.publish(&[copy]).await.expect_err("it is another one");
            assert_eq!(
                (fault.code.as_str(), fault.retryable),
                ("SourceChanged", false),
                "{from} {to}"
            );
        }
        let mut known = bench.copied("other:a.mov", "out:a.mov", &then);
        known.from_etag = Some(md5_of(&then));
        assert_eq!(bench.code(&[known]).await, Err("SourceChanged".to_owned()));
        assert_eq!(bench.server.keys("out"), Vec::<String>::new());
        assert!(!bench.nas().join("b.mov").exists());
        bench
            .executor
            .discard(&bench.attempt, &["out".to_owned(), "nas".to_owned()])
            .await;
        assert_eq!((bench.open_uploads(), bench.notes()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn the_after_rule_touches_only_what_was_processed() {
    let bench = Bench::new();
    let source = ObjectUri::new("out", "in/clip.mp4");
    let identity = || async {
        let found = bench.executor.head(&source).await;
        found.expect("it can be asked").expect("it is there")
    };
    let moving = AfterRule::Move("done/".to_owned());
    for (content, expected) in [("source", "done/in/clip.mp4"), ("other", "done/in/clip-2.mp4")] {
        bench.server.deliver("out", "in/clip.mp4", content.as_bytes());
        let then = identity().await;
        // Twice, as after a death.
        for _ in 0..2 {
            assert_eq!(bench.executor.after(&source, &then, &moving).await, Ok(()));
        }
        assert_eq!(bench.server.object("out", expected).expect("moved"), content.as_bytes());
        assert_eq!(bench.server.object("out", "in/clip.mp4"), None);
    }
    // Dead between the copy and the removal.
    bench.server.deliver("out", "in/clip.mp4", b"a third one");
    let then = identity().await;
    bench
        .proxy
        .make(Rule::new(Ill::Error(403, "AccessDenied")).method("DELETE"));
    bench
        .executor
        .after(&source, &then, &moving)
        .await
        .expect_err("not removed");
    bench.proxy.heal();
    assert_eq!(bench.executor.after(&source, &then, &moving).await, Ok(()));
    assert_eq!(
        bench.server.keys("out").len(),
        3,
        "moved once: {:?}",
        bench.server.keys("out")
    );

    bench.server.deliver("out", "in/clip.mp4", b"hers");
    let then = identity().await;
    bench.server.deliver("out", "in/clip.mp4", b"hisx");
    let other = Identity {
        mtime_ns: 0,
        ..then.clone()
    };
    for rule in [moving, AfterRule::Delete] {
        let fault = bench
            .executor
            .after(&source, &other, &rule)
            .await
            .expect_err("another one");
        assert_eq!((fault.code.as_str(), fault.retryable), ("SourceChanged", false));
        assert_eq!(bench.server.object("out", "in/clip.mp4").expect("left alone"), b"hisx");
    }
    let now = identity().await;
    for _ in 0..2 {
        assert_eq!(bench.executor.after(&source, &now, &AfterRule::Delete).await, Ok(()));
    }
    assert_eq!(bench.server.object("out", "in/clip.mp4"), None);
}
