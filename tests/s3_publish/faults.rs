//! A bucket that is ill.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::bench::Bench;
use crate::bench::is_part;
use crate::bench::noise;
use reelmill::executor::Executor;
use std::time::Duration;

/// What passes is outlasted: the output is whole, once, and nothing is left.
#[tokio::test]
async fn passing_illness_costs_nothing() {
    let ills = [
        Rule::new(Ill::Error(503, "SlowDown")).times(2),
        Rule::new(Ill::Error(500, "InternalError")).method("PUT").times(2),
        Rule::new(Ill::Reset).method("PUT").times(2),
        Rule::new(Ill::LostAnswer).method("PUT").times(2),
        Rule::new(Ill::LostAnswer).method("POST").target("uploadId=").times(1),
        Rule::new(Ill::ShortenTo(40))
            .method("POST")
            .target("uploadId=")
            .times(1),
        Rule::new(Ill::Header("etag", "\"00000000000000000000000000000000\"".to_owned()))
            .method("PUT")
            .times(1),
    ];
    for rule in ills {
        let bench = Bench::new();
        let files = [
            bench.made("clip/seg.m4s", b"segment"),
            bench.made("clip/240p.mp4", &noise((5 << 20) + 9, 4)),
            bench.made("clip/hls.m3u8", b"#EXTM3U"),
        ];
        let told = format!("{rule:?}");
        bench.proxy.make(rule);
        let mut answer = bench.publish(&files).await;
        // As the scheduler does with what may pass.
        for _ in 0..3 {
            match &answer {
                Err(fault) if fault.retryable => answer = bench.publish(&files).await,
                _ => break,
            }
        }
        answer.unwrap_or_else(|fault| panic!("{told}: {fault}"));
        assert_eq!(bench.server.keys("out").len(), 3, "{told}");
        for file in &files {
            let there = bench.server.object("out", &file.to.key).expect("it is there");
            assert_eq!(crate::bench::md5_of(&there), file.md5, "{told}: {}", file.to);
        }
        assert_eq!((bench.open_uploads(), bench.notes()), (vec![], vec![]), "{told}");
    }
}

/// What does not pass is a clear word, and nothing stays behind.
#[tokio::test]
async fn a_bucket_that_refuses_gets_nothing_half() {
    for (rule, code, retryable) in [
        (Ill::Error(507, "QuotaExceeded"), "StorageFull", true),
        (Ill::Error(403, "AccessDenied"), "StorageDenied", false),
        (Ill::Error(400, "EntityTooLarge"), "StorageRefused", false),
    ] {
        let bench = Bench::new();
        let files = [
            bench.made("clip/seg.m4s", b"segment"),
            bench.made("clip/240p.mp4", &noise((5 << 20) + 9, 4)),
            bench.made("clip/hls.m3u8", b"#EXTM3U"),
        ];
        bench
            .proxy
            .make(Rule::new(rule.clone()).method("PUT").target("partNumber="));
        let fault = bench.publish(&files).await.expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.retryable), (code, retryable), "{fault}");
        assert_eq!(
            bench.server.keys("out"),
            Vec::<String>::new(),
            "{code}: nothing was named"
        );
        // In the middle of naming: what was named is taken back.
        bench.proxy.heal();
        bench.proxy.make(Rule::new(rule).method("PUT").target("hls.m3u8"));
        let fault = bench.publish(&files).await.expect_err("refused");
        assert_eq!(fault.code, code, "{fault}");
        assert_eq!(bench.server.keys("out").len(), 2);
        assert_eq!(bench.executor.withdraw(&files).await, []);
        bench.executor.discard(&bench.attempt, &["out".to_owned()]).await;
        assert_eq!(bench.server.keys("out"), Vec::<String>::new(), "{code}");
        assert_eq!((bench.open_uploads(), bench.notes()), (vec![], vec![]), "{code}");
    }
}

#[tokio::test]
async fn what_others_put_under_a_name_is_left_alone_and_told() {
    let bench = Bench::new();
    let files = [bench.made("a.mp4", b"ours"), bench.made("b.mp4", b"ours")];
    bench.publish(&files).await.expect("published");
    bench.hers("b.mp4", b"hers").await;
    let strange = bench.executor.withdraw(&files).await;
    assert_eq!(strange, [files[1].to.clone()]);
    assert_eq!(bench.server.keys("out"), ["b.mp4"]);
    assert_eq!(bench.server.object("out", "b.mp4").expect("it is there"), b"hers");
}

/// An upload whose answers stop coming is given up, and what was sent is not sent again.
#[tokio::test]
async fn a_dead_endpoint_is_told_in_time_and_the_rest_is_done_later() {
    let bench = Bench::new();
    let files = [
        bench.made("clip/240p.mp4", &noise((11 << 20) + 9, 4)),
        bench.made("clip/hls.m3u8", b"#EXTM3U"),
    ];
    bench
        .proxy
        .make(Rule::new(Ill::Reset).method("POST").target("uploadId="));
    let answer = tokio::time::timeout(Duration::from_secs(60), bench.publish(&files)).await;
    let fault = answer.expect("it ends").expect_err("the endpoint is dead");
    assert_eq!(
        (fault.code.as_str(), fault.retryable),
        ("StorageNotAnswering", true),
        "{fault}"
    );
    assert_eq!(bench.server.keys("out"), Vec::<String>::new());
    bench.proxy.heal();
    bench.proxy.forget();
    for _ in 0..20 {
        match bench.publish(&files).await {
            Ok(_) => break,
            // A breaker opens again after a while.
            Err(fault) => assert!(fault.retryable, "{fault}"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(bench.server.keys("out").len(), 2);
    assert_eq!(bench.proxy.count(is_part), 0, "every part was there");
}
