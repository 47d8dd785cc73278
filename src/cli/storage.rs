//! `reelmill storage`: list and show storages, ask why an object was not triggered, scan one, thaw one; make, change,
//! remove and try one, and have a test clip put into it.
//!
//! Guarantees: keys go in by a file and never come out. Deliberately absent: storages of the configuration file, which an
//! editor changes.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::definition_file;
use crate::cli::listing;
use crate::cli::outcome::BadUsage;
use crate::cli::outcome::WorkFailed;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::Value;
use serde_json::json;
use std::path::PathBuf;

/// What can be done with storages.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List storages with their state.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Everything that is known of one storage.
    Show {
        /// Name of the storage.
        storage: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Why an object was, or was not, triggered.
    Explain {
        /// Name of the storage.
        storage: String,
        /// Key of the object in it.
        key: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Make a storage, beneath one of security.storage_roots or in a bucket.
    Create {
        /// JSON, or TOML with the keys of a storage section; access_key, secret_key, session_token, tls_ca and
        /// notify_secret hold what they say instead of naming files.
        file: PathBuf,
        /// Make the folder where it is missing.
        #[arg(long)]
        make_folder: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Make or change a storage. Keys that the file leaves out stay as they are.
    Apply {
        /// As for create.
        file: PathBuf,
        /// Make the folder where it is missing.
        #[arg(long)]
        make_folder: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Remove a storage that nothing uses. What lies in it stays.
    Delete {
        /// Name of the storage.
        storage: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// List it, write into it, read that back and remove it; exit code 1 when a step fails.
    Test {
        /// Name of the storage.
        storage: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Have a test clip made in it, as somebody's file would come.
    Sample {
        /// Name of the storage.
        storage: String,
        /// Key of the clip, an MP4.
        key: String,
        /// How long it is.
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
        seconds: u32,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Scan it now.
    Scan {
        /// Name of the storage.
        storage: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Take what is in a frozen storage now for the storage.
    Thaw {
        /// Name of the storage.
        storage: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { remote } => block_on(listing::print(
            &remote,
            context,
            "/api/v1/storages",
            &[],
            &[
                ("NAME", "/name"),
                ("KIND", "/kind"),
                ("STATUS", "/status"),
                ("WATCH", "/watch"),
                ("OBJECTS", "/objects"),
                ("BACKLOG", "/backlog"),
                ("LAST SCAN", "/last_scan_at"),
                ("LOCATION", "/location"),
                ("NOTE", "/note"),
            ],
        )),
        Command::Show { storage, remote } => block_on(async {
            let path = format!("/api/v1/storages/{}", part(&storage));
            let told = Client::connect(&remote, context)?.get(&path, &[]).await?;
            if remote.json {
                return table::print_json(&told);
            }
            print_storage(&told)
        }),
        Command::Explain { storage, key, remote } => block_on(async {
            let path = format!("/api/v1/storages/{}/explain", part(&storage));
            let told = Client::connect(&remote, context)?
                .get(&path, &[("key", Some(key))])
                .await?;
            if remote.json {
                return table::print_json(&told);
            }
            print_explained(&told);
            Ok(())
        }),
        Command::Create {
            file,
            make_folder,
            remote,
        } => block_on(async {
            let definition = definition_file::read(&file)?;
            let made = Client::connect(&remote, context)?
                .post(&made_at("/api/v1/storages".to_owned(), make_folder), &definition)
                .await?;
            shown(&remote, &made)
        }),
        Command::Apply {
            file,
            make_folder,
            remote,
        } => block_on(async {
            let definition = definition_file::read(&file)?;
            let name = definition["name"].as_str().unwrap_or_default().to_owned();
            if name.is_empty() {
                return Err(BadUsage(format!("{} gives no name", file.display())).into());
            }
            let path = made_at(format!("/api/v1/storages/{}", part(&name)), make_folder);
            let made = Client::connect(&remote, context)?.put(&path, &definition).await?;
            shown(&remote, &made)
        }),
        Command::Delete { storage, remote } => block_on(async {
            let path = format!("/api/v1/storages/{}", part(&storage));
            Client::connect(&remote, context)?.delete(&path).await?;
            Ok(())
        }),
        Command::Test { storage, remote } => block_on(async {
            let path = format!("/api/v1/storages/{}/test", part(&storage));
            let said = Client::connect(&remote, context)?.post(&path, &json!({})).await?;
            if remote.json {
                table::print_json(&said)?;
            } else {
                print_steps(&said)?;
            }
            match said["ok"] == true {
                true => Ok(()),
                false => Err(WorkFailed.into()),
            }
        }),
        Command::Sample {
            storage,
            key,
            seconds,
            remote,
        } => block_on(async {
            let path = format!("/api/v1/storages/{}/sample", part(&storage));
            let body = json!({ "key": key, "seconds": seconds });
            let made = Client::connect(&remote, context)?.post(&path, &body).await?;
            if remote.json {
                return table::print_json(&made);
            }
            println!("{}", table::cell(&made["object"]));
            Ok(())
        }),
        Command::Scan { storage, remote } => wish(&remote, context, &storage, "scan"),
        Command::Thaw { storage, remote } => wish(&remote, context, &storage, "thaw"),
    }
}

fn wish(remote: &Remote, context: &Context, storage: &str, verb: &str) -> anyhow::Result<()> {
    let path = format!("/api/v1/storages/{}/{verb}", part(storage));
    block_on(async {
        Client::connect(remote, context)?.post(&path, &json!({})).await?;
        Ok(())
    })
}

fn made_at(path: String, make_folder: bool) -> String {
    match make_folder {
        true => format!("{path}?make_folder=true"),
        false => path,
    }
}

fn shown(remote: &Remote, made: &Value) -> anyhow::Result<()> {
    match remote.json {
        true => table::print_json(made),
        false => Ok(()),
    }
}

fn print_steps(said: &Value) -> anyhow::Result<()> {
    let steps = said["steps"].as_array().cloned().unwrap_or_default();
    let row = |step: &Value| {
        let why = match step["ok"] == true {
            true => String::new(),
            false => format!("{}. {}", table::cell(&step["error"]), table::cell(&step["remedy"])),
        };
        let ended = if step["ok"] == true { "ok" } else { "failed" };
        vec![
            table::cell(&step["step"]),
            ended.to_owned(),
            table::cell(&step["took_ms"]),
            why,
        ]
    };
    let rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    table::print_rows(&["STEP", "ENDED", "MS", "WHY"], &rows)
}

fn print_storage(told: &Value) -> anyhow::Result<()> {
    let fields = [
        ("status", "/status"),
        ("why", "/why"),
        ("note", "/note"),
        ("origin", "/origin"),
        ("kind", "/kind"),
        ("location", "/location"),
        ("watch", "/watch"),
        ("file system", "/file_system"),
        ("free bytes", "/free_bytes"),
        ("total bytes", "/total_bytes"),
        ("objects", "/objects"),
        ("not settled", "/backlog"),
        ("in trouble", "/troubled"),
        ("last scan", "/last_scan_at"),
        ("it took, ms", "/last_scan_took_ms"),
        ("scan found so far", "/scan/found"),
        ("scan of about", "/scan/expected"),
        ("calls an hour", "/calls_per_hour"),
    ];
    let rows: Vec<Vec<String>> = fields
        .into_iter()
        .filter_map(|(name, pointer)| {
            let value = told.pointer(pointer).filter(|value| !value.is_null())?;
            Some(vec![name.to_owned(), table::cell(value)])
        })
        .collect();
    table::print_rows(&["STORAGE", &table::cell(&told["name"])], &rows)?;
    let waiting = told["waiting"].as_array().cloned().unwrap_or_default();
    if waiting.is_empty() {
        return Ok(());
    }
    println!();
    let fields = ["/key", "/size_bytes", "/since", "/why"];
    let cells = |one: &Value| {
        let cell = |pointer: &str| one.pointer(pointer).map(table::cell).unwrap_or_default();
        fields.into_iter().map(cell).collect()
    };
    let rows: Vec<Vec<String>> = waiting.iter().map(cells).collect();
    table::print_rows(&["WAITS LONGEST", "BYTES", "SINCE", "WHY"], &rows)
}

fn print_explained(told: &Value) {
    println!(
        "{}: {}",
        table::cell(&told["object"]),
        table::cell(&told["explanation"])
    );
    let list = |name: &str| told[name].as_array().cloned().unwrap_or_default();
    for reason in list("reasons").iter().filter(|reason| reason["prevents"] == false) {
        println!("  {}", table::cell(&reason["text"]));
    }
    for workflow in list("workflows") {
        match workflow["takes"] == true {
            true => println!("  workflow {} takes such objects", table::cell(&workflow["name"])),
            false => println!("  {}", table::cell(&workflow["why_not"])),
        }
    }
    for task in list("tasks") {
        println!("  task {}", table::cell(&task));
    }
}
