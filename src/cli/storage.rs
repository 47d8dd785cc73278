//! `reelmill storage`: list and show storages, ask why an object was not triggered, scan one, thaw one.
//!
//! Guarantees: read-only but for the wishes to scan and to thaw. Deliberately absent: adding storages, which the
//! configuration does.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::remote::Remote;
use crate::cli::table;
use serde_json::Value;
use serde_json::json;

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

fn print_storage(told: &Value) -> anyhow::Result<()> {
    let fields = [
        ("status", "/status"),
        ("why", "/why"),
        ("note", "/note"),
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
