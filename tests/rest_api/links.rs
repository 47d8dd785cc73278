//! Signed links.

use crate::served::Served;
use crate::served::problem;
use reelmill::base::clock::UtcMs;
use reelmill::objects::uri::ObjectUri;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn links_give_ranges_of_their_object_and_nothing_else() {
    let served = Served::new().await;
    served.object("in/a b.mp4", b"0123456789");
    served.object("in/page.html", b"<script>alert(1)</script>");
    std::fs::write(served.folder.path().join("secret.txt"), "no").expect("written");
    std::os::unix::fs::symlink(served.folder.path(), served.folder.path().join("ingest/up")).expect("linked");
    let later = UtcMs::now().plus_ms(60_000);
    let link = |key: &str| {
        format!(
            "{}{}",
            served.url,
            served.state.signer.object_path(&ObjectUri::new("ingest", key), later)
        )
    };
    let get = |url: String| served.http.get(url).send();
    let whole = get(link("in/a b.mp4")).await.expect("answers");
    assert_eq!(whole.status(), StatusCode::OK);
    let headers = whole.headers().clone();
    assert_eq!(headers["content-type"], "video/mp4");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(
        headers["content-security-policy"]
            .to_str()
            .expect("text")
            .contains("sandbox")
    );
    assert!(
        headers["content-disposition"]
            .to_str()
            .expect("text")
            .starts_with("inline")
    );
    assert_eq!(whole.text().await.expect("is text"), "0123456789");
    let range = |range: &'static str| {
        let request = served.http.get(link("in/a b.mp4")).header("range", range);
        async move { request.send().await.expect("answers") }
    };
    let part = range("bytes=2-4").await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(part.text().await.expect("is text"), "234");
    assert_eq!(range("bytes=-3").await.text().await.expect("is text"), "789");
    let outside = range("bytes=10-").await;
    assert_eq!(outside.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(outside.headers()["content-range"], "bytes */10");
    let fresh = served
        .http
        .get(link("in/a b.mp4"))
        .header("if-none-match", headers["etag"].clone());
    assert_eq!(fresh.send().await.expect("answers").status(), StatusCode::NOT_MODIFIED);
    let head = served.http.head(link("in/a b.mp4")).send().await.expect("answers");
    assert_eq!(head.headers()["content-length"], "10");
    let page = get(link("in/page.html")).await.expect("answers");
    assert_eq!(page.headers()["content-type"], "application/octet-stream");
    assert!(
        page.headers()["content-disposition"]
            .to_str()
            .expect("text")
            .starts_with("attachment")
    );
    // Even a key that was signed cannot leave the storage.
    for key in [
        "../secret.txt",
        "in/../../secret.txt",
        "up/secret.txt",
        "up/admin.token",
        "in",
    ] {
        let response = get(link(key)).await.expect("answers");
        assert!(response.status().is_client_error(), "{key}: {}", response.status());
    }
    let old = served
        .state
        .signer
        .object_path(&ObjectUri::new("ingest", "in/a b.mp4"), UtcMs(1_000));
    let (status, body) = problem(get(format!("{}{old}", served.url)).await.expect("answers")).await;
    assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("LinkExpired")));
}

#[tokio::test]
async fn a_set_link_opens_the_whole_tree_by_relative_addresses() {
    let served = Served::new().await;
    served.object("clip/hls.m3u8", b"#EXTM3U\nhls/720p/index.m3u8\n");
    served.object("clip/hls/720p/index.m3u8", b"#EXTM3U\nseg-00001.m4s\n");
    served.object("clip/hls/720p/seg-00001.m4s", b"segment");
    served.object("clip/1080p.mp4", b"other output");
    let main = ObjectUri::new("ingest", "clip/hls.m3u8");
    let path = served
        .state
        .signer
        .set_path(&main, false, UtcMs::now().plus_ms(60_000))
        .expect("has a stem");
    let mut at = reqwest::Url::parse(&format!("{}{path}", served.url)).expect("an address");
    for expected in [
        "application/vnd.apple.mpegurl",
        "application/vnd.apple.mpegurl",
        "video/iso.segment",
    ] {
        let response = served.http.get(at.clone()).send().await.expect("answers");
        assert_eq!(response.status(), StatusCode::OK, "{at}");
        assert_eq!(response.headers()["content-type"], expected);
        let text = response.text().await.expect("is text");
        if let Some(next) = text.lines().nth(1) {
            at = at.join(next).expect("relative");
        }
    }
    let beside = reqwest::Url::parse(&format!("{}{path}", served.url))
        .expect("an address")
        .join("1080p.mp4")
        .expect("relative");
    assert_eq!(
        served.http.get(beside).send().await.expect("answers").status(),
        StatusCode::FORBIDDEN
    );
}
