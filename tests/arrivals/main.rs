//! When does a file of a folder count as arrived, and what of its name, its neighbours and its rights reaches the task?
//! Through the real daemon; most files are a few bytes, because nothing is made of them.

#[path = "../appliance/mod.rs"]
mod appliance;

mod beside;
mod names;
mod ready;
mod rights;

use appliance::Appliance;
use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

/// A workflow over everything that arrives in `drop` and that makes nothing.
const NOTICE: &str = "name = \"notice\"\n[source]\nstorage = \"drop\"\nextensions = [\"*\"]\n[[activity]]\nid = \"n\"\ntype = \"noop\"\n";

/// A daemon that runs, and watches the folder `drop` with these keys of its section.
fn watching(keys: &str) -> Appliance {
    let mut appliance = not_started(keys);
    appliance.workflow_file("notice", NOTICE);
    start(&mut appliance);
    appliance
}

fn not_started(keys: &str) -> Appliance {
    let appliance = Appliance::new("");
    std::fs::create_dir(appliance.path("drop")).expect("the folder is made");
    let mut text = std::fs::read_to_string(appliance.config()).expect("the configuration is there");
    let path = appliance.path("drop");
    write!(
        text,
        "\n[[storage]]\nname = \"drop\"\npath = \"{}\"\nsettle_interval_s = 0.1\npoll_interval_s = 0.5\n{keys}\n",
        path.display()
    )
    .expect("text");
    std::fs::write(appliance.config(), text).expect("the configuration is written");
    appliance
}

/// Starts it and waits for the end of the first scan, after which everything that comes is news.
fn start(appliance: &mut Appliance) {
    appliance.start();
    appliance.until("the first scan", || {
        let storages = appliance.get("/api/v1/storages");
        let drop = storages["items"]
            .as_array()?
            .iter()
            .find(|one| one["name"] == "drop")?
            .clone();
        drop["last_scan_at"].is_string().then_some(())
    });
}

fn put(appliance: &Appliance, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) {
    let path = appliance.path("drop").join(name.as_ref());
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, content).expect("the file is written");
}

/// Keys that ran, sorted, each as often as it did.
fn ran(appliance: &Appliance) -> Vec<String> {
    let mut keys: Vec<String> = appliance
        .tasks()
        .iter()
        .map(|task| {
            let object = task["media"]["object"].as_str().expect("an object");
            object.strip_prefix("drop:").unwrap_or(object).to_owned()
        })
        .collect();
    keys.sort();
    keys
}

/// Waits until exactly these ran, however long it takes.
fn runs(appliance: &Appliance, wanted: &[&str]) {
    let mut wanted: Vec<&str> = wanted.to_vec();
    wanted.sort_unstable();
    appliance.until(&format!("tasks of {wanted:?}"), || {
        let found = ran(appliance);
        assert!(
            found.len() <= wanted.len(),
            "{found:?} instead of {wanted:?}\n{}",
            appliance.log()
        );
        (found == wanted).then_some(())
    });
}

fn explained(appliance: &Appliance, key: &str) -> Value {
    let mut asked = String::new();
    for byte in key.bytes() {
        write!(asked, "%{byte:02X}").expect("text");
    }
    appliance.get(&format!("/api/v1/storages/drop/explain?key={asked}"))
}

/// Waits until the answer to "why was this not triggered?" says this.
fn is_explained(appliance: &Appliance, key: &str, word: &str) {
    let mut last = String::new();
    let begin = std::time::Instant::now();
    while begin.elapsed() < appliance::PATIENCE {
        last = explained(appliance, key)["explanation"]
            .as_str()
            .expect("a sentence")
            .to_owned();
        if last.contains(word) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{key} is explained by {last:?}, not by {word:?}\n{}", appliance.log());
}

/// Sets the time of the last change of a file, seconds from now.
fn touch(path: &Path, seconds: i64) {
    let status = std::process::Command::new("touch")
        .arg("-d")
        .arg(format!("{seconds} seconds"))
        .arg(path)
        .status()
        .expect("touch runs");
    assert!(status.success());
}
