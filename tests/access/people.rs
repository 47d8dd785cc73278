//! People, sessions, tokens, access keys, and the audit log.

use crate::Browser;
use crate::admin;
use crate::appliance::Appliance;
use crate::appliance::http;
use crate::appliance::reelmill;
use crate::appliance::said;
use crate::deeds;
use crate::log_in;
use crate::make_user;
use crate::refused;
use serde_json::json;

const PASSWORD: &str = "a few good words";

fn started() -> Appliance {
    let mut appliance = Appliance::new("");
    appliance.start();
    appliance
}

#[test]
fn a_session_reads_with_its_cookie_and_changes_only_with_its_csrf_token() {
    let appliance = started();
    make_user(&appliance, "Anna", "operator", PASSWORD);
    let browser = Browser::log_in(&appliance, "anna", PASSWORD);
    let me = browser.bare("GET", "/api/v1/sessions/current", &json!({}));
    assert_eq!(me.status, 200, "{}", me.text());
    let me = me.json();
    assert_eq!(
        (&me["name"], &me["role"], &me["kind"], &me["csrf_token"]),
        (
            &json!("anna"),
            &json!("operator"),
            &json!("session"),
            &json!(browser.csrf)
        )
    );
    assert_eq!(browser.bare("GET", "/api/v1/tasks", &json!({})).status, 200);
    // What another site could make the browser send has no token.
    let forged = browser.bare("POST", "/api/v1/tasks/cancel", &json!({}));
    refused(&forged, 403, "CsrfToken");
    assert_eq!(browser.ask("POST", "/api/v1/tasks/cancel", &json!({})).status, 202);
    refused(&browser.ask("POST", "/api/v1/users", &json!({})), 403, "Forbidden");
    refused(&browser.bare("GET", "/api/v1/audit", &json!({})), 403, "Forbidden");
    // A token is who asks, whatever cookie comes along, and needs no CSRF token.
    let token = appliance.token();
    let headers = [
        ("Cookie", browser.cookie.as_str()),
        ("Content-Type", "application/json"),
    ];
    let both = http::request(
        appliance.port(),
        "POST",
        "/api/v1/system/drain",
        Some(&token),
        &headers,
        br#"{"on":false}"#,
    );
    assert_eq!(both.expect("answers").status, 200);
    let mine = appliance.get("/api/v1/sessions/current");
    assert_eq!((&mine["kind"], &mine["csrf_token"]), (&json!("token"), &json!(null)));

    let out = browser.ask("DELETE", "/api/v1/sessions/current", &json!({}));
    assert_eq!(out.status, 204, "{}", out.text());
    assert!(out.header("set-cookie").is_some_and(|line| line.contains("Max-Age=0")));
    refused(&browser.bare("GET", "/api/v1/tasks", &json!({})), 401, "Unauthorized");
    refused(
        &admin(&appliance, "DELETE", "/api/v1/sessions/current", &json!({})),
        409,
        "NoSession",
    );
}

#[test]
fn whoever_is_changed_disabled_or_removed_is_out_at_once() {
    let appliance = started();
    let id = make_user(&appliance, "otto", "viewer", PASSWORD);
    let path = format!("/api/v1/users/{id}");
    let look = |browser: &Browser| browser.bare("GET", "/api/v1/tasks", &json!({})).status;
    let browser = Browser::log_in(&appliance, "otto", PASSWORD);

    // A role holds at once, without a new log-in.
    assert_eq!(
        admin(&appliance, "PATCH", &path, &json!({ "role": "operator" })).status,
        200
    );
    assert_eq!(browser.ask("POST", "/api/v1/tasks/cancel", &json!({})).status, 202);

    let new = json!({ "password": PASSWORD, "new_password": "some other words" });
    let wrong = json!({ "password": "not this one", "new_password": "some other words" });
    let own = "/api/v1/sessions/current/password";
    refused(&browser.ask("PUT", own, &wrong), 403, "BadCredentials");
    assert_eq!(browser.ask("PUT", own, &new).status, 204);
    assert_eq!(look(&browser), 401, "every session ends with the password");
    refused(&log_in(&appliance, "otto", PASSWORD), 401, "BadCredentials");
    let browser = Browser::log_in(&appliance, "OTTO", "some other words");

    assert_eq!(
        admin(&appliance, "PATCH", &path, &json!({ "disabled": true })).status,
        200
    );
    assert_eq!(look(&browser), 401);
    refused(&log_in(&appliance, "otto", "some other words"), 401, "BadCredentials");
    assert_eq!(
        admin(&appliance, "PATCH", &path, &json!({ "disabled": false })).status,
        200
    );
    let browser = Browser::log_in(&appliance, "otto", "some other words");
    assert_eq!(admin(&appliance, "DELETE", &path, &json!({})).status, 204);
    assert_eq!(look(&browser), 401);
    refused(&admin(&appliance, "GET", &path, &json!({})), 404, "NotFound");
}

#[test]
fn the_last_admin_stays_and_bad_users_are_refused() {
    let appliance = started();
    let id = make_user(&appliance, "root", "admin", PASSWORD);
    let path = format!("/api/v1/users/{id}");
    for body in [json!({ "role": "viewer" }), json!({ "disabled": true })] {
        refused(&admin(&appliance, "PATCH", &path, &body), 409, "Conflict");
    }
    refused(&admin(&appliance, "DELETE", &path, &json!({})), 409, "Conflict");
    make_user(&appliance, "second", "admin", PASSWORD);
    assert_eq!(admin(&appliance, "DELETE", &path, &json!({})).status, 204);
    let user = |name: &str, password: &str| json!({ "name": name, "role": "viewer", "password": password });
    for (body, status, code) in [
        (user("second", PASSWORD), 409, "NameTaken"),
        (user("Second ", PASSWORD), 409, "NameTaken"),
        (user("a b", PASSWORD), 422, "BadName"),
        (user("", PASSWORD), 422, "BadName"),
        (user("short", "123456789"), 422, "BadPassword"),
        (user("longenough", "LongEnough"), 422, "BadPassword"),
        (
            json!({ "name": "x", "role": "boss", "password": PASSWORD }),
            400,
            "BadBody",
        ),
        (
            json!({ "name": "x", "role": "viewer", "password": PASSWORD, "more": 1 }),
            400,
            "BadBody",
        ),
    ] {
        refused(&appliance.post("/api/v1/users", &body), status, code);
    }
    // The token of the first start: there must be one that never expires.
    let tokens = appliance.get("/api/v1/tokens");
    let first = tokens["items"][0]["id"].as_str().expect("an id");
    let made = appliance.post(
        "/api/v1/tokens",
        &json!({ "name": "for a day", "role": "admin", "expires_days": 1 }),
    );
    assert!(made.json()["expires_at"].is_string(), "{}", made.text());
    let path = format!("/api/v1/tokens/{first}");
    refused(&admin(&appliance, "DELETE", &path, &json!({})), 409, "Conflict");
}

#[test]
fn guessing_is_slowed_down_and_tells_nothing() {
    let appliance = started();
    make_user(&appliance, "anna", "viewer", PASSWORD);
    let id = make_user(&appliance, "gone", "viewer", PASSWORD);
    assert_eq!(
        admin(
            &appliance,
            "PATCH",
            &format!("/api/v1/users/{id}"),
            &json!({ "disabled": true })
        )
        .status,
        200
    );
    let wrong = log_in(&appliance, "anna", "a wrong password");
    refused(&wrong, 401, "BadCredentials");
    for other in [
        log_in(&appliance, "nobody", PASSWORD),
        log_in(&appliance, "gone", PASSWORD),
    ] {
        assert_eq!((other.status, other.text()), (wrong.status, wrong.text()));
    }
    for _ in 0..4 {
        refused(&log_in(&appliance, "anna", "a wrong password"), 401, "BadCredentials");
    }
    let braked = log_in(&appliance, "anna", PASSWORD);
    refused(&braked, 429, "TooManyTries");
    let seconds: u64 = braked
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("a time");
    assert!((1..=900).contains(&seconds));
    // It is over by itself, and the right password forgives.
    appliance.until("the brake to let go", || {
        let reply = log_in(&appliance, "anna", PASSWORD);
        (reply.status == 201).then_some(())
    });
    refused(&log_in(&appliance, "anna", "a wrong password"), 401, "BadCredentials");
    let tries = deeds(&appliance, "&verb=session.refused&who=nobody");
    assert_eq!(tries.len(), 1, "{tries:?}");
    assert_eq!(tries[0]["detail"]["from"], "127.0.0.1");
}

#[test]
fn every_change_is_in_the_audit_log_with_who_what_and_how() {
    let appliance = started();
    let id = make_user(&appliance, "anna", "operator", PASSWORD);
    admin(
        &appliance,
        "PATCH",
        &format!("/api/v1/users/{id}"),
        &json!({ "role": "viewer" }),
    );
    let change = &deeds(&appliance, &format!("&subject={id}&verb=user.change"))[0];
    assert_eq!(
        (&change["who"], &change["detail"]),
        (
            &json!("first start"),
            &json!({ "name": "anna", "role": ["operator", "viewer"] })
        )
    );
    assert_eq!(deeds(&appliance, "&verb=user.").len(), 2);
    assert_eq!(deeds(&appliance, "&who=anna").len(), 0);
    Browser::log_in(&appliance, "anna", PASSWORD);
    assert_eq!(deeds(&appliance, "&who=anna")[0]["verb"], "session.create");
    // What changes nothing is not noted, nor what was refused.
    let before = deeds(&appliance, "").len();
    appliance.get("/api/v1/tasks");
    admin(&appliance, "DELETE", "/api/v1/users/none", &json!({}));
    assert_eq!(deeds(&appliance, "").len(), before);
    assert_eq!(
        appliance
            .post("/api/v1/tasks/cancel", &json!({ "status": "Init" }))
            .status,
        202
    );
    let newest = &deeds(&appliance, "")[0];
    assert_eq!(newest["verb"], "task.cancel");
    assert_eq!(newest["detail"]["filter"]["status"], "Init");
    // Page by page, each deed once; by time.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = appliance.get(&format!("/api/v1/audit?limit=2{cursor}"));
        seen.extend(page["items"].as_array().expect("a list").clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), before + 1);
    assert_eq!(deeds(&appliance, "&to=2020-01-01T00:00:00Z").len(), 0);
    assert_eq!(deeds(&appliance, "&from=2020-01-01T00:00:00Z").len(), before + 1);
    refused(
        &admin(&appliance, "GET", "/api/v1/audit?from=now", &json!({})),
        400,
        "BadTime",
    );
    let listed = appliance.cli(&["audit", "list", "--verb", "user."]);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        text.contains("user.change") && text.contains("[\"operator\",\"viewer\"]"),
        "{text}"
    );
}

#[test]
fn access_keys_show_their_secret_once_and_keep_it_sealed() {
    let appliance = started();
    let made = appliance.post("/api/v1/accesskeys", &json!({ "name": "sdk", "role": "operator" }));
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let (id, secret) = (
        made["id"].as_str().expect("an id"),
        made["secret"].as_str().expect("a secret"),
    );
    assert!(id.starts_with("RMAK") && id.len() == 24 && secret.len() == 40, "{made}");
    let listed = appliance.get("/api/v1/accesskeys");
    assert_eq!(listed["items"][0]["id"], id);
    assert!(!listed.to_string().contains(secret));
    assert!(!deeds(&appliance, "&verb=accesskey.create").is_empty());
    let path = format!("/api/v1/accesskeys/{id}");
    assert_eq!(admin(&appliance, "DELETE", &path, &json!({})).status, 204);
    assert_eq!(appliance.get("/api/v1/accesskeys")["items"][0]["status"], "revoked");
    refused(
        &admin(&appliance, "DELETE", "/api/v1/accesskeys/RMAKnone", &json!({})),
        404,
        "NotFound",
    );
    let files = std::fs::read(appliance.path("state/reelmill.db")).expect("the database");
    let log = std::fs::read(appliance.path("state/reelmill.db-wal")).unwrap_or_default();
    for bytes in [files, log] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[test]
fn people_are_managed_with_commands_too() {
    let appliance = started();
    let file = appliance.path("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("written");
    let file = file.to_str().expect("plain");
    let made = appliance.cli(&["user", "create", "anna", "--role", "operator", "--password-file", file]);
    assert!(made.status.success(), "{}", said(&made));
    let changed = appliance.cli(&["user", "change", "anna", "--role", "viewer", "--disable"]);
    assert!(
        said(&changed).contains("anna is viewer and disabled"),
        "{}",
        said(&changed)
    );
    let listed = appliance.cli(&["user", "list"]);
    assert!(said(&listed).contains("anna"), "{}", said(&listed));
    let nothing = appliance.cli(&["user", "change", "anna"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
    let removed = appliance.cli(&["user", "revoke", "anna"]);
    assert!(removed.status.success(), "{}", said(&removed));
    assert_eq!(appliance.get("/api/v1/users")["items"], json!([]));
    let key = appliance.cli(&["accesskey", "create", "sdk"]);
    let text = String::from_utf8_lossy(&key.stdout).into_owned();
    assert_eq!(text.lines().count(), 2, "{}", said(&key));
    let id = text.lines().next().expect("an id").to_owned();
    assert!(appliance.cli(&["accesskey", "revoke", &id]).status.success());
    assert!(said(&appliance.cli(&["accesskey", "list"])).contains("revoked"));
    let token = appliance.cli(&["token", "create", "for a week", "--expires-days", "7"]);
    assert!(token.status.success(), "{}", said(&token));
    assert!(said(&appliance.cli(&["token", "list"])).contains("for a week"));
}

#[test]
fn a_restored_backup_knows_people_keys_and_deeds() {
    let mut appliance = started();
    make_user(&appliance, "anna", "admin", PASSWORD);
    let browser = Browser::log_in(&appliance, "anna", PASSWORD);
    let key = appliance
        .post("/api/v1/accesskeys", &json!({ "name": "sdk", "role": "operator" }))
        .json();
    let copy = appliance.path("copy.db");
    let copy = copy.to_str().expect("plain");
    let made = appliance.cli(&["backup", copy]);
    assert!(made.status.success(), "{}", said(&made));
    make_user(&appliance, "later", "viewer", PASSWORD);
    assert!(appliance.stop().success());
    let config = appliance.config();
    let restored = reelmill(&["--config", config.to_str().expect("plain"), "restore", copy]);
    assert!(restored.status.success(), "{}", said(&restored));
    appliance.start();
    let users = appliance.get("/api/v1/users");
    assert_eq!(users["items"].as_array().map(Vec::len), Some(1), "{users}");
    assert_eq!(
        browser.bare("GET", "/api/v1/tasks", &json!({})).status,
        200,
        "a session is restored with its user"
    );
    assert_eq!(appliance.get("/api/v1/accesskeys")["items"][0]["id"], key["id"]);
    assert_eq!(deeds(&appliance, "&verb=user.create").len(), 1);
    Browser::log_in(&appliance, "anna", PASSWORD);
}
