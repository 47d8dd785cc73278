//! What lies in a bucket: found, registered, run in batches, deleted.

use crate::cloud::Cloud;
use serde_json::Value;
use serde_json::json;

fn items(page: &Value, field: &str) -> Vec<String> {
    let items = page["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn encoded(text: &str) -> String {
    text.replace('/', "%2F").replace('=', "%3D").replace(' ', "%20")
}

#[test]
fn folders_of_a_bucket_are_shown_page_by_page() {
    let cloud = Cloud::start();
    for key in [
        "a.mp4",
        "in/1.mp4",
        "in/a/x.mp4",
        "in/a/y.mp4",
        "in/a-b.mp4",
        "in/b/z.mp4",
        "in/c d.mp4",
        ".reelmill/x",
    ] {
        cloud.server.deliver("media", key, key.as_bytes());
    }
    let top = cloud.appliance.get("/api/v1/objects?storage=cloud");
    assert_eq!(items(&top, "key"), ["a.mp4", "in/"]);
    assert_eq!(
        (&top["items"][0]["size_bytes"], &top["items"][1]["kind"]),
        (&5.into(), &"folder".into())
    );
    let all = ["in/1.mp4", "in/a-b.mp4", "in/a/", "in/b/", "in/c d.mp4"];
    assert_eq!(
        items(
            &cloud.appliance.get("/api/v1/objects?storage=cloud&prefix=in%2F"),
            "key"
        ),
        all
    );
    for limit in 1..4 {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = cloud.appliance.get(&format!(
                "/api/v1/objects?storage=cloud&prefix=in%2F&limit={limit}{cursor}"
            ));
            found.extend(items(&page, "key"));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={}", encoded(next)),
                None => break,
            }
        }
        assert_eq!(found, all, "pages of {limit}");
    }
    let start = cloud.appliance.get("/api/v1/objects?storage=cloud&prefix=in%2Fa");
    assert_eq!(items(&start, "key"), ["in/a-b.mp4", "in/a/"]);
}

#[test]
fn a_batch_goes_over_a_prefix_of_a_bucket() {
    let cloud = Cloud::start();
    for number in 0..7 {
        cloud.server.deliver("media", &format!("batch/{number}.mp4"), b"x");
    }
    cloud.server.deliver("media", "batch/half.part", b"x");
    cloud.server.deliver("media", "other/9.mp4", b"x");
    let (mut objects, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let asked = json!({"workflow": "noop", "storage": "cloud", "prefix": "batch/", "limit": 3, "cursor": cursor});
        let reply = cloud.appliance.post("/api/v1/tasks/batch", &asked);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let page = reply.json();
        assert_eq!(page["refused"], 0, "{page:#}");
        objects.extend(items(&page, "object"));
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let wanted: Vec<String> = (0..7).map(|number| format!("cloud:batch/{number}.mp4")).collect();
    assert_eq!(objects, wanted);
    assert!(
        cloud
            .appliance
            .ended_tasks(7)
            .iter()
            .all(|task| task["status"] == "Succeed")
    );
}

#[test]
fn a_dry_run_and_a_start_look_into_the_bucket() {
    let cloud = Cloud::start();
    cloud.server.deliver("media", "in/a.mp4", b"film");
    let workflows = cloud.appliance.get("/api/v1/workflows?limit=100");
    let all = workflows["items"].as_array().expect("a list");
    let noop = all
        .iter()
        .find(|workflow| workflow["name"] == "noop")
        .expect("it is loaded");
    let test = format!("/api/v1/workflows/{}/test", noop["id"].as_str().expect("an id"));
    let there = cloud.appliance.post(&test, &json!({"object": "cloud:in/a.mp4"}));
    assert_eq!(there.status, 200, "{}", there.text());
    let view = there.json();
    assert_eq!(
        (&view["exists"], &view["size_bytes"], &view["matches"]),
        (&true.into(), &4.into(), &true.into())
    );
    let missing = cloud.appliance.post(&test, &json!({"object": "cloud:in/b.mp4"})).json();
    assert_eq!(missing["exists"], false, "{missing:#}");
    let start = |object: &str| {
        cloud
            .appliance
            .post("/api/v1/tasks", &json!({"workflow": "noop", "object": object}))
    };
    assert_eq!(start("cloud:in/b.mp4").json()["code"], "ObjectNotFound");
    assert_eq!(start("cloud:in/").json()["code"], "ObjectNotFound");
    assert_eq!(start("cloud:in/a.mp4").status, 201);
    assert_eq!(cloud.appliance.ended_tasks(1)[0]["status"], "Succeed");
}

#[test]
fn an_object_is_registered_by_reference_and_deleted_only_while_it_is_the_same() {
    let cloud = Cloud::start();
    cloud.server.deliver("media", "ref/a.mp4", b"first");
    let missing = cloud
        .appliance
        .post("/api/v1/media", &json!({"object": "cloud:ref/none.mp4"}));
    assert_eq!(missing.status, 422, "{}", missing.text());
    let ids: Vec<String> = (0..2)
        .map(|_| {
            let reply = cloud
                .appliance
                .post("/api/v1/media", &json!({"object": "cloud:ref/a.mp4"}));
            assert!([200, 201].contains(&reply.status), "{}", reply.text());
            reply.json()["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    assert_eq!(ids[0], ids[1], "one input is one media");
    let first = &ids[0];
    let settled = |id: &str| {
        cloud.appliance.until("the media to be looked at", || {
            let media = cloud.appliance.get(&format!("/api/v1/media/{id}"));
            (media["status"] != "Preparing").then_some(media)
        })
    };
    settled(first);
    // Another content under the same key is another media.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    cloud.server.deliver("media", "ref/a.mp4", b"other");
    let second = cloud
        .appliance
        .post("/api/v1/media", &json!({"object": "cloud:ref/a.mp4"}))
        .json();
    let second = second["id"].as_str().expect("an id").to_owned();
    assert_ne!(*first, second);
    settled(&second);
    // An attachment beside it.
    cloud.server.deliver("media", "ref/a.vtt", b"WEBVTT\n");
    let attached = cloud.appliance.post(
        &format!("/api/v1/media/{second}/attachments"),
        &json!({"object": "cloud:ref/a.vtt"}),
    );
    assert_eq!(attached.status, 201, "{}", attached.text());
    let delete = |id: &str| {
        let reply = cloud.send(
            "DELETE",
            &format!("/api/v1/media/{id}?what=all&additions=true"),
            &[],
            b"",
        );
        assert!([200, 202, 204].contains(&reply.status), "{}", reply.text());
        cloud.appliance.until("the deletion to end", || {
            let reply = cloud.send("GET", &format!("/api/v1/media/{id}"), &[], b"");
            let gone = reply.status == 404 || reply.json()["deleting"].is_null();
            gone.then_some(())
        });
    };
    delete(first);
    assert_eq!(
        cloud.server.object("media", "ref/a.mp4").expect("it stays"),
        b"other",
        "it is another one's"
    );
    delete(&second);
    assert_eq!(cloud.keys(), Vec::<String>::new());
}
