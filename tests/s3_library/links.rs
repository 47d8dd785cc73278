//! `/o/` for objects in a bucket.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::cloud::Cloud;
use crate::cloud::MIB;
use crate::cloud::bytes;

#[test]
fn a_link_gives_ranges_of_an_object_in_a_bucket() {
    let cloud = Cloud::start();
    let content = bytes(2 * MIB + 3);
    let media = cloud.upload("a b/c#1.mp4", &content)["media"]
        .as_str()
        .expect("an id")
        .to_owned();
    let url = cloud.link(&media);
    let whole = cloud.fetch("GET", &url, &[]);
    assert_eq!((whole.status, whole.body.len()), (200, content.len()));
    assert!(whole.body == content);
    assert_eq!(whole.header("content-type"), Some("video/mp4"));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    assert!(
        whole
            .header("content-security-policy")
            .is_some_and(|policy| policy.contains("sandbox"))
    );
    let tag = whole.header("etag").expect("a tag").to_owned();
    let part = cloud.fetch("GET", &url, &[("Range", "bytes=1000-1999"), ("If-Range", &tag)]);
    assert_eq!((part.status, part.body.as_slice()), (206, &content[1000..2000]));
    assert_eq!(
        part.header("content-range"),
        Some(format!("bytes 1000-1999/{}", content.len()).as_str())
    );
    let last = cloud.fetch("GET", &url, &[("Range", "bytes=-3")]);
    assert_eq!(
        (last.status, last.body.as_slice()),
        (206, &content[content.len() - 3..])
    );
    assert_eq!(cloud.fetch("GET", &url, &[("Range", "bytes=99999999-")]).status, 416);
    assert_eq!(cloud.fetch("GET", &url, &[("If-None-Match", &tag)]).status, 304);
    assert_eq!(cloud.fetch("GET", &url, &[("If-Match", "\"other\"")]).status, 412);
    assert_eq!(cloud.fetch("GET", &url, &[("If-Match", &tag)]).status, 200);
    cloud.proxy.forget();
    let head = cloud.fetch("HEAD", &url, &[]);
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some(content.len().to_string().as_str()))
    );
    assert_eq!(
        cloud.proxy.count(|seen| seen.method == "GET"),
        0,
        "a HEAD reads nothing"
    );
    let unsigned = url.split('?').next().expect("a path");
    assert_eq!(cloud.fetch("GET", unsigned, &[]).status, 403);
}

#[test]
fn an_answer_never_mixes_two_contents() {
    let cloud = Cloud::start();
    let (old, new) = (bytes(4 * MIB), bytes(4 * MIB + 1));
    let media = cloud.upload("a.mp4", &old)["media"].as_str().expect("an id").to_owned();
    let url = cloud.link(&media);
    let tag = cloud.fetch("HEAD", &url, &[]).header("etag").expect("a tag").to_owned();
    // The body breaks off, and when it is gone on with another object stands there.
    cloud
        .proxy
        .make(Rule::new(Ill::ResetAfter(MIB)).method("GET").target("/a.mp4").times(1));
    cloud.proxy.make(
        Rule::new(Ill::Header("ETag", "\"0123456789abcdef0123456789abcdef\"".to_owned()))
            .method("GET")
            .target("/a.mp4"),
    );
    let cut = cloud.fetch("GET", &url, &[]);
    assert!(cut.body.len() < old.len(), "it broke off");
    assert!(old.starts_with(&cut.body), "what came is of one content");
    cloud.proxy.heal();
    // It is really replaced: whoever goes on gets the new one from its begin.
    cloud.replace("a.mp4", &new);
    let on = cloud.fetch("GET", &url, &[("Range", "bytes=1048576-"), ("If-Range", &tag)]);
    assert_eq!((on.status, on.body.len()), (200, new.len()));
    assert!(on.body == new);
    assert_eq!(
        cloud
            .fetch("GET", &url, &[("Range", "bytes=1048576-"), ("If-Match", &tag)])
            .status,
        412
    );
    // Replaced between the look and the first byte: the answer is of what stands there.
    let now = cloud.fetch("HEAD", &url, &[]).header("etag").expect("a tag").to_owned();
    cloud.proxy.make(
        Rule::new(Ill::Error(412, "PreconditionFailed"))
            .method("GET")
            .target("/a.mp4")
            .times(1),
    );
    let again = cloud.fetch("GET", &url, &[]);
    assert_eq!((again.status, again.header("etag")), (200, Some(now.as_str())));
    assert!(again.body == new);
}

#[test]
fn a_set_in_a_bucket_is_reached_through_its_manifest() {
    let cloud = Cloud::start();
    cloud.server.deliver("media", "clip/hls/720p/seg-00001.m4s", b"segment");
    cloud.server.deliver("media", "clip/other.mp4", b"other");
    let made = cloud.upload("clip/hls.m3u8", b"#EXTM3U\nhls/720p/seg-00001.m4s\n");
    let url = cloud.link(made["media"].as_str().expect("an id"));
    assert_eq!(
        cloud.fetch("GET", &url, &[]).header("content-type"),
        Some("application/vnd.apple.mpegurl")
    );
    let segment = url.replace("hls.m3u8", "hls/720p/seg-00001.m4s");
    assert_eq!(cloud.fetch("GET", &segment, &[]).body, b"segment");
    assert_eq!(
        cloud.fetch("GET", &url.replace("hls.m3u8", "hls/none.m4s"), &[]).status,
        404
    );
    assert_eq!(
        cloud.fetch("GET", &url.replace("hls.m3u8", "other.mp4"), &[]).status,
        403
    );
}
