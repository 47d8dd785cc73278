//! A daemon with one more storage, `nas`, that lies wherever a test wants it.

use crate::appliance::Appliance;
use crate::appliance::http;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

pub struct House {
    /// Falls before the place does, so that a daemon never stands on what is gone.
    pub appliance: Appliance,
    pub place: tempfile::TempDir,
}

impl House {
    /// `lines` go into the section of `nas`, whose folder is `at` beneath the place and beneath nothing else.
    pub fn new(lines: &str) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        for folder in ["at", "behind"] {
            std::fs::create_dir(place.path().join(folder)).expect("made");
        }
        let extra = format!(
            "[[storage]]\nname = \"nas\"\nkind = \"folder\"\npath = \"{}\"\npoll_interval_s = 0.5\nsettle_looks = 2\n\
             settle_interval_s = 0.2\n{lines}\n[alerts]\ncheck_interval_s = 1\n",
            place.path().join("at").display()
        );
        let appliance = Appliance::new(&extra);
        appliance.workflow_file("nas", &noop("nas", "nas", ""));
        appliance.workflow_file("ingest", &noop("ingest", "ingest", ""));
        House { appliance, place }
    }

    /// Where the storage is seen.
    pub fn at(&self) -> PathBuf {
        self.place.path().join("at")
    }

    /// Where its files really lie.
    pub fn behind(&self) -> PathBuf {
        self.place.path().join("behind")
    }

    pub fn storage(&self) -> Value {
        self.appliance.get("/api/v1/storages/nas")
    }

    pub fn until_status(&self, status: &str) -> Value {
        self.appliance.until(&format!("the storage to be {status}"), || {
            Some(self.storage()).filter(|storage| storage["status"] == status)
        })
    }

    /// Waits for the end of a scan that began after now.
    pub fn until_scanned(&self) {
        // Two, because one may be under way.
        for _ in 0..2 {
            let before = self.storage()["last_scan_at"].clone();
            let reply = self.post("/api/v1/storages/nas/scan");
            assert_eq!(reply.status, 202, "{}", reply.text());
            self.appliance.until("a scan to end", || {
                Some(self.storage()).filter(|now| now["last_scan_at"] != before && now["scan"].is_null())
            });
        }
    }

    /// Waits until it was scanned for the first time.
    pub fn until_watched(&self) {
        self.appliance.until("the first scan to end", || {
            Some(self.storage()).filter(|storage| !storage["last_scan_at"].is_null())
        });
    }

    pub fn post(&self, path: &str) -> http::Reply {
        self.appliance.post(path, &json!({}))
    }

    pub fn explain(&self, key: &str) -> Value {
        self.appliance.get(&format!("/api/v1/storages/nas/explain?key={key}"))
    }

    /// Codes of the alerts that are open, but for that of a disk of this host that is nearly full.
    pub fn alerts(&self) -> Vec<String> {
        let list = self.appliance.get("/api/v1/alerts");
        let items = list["items"].as_array().expect("a list");
        let codes = items
            .iter()
            .map(|alert| alert["code"].as_str().expect("a code").to_owned())
            .filter(|code| code != "DiskLow");
        codes.collect()
    }

    /// Keys of the media of all tasks, sorted.
    pub fn ran(&self) -> Vec<String> {
        let tasks = self.appliance.tasks();
        let mut keys: Vec<String> = tasks
            .iter()
            .map(|task| task["media"]["object"].as_str().expect("an object").to_owned())
            .collect();
        keys.sort();
        keys
    }

    /// Keys of the media of all tasks, page after page.
    pub fn all_ran(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.appliance.get(&format!("/api/v1/tasks?limit=500{cursor}"));
            let items = page["items"].as_array().expect("a list");
            keys.extend(items.iter().map(|task| task["media"]["object"].to_string()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return keys,
            }
        }
    }

    /// How many tasks there are.
    pub fn ran_count(&self) -> usize {
        self.all_ran().len()
    }

    pub fn until_ran(&self, wanted: &[&str]) {
        self.appliance.until(&format!("exactly {wanted:?} to run"), || {
            let ran = self.ran();
            assert!(ran.len() <= wanted.len(), "{ran:?} instead of {wanted:?}");
            (ran == wanted).then_some(())
        });
    }
}

/// A workflow that does nothing over everything that comes into `storage`.
pub fn noop(name: &str, storage: &str, after: &str) -> String {
    format!(
        "name = \"{name}\"\n[source]\nstorage = \"{storage}\"\nextensions = [\"*\"]\n{after}\n\
         [[activity]]\nid = \"n\"\ntype = \"noop\"\n"
    )
}

pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("has one")).expect("made");
    std::fs::write(path, text).expect("written");
}
