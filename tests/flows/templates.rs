//! Templates: those of the system, and one's own.

use crate::appliance::Appliance;
use crate::each;
use serde_json::Value;
use serde_json::json;

const TOML: &str = "application/toml";

/// The types of the clouds' CreateCustomTemplate that this product has, each with a good set of parameters and one that is
/// out of its range, with the word that the refusal must hold.
const TYPES: [(&str, &str, &str, &str); 8] = [
    (
        "transcode",
        "[[group]]\nkind = \"file\"\n[[group.output]]\nname = \"p\"\nvideo = { codec = \"h264\", height = 240 }\n",
        "[[group]]\nkind = \"file\"\n[[group.output]]\nname = \"p\"\nvideo = { codec = \"h264\", height = 240, bframes = 99 }\n",
        "bframes",
    ),
    ("snapshot", "width = 320\n", "width = 4\n", "8 to 8192"),
    ("dynamic_image", "fps = 5\n", "fps = 1000\n", "fps"),
    ("cover", "quality = 70\n", "quality = 101\n", "1 to 100"),
    ("qc", "", "chekcs = []\n", "chekcs"),
    (
        "image_watermark",
        "image = \"ingest:logo.png\"\nwidth = 0.1\n",
        "width = 7\n",
        "8 to 4096",
    ),
    (
        "text_watermark",
        "text = \"draft\"\nborder = 3\n",
        "opacity = 1.5\n",
        "0 to 1",
    ),
    (
        "subtitle",
        "source = \"track:0\"\nfont_size = 0.04\n",
        "font_size = 0.9\n",
        "font_size",
    ),
];

/// The issue: "custom and system templates, the types of IMS (transcode, snapshot, animated image, image/text watermark,
/// subtitle ...), create/update/delete/list/set default ...; unknown or out-of-range values refused with the range."
#[test]
fn templates_of_every_type_are_made_changed_listed_and_deleted() {
    let mut appliance = Appliance::new("");
    appliance.start();
    for (kind, good, bad, word) in TYPES {
        let written = |rest: &str| format!("name = \"my-{kind}\"\ntype = \"{kind}\"\ndescription = \"mine\"\n{rest}");
        let refused = appliance.ask("POST", "/api/v1/templates", TOML, &written(bad));
        let why = appliance.refused(&refused, 422, "TemplateInvalid");
        assert!(why.contains(word), "{kind}: {why}");
        let made = appliance.ask("POST", "/api/v1/templates", TOML, &written(good));
        assert_eq!(made.status, 201, "{kind}: {}", made.text());
        let made = made.json();
        assert_eq!(
            (&made["type"], &made["origin"], &made["default"]),
            (&json!(kind), &json!("custom"), &json!(false))
        );
        assert!(made["created_at"].is_string());
        let listed = appliance.get(&format!("/api/v1/templates?type={kind}"));
        assert!(
            each(&listed, "/name").contains(&format!("my-{kind}").as_str()),
            "{listed}"
        );
        assert!(
            listed["items"]
                .as_array()
                .expect("items")
                .iter()
                .all(|item| item["type"] == kind)
        );
    }
    let system = appliance.get("/api/v1/templates?origin=system");
    for name in [
        "h264-hls-ladder",
        "poster",
        "animated-preview",
        "logo-top-right",
        "text-bottom-right",
        "subtitle-white",
    ] {
        assert!(each(&system, "/name").contains(&name), "{name} of {system}");
    }
    assert_eq!(
        each(&appliance.get("/api/v1/templates?origin=custom&name=MY-S"), "/name"),
        ["my-snapshot", "my-subtitle"]
    );
    let first = appliance.get("/api/v1/templates?origin=custom&limit=5");
    let rest = appliance.get(&format!(
        "/api/v1/templates?origin=custom&limit=5&cursor={}",
        first["next"].as_str().expect("more")
    ));
    assert_eq!(
        (
            first["items"].as_array().map(Vec::len),
            rest["items"].as_array().map(Vec::len)
        ),
        (Some(5), Some(3))
    );
    // Changing, as JSON and by file.
    let changed = appliance.ask(
        "PUT",
        "/api/v1/templates/my-snapshot",
        "application/json",
        &json!({ "name": "my-snapshot", "type": "snapshot", "width": 640 }).to_string(),
    );
    assert_eq!(
        (changed.status, &changed.json()["parameters"]),
        (200, &json!({ "width": 640 })),
        "{}",
        changed.text()
    );
    let file = appliance.path("t.toml");
    std::fs::write(&file, "name = \"my-snapshot\"\ntype = \"snapshot\"\nwidth = 320\n").expect("written");
    assert_eq!(
        appliance.did(&["template", "apply", file.to_str().expect("text")]),
        "my-snapshot applied\n"
    );
    assert!(appliance.did(&["template", "show", "my-snapshot"]).contains("320"));
    let other_type = appliance.ask(
        "POST",
        "/api/v1/templates",
        TOML,
        "name = \"my-snapshot\"\ntype = \"cover\"\n",
    );
    appliance.refused(&other_type, 409, "Conflict");
    let named = appliance.ask(
        "PUT",
        "/api/v1/templates/my-cover",
        TOML,
        "name = \"my-snapshot\"\ntype = \"snapshot\"\n",
    );
    appliance.refused(&named, 422, "NameDiffers");
    for reply in [
        appliance.ask(
            "POST",
            "/api/v1/templates",
            TOML,
            "name = \"poster\"\ntype = \"snapshot\"\n",
        ),
        appliance.ask(
            "PUT",
            "/api/v1/templates/poster",
            TOML,
            "name = \"poster\"\ntype = \"snapshot\"\n",
        ),
        appliance.ask("DELETE", "/api/v1/templates/poster", "", ""),
    ] {
        appliance.refused(&reply, 409, "TemplateOfSystem");
    }
    for (text, word) in [
        ("name = \"x\"\ntype = \"snapshto\"\n", "snapshot"),
        ("name = \"x\"\ntype = \"snapshot\"\nqualty = 3\n", "quality"),
        ("name = \"x y\"\ntype = \"snapshot\"\n", "not a name"),
        ("type = \"snapshot\"\n", "name"),
    ] {
        let why = appliance.refused(
            &appliance.ask("POST", "/api/v1/templates", TOML, text),
            422,
            "TemplateInvalid",
        );
        assert!(why.contains(word), "{why}");
    }
    let list = appliance.did(&["template", "list", "--origin", "custom", "--type", "cover"]);
    assert!(list.contains("my-cover") && !list.contains("my-qc"), "{list}");
    assert_eq!(appliance.did(&["template", "delete", "my-qc"]), "my-qc deleted\n");
    assert_eq!(appliance.ask("GET", "/api/v1/templates/my-qc", "", "").status, 404);
    appliance.refused(
        &appliance.ask("DELETE", "/api/v1/templates/my-qc", "", ""),
        404,
        "NotFound",
    );
}

/// The brief: "a template in use by an enabled workflow: workflows keep their resolved copy (say so), delete allowed with a
/// note"; "override parameters beside a template".
#[test]
fn workflows_keep_the_copy_of_a_template_that_they_resolved() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let template = |width: u32| format!("name = \"small\"\ntype = \"snapshot\"\nwidth = {width}\nquality = 50\n");
    appliance.ask("POST", "/api/v1/templates", TOML, &template(100));
    let logo = "name = \"logo\"\ntype = \"image_watermark\"\nimage = \"ingest:logo.png\"\nopacity = 0.5\n";
    appliance.ask("POST", "/api/v1/templates", TOML, logo);
    let definition = "name = \"w\"\n[source]\nstorage = \"ingest\"\ntrigger = \"manual\"\n\
        [[activity]]\nid = \"still\"\ntype = \"snapshot\"\ntemplate = \"small\"\nquality = 60\n\
        [[activity]]\nid = \"film\"\ntype = \"transcode\"\ntemplate = \"proxy-540p\"\nwatermark = [{ template = \"logo\", corner = \"bottom_left\" }]\n";
    let made = appliance.apply(definition);
    let parameters = |workflow: &Value, at: usize| workflow["resolved"]["activities"][at]["parameters"].clone();
    assert_eq!(
        parameters(&made, 0),
        json!({ "width": 100, "quality": 60 }),
        "keys beside it override it"
    );
    assert_eq!(
        parameters(&made, 1)["watermark"],
        json!([{ "kind": "image", "image": "ingest:logo.png", "opacity": 0.5, "corner": "bottom_left" }])
    );
    let changed = appliance.ask("POST", "/api/v1/templates", TOML, &template(200)).json();
    assert_eq!(changed["used_by"], json!(["w"]));
    assert!(
        changed["note"]
            .as_str()
            .is_some_and(|note| note.contains("keep the copy")),
        "{changed}"
    );
    let kept = appliance.get("/api/v1/workflows/w");
    assert_eq!(
        (parameters(&kept, 0)["width"].as_u64(), &kept["version"]),
        (Some(100), &json!(1))
    );
    // Applied again, while disabled, it takes the present one.
    appliance.refused(
        &appliance.ask("POST", "/api/v1/workflows", TOML, definition),
        409,
        "WorkflowEnabled",
    );
    appliance.did(&["workflow", "disable", "w"]);
    let again = appliance.apply(definition);
    assert_eq!(
        (parameters(&again, 0)["width"].as_u64(), &again["version"]),
        (Some(200), &json!(2))
    );
    appliance.did(&["workflow", "enable", "w"]);
    let gone = appliance.did(&["template", "delete", "logo"]);
    assert!(
        gone.contains("logo deleted") && gone.contains("named by w") && gone.contains("keep the copy"),
        "{gone}"
    );
    assert_eq!(appliance.get("/api/v1/workflows/w")["enabled"], true);
    let why = appliance.refused(
        &appliance.ask("POST", "/api/v1/workflows", TOML, definition),
        422,
        "WorkflowInvalid",
    );
    assert!(
        why.contains("there is no template \"logo\"") && why.contains("watermark[0].template"),
        "{why}"
    );
}

/// The clouds' SetDefaultCustomTemplate.
#[test]
fn a_default_stands_in_where_nothing_is_said_and_survives_a_restart() {
    let mut appliance = Appliance::new("");
    appliance.start();
    appliance.ask(
        "POST",
        "/api/v1/templates",
        TOML,
        "name = \"mine\"\ntype = \"snapshot\"\nwidth = 123\n",
    );
    appliance.ask(
        "POST",
        "/api/v1/templates",
        TOML,
        "name = \"words\"\ntype = \"text_watermark\"\ntext = \"draft\"\n",
    );
    assert_eq!(
        appliance.did(&["template", "default", "mine"]),
        "mine the default of its type\n"
    );
    let set = appliance.ask("PUT", "/api/v1/templates/words/default", "", "");
    assert_eq!(
        (set.status, &set.json()["default"]),
        (200, &json!(true)),
        "{}",
        set.text()
    );
    let ladder = appliance.ask("PUT", "/api/v1/templates/proxy-540p/default", "", "");
    assert_eq!(ladder.status, 200, "one of the system may be it, too");
    let definition = |name: &str| {
        format!(
            "name = \"{name}\"\nenabled = false\n[source]\nstorage = \"ingest\"\n[[activity]]\nid = \"still\"\ntype = \"snapshot\"\n\
             [[activity]]\nid = \"own\"\ntype = \"snapshot\"\nquality = 70\n\
             [[activity]]\nid = \"film\"\ntype = \"transcode\"\n\
             [[activity]]\nid = \"marked\"\ntype = \"transcode\"\ntemplate = \"proxy-540p\"\nwatermark = [{{ kind = \"text\" }}]\n"
        )
    };
    let look = |workflow: &Value| {
        let activities = workflow["resolved"]["activities"]
            .as_array()
            .expect("activities")
            .clone();
        assert_eq!(
            (&activities[0]["parameters"], &activities[0]["template"]),
            (&json!({ "width": 123 }), &json!("mine"))
        );
        assert_eq!(
            activities[1]["parameters"],
            json!({ "quality": 70 }),
            "what says something is left alone"
        );
        assert_eq!(activities[2]["template"], "proxy-540p");
        assert_eq!(activities[3]["parameters"]["watermark"][0]["text"], "draft");
    };
    look(&appliance.apply(&definition("before")));
    appliance.workflow_file("of-a-file", &definition("of-a-file"));
    appliance.stop();
    appliance.start();
    look(&appliance.apply(&definition("after")));
    look(&appliance.get("/api/v1/workflows/of-a-file"));
    appliance.ask(
        "POST",
        "/api/v1/templates",
        TOML,
        "name = \"newer\"\ntype = \"snapshot\"\nwidth = 77\n",
    );
    appliance.did(&["template", "default", "newer"]);
    assert_eq!(
        appliance.get("/api/v1/templates/mine")["default"],
        false,
        "one of a type"
    );
    appliance.did(&["template", "delete", "newer"]);
    appliance.did(&["template", "default", "words", "--unset"]);
    let listed = appliance.get("/api/v1/templates");
    let defaults: Vec<&str> = listed["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|item| item["default"] == true)
        .filter_map(|item| item["name"].as_str())
        .collect();
    assert_eq!(defaults, ["proxy-540p"]);
    let plain = appliance
        .apply("name = \"plain\"\n[source]\nstorage = \"ingest\"\n[[activity]]\nid = \"still\"\ntype = \"snapshot\"\n");
    assert_eq!(plain["resolved"]["activities"][0]["parameters"], json!({}));
}
