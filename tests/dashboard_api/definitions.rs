//! Definitions described and checked without being saved.

use crate::admin;
use crate::started;
use serde_json::Value;
use serde_json::json;

#[test]
fn definitions_are_described_and_checked_without_being_saved() {
    let appliance = started("");
    for noun in ["workflow", "template", "destination", "storage"] {
        let schema = appliance.get(&format!("/api/v1/schemas/{noun}"));
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{noun}"
        );
    }
    let none = admin(&appliance, "GET", "/api/v1/schemas/nothing", &json!({}));
    assert_eq!((none.status, &none.json()["code"]), (404, &json!("NotFound")));

    let check = |body: &Value| appliance.post("/api/v1/checks/workflow", body).json();
    let right = json!({ "name": "w", "source": { "storage": "ingest" }, "activity": [
        { "id": "facts", "type": "analysis" },
        { "id": "poster", "type": "cover", "needs": ["facts"], "when": "height > 100" }
    ] });
    let found = check(&right);
    assert_eq!(
        (&found["valid"], &found["findings"]),
        (&json!(true), &json!([])),
        "{found}"
    );
    let nodes: Vec<&str> = found["graph"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    assert_eq!(nodes, ["Start", "facts", "poster", "End"]);
    // The TOML form means the same.
    let toml = found["toml"].as_str().expect("a text").to_owned();
    let token = appliance.token();
    let headers = [("Content-Type", "application/toml")];
    let again = crate::http::request(
        appliance.port(),
        "POST",
        "/api/v1/checks/workflow",
        Some(&token),
        &headers,
        toml.as_bytes(),
    );
    let again = again.expect("answers").json();
    assert_eq!(
        (&again["definition"], &again["valid"]),
        (&right, &json!(true)),
        "{again}"
    );

    let wrong = json!({ "name": "w", "source": { "storage": "nowhere" }, "activity": [
        { "id": "a", "type": "snapshot", "quality": 101 }, { "id": "b", "type": "noop", "needs": ["a"] }
    ] });
    let found = check(&wrong);
    assert_eq!(found["findings"][0]["path"], "activity[0].quality", "{found}");
    assert_eq!(found["findings"][0]["activity"], "a");
    assert_eq!(found["graph"]["edges"].as_array().expect("edges").len(), 3, "{found}");
    let mut named = right.clone();
    named["source"]["storage"] = json!("nowhere");
    assert_eq!(check(&named)["findings"][0]["path"], "source.storage");
    assert_eq!(
        appliance.get("/api/v1/workflows?name=w&origin=api")["items"],
        json!([]),
        "nothing was saved"
    );
    let template = json!({ "name": "t", "type": "cover", "count": 21 });
    let found = appliance.post("/api/v1/checks/template", &template).json();
    assert_eq!(found["findings"][0]["path"], "count", "{found}");
}
