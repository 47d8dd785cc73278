//! A service that is ill: each illness ends in the right bytes or a clear fault, and costs what it may.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::peer::Peer;
use crate::peer::noise;
use crate::peer::rule;
use reelmill::objects::s3::Bucket;
use reelmill::objects::s3::Put;
use reelmill::objects::s3::Replace;
use tokio_util::bytes::Bytes;

const SIZE: usize = 1 << 20;

/// An object of [`SIZE`] bytes: its key, ETag, bytes.
async fn object(peer: &Peer, bucket: &Bucket) -> (String, String, Bytes) {
    let (key, bytes) = (peer.key("source.mp4"), noise(SIZE));
    let Put::Done(etag) = bucket
        .put(&key, bytes.clone(), &rule(Replace::Always))
        .await
        .expect("written")
    else {
        panic!("written");
    };
    peer.proxy.forget();
    (key, etag, bytes)
}

#[tokio::test]
async fn a_body_that_breaks_is_gone_on_with_where_it_broke() {
    let peer = Peer::start();
    let bucket = peer.dogged();
    let (key, etag, bytes) = object(&peer, &bucket).await;
    for ill in [
        Ill::ResetAfter(100_000),
        Ill::EndAfter(300_000),
        Ill::ShortenTo(400_000),
        Ill::StallAfter(500_000),
        Ill::Reset,
        Ill::Error(500, "InternalError"),
        Ill::Error(503, "SlowDown"),
        Ill::Status(502, "<html>no backend</html>".to_owned()),
    ] {
        peer.proxy.forget();
        peer.proxy.make(Rule::new(ill.clone()).method("GET").times(2));
        let read = bucket.read(&key, &etag, 0..SIZE as u64).await;
        assert_eq!(
            read.unwrap_or_else(|fault| panic!("{ill:?}: {fault}")),
            bytes,
            "{ill:?}"
        );
        let seen = peer.proxy.seen();
        let ranges: Vec<_> = seen.iter().filter_map(|seen| seen.header("range")).collect();
        assert_eq!(ranges.len(), 3, "{ill:?}: {ranges:?}");
        if matches!(ill, Ill::ShortenTo(_) | Ill::EndAfter(_)) {
            assert!(
                ranges[1] != "bytes=0-1048575",
                "what came is not asked for again: {ranges:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_object_that_is_replaced_in_mid_read_is_noticed() {
    let peer = Peer::start();
    let bucket = peer.impatient();
    let (key, etag, _) = object(&peer, &bucket).await;
    // By a service that knows If-Match, and by one that does not.
    for ill in [
        Ill::Error(412, "PreconditionFailed"),
        Ill::Header("ETag", "\"0123456789abcdef0123456789abcdef\"".to_owned()),
        Ill::Error(416, "InvalidRange"),
    ] {
        peer.proxy
            .make(Rule::new(Ill::ResetAfter(1_000)).method("GET").times(1));
        peer.proxy.make(Rule::new(ill.clone()).method("GET").times(1));
        let fault = bucket
            .read(&key, &etag, 0..SIZE as u64)
            .await
            .expect_err("another object");
        assert_eq!(fault.code, "SourceChanged", "{ill:?}: {fault}");
        assert!(!fault.retryable);
    }
    let seen = peer.proxy.seen();
    assert!(
        seen.iter()
            .all(|seen| seen.header("if-match").is_some_and(|said| said.contains(&etag)))
    );
}

#[tokio::test]
async fn what_cannot_help_is_not_tried_again() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let (key, etag, _) = object(&peer, &bucket).await;
    for (ill, code) in [
        (Ill::Error(403, "AccessDenied"), "StorageDenied"),
        (Ill::Error(404, "NoSuchKey"), "SourceGone"),
        (Ill::Error(404, "NoSuchBucket"), "BucketUnknown"),
        (Ill::Error(403, "InvalidObjectState"), "SourceArchived"),
        (Ill::Error(301, "PermanentRedirect"), "RegionWrong"),
        (Ill::Error(400, "InvalidArgument"), "StorageRefused"),
    ] {
        peer.proxy.forget();
        peer.proxy.make(Rule::new(ill.clone()).times(1));
        let fault = bucket.read(&key, &etag, 0..10).await.expect_err("refused");
        assert_eq!(fault.code, code, "{ill:?}: {fault}");
        assert_eq!(peer.proxy.seen().len(), 1, "{ill:?}");
        assert!(!fault.to_string().contains(&peer.secret()));
    }
}

#[tokio::test]
async fn a_service_that_stays_ill_is_given_up_in_words() {
    let peer = Peer::start();
    let bucket = peer.impatient();
    let (key, etag, _) = object(&peer, &bucket).await;
    for ill in [
        Ill::Error(503, "SlowDown"),
        Ill::Error(500, "InternalError"),
        Ill::Stall,
        Ill::Reset,
        Ill::Status(200, "<html>log in to this network</html>".to_owned()),
    ] {
        peer.proxy.make(Rule::new(ill.clone()));
        let fault = bucket
            .list(&peer.prefix, false, None, None, 10)
            .await
            .expect_err("no answer");
        assert_eq!(fault.code, "StorageNotAnswering", "{ill:?}: {fault}");
        assert!(fault.retryable);
        peer.proxy.heal();
        bucket
            .reach()
            .await
            .unwrap_or_else(|fault| panic!("healed after {ill:?}: {fault}"));
    }
    assert_eq!(bucket.read(&key, &etag, 0..4).await.expect("healed").len(), 4);
}

#[tokio::test]
async fn a_dead_endpoint_costs_one_prober() {
    let peer = Peer::start();
    let bucket = peer.impatient();
    let (key, etag, _) = object(&peer, &bucket).await;
    peer.proxy.make(Rule::new(Ill::Reset));
    bucket.read(&key, &etag, 0..10).await.expect_err("it died");
    assert!(bucket.is_silent());
    peer.proxy.forget();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let (bucket, key, etag) = (bucket.clone(), key.clone(), etag.clone());
            tokio::spawn(async move { bucket.read(&key, &etag, 0..10).await })
        })
        .collect();
    for read in waiting {
        assert_eq!(
            read.await.expect("no panic").expect_err("dead").code,
            "StorageNotAnswering"
        );
    }
    let tried = peer.proxy.seen().len();
    assert!(tried <= 10, "fifty readers asked {tried} times");
    peer.proxy.heal();
    let mut read = bucket.read(&key, &etag, 0..10).await;
    while read.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        read = bucket.read(&key, &etag, 0..10).await;
    }
    assert!(!bucket.is_silent());
}

#[tokio::test]
async fn exchanged_keys_are_taken_over_and_wrong_ones_are_told() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let (key, etag, bytes) = object(&peer, &bucket).await;
    let secret = peer.secret();
    // The token expired: other keys are looked for once, found, and used.
    peer.proxy.make(Rule::new(Ill::Error(400, "ExpiredToken")).times(1));
    peer.set_secret(&format!("{secret}\n\n"));
    let fault = bucket.read(&key, &etag, 0..4).await.expect_err("the same keys");
    assert_eq!(fault.code, "StorageDenied");
    assert!(
        fault.cause.contains("ExpiredToken") && fault.remedy.contains("secret"),
        "{fault}"
    );
    if !peer.checks_keys().await {
        return;
    }
    peer.set_secret("another-secret");
    peer.proxy
        .make(Rule::new(Ill::Error(403, "InvalidAccessKeyId")).times(1));
    let fault = bucket.read(&key, &etag, 0..4).await.expect_err("wrong keys now");
    assert!(fault.cause.contains("SignatureDoesNotMatch"), "{fault}");
    assert!(!fault.to_string().contains("another-secret"));
    peer.set_secret(&secret);
    peer.proxy.forget();
    assert_eq!(
        bucket.read(&key, &etag, 0..4).await.expect("right keys again"),
        bytes.slice(..4)
    );
    assert_eq!(peer.proxy.seen().len(), 2, "refused once, then with other keys");
    // HEAD is refused without a word; it ends the same.
    peer.set_secret("another-secret");
    peer.proxy.make(Rule::new(Ill::Status(403, String::new())).times(1));
    assert_eq!(bucket.head(&key).await.expect_err("wrong keys").code, "StorageDenied");
    peer.set_secret(&secret);
    bucket.head(&key).await.expect("right keys again");
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_theirs_once() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let (key, ..) = object(&peer, &bucket).await;
    peer.proxy.make(Rule::new(Ill::Skewed(-7_200)));
    bucket.head(&key).await.expect("signed by their clock");
    assert_eq!(
        peer.proxy.seen().iter().map(|seen| seen.status).collect::<Vec<_>>(),
        [403, 200]
    );
    peer.proxy.forget();
    bucket.head(&key).await.expect("and so is the next one");
    assert_eq!(peer.proxy.seen().len(), 1);
    // One that refuses whatever the clock says.
    peer.proxy.heal();
    let other = peer.bucket();
    peer.proxy.make(Rule::new(Ill::Error(403, "RequestTimeTooSkewed")));
    assert_eq!(other.reach().await.expect_err("refused").code, "ClockWrong");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told_from_a_key_that_is_not() {
    let peer = Peer::start();
    let mut options = peer.options();
    options.bucket = "no-such-bucket".to_owned();
    let bucket = Bucket::new(options).expect("a bucket");
    for fault in [
        bucket.reach().await.expect_err("no bucket"),
        bucket.head("a").await.expect_err("no bucket"),
    ] {
        assert_eq!(fault.code, "BucketUnknown", "{fault}");
        assert!(fault.remedy.contains("no-such-bucket"));
    }
    let read = bucket.read("a", "", 0..1).await;
    let put = bucket.put("a", noise(3), &rule(Replace::Always)).await;
    if peer.server.is_none() {
        // s3s-fs misses the key, and makes the bucket.
        assert_eq!(read.expect_err("no bucket").code, "BucketUnknown");
        assert_eq!(put.expect_err("no bucket").code, "BucketUnknown");
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_known_as_ours() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let key = peer.key("lost");
    peer.proxy.make(Rule::new(Ill::LostAnswer).method("PUT").times(1));
    peer.proxy
        .make(Rule::new(Ill::Error(412, "PreconditionFailed")).method("PUT").times(1));
    let put = bucket
        .put(&key, noise(1_000), &rule(Replace::Never))
        .await
        .expect("resolved");
    assert!(matches!(put, Put::Done(_)), "{put:?}");
    let seen = peer.proxy.seen();
    assert!(seen.iter().any(|seen| seen.header("if-none-match") == Some("*")));
    assert!(
        seen.iter()
            .filter(|seen| seen.method == "PUT")
            .all(|seen| seen.header("content-md5").is_some())
    );
    // Without a lost answer the same refusal means that somebody was faster.
    peer.proxy
        .make(Rule::new(Ill::Error(412, "PreconditionFailed")).method("PUT").times(1));
    let put = bucket
        .put(&peer.key("taken"), noise(10), &rule(Replace::Never))
        .await
        .expect("asked");
    assert_eq!(put, Put::Taken);
}

#[tokio::test]
async fn services_that_know_less_are_asked_for_less() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    peer.proxy
        .make(Rule::new(Ill::Error(501, "NotImplemented")).method("PUT").times(2));
    bucket
        .put(&peer.key("a"), noise(10), &rule(Replace::Never))
        .await
        .expect("written");
    let seen = peer.proxy.seen();
    let last = seen.iter().rfind(|seen| seen.method == "PUT").expect("written");
    assert!(last.header("if-none-match").is_none() && last.header("content-md5").is_none());
    assert!(last.header("x-amz-checksum-sha256").is_some());
}

#[tokio::test]
async fn a_body_damaged_on_the_way_is_sent_again_and_told_in_the_end() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    peer.proxy
        .make(Rule::new(Ill::Error(400, "BadDigest")).method("PUT").times(1));
    bucket
        .put(&peer.key("a"), noise(10), &rule(Replace::Always))
        .await
        .expect("sent again");
    peer.proxy.make(Rule::new(Ill::Error(400, "BadDigest")).method("PUT"));
    let fault = bucket
        .put(&peer.key("b"), noise(10), &rule(Replace::Always))
        .await
        .expect_err("damaged");
    assert_eq!(fault.code, "OutputCorrupt");
}

#[tokio::test]
async fn a_listing_that_was_cut_is_asked_for_again() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    object(&peer, &bucket).await;
    peer.proxy
        .make(Rule::new(Ill::ShortenTo(200)).target("list-type=2").times(2));
    let page = bucket.list(&peer.prefix, false, None, None, 10).await.expect("listed");
    assert_eq!(page.objects.len(), 1);
    assert_eq!(peer.proxy.count(|seen| seen.target.contains("list-type=2")), 3);
}
