//! `reelmill task`: start, list, show, watch, cancel, retry, prioritize and delete tasks.
//!
//! Guarantees: `watch` and `start --watch` end with 0 only when the task succeeded. Deliberately absent: work; the daemon does it.

use crate::cli::Context;
use crate::cli::batch;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::NoAnswer;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::outcome::BadUsage;
use crate::cli::outcome::WorkFailed;
use crate::cli::remote::Remote;
use crate::cli::table;
use crate::cli::wishes::Wishes;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

/// What can be done with tasks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Start a task of a workflow on an object.
    Start(StartArgs),
    /// List tasks, newest first.
    List(ListArgs),
    /// Show a task with its jobs, outputs, events and deliveries.
    Show(OneArgs),
    /// Show the progress of a task until it ends.
    Watch(OneArgs),
    /// Stop a task, or all that the filters find.
    Cancel(ManyArgs),
    /// Run again what failed or was cancelled of a task, or of all that the filters find.
    Retry(ManyArgs),
    /// Change the priority of tasks that wait or run.
    Priority(PriorityArgs),
    /// Forget an ended task with its jobs, attempts and events, or all that the filters find. Files stay.
    Delete(ManyArgs),
}

/// Arguments of `start`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct StartArgs {
    /// Name or id of the workflow.
    pub workflow: String,
    /// The object, STORAGE:KEY.
    #[arg(group = "what")]
    pub object: Option<String>,
    /// A media of the library instead, by id.
    #[arg(long, value_name = "ID", group = "what")]
    pub media: Option<String>,
    /// Every object whose key begins so, instead.
    #[arg(long, value_name = "STORAGE:PREFIX", group = "what", conflicts_with = "watch")]
    pub prefix: Option<String>,
    /// Every object of a file with one STORAGE:KEY a line, instead; - is standard input.
    #[arg(long, value_name = "FILE", group = "what", conflicts_with = "watch")]
    pub list: Option<std::path::PathBuf>,
    #[command(flatten)]
    wishes: Wishes,
    /// Run it though the object lies outside the workflow's storage, prefix or extensions.
    #[arg(long)]
    pub skip_path_check: bool,
    /// Starting twice with the same key starts one task for an object.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Show its progress until it ends.
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Which tasks.
#[derive(Debug, Clone, clap::Args)]
pub struct Filters {
    /// Only those of this status: Init, Processing, Succeed, Failed, Canceled.
    #[arg(long)]
    pub status: Option<String>,
    /// Only those of this workflow, by name or id.
    #[arg(long)]
    pub workflow: Option<String>,
    /// Only those over this media, by id.
    #[arg(long)]
    pub media: Option<String>,
    /// Only those over media of this storage.
    #[arg(long)]
    pub storage: Option<String>,
    /// Only those made at this time or later, 2026-01-31T12:00:00Z.
    #[arg(long)]
    pub since: Option<String>,
    /// Only those made before this time.
    #[arg(long)]
    pub until: Option<String>,
    /// Only those whose object or user data contain this text.
    #[arg(long)]
    pub text: Option<String>,
}

impl Filters {
    /// As the API names them.
    fn named(self) -> [(&'static str, Option<String>); 7] {
        [
            ("status", self.status),
            ("workflow", self.workflow),
            ("media", self.media),
            ("storage", self.storage),
            ("since", self.since),
            ("until", self.until),
            ("text", self.text),
        ]
    }
}

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    remote: Remote,
}

/// Arguments of `show` and `watch`.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// Id of the task.
    pub id: String,
    #[command(flatten)]
    remote: Remote,
}

/// Arguments of `cancel`, `retry` and `delete`.
#[derive(Debug, clap::Args)]
pub struct ManyArgs {
    /// Ids of the tasks.
    pub ids: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// All tasks that can be.
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Arguments of `priority`.
#[derive(Debug, clap::Args)]
pub struct PriorityArgs {
    /// -10 (last) to 10 (first).
    #[arg(value_parser = clap::value_parser!(i64).range(-10..=10), allow_hyphen_values = true)]
    pub priority: i64,
    /// Ids of the tasks.
    #[arg(required = true)]
    pub ids: Vec<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer, or the task that was watched did not succeed.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Start(args) => block_on(start(args, context)),
        Command::List(args) => block_on(list(args, context)),
        Command::Show(args) => block_on(show(args, context)),
        Command::Watch(args) => {
            let client = Client::connect(&args.remote, context)?;
            block_on(watch(&client, &args.id, args.remote.json))
        }
        Command::Cancel(args) => block_on(many("cancel", args, context)),
        Command::Retry(args) => block_on(many("retry", args, context)),
        Command::Priority(args) => block_on(prioritize(args, context)),
        Command::Delete(args) => block_on(many("delete", args, context)),
    }
}

async fn start(args: StartArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    let mut body = args.wishes.fields()?;
    body.insert("workflow".to_owned(), args.workflow.into());
    body.insert("skip_path_check".to_owned(), args.skip_path_check.into());
    let key = args
        .idempotency_key
        .unwrap_or_else(|| crate::base::ids::TaskId::fresh().into_string());
    if let Some(place) = &args.prefix {
        return batch::prefix(&client, place, body, &key, args.remote.json).await;
    }
    if let Some(file) = &args.list {
        return batch::list(&client, file, body, &key, args.remote.json).await;
    }
    let target = args.object.map(|object| ("object", object));
    if let Some((name, value)) = target.or(args.media.map(|media| ("media", media))) {
        body.insert(name.to_owned(), value.into());
    }
    let task = client.post_once("/api/v1/tasks", &Value::Object(body), &key).await?;
    let id = table::cell(&task["id"]);
    if args.watch {
        eprintln!("task {id}");
        return watch(&client, &id, args.remote.json).await;
    }
    if args.remote.json {
        table::print_json(&task)
    } else {
        println!("{id}");
        Ok(())
    }
}

async fn list(args: ListArgs, context: &Context) -> anyhow::Result<()> {
    let query = args.page.of(args.filters.named());
    listing::print(
        &args.remote,
        context,
        "/api/v1/tasks",
        &query,
        &[
            ("ID", "/id"),
            ("CREATED", "/created_at"),
            ("STATUS", "/status"),
            ("WORKFLOW", "/workflow/name"),
            ("OBJECT", "/media/object"),
        ],
    )
    .await
}

async fn show(args: OneArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    let task = client.get(&format!("/api/v1/tasks/{}", part(&args.id)), &[]).await?;
    if args.remote.json {
        return table::print_json(&task);
    }
    for (name, pointer) in [
        ("task", "/id"),
        ("status", "/status"),
        ("workflow", "/workflow/name"),
        ("object", "/media/object"),
        ("size, bytes", "/media/size_bytes"),
        ("priority", "/priority"),
        ("created", "/created_at"),
        ("started", "/started_at"),
        ("ended", "/ended_at"),
        ("user data", "/user_data"),
    ] {
        println!(
            "{name:<12} {}",
            table::cell(task.pointer(pointer).unwrap_or(&Value::Null))
        );
    }
    for (title, list, columns) in [
        (
            "jobs",
            "/jobs",
            &[
                ("ACTIVITY", "/activity"),
                ("TYPE", "/type"),
                ("STATUS", "/status"),
                ("PERCENT", "/progress/percent"),
                ("TRIES", "/tries"),
                ("ID", "/id"),
            ][..],
        ),
        (
            "outputs",
            "/outputs",
            &[
                ("NAME", "/name"),
                ("KIND", "/kind"),
                ("BYTES", "/size_bytes"),
                ("OBJECT", "/object"),
            ][..],
        ),
        (
            "deliveries",
            "/deliveries",
            &[
                ("DESTINATION", "/destination"),
                ("STATUS", "/status"),
                ("TRIES", "/tries"),
                ("EVENT", "/event_type"),
                ("ID", "/id"),
            ][..],
        ),
    ] {
        let items = task.pointer(list).cloned().unwrap_or(Value::Null);
        if items.as_array().is_some_and(|items| !items.is_empty()) {
            println!("\n{title}");
            table::print_list(&json!({ "items": items }), columns, false)?;
        }
    }
    print_faults(&task);
    Ok(())
}

/// Why jobs failed.
fn print_faults(task: &Value) {
    for job in task["jobs"].as_array().into_iter().flatten() {
        let fault = &job["fault"];
        if fault.is_object() {
            eprintln!(
                "\n{}: {} of {} failed: {}. {}",
                table::cell(&job["activity"]),
                table::cell(&fault["operation"]),
                table::cell(&fault["subject"]),
                table::cell(&fault["cause"]),
                table::cell(&fault["remedy"]),
            );
        }
    }
}

/// How often progress is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks without an answer until the daemon counts as gone; a restart is shorter.
const LOOKS_WITHOUT_ANSWER: u32 = 120;

/// Shows a task until it ends.
///
/// # Errors
/// The daemon does not answer, or the task did not succeed.
pub async fn watch(client: &Client, id: &str, json: bool) -> anyhow::Result<()> {
    let bar = ProgressBar::new(1000);
    bar.set_style(
        ProgressStyle::with_template("{wide_bar} {percent:>3}% {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let path = format!("/api/v1/tasks/{}", part(id));
    let mut silent = 0;
    let task = loop {
        let task = match client.get(&path, &[]).await {
            Ok(task) => task,
            Err(error) if error.is::<NoAnswer>() && silent < LOOKS_WITHOUT_ANSWER => {
                silent += 1;
                bar.set_message("the daemon does not answer, waiting for it");
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        silent = 0;
        let status = task["status"].as_str().unwrap_or_default();
        bar.set_position((percent(&task) * 10.0) as u64);
        bar.set_message(message(&task));
        if matches!(status, "Succeed" | "Failed" | "Canceled") && task["intent"].is_null() {
            break task;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    bar.finish_and_clear();
    if json {
        table::print_json(&task)?;
    } else {
        println!("{}", table::cell(&task["status"]));
        for output in task["outputs"].as_array().into_iter().flatten() {
            println!(
                "{}  {} bytes",
                table::cell(&output["object"]),
                table::cell(&output["size_bytes"])
            );
        }
        print_faults(&task);
    }
    if task["status"] == "Succeed" {
        Ok(())
    } else {
        Err(WorkFailed.into())
    }
}

/// How far the whole task is: the mean of its jobs.
fn percent(task: &Value) -> f64 {
    let jobs = task["jobs"].as_array().map(Vec::as_slice).unwrap_or_default();
    if jobs.is_empty() {
        return 0.0;
    }
    let sum: f64 = jobs
        .iter()
        .map(|job| match job["status"].as_str() {
            Some("Success" | "Fail" | "Skipped" | "Canceled") => 100.0,
            _ => job["progress"]["percent"].as_f64().unwrap_or(0.0),
        })
        .sum();
    sum / jobs.len() as f64
}

/// What the bar says beside the percentage.
fn message(task: &Value) -> String {
    let running = task["jobs"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|job| job["progress"].is_object());
    let status = table::cell(&task["status"]);
    match running {
        Some(job) => {
            let eta = job["progress"]["eta_s"]
                .as_f64()
                .map_or(String::new(), |eta| format!(", {eta:.0} s left"));
            let speed = job["progress"]["speed"].as_f64().unwrap_or(0.0);
            format!("{status}, {speed:.1}x{eta}")
        }
        None => status,
    }
}

async fn prioritize(args: PriorityArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    for id in &args.ids {
        let wanted = json!({ "priority": args.priority });
        let task = client.patch(&format!("/api/v1/tasks/{}", part(id)), &wanted).await?;
        if args.remote.json {
            table::print_json(&task)?;
        }
    }
    Ok(())
}

async fn many(verb: &str, args: ManyArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    let filters = args.filters.named();
    let filtered = filters.iter().any(|(_, value)| value.is_some());
    if args.ids.is_empty() != (filtered || args.all) {
        return Err(BadUsage(format!(
            "task {verb} needs either ids, or a filter such as --status, --workflow, --since or --text, or --all, to say \
             which tasks are meant"
        ))
        .into());
    }
    if args.ids.is_empty() {
        let named = filters.map(|(name, value)| (name.to_owned(), value.into()));
        return by_filter(
            &client,
            verb,
            &Value::Object(named.into_iter().collect()),
            args.remote.json,
        )
        .await;
    }
    for id in &args.ids {
        let path = format!("/api/v1/tasks/{}", part(id));
        let task = match verb {
            "delete" => client.delete(&path).await?,
            _ => client.post(&format!("{path}/{verb}"), &json!({})).await?,
        };
        if args.remote.json {
            table::print_json(&task)?;
        }
    }
    Ok(())
}

/// Says how many tasks it was. A deletion is asked for again as long as the daemon left some.
async fn by_filter(client: &Client, verb: &str, filters: &Value, json: bool) -> anyhow::Result<()> {
    let path = format!("/api/v1/tasks/{verb}");
    let mut tasks = 0;
    loop {
        let mut answer = client.post(&path, filters).await?;
        tasks += answer["tasks"].as_u64().unwrap_or(0);
        if answer["more"] == true {
            continue;
        }
        if json {
            answer["tasks"] = tasks.into();
            return table::print_json(&answer);
        }
        println!("{tasks} tasks");
        return Ok(());
    }
}
