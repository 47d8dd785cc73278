//! Questions to services are signed like callbacks, so that a service knows who asks.

use crate::appliance::Appliance;
use crate::appliance::http;
use crate::scene::arrive;
use crate::scene::as_expected;
use crate::scene::ended;
use crate::scene::statuses;
use crate::scene::workflow;
use crate::service::Question;
use crate::service::Service;
use hmac::Hmac;
use hmac::Mac;
use sha2::Sha256;
use std::os::unix::fs::PermissionsExt;

fn expected(question: &Question, key: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
    mac.update(question.header("x-reelmill-timestamp").as_bytes());
    mac.update(b".");
    mac.update(&question.raw);
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn key(appliance: &Appliance, name: &str, text: &str) {
    let path = appliance.path(name);
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
}

/// A question bears our signature over time and body; an exchanged key signs from the next question on, the old one beside
/// it as long as it is there; one that cannot be signed is not asked.
#[test]
fn a_question_is_signed_and_keys_are_exchanged_without_a_restart() {
    let service = Service::start(|_, _| Some((200, r#"{"verdict": "pass"}"#.to_owned())));
    let mut appliance = Appliance::new("");
    let text = std::fs::read_to_string(appliance.config()).expect("there");
    let keys = "[server]\nhook_signing_key_file = \"hook.key\"\nold_hook_signing_key_file = \"old.key\"\n";
    std::fs::write(appliance.config(), text.replacen("[server]\n", keys, 1)).expect("written");
    key(&appliance, "hook.key", "key-of-one\n");
    key(&appliance, "old.key", "older");
    let ask = format!(
        "[[activity]]\nid = \"ask\"\ntype = \"hook\"\nurl = \"{}\"\n",
        service.url()
    );
    appliance.workflow_file("ask", &workflow("ask", "", &ask));
    appliance.start();

    arrive(&appliance, "a.txt", b"a");
    ended(&appliance, "a.txt");
    let one = service.asked().remove(0);
    let both = [expected(&one, "key-of-one"), expected(&one, "older")].join(",");
    assert_eq!(one.header("x-reelmill-signature"), both);

    key(&appliance, "old.key", "key-of-one");
    key(&appliance, "hook.key", "key-of-two");
    arrive(&appliance, "b.txt", b"b");
    ended(&appliance, "b.txt");
    let two = service.asked().remove(1);
    let both = [expected(&two, "key-of-two"), expected(&two, "key-of-one")].join(",");
    assert_eq!(two.header("x-reelmill-signature"), both);

    std::fs::remove_file(appliance.path("hook.key")).expect("there");
    arrive(&appliance, "c.txt", b"c");
    let waits = appliance.until("the fault", || {
        let task = appliance
            .tasks()
            .into_iter()
            .find(|task| task["media"]["object"] == "ingest:c.txt")?;
        let path = format!("/api/v1/tasks/{}", task["id"].as_str()?);
        let task = appliance.get(&path);
        (task["jobs"][0]["fault"]["code"] == "HookKeyUnreadable").then_some(task)
    });
    assert_eq!(waits["status"], "Processing", "it heals with the key: {waits:#}");
    assert_eq!(service.asked().len(), 2, "unsigned it is not asked");
    key(&appliance, "hook.key", "key-of-two");
    assert_eq!(
        statuses(&ended(&appliance, "c.txt")),
        as_expected(&[("ask", "Success")])
    );
    let settings = http::get(appliance.port(), "/api/v1/settings", Some(&appliance.token())).expect("answers");
    assert!(!settings.text().contains("key-of-two"), "keys are not shown");
    assert_eq!(service.asked().len(), 3);
}
