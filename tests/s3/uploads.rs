//! Uploads in parts.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::peer::Peer;
use crate::peer::noise;
use crate::peer::rule;
use futures_util::future::BoxFuture;
use reelmill::base::fault::Blame;
use reelmill::base::fault::Fault;
use reelmill::objects::s3::FilePieces;
use reelmill::objects::s3::PieceSource;
use reelmill::objects::s3::Put;
use reelmill::objects::s3::Replace;
use std::ops::Range;
use tokio_util::bytes::Bytes;

#[tokio::test]
async fn a_file_is_sent_in_parts_and_appears_at_once() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let bytes = noise((12 << 20) + 5);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &bytes).expect("written");
    let source = FilePieces::new(std::fs::File::open(file.path()).expect("opened"), "the file");
    let key = peer.key("large.mp4");
    let staged = bucket
        .upload(&key, bytes.len() as u64, source, &rule(Replace::Never))
        .await
        .expect("sent");
    assert_eq!(staged.parts().len(), 3);
    let expected = hex::encode(<md5::Md5 as md5::Digest>::digest(&bytes));
    assert_eq!(staged.md5(), Some(expected.as_str()));
    assert_eq!(
        bucket.head(&key).await.expect("asked"),
        None,
        "nothing appears before the word"
    );
    let Put::Done(etag) = staged.finish().await.expect("completed") else {
        panic!("nothing was there");
    };
    assert!(etag.ends_with("-3"), "{etag}");
    assert_eq!(
        staged.finish().await.expect("again"),
        Put::Done(etag.clone()),
        "twice is as once"
    );
    let head = bucket.head(&key).await.expect("asked").expect("it is there");
    assert_eq!(
        (head.size_bytes, &head.etag, head.content_type.as_str()),
        (bytes.len() as u64, &etag, "video/mp4")
    );
    assert_eq!(bucket.read(&key, &etag, 0..head.size_bytes).await.expect("read"), bytes);
}

#[tokio::test]
async fn what_is_taken_back_leaves_nothing() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let key = peer.key("never.mp4");
    let staged = bucket
        .upload(&key, 6 << 20, noise(6 << 20), &rule(Replace::Always))
        .await
        .expect("sent");
    let upload = staged.upload().expect("in parts").to_owned();
    let open = bucket.uploads(&peer.prefix).await.expect("asked");
    if peer.server.is_none() {
        assert_eq!(open.iter().map(|open| &open.upload).collect::<Vec<_>>(), [&upload]);
        assert!(open[0].key == key && open[0].begun_s > 1_700_000_000);
    }
    staged.drop_it().await.expect("aborted");
    assert!(bucket.uploads(&peer.prefix).await.expect("asked").is_empty());
    assert_eq!(bucket.head(&key).await.expect("asked"), None);
    if peer.server.is_none() {
        // s3s-fs calls it forbidden.
        bucket.abort(&key, &upload).await.expect("aborting again is no fault");
        let gone = bucket.part(&key, &upload, 1, noise(10)).await.expect_err("it is gone");
        assert_eq!(gone.code, "UploadGone", "{gone}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_word_is_no_failure() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let key = peer.key("lost.mp4");
    let staged = bucket
        .upload(&key, 6 << 20, noise(6 << 20), &rule(Replace::Never))
        .await
        .expect("sent");
    peer.proxy
        .make(Rule::new(Ill::LostAnswer).method("POST").target("uploadId=").times(1));
    assert!(matches!(staged.finish().await.expect("resolved"), Put::Done(_)));
    assert!(
        peer.proxy
            .count(|seen| seen.method == "POST" && seen.target.contains("uploadId="))
            >= 2,
        "it was asked again"
    );
    assert_eq!(
        bucket.head(&key).await.expect("asked").expect("there").size_bytes,
        6 << 20
    );
}

#[tokio::test]
async fn an_error_within_a_good_answer_is_an_error() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let key = peer.key("late.mp4");
    let staged = bucket
        .upload(&key, 6 << 20, noise(6 << 20), &rule(Replace::Always))
        .await
        .expect("sent");
    let complete = |ill| Rule::new(ill).method("POST").target("uploadId=").times(1);
    peer.proxy.make(complete(Ill::Error(200, "InvalidPart")));
    let fault = staged.finish().await.expect_err("it was refused");
    assert_eq!(fault.code, "UploadGone", "{fault}");
    assert_eq!(bucket.head(&key).await.expect("asked"), None);
    // One that passes is asked again.
    peer.proxy.make(complete(Ill::Error(200, "InternalError")));
    peer.proxy
        .make(complete(Ill::Status(200, "<?xml version=\"1.0\"?>\n  ".to_owned())));
    assert!(matches!(staged.finish().await.expect("made"), Put::Done(_)));
}

#[tokio::test]
async fn parts_are_sent_again_and_damage_is_noticed() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let part = |ill| Rule::new(ill).method("PUT").target("partNumber=2");
    peer.proxy.make(part(Ill::Reset).times(1));
    peer.proxy.make(part(Ill::Error(503, "SlowDown")).times(2));
    peer.proxy
        .make(part(Ill::Header("ETag", "\"0123456789abcdef0123456789abcdef\"".to_owned())).times(1));
    let key = peer.key("parts.mp4");
    let bytes = noise(11 << 20);
    let staged = bucket
        .upload(&key, bytes.len() as u64, bytes.clone(), &rule(Replace::Always))
        .await
        .expect("sent in the end");
    staged.finish().await.expect("made");
    assert_eq!(bucket.read(&key, "", 0..bytes.len() as u64).await.expect("read"), bytes);
    // An ETag that is wrong each time is damage: the service has shown that it makes them of MD5.
    peer.proxy.heal();
    peer.proxy.make(part(Ill::Header(
        "ETag",
        "\"0123456789abcdef0123456789abcdef\"".to_owned(),
    )));
    let fault = bucket
        .upload(
            &peer.key("damaged.mp4"),
            bytes.len() as u64,
            bytes,
            &rule(Replace::Always),
        )
        .await
        .expect_err("it is not what was sent");
    assert_eq!(fault.code, "OutputCorrupt", "{fault}");
    let aborts = peer
        .proxy
        .count(|seen| seen.method == "DELETE" && seen.target.contains("uploadId="));
    assert_eq!(aborts, 1, "what failed is aborted");
}

/// A source that ends early.
struct Broken;

impl PieceSource for Broken {
    fn piece(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, Fault>> {
        Box::pin(async move {
            if range.start == 0 {
                Ok(noise(5 << 20))
            } else {
                Err(Fault::new(
                    "SourceTruncated",
                    Blame::Source,
                    "read",
                    "the source",
                    "it ended",
                    "Nothing.",
                ))
            }
        })
    }
}

#[tokio::test]
async fn a_source_that_fails_leaves_nothing() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let key = peer.key("half.mp4");
    let fault = bucket
        .upload(&key, 11 << 20, Broken, &rule(Replace::Always))
        .await
        .expect_err("it ended");
    assert_eq!(fault.code, "SourceTruncated");
    assert_eq!(
        peer.proxy
            .count(|seen| seen.method == "DELETE" && seen.target.contains("uploadId=")),
        1
    );
    assert_eq!(bucket.head(&key).await.expect("asked"), None);
}
