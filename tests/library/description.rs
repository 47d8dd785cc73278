//! What is said of media, and categories.

use crate::appliance::clips;
use crate::house::House;
use crate::house::house;
use crate::house::id_of;
use serde_json::Value;
use serde_json::json;

/// 002, MediaBaseChangeComplete: "A media asset's basic information is updated", MediaContent with OldValue and NewValue.
#[test]
fn a_change_tells_what_became_other_and_nothing_else() {
    let house = house();
    house.stand("a.mp4", &std::fs::read(clips::silent()).expect("the clip"));
    house.stand("face.jpg", b"a picture");
    let id = id_of(&house.register("renditions:a.mp4", json!({ "tags": ["old"] })));
    house.settled(&id);
    let path = format!("/api/v1/media/{id}");
    let films = house.post("/api/v1/categories", &json!({ "name": "Films" })).json();
    let before = house.ask("GET", &path, &[], &Value::Null);
    let tag = before.header("etag").expect("an ETag").to_owned();
    let change = json!({ "title": "Opening", "tags": ["new", "old"], "category": films["id"],
        "cover": "renditions:face.jpg" });
    let changed = house.ask("PATCH", &path, &[("If-Match", &tag)], &change);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(
        (&changed.json()["title"], &changed.json()["cover"]),
        (&json!("Opening"), &json!("renditions:face.jpg"))
    );
    let told = house.told(&id, "MediaBaseChangeComplete");
    assert_eq!(told.len(), 1, "{told:#?}");
    let changes = told[0]["changes"].as_array().expect("a list");
    let field = |name: &str| changes.iter().find(|change| change["field"] == name).expect(name);
    assert_eq!(
        (&field("title")["old"], &field("title")["new"]),
        (&json!("a.mp4"), &json!("Opening"))
    );
    assert_eq!(
        (&field("tags")["old"], &field("tags")["new"]),
        (&json!("old"), &json!("new,old"))
    );
    assert_eq!(
        (&field("category")["old"], &field("category")["new"]),
        (&json!(""), &films["id"])
    );
    assert!(
        changes
            .iter()
            .all(|change| change["field"] != "description" && change["field"] != "user_data")
    );
    // The same again is no change and no event; an old tag is refused.
    let same = house.ask("PATCH", &path, &[], &change);
    assert_eq!(
        (same.status, house.told(&id, "MediaBaseChangeComplete").len()),
        (200, 1)
    );
    let stale = house.ask("PATCH", &path, &[("If-Match", &tag)], &json!({ "title": "x" }));
    assert_eq!((stale.status, &stale.json()["code"]), (412, &json!("ChangedMeanwhile")));
    // Found by the new words at once, and by tag and category.
    for query in ["&search=open", "&search=OPENing%20new", "&tag=new", "&search=op"] {
        assert_eq!(house.found(query), std::slice::from_ref(&id), "{query}");
    }
    let filed = format!("&category={}", films["id"].as_str().expect("an id"));
    assert_eq!(house.found(&filed), std::slice::from_ref(&id));
    assert_eq!(house.found("&tag=ne"), Vec::<String>::new());
    // Taken back.
    let back = house.ask(
        "PATCH",
        &path,
        &[],
        &json!({ "title": null, "tags": null, "category": null, "cover": null }),
    );
    assert_eq!(
        (&back.json()["title"], &back.json()["tags"]),
        (&json!("a.mp4"), &json!([]))
    );
    assert_eq!(
        (house.found("&search=opening").len(), house.found("&tag=new").len()),
        (0, 0)
    );
    for (body, code) in [
        (json!({ "cover": "renditions:a.mp4" }), "BadCover"),
        (json!({ "cover": "renditions:none.jpg" }), "ObjectNotFound"),
        (json!({ "category": "none" }), "CategoryNotFound"),
        (json!({ "title": "x".repeat(300) }), "BadField"),
        (json!({ "name": "x" }), "BadBody"),
    ] {
        assert_eq!(house.ask("PATCH", &path, &[], &body).json()["code"], code, "{body}");
    }
}

#[test]
fn categories_are_a_tree() {
    let house = house();
    let make = |body: Value| house.post("/api/v1/categories", &body);
    let films = make(json!({ "name": "Films" }));
    assert_eq!(films.status, 201, "{}", films.text());
    let films = id_of(&films.json());
    let short = id_of(&make(json!({ "name": "Short", "parent": films })).json());
    assert_eq!(make(json!({ "name": "Films" })).status, 409);
    assert_eq!(make(json!({ "name": "Films", "parent": short })).status, 201);
    assert_eq!(make(json!({ "name": " " })).status, 422);
    assert_eq!(make(json!({ "name": "x", "parent": "none" })).status, 404);
    let at = |id: &str| format!("/api/v1/categories/{id}");
    let loops = house.ask("PATCH", &at(&films), &[], &json!({ "parent": short }));
    assert_eq!(loops.status, 409, "{}", loops.text());
    let moved = house.ask("PATCH", &at(&short), &[], &json!({ "parent": null, "name": "Shorts" }));
    assert_eq!(
        (&moved.json()["parent"], &moved.json()["name"]),
        (&Value::Null, &json!("Shorts"))
    );
    let top = house.get("/api/v1/categories?parent=");
    assert_eq!(top["items"].as_array().map(Vec::len), Some(2), "{top:#}");
    let under = house.get(&format!("/api/v1/categories?parent={short}"));
    assert_eq!(under["items"].as_array().map(Vec::len), Some(1), "{under:#}");
    assert_eq!(house.ask("DELETE", &at(&short), &[], &Value::Null).status, 409);
    assert_eq!(house.ask("DELETE", &at(&films), &[], &Value::Null).status, 204);
    assert_eq!(house.ask("GET", &at(&films), &[], &Value::Null).status, 404);
}

/// The same through the command line: register, list, update, attach, show, delete.
#[test]
fn the_command_line_keeps_the_library() {
    let house = house();
    house.stand("a.srt", b"words");
    house.stand("b.srt", b"more");
    let said = |args: &[&str]| {
        let output = house.cli(args);
        assert!(output.status.success(), "{args:?}: {}", crate::appliance::said(&output));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    let id = said(&[
        "media",
        "register",
        "renditions:a.srt",
        "--title",
        "Dialogue",
        "--tag",
        "en",
    ]);
    assert!(said(&["media", "list", "--search", "dialog", "--tag", "en"]).contains(&id));
    assert_eq!(said(&["media", "update", &id, "--title", "Talk", "--tags", ""]), id);
    let added = said(&[
        "media",
        "attach",
        &id,
        "renditions:b.srt",
        "--kind",
        "subtitle",
        "--language",
        "en",
    ]);
    let shown: Value = serde_json::from_str(&said(&["media", "show", &id])).expect("JSON");
    assert_eq!((&shown["title"], &shown["tags"]), (&json!("Talk"), &json!([])));
    assert_eq!(shown["attachments"][0]["id"], added.as_str());
    assert!(said(&["media", "delete", &id, "--what", "all"]).contains("being deleted"));
    house.until("the media to go", || house.found("").is_empty().then_some(()));
    assert_eq!(house.files("renditions"), ["b.srt"]);
    let refused = house.cli(&["media", "delete", &id]);
    assert_eq!(refused.status.code(), Some(1), "{}", crate::appliance::said(&refused));
}
