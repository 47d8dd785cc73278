//! The commands that speak REST, through the real binary.

use crate::served::NOOP;
use crate::served::Served;
use serde_json::Value;
use std::process::Output;

impl Served {
    /// Runs the binary against this router, with the token of the state directory.
    async fn reelmill(&self, words: &[&str]) -> Output {
        let token = self.folder.path().join("admin.token");
        tokio::process::Command::new(env!("CARGO_BIN_EXE_reelmill"))
            .args(words)
            .args(["--server", &self.url])
            .arg("--token-file")
            .arg(token)
            .env_remove("REELMILL_TOKEN")
            .output()
            .await
            .expect("runs")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_through_a_task_with_commands_alone() {
    let served = Served::new().await;
    let file = served.folder.path().join("noop.toml");
    std::fs::write(&file, NOOP).expect("written");
    let applied = served
        .reelmill(&["workflow", "apply", file.to_str().expect("text")])
        .await;
    assert_eq!(
        text(&applied.stdout),
        "noop version 1 is enabled\n",
        "{}",
        text(&applied.stderr)
    );
    served.object("in/a.mp4", b"12");
    let started = served
        .reelmill(&["task", "start", "noop", "ingest:in/a.mp4", "--priority", "-3"])
        .await;
    let id = text(&started.stdout).trim().to_owned();
    assert_eq!(id.len(), 32, "{}", text(&started.stderr));
    let carried = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        served.carry_out(&id).await;
    };
    let words = ["task", "watch", id.as_str()];
    let (watched, ()) = tokio::join!(served.reelmill(&words), carried);
    assert_eq!(
        (watched.status.code(), text(&watched.stdout).trim()),
        (Some(0), "Succeed")
    );
    let listed = served.reelmill(&["task", "list", "--status", "Succeed"]).await;
    assert!(text(&listed.stdout).contains("ingest:in/a.mp4"));
    let shown = served.reelmill(&["task", "show", &id, "--json"]).await;
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("is JSON");
    assert_eq!(
        (&shown["priority"], &shown["status"]),
        (&Value::from(-3), &Value::from("Succeed"))
    );
    for words in [
        &["workflow", "list"][..],
        &["workflow", "show", "noop"],
        &["workflow", "disable", "noop"],
        &["template", "list"],
        &["media", "list"],
        &["event", "list"],
        &["delivery", "list"],
        &["storage", "list"],
        &["storage", "explain", "ingest", "in/a.mp4"],
        &["storage", "scan", "ingest"],
        &["token", "create", "mam", "--role", "viewer"],
        &["token", "list"],
        &["drain", "on"],
    ] {
        let done = served.reelmill(words).await;
        assert_eq!(done.status.code(), Some(0), "{words:?}: {}", text(&done.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_say_what_why_and_what_to_do_and_exit_as_agreed() {
    let served = Served::new().await;
    let unknown = served.reelmill(&["task", "start", "none", "ingest:in/a.mp4"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("there is no workflow none"),
        "{}",
        text(&unknown.stderr)
    );
    let vague = served.reelmill(&["task", "cancel"]).await;
    assert_eq!(vague.status.code(), Some(2));
    served.apply(NOOP).await;
    let id = served.start("in/a.mp4").await;
    served.carry_out(&id).await;
    let late = served.reelmill(&["task", "cancel", &id]).await;
    assert_eq!(late.status.code(), Some(1), "the request was good, the state was not");
    let silent = tokio::process::Command::new(env!("CARGO_BIN_EXE_reelmill"))
        .args(["task", "list", "--server", "http://127.0.0.1:9", "--token", "x"])
        .output()
        .await
        .expect("runs");
    assert_eq!(silent.status.code(), Some(1));
    assert!(text(&silent.stderr).contains("127.0.0.1:9") && text(&silent.stderr).contains("--server"));
    let nobody = tokio::process::Command::new(env!("CARGO_BIN_EXE_reelmill"))
        .args(["task", "list", "--server", &served.url, "--token", "x"])
        .output()
        .await
        .expect("runs");
    assert_eq!(nobody.status.code(), Some(2), "{}", text(&nobody.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_what_is_wrong_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("reelmill.toml");
    let check = |text: String, words: &'static [&'static str]| {
        std::fs::write(&config, text).expect("written");
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_reelmill"));
        command.args(["check", "--json", "--config"]).arg(&config).args(words);
        async move {
            let output = command.output().await.expect("runs");
            let told: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
            (output.status.code(), told)
        }
    };
    let here = folder.path().display();
    let away = format!(
        "[server]\nstate_dir = \"{here}/state\"\nscratch_dir = \"{here}/scratch\"\nworkflows_dir = \"{here}/w\"\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://h\"\n[[storage]]\nname = \"nas\"\nkind = \"folder\"\npath = \"{here}/not-mounted\"\n"
    );
    let (code, told) = check(away.clone(), &["--start"]).await;
    assert_eq!(
        (code, &told["ok"]),
        (Some(0), &Value::from(true)),
        "a storage that is away stops nothing: {told}"
    );
    let (code, told) = check(away, &[]).await;
    assert_eq!(code, Some(1), "{told}");
    for finding in told["findings"].as_array().expect("a list") {
        let good = finding["level"] == "good";
        assert_eq!(finding["remedy"].is_string(), !good, "{finding}");
    }
    let (code, told) = check("[server]\nlissten = \"x\"\n".to_owned(), &["--start"]).await;
    assert_eq!(code, Some(1));
    assert!(
        told["findings"][0]["detail"]
            .as_str()
            .expect("text")
            .contains("lissten"),
        "{told}"
    );
}
