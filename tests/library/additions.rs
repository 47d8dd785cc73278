//! Attachments, renditions made elsewhere, and links.

use crate::appliance::clips;
use crate::appliance::http;
use crate::house::House;
use crate::house::house;
use crate::house::id_of;
use serde_json::Value;
use serde_json::json;

/// 002, AttachedMediaUploadComplete "An auxiliary media asset is uploaded" and RegisterStreamComplete "A media stream is
/// registered".
#[test]
fn subtitles_watermarks_and_foreign_renditions_belong_to_a_media() {
    let house = house();
    house.stand("film.mp4", &std::fs::read(clips::silent()).expect("the clip"));
    house.stand("film.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello\n");
    house.stand("logo.png", b"not looked at");
    house.stand("elsewhere/film.m3u8", b"#EXTM3U\nfilm/0.ts\n");
    house.stand("elsewhere/film/0.ts", b"ts");
    let id = id_of(&house.register("renditions:film.mp4", json!({})));
    let attach = |body: Value| house.post(&format!("/api/v1/media/{id}/attachments"), &body);
    let made = attach(
        json!({ "object": "renditions:film.srt", "language": "en", "title": "English",
        "user_data": { "MessageCallback": { "CallbackURL": "http://mam.invalid/" } } }),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let subtitle = made.json();
    assert_eq!(
        (&subtitle["kind"], &subtitle["type"], &subtitle["language"]),
        (&json!("subtitle"), &json!("text"), &json!("en"))
    );
    let logo = attach(json!({ "object": "renditions:logo.png", "kind": "watermark" })).json();
    let rendition = house.post(
        &format!("/api/v1/media/{id}/renditions"),
        &json!({ "object": "renditions:elsewhere/film.m3u8", "name": "720p", "user_data": "x" }),
    );
    assert_eq!(rendition.status, 201, "{}", rendition.text());
    let told = house.told(&id, "AttachedMediaUploadComplete");
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(
        (&told[0]["media_type"], &told[0]["object"]["key"]),
        (&json!("text"), &json!("film.srt"))
    );
    let told = house.told(&id, "RegisterStreamComplete");
    assert_eq!(
        (told.len(), &told[0]["object"]["key"]),
        (1, &json!("elsewhere/film.m3u8"))
    );
    let media = house.get(&format!("/api/v1/media/{id}"));
    assert_eq!(media["attachments"].as_array().map(Vec::len), Some(2), "{media:#}");
    assert_eq!(media["renditions"][0]["kind"], "720p");
    // Added again it keeps its id.
    let again = attach(json!({ "object": "renditions:film.srt", "kind": "other" })).json();
    assert_eq!((&again["id"], &again["kind"]), (&subtitle["id"], &json!("other")));

    // Signed links with ranges, to attachments, renditions and source; a playlist opens what it names.
    let urls = house.get(&format!("/api/v1/media/{id}/urls?expires_s=60"));
    let url_of = |object: &str| -> String {
        let items = urls["items"].as_array().expect("a list");
        let item = items.iter().find(|item| item["object"] == object).expect(object);
        let url = item["url"].as_str().expect("a link");
        url.split_once("127.0.0.1:")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map(|(_, path)| format!("/{path}"))
            .expect("a path")
    };
    let read = |path: &str, headers: &[(&str, &str)]| {
        http::request(house.port(), "GET", path, None, headers, b"").expect("the daemon answers")
    };
    let part = read(&url_of("renditions:film.srt"), &[("Range", "bytes=0-0")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &b"1"[..]));
    assert_eq!(read(&url_of("renditions:film.mp4"), &[]).status, 200);
    let playlist = url_of("renditions:elsewhere/film.m3u8");
    assert_eq!(read(&playlist, &[]).status, 200);
    let segment = playlist.replace("film.m3u8", "film/0.ts");
    assert_eq!(read(&segment, &[]).body, b"ts");
    assert_eq!(read("/o/renditions/film.srt", &[]).status, 403);
    for expiry in ["0", "604801"] {
        let reply = house.ask(
            "GET",
            &format!("/api/v1/media/{id}/urls?expires_s={expiry}"),
            &[],
            &Value::Null,
        );
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!("BadExpiry")));
    }

    // Taken away: the file stays unless it is asked for, and what another media has stays in any case.
    let other = id_of(&house.register("renditions:film.srt", json!({})));
    let drop = |list: &str, id_of_it: &Value, query: &str| {
        let path = format!("/api/v1/media/{id}/{list}/{}{query}", id_of_it.as_str().expect("an id"));
        house.ask("DELETE", &path, &[], &Value::Null).status
    };
    assert_eq!(drop("attachments", &subtitle["id"], "?file=true"), 204);
    assert_eq!(drop("attachments", &logo["id"], "?file=true"), 204);
    assert_eq!(drop("renditions", &rendition.json()["id"], ""), 204);
    assert_eq!(drop("renditions", &rendition.json()["id"], ""), 404);
    let files = house.files("renditions");
    assert!(
        files.contains(&"film.srt".to_owned()),
        "media {other} is this file: {files:?}"
    );
    assert!(
        !files.contains(&"logo.png".to_owned()) && files.contains(&"elsewhere/film.m3u8".to_owned()),
        "{files:?}"
    );
    for (body, code) in [
        (json!({ "object": "renditions:none.srt" }), "ObjectNotFound"),
        (json!({ "object": "renditions:film.srt", "kind": "hat" }), "BadKind"),
        (
            json!({ "object": "renditions:film.srt", "language": "e n" }),
            "BadField",
        ),
    ] {
        assert_eq!(attach(body.clone()).json()["code"], code, "{body}");
    }
    let nowhere = house.post(
        "/api/v1/media/none/attachments",
        &json!({ "object": "renditions:film.srt" }),
    );
    assert_eq!(nowhere.status, 404, "{}", nowhere.text());
}
