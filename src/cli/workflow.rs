//! `reelmill workflow`: list, show, apply, enable, disable, copy and delete workflows.
//!
//! Guarantees: `apply` sends the file as it is; the daemon alone decides whether it is good. Deliberately absent: `test`,
//! which comes with dry runs.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::Remote;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::outcome::BadUsage;
use crate::cli::table;
use serde_json::Value;
use serde_json::json;
use std::path::PathBuf;

/// What can be done with workflows.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List workflows, newest first.
    List {
        /// Only those whose name contains this.
        #[arg(long)]
        name: Option<String>,
        /// How many, 1 to 500.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Where the page before ended.
        #[arg(long)]
        cursor: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Show one: its definition, and what it resolves to.
    Show(One),
    /// Make a workflow from a TOML or JSON file, or a new version of the one of its name.
    Apply {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Let it run.
    Enable(One),
    /// Do not start new tasks of it; running ones go on.
    Disable(One),
    /// Make a new workflow with the definition of another.
    Copy {
        /// Name or id of the one to copy.
        workflow: String,
        /// Name of the copy.
        name: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Delete a disabled one.
    Delete(One),
}

/// One workflow.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Name or id.
    pub workflow: String,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List {
            name,
            limit,
            cursor,
            remote,
        } => block_on(async {
            let query = [("name", name), ("limit", Some(limit.to_string())), ("cursor", cursor)];
            listing::print(
                &remote,
                context,
                "/api/v1/workflows",
                &query,
                &[
                    ("NAME", "/name"),
                    ("ENABLED", "/enabled"),
                    ("VERSION", "/version"),
                    ("ORIGIN", "/origin"),
                    ("CREATED", "/created_at"),
                    ("ID", "/id"),
                ],
            )
            .await
        }),
        Command::Show(One { workflow, remote }) => block_on(async {
            let shown = Client::connect(&remote, context)?
                .get(&path(&workflow, ""), &[])
                .await?;
            if remote.json {
                return table::print_json(&shown);
            }
            print!("{}", shown["definition"].as_str().unwrap_or_default());
            Ok(())
        }),
        Command::Apply { file, remote } => block_on(async {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                BadUsage(format!(
                    "read of {} failed: {error}. Name a readable TOML or JSON file.",
                    file.display()
                ))
            })?;
            let client = Client::connect(&remote, context)?;
            let applied = if file.extension().is_some_and(|extension| extension == "json") {
                let body: Value = serde_json::from_str(&text)
                    .map_err(|error| BadUsage(format!("{} is not JSON: {error}", file.display())))?;
                client.post("/api/v1/workflows", &body).await?
            } else {
                client.post_toml("/api/v1/workflows", text).await?
            };
            brief(&applied, remote.json)
        }),
        Command::Enable(one) => block_on(verb(one, "/enable", json!({}), context)),
        Command::Disable(one) => block_on(verb(one, "/disable", json!({}), context)),
        Command::Copy { workflow, name, remote } => block_on(verb(
            One { workflow, remote },
            "/copy",
            json!({ "name": name }),
            context,
        )),
        Command::Delete(One { workflow, remote }) => block_on(async {
            Client::connect(&remote, context)?.delete(&path(&workflow, "")).await?;
            Ok(())
        }),
    }
}

async fn verb(one: One, verb: &str, body: Value, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&one.remote, context)?;
    let answer = client.post(&path(&one.workflow, verb), &body).await?;
    brief(&answer, one.remote.json)
}

fn brief(workflow: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return table::print_json(workflow);
    }
    println!(
        "{} version {} is {}",
        table::cell(&workflow["name"]),
        table::cell(&workflow["version"]),
        if workflow["enabled"] == true {
            "enabled"
        } else {
            "disabled"
        }
    );
    Ok(())
}

fn path(workflow: &str, rest: &str) -> String {
    format!("/api/v1/workflows/{}{rest}", part(workflow))
}
