//! `reelmill workflow`: list, show, apply, enable, disable, test, copy and delete workflows, and their activities.
//!
//! Guarantees: `apply` sends the file as it is; the daemon alone decides whether it is good; `test` without `--run`
//! changes nothing. Deliberately absent: what a definition means.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::definition_file;
use crate::cli::dry_run;
use crate::cli::listing;
use crate::cli::remote::Remote;
use crate::cli::table;
use crate::cli::task;
use crate::cli::wishes::Wishes;
use serde_json::Value;
use serde_json::json;
use std::path::PathBuf;

/// What can be done with workflows.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List workflows, newest first.
    List(ListArgs),
    /// Show one: its definition, and what it resolves to.
    Show {
        /// Name or id.
        workflow: String,
        /// This version of it instead of the newest.
        #[arg(long, value_name = "VERSION")]
        at: Option<u32>,
        /// Its graph instead: nodes, edges and conditions.
        #[arg(long)]
        graph: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// List its versions, newest first.
    Versions(One),
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
    /// Delete an activity of a disabled one, and every activity that follows it.
    ActivityDelete {
        /// Name or id.
        workflow: String,
        /// Id of the activity.
        activity: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Show what an enabled one would do with an object of a storage.
    Test(TestArgs),
}

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Only those whose name contains this.
    #[arg(long)]
    pub name: Option<String>,
    /// Only those that run (true) or do not (false).
    #[arg(long)]
    pub enabled: Option<bool>,
    /// Only those of this origin: file, api or preset.
    #[arg(long)]
    pub origin: Option<String>,
    /// Only those whose source is this storage; * for any storage, library for the library.
    #[arg(long)]
    pub storage: Option<String>,
    /// created or name.
    #[arg(long)]
    pub sort: Option<String>,
    /// asc or desc.
    #[arg(long)]
    pub order: Option<String>,
    /// How many, 1 to 500.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
    /// Where the page before ended.
    #[arg(long)]
    pub cursor: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Name or id.
    pub workflow: String,
    /// The object, STORAGE:KEY.
    pub object: String,
    /// Really start a task on it.
    #[arg(long)]
    pub run: bool,
    /// With --run: show its progress until it ends.
    #[arg(long, requires = "run")]
    pub watch: bool,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    remote: Remote,
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
        Command::List(args) => block_on(list(args, context)),
        Command::Show {
            workflow,
            at,
            graph,
            remote,
        } => block_on(async {
            let rest = at.map_or_else(String::new, |version| format!("/versions/{version}"));
            let shown = Client::connect(&remote, context)?
                .get(&path(&workflow, &rest), &[])
                .await?;
            if remote.json {
                return table::print_json(&shown);
            }
            if graph {
                print_graph(&shown["graph"]);
            } else {
                print!("{}", shown["definition"].as_str().unwrap_or_default());
            }
            Ok(())
        }),
        Command::Versions(One { workflow, remote }) => block_on(async {
            listing::print(
                &remote,
                context,
                &path(&workflow, "/versions"),
                &[("limit", Some("500".to_owned()))],
                &[
                    ("VERSION", "/version"),
                    ("SAVED", "/created_at"),
                    ("NEWEST", "/newest"),
                    ("NAME", "/name"),
                ],
            )
            .await
        }),
        Command::Apply { file, remote } => block_on(async {
            let client = Client::connect(&remote, context)?;
            let applied = definition_file::send(&client, &file, "/api/v1/workflows").await?;
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
        Command::ActivityDelete {
            workflow,
            activity,
            remote,
        } => block_on(async {
            let rest = format!("/activities/{}", part(&activity));
            let left = Client::connect(&remote, context)?
                .delete(&path(&workflow, &rest))
                .await?;
            if remote.json {
                return table::print_json(&left);
            }
            print_graph(&left["graph"]);
            Ok(())
        }),
        Command::Test(args) => block_on(test(args, context)),
    }
}

async fn list(args: ListArgs, context: &Context) -> anyhow::Result<()> {
    let query = [
        ("name", args.name),
        ("enabled", args.enabled.map(|enabled| enabled.to_string())),
        ("origin", args.origin),
        ("storage", args.storage),
        ("sort", args.sort),
        ("order", args.order),
        ("limit", Some(args.limit.to_string())),
        ("cursor", args.cursor),
    ];
    listing::print(
        &args.remote,
        context,
        "/api/v1/workflows",
        &query,
        &[
            ("NAME", "/name"),
            ("STATUS", "/status"),
            ("TRIGGER", "/source/trigger"),
            ("SOURCE", "/source/kind"),
            ("STORAGE", "/source/storage"),
            ("PREFIX", "/source/prefix"),
            ("OUTPUT", "/output/storage"),
            ("OUTPUT PREFIX", "/output/prefix"),
            ("VERSION", "/version"),
            ("ORIGIN", "/origin"),
            ("CREATED", "/created_at"),
            ("ID", "/id"),
        ],
    )
    .await
}

/// One line a node with what leads to it.
fn print_graph(graph: &Value) {
    let edges = graph["edges"].as_array().map(Vec::as_slice).unwrap_or_default();
    for node in graph["nodes"].as_array().into_iter().flatten() {
        let to_here = edges.iter().filter(|edge| edge["to"] == node["id"]);
        let ways: Vec<String> = to_here
            .map(|edge| match edge["when"].as_str() {
                Some("always" | "success") | None => table::cell(&edge["from"]),
                Some(when) => format!("{} [{}]", table::cell(&edge["from"]), table::printable(when)),
            })
            .collect();
        let optional = if node["optional"] == true { ", optional" } else { "" };
        println!(
            "{} ({}{optional}){}{}",
            table::cell(&node["id"]),
            table::cell(&node["type"]),
            if ways.is_empty() { "" } else { " <- " },
            ways.join(", ")
        );
    }
}

async fn test(args: TestArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    let mut body = args.wishes.fields()?;
    body.insert("object".to_owned(), args.object.into());
    body.insert("run".to_owned(), args.run.into());
    let told = client
        .post(&path(&args.workflow, "/test"), &Value::Object(body))
        .await?;
    if args.remote.json && !args.watch {
        return table::print_json(&told);
    }
    if !args.remote.json {
        dry_run::print(&told)?;
    }
    let task = told["task"]["id"].as_str();
    match (task, args.watch) {
        (Some(task), true) => task::watch(&client, task, args.remote.json).await,
        (Some(task), false) => {
            println!("\ntask {task}");
            Ok(())
        }
        (None, _) => Ok(()),
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
