//! A destination of kind storage in a bucket.

use crate::cloud::Cloud;

#[test]
fn every_event_is_an_object_once() {
    let mut cloud = Cloud::with(
        "[[destination]]\nname = \"vault\"\nkind = \"storage\"\nstorage = \"cloud\"\nprefix = \"audit\"\n\
         profile = \"ims\"\nglobal = true\n",
    );
    cloud.upload("a b.mp4", b"film");
    let archived = |cloud: &Cloud| -> Vec<String> {
        let keys = cloud.keys().into_iter();
        keys.filter(|key| key.starts_with("audit/")).collect()
    };
    let keys = cloud.appliance.until("the event to be archived", || {
        let keys = archived(&cloud);
        (!keys.is_empty()).then_some(keys)
    });
    let text = cloud.server.object("media", &keys[0]).expect("there");
    let line: serde_json::Value = serde_json::from_slice(&text).expect("a line of JSON");
    let (id, at) = (
        line["id"].as_str().expect("an id"),
        line["at"].as_str().expect("a time"),
    );
    let time: String = at[11..].chars().filter(char::is_ascii_digit).collect();
    assert_eq!(keys[0], format!("audit/{}/{time}-{id}.jsonl", &at[..10]));
    assert!(text.ends_with(b"\n"));
    // Objects in a bucket are told by the address that it gives them.
    let address = format!("{}/media/a%20b.mp4", cloud.proxy.endpoint());
    assert!(line["body"].to_string().contains(&address), "{address} {line:#}");
    // Told again, it stands there once.
    let deliveries = cloud.appliance.get("/api/v1/deliveries?limit=100");
    let delivery = deliveries["items"][0]["id"].as_str().expect("an id").to_owned();
    let replayed = cloud.send("POST", &format!("/api/v1/deliveries/{delivery}/replay"), &[], b"");
    assert!(replayed.status < 300, "{}", replayed.text());
    cloud.appliance.stop();
    cloud.appliance.start();
    cloud.appliance.until("the replay to be delivered", || {
        let view = cloud.appliance.get("/api/v1/deliveries?limit=100");
        let all = view["items"].as_array().expect("a list").clone();
        all.iter().all(|item| item["status"] == "done").then_some(())
    });
    assert_eq!(archived(&cloud), keys);
}
