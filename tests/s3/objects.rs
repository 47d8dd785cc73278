//! Objects: written, looked at, read, listed, copied, removed.

use crate::peer::Peer;
use crate::peer::noise;
use crate::peer::rule;
use futures_util::TryStreamExt;
use reelmill::objects::s3::Bucket;
use reelmill::objects::s3::BucketOptions;
use reelmill::objects::s3::ObjectInBucket;
use reelmill::objects::s3::Put;
use reelmill::objects::s3::Replace;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_util::bytes::Bytes;

#[tokio::test]
async fn what_is_written_is_read_and_what_was_noted_is_told() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    bucket.reach().await.expect("it is there");
    let (key, bytes) = (peer.key("a.mp4"), noise(300_000));
    assert_eq!(bucket.head(&key).await.expect("asked"), None);
    let Put::Done(etag) = bucket
        .put(&key, bytes.clone(), &rule(Replace::Never))
        .await
        .expect("written")
    else {
        panic!("nothing was there");
    };
    let head = bucket.head(&key).await.expect("asked").expect("it is there");
    assert_eq!((head.size_bytes, &head.etag), (300_000, &etag));
    assert_eq!(head.content_type, "video/mp4");
    assert_eq!(head.metadata["reelmill-md5"], "d41d8cd98f00b204e9800998ecf8427e");
    assert!(head.mtime_ns > 1_700_000_000_000_000_000 && head.mtime_ns % 1_000_000_000 == 0);
    assert_eq!(bucket.read(&key, &etag, 0..300_000).await.expect("read"), bytes);
    assert_eq!(
        bucket.read(&key, &etag, 70_000..70_001).await.expect("read"),
        bytes.slice(70_000..70_001)
    );
    assert_eq!(
        bucket.read(&key, "", 299_000..300_000).await.expect("read"),
        bytes.slice(299_000..)
    );
    assert_eq!(bucket.read(&key, &etag, 5..5).await.expect("nothing"), Bytes::new());
    // A name that is taken stays taken, unless it may give way.
    assert_eq!(
        bucket.put(&key, noise(5), &rule(Replace::Never)).await.expect("asked"),
        Put::Taken
    );
    assert_eq!(bucket.read(&key, &etag, 0..300_000).await.expect("read"), bytes);
    bucket
        .put(&key, noise(5), &rule(Replace::Always))
        .await
        .expect("written");
    let fault = bucket
        .read(&key, &etag, 0..300_000)
        .await
        .expect_err("it is another one");
    assert_eq!(fault.code, "SourceChanged");
    bucket.remove(&key).await.expect("removed");
    bucket.remove(&key).await.expect("that it is gone is no fault");
    assert_eq!(bucket.head(&key).await.expect("asked"), None);
    assert_eq!(bucket.read(&key, "", 0..1).await.expect_err("gone").code, "SourceGone");
}

#[tokio::test]
async fn an_empty_object_is_an_object() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let key = peer.key("empty");
    bucket
        .put(&key, Bytes::new(), &rule(Replace::Always))
        .await
        .expect("written");
    let head = bucket.head(&key).await.expect("asked").expect("it is there");
    assert_eq!(head.size_bytes, 0);
    assert_eq!(bucket.read(&key, &head.etag, 0..0).await.expect("read"), Bytes::new());
    assert_eq!(
        bucket.read(&key, &head.etag, 0..1).await.expect_err("no byte").code,
        "SourceChanged"
    );
}

#[tokio::test]
async fn odd_names_are_names() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let names = [
        "with space and + plus.mp4",
        "100% sure & more=1?.mov",
        "\u{4f60}\u{597d}/\u{fc}ber.mkv",
        ".hidden/..dots",
        "quote'(1)*!~@,;:$.ts",
        "tab\u{e9}\u{301}.ts",
    ];
    for name in names {
        let key = peer.key(name);
        bucket
            .put(&key, Bytes::copy_from_slice(name.as_bytes()), &rule(Replace::Never))
            .await
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let read = bucket.read(&key, "", 0..name.len() as u64).await;
        assert_eq!(read.unwrap_or_else(|fault| panic!("{name}: {fault}")), name.as_bytes());
    }
    let listed = bucket
        .list(&peer.prefix, false, None, None, 1_000)
        .await
        .expect("listed");
    let listed: BTreeSet<String> = listed.objects.into_iter().map(|object| object.key).collect();
    let expected: BTreeSet<String> = names.iter().map(|name| peer.key(name)).collect();
    assert_eq!(listed, expected);
    for key in ["a/../b", "caf%E9.mp4"] {
        let fault = bucket
            .put(key, Bytes::new(), &rule(Replace::Always))
            .await
            .expect_err("refused");
        assert_eq!(fault.code, "KeyRefused", "{key}");
    }
}

#[tokio::test]
async fn listings_go_page_by_page_from_anywhere() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let keys: Vec<String> = (0..25)
        .map(|number| peer.key(&format!("f{}/{number:02}", number % 3)))
        .collect();
    for key in &keys {
        bucket
            .put(key, noise(3), &rule(Replace::Always))
            .await
            .expect("written");
    }
    let mut sorted = keys.clone();
    sorted.sort();
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = bucket
            .list(&peer.prefix, false, None, token.as_deref(), 10)
            .await
            .expect("listed");
        assert!(page.objects.len() <= 10);
        found.extend(page.objects.into_iter().map(|object| object.key));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, sorted);
    let after = bucket
        .list(&peer.prefix, false, Some(&sorted[9]), None, 1_000)
        .await
        .expect("listed");
    assert_eq!(
        after.objects.iter().map(|object| &object.key).collect::<Vec<_>>(),
        sorted[10..].iter().collect::<Vec<_>>()
    );
    let folders = bucket
        .list(&peer.prefix, true, None, None, 1_000)
        .await
        .expect("listed");
    assert_eq!(folders.folders, [peer.key("f0/"), peer.key("f1/"), peer.key("f2/")]);
    assert!(folders.objects.is_empty());
    // One object is the same in a listing and by itself.
    let head = bucket.head(&sorted[0]).await.expect("asked").expect("it is there");
    let listed = bucket
        .list(&sorted[0], false, None, None, 1)
        .await
        .expect("listed")
        .objects
        .remove(0);
    assert_eq!((listed.size_bytes, listed.mtime_ns), (head.size_bytes, head.mtime_ns));
    if peer.server.is_none() {
        // s3s-fs tells no ETags in listings.
        assert_eq!(listed.etag, head.etag);
    }
}

#[tokio::test]
async fn objects_are_copied_on_the_server_or_through_us() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let (key, bytes) = (peer.key("from + a.mp4"), noise(6 << 20));
    let Put::Done(etag) = bucket
        .put(&key, bytes.clone(), &rule(Replace::Always))
        .await
        .expect("written")
    else {
        panic!("written");
    };
    let mut from = ObjectInBucket {
        bucket: bucket.clone(),
        key,
        etag,
        size_bytes: bytes.len() as u64,
    };
    peer.proxy.forget();
    let to = peer.key("to.mp4");
    assert!(matches!(
        bucket.copy(&from, &to, &rule(Replace::Never)).await.expect("copied"),
        Put::Done(_)
    ));
    assert_eq!(
        peer.proxy
            .count(|seen| seen.body_bytes > 1_000 || seen.answered_bytes > 100_000),
        0
    );
    assert_eq!(bucket.read(&to, "", 0..from.size_bytes).await.expect("read"), bytes);
    assert_eq!(
        bucket.copy(&from, &to, &rule(Replace::Never)).await.expect("asked"),
        Put::Taken
    );
    // A bucket of another service: through this host, in parts.
    let elsewhere = Bucket::new(BucketOptions {
        region: "elsewhere".to_owned(),
        ..peer.options()
    })
    .expect("a bucket");
    from.bucket = elsewhere;
    let through = peer.key("through.mp4");
    if peer.server.is_some() {
        // s3s-fs takes any region.
        assert!(matches!(
            bucket
                .copy(&from, &through, &rule(Replace::Always))
                .await
                .expect("copied"),
            Put::Done(_)
        ));
        assert_eq!(
            bucket.read(&through, "", 0..from.size_bytes).await.expect("read"),
            bytes
        );
    }
    from.bucket = bucket.clone();
    from.etag = "0123456789abcdef0123456789abcdef".to_owned();
    let fault = bucket.copy(&from, &peer.key("never"), &rule(Replace::Always)).await;
    if peer.server.is_none() {
        assert_eq!(fault.expect_err("it is another one").code, "SourceChanged");
    }
}

#[tokio::test]
async fn links_work_without_keys_until_they_end() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let key = peer.key("a b+c.mp4");
    bucket
        .put(&key, noise(100), &rule(Replace::Always))
        .await
        .expect("written");
    let link = bucket.presigned(&key, Duration::from_secs(60)).await.expect("a link");
    let client = reqwest::Client::builder().no_proxy();
    // Any provider of cryptography will do for plain HTTP; the bucket has installed one.
    let client = client.build().expect("a client");
    let bytes = client
        .get(&link)
        .send()
        .await
        .expect("answered")
        .bytes()
        .await
        .expect("bytes");
    assert_eq!(bytes, noise(100));
    let forged = link.replace("a%20b", "a%20x");
    assert_eq!(client.get(&forged).send().await.expect("answered").status(), 403);
}

#[tokio::test]
async fn a_piece_at_a_time_is_held() {
    let peer = Peer::start();
    let bucket = peer.bucket();
    let (key, bytes) = (peer.key("large"), noise(5 << 20));
    bucket
        .put(&key, bytes.clone(), &rule(Replace::Always))
        .await
        .expect("written");
    let pieces: Vec<Bytes> = bucket
        .stream(&key, "", 10..bytes.len() as u64)
        .try_collect()
        .await
        .expect("read");
    assert!(
        pieces.iter().all(|piece| piece.len() <= 1 << 20),
        "no piece is the object"
    );
    assert_eq!(pieces.concat(), bytes.slice(10..));
}
