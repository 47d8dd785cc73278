//! `reelmill media`: find, show, register, describe, add to, link to and delete media.
//!
//! Guarantees: links are made by the daemon and expire; a deletion says what goes before it asks the daemon. Deliberately
//! absent: sending files (`upload`).

use crate::base::ids::MediaId;
use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::listing;
use crate::cli::listing::Page;
use crate::cli::outcome::BadUsage;
use crate::cli::remote::Remote;
use crate::cli::table;
use crate::cli::upload;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// What can be done with media.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List or search media, newest first.
    List(Box<ListArgs>),
    /// Show one: what is said of it, its files, tasks, outputs and events.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Send a file into the library; the same command again goes on where it was interrupted.
    Upload(Box<upload::UploadArgs>),
    /// Have the daemon fetch a file by its address into the library.
    Pull(Box<upload::PullArgs>),
    /// Links to every file of one; who has a link can read until it expires.
    Urls {
        /// Its id.
        id: String,
        /// How long they shall work.
        #[arg(long, default_value_t = 3600)]
        expires_s: u32,
        #[command(flatten)]
        #[allow(missing_docs)]
        remote: Remote,
    },
    /// Make an object that is there a media of the library.
    Register(Box<RegisterArgs>),
    /// Change what is said of one.
    Update(Box<UpdateArgs>),
    /// Add an object that is there to one: subtitles, a watermark, a picture, or a rendition made elsewhere.
    Attach(Box<AttachArgs>),
    /// Delete media, or files of them.
    Delete(Box<DeleteArgs>),
}

/// Which media.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Only those with all of these words in title, key, description or tags.
    #[arg(long, alias = "text")]
    search: Option<String>,
    /// Only those with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only those filed under this category, by id.
    #[arg(long)]
    category: Option<String>,
    /// Only those of this state: Preparing, Normal, Failed, Blocked or Deleted.
    #[arg(long)]
    state: Option<String>,
    /// Only those of this storage.
    #[arg(long)]
    storage: Option<String>,
    /// Only those of this kind: video, audio, image or text.
    #[arg(long = "type")]
    media_type: Option<String>,
    /// Only those that came this way: arrival, upload, pull or reference.
    #[arg(long)]
    origin: Option<String>,
    /// Only those made at this time or later, 2026-01-31T12:00:00Z.
    #[arg(long)]
    created_after: Option<String>,
    /// Only those made before this time.
    #[arg(long)]
    created_before: Option<String>,
    /// Oldest first.
    #[arg(long)]
    oldest_first: bool,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    remote: Remote,
}

/// What becomes a media.
#[derive(Debug, clap::Args)]
pub struct RegisterArgs {
    /// The object, STORAGE:KEY.
    object: String,
    /// Its title; its file name if not given.
    #[arg(long)]
    title: Option<String>,
    /// What it is about.
    #[arg(long)]
    description: Option<String>,
    /// What it is found by; may be given often.
    #[arg(long)]
    tag: Vec<String>,
    /// Id of the category it is filed under.
    #[arg(long)]
    category: Option<String>,
    /// video, audio, image or text; told by its name if not given.
    #[arg(long = "type")]
    media_type: Option<String>,
    /// A workflow that is started on it.
    #[arg(long)]
    workflow: Option<String>,
    /// JSON text that its events echo.
    #[arg(long)]
    user_data: Option<String>,
    /// The same key makes the same call once.
    #[arg(long)]
    idempotency_key: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// What shall be said.
#[derive(Debug, clap::Args)]
pub struct UpdateArgs {
    /// Its id.
    id: String,
    /// Its title; empty: its file name.
    #[arg(long)]
    title: Option<String>,
    /// What it is about.
    #[arg(long)]
    description: Option<String>,
    /// All its tags, between commas; empty: none.
    #[arg(long)]
    tags: Option<String>,
    /// Id of the category it is filed under; empty: none.
    #[arg(long)]
    category: Option<String>,
    /// A picture, STORAGE:KEY, the id of an output of it, or an http address; empty: none.
    #[arg(long)]
    cover: Option<String>,
    /// JSON text that its events echo; empty: none.
    #[arg(long)]
    user_data: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// What is added to which media.
#[derive(Debug, clap::Args)]
pub struct AttachArgs {
    /// Id of the media.
    id: String,
    /// The object, STORAGE:KEY.
    object: String,
    /// subtitle, watermark, image or other; told by its name if not given.
    #[arg(long)]
    kind: Option<String>,
    /// It is a rendition or track that was made elsewhere, of this name.
    #[arg(long, value_name = "NAME", conflicts_with = "kind")]
    rendition: Option<String>,
    /// Its title.
    #[arg(long)]
    title: Option<String>,
    /// Its language, as en or pt-BR.
    #[arg(long)]
    language: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Which media, and what of them.
#[derive(Debug, clap::Args)]
pub struct DeleteArgs {
    /// Their ids.
    #[arg(required = true)]
    ids: Vec<String>,
    /// all, media (the record alone), outputs or source.
    #[arg(long, default_value = "media", value_parser = ["all", "media", "outputs", "source"])]
    what: String,
    /// Cancel their tasks first.
    #[arg(long)]
    cancel: bool,
    /// With --what all: remove the files of attachments and renditions too.
    #[arg(long)]
    additions: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Carries it out.
///
/// # Errors
/// The daemon refused or did not answer.
pub fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List(args) => block_on(list(*args, context)),
        Command::Show { id, remote } => block_on(async {
            let path = format!("/api/v1/media/{}", part(&id));
            table::print_json(&Client::connect(&remote, context)?.get(&path, &[]).await?)
        }),
        Command::Upload(args) => upload::upload(*args, context),
        Command::Pull(args) => upload::pull(*args, context),
        Command::Urls { id, expires_s, remote } => block_on(async {
            let path = format!("/api/v1/media/{}/urls", part(&id));
            listing::print(
                &remote,
                context,
                &path,
                &[("expires_s", Some(expires_s.to_string()))],
                &[("NAME", "/name"), ("KIND", "/kind"), ("URL", "/url")],
            )
            .await
        }),
        Command::Register(args) => block_on(register(*args, context)),
        Command::Update(args) => block_on(update(*args, context)),
        Command::Attach(args) => block_on(attach(*args, context)),
        Command::Delete(args) => block_on(delete(*args, context)),
    }
}

async fn list(args: ListArgs, context: &Context) -> anyhow::Result<()> {
    let query = args.page.of([
        ("search", args.search),
        ("tag", args.tag),
        ("category", args.category),
        ("state", args.state),
        ("storage", args.storage),
        ("type", args.media_type),
        ("origin", args.origin),
        ("created_after", args.created_after),
        ("created_before", args.created_before),
        ("sort", args.oldest_first.then(|| "created_at".to_owned())),
    ]);
    listing::print(
        &args.remote,
        context,
        "/api/v1/media",
        &query,
        &[
            ("ID", "/id"),
            ("CREATED", "/created_at"),
            ("STATUS", "/status"),
            ("TYPE", "/type"),
            ("BYTES", "/size_bytes"),
            ("TITLE", "/title"),
            ("OBJECT", "/object"),
        ],
    )
    .await
}

async fn register(args: RegisterArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    let body = given([
        ("object", Some(args.object.into())),
        ("title", args.title.map(Value::from)),
        ("description", args.description.map(Value::from)),
        ("tags", Some(json!(args.tag))),
        ("category", args.category.map(Value::from)),
        ("type", args.media_type.map(Value::from)),
        ("workflow", args.workflow.map(Value::from)),
        ("user_data", args.user_data.map(Value::from)),
    ]);
    let key = args.idempotency_key.unwrap_or_else(|| MediaId::fresh().into_string());
    let media = client.post_once("/api/v1/media", &body, &key).await?;
    id_of(&media, args.remote.json)
}

async fn update(args: UpdateArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    // Nothing between the quotes takes the word back.
    let or_none = |text: String| match text.as_str() {
        "" => Value::Null,
        _ => Value::from(text),
    };
    let tags = args.tags.map(|tags| {
        let tags = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        json!(tags.collect::<Vec<_>>())
    });
    let body = given([
        ("title", args.title.map(or_none)),
        ("description", args.description.map(or_none)),
        ("tags", tags),
        ("category", args.category.map(or_none)),
        ("cover", args.cover.map(or_none)),
        ("user_data", args.user_data.map(or_none)),
    ]);
    if body == json!({}) {
        return Err(BadUsage("nothing is to be changed; see reelmill media update --help".to_owned()).into());
    }
    let media = client
        .patch(&format!("/api/v1/media/{}", part(&args.id)), &body)
        .await?;
    id_of(&media, args.remote.json)
}

async fn attach(args: AttachArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    let list = if args.rendition.is_some() {
        "renditions"
    } else {
        "attachments"
    };
    let body = given([
        ("object", Some(args.object.into())),
        ("kind", args.kind.map(Value::from)),
        ("name", args.rendition.map(Value::from)),
        ("title", args.title.map(Value::from)),
        ("language", args.language.map(Value::from)),
    ]);
    let added = client
        .post(&format!("/api/v1/media/{}/{list}", part(&args.id)), &body)
        .await?;
    id_of(&added, args.remote.json)
}

async fn delete(args: DeleteArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::connect(&args.remote, context)?;
    let body = json!({
        "ids": args.ids,
        "what": args.what,
        "cancel": args.cancel,
        "additions": args.additions,
    });
    let answer = client.post("/api/v1/media/delete", &body).await?;
    if args.remote.json {
        table::print_json(&answer)?;
    } else {
        for id in answer["deleting"].as_array().into_iter().flatten() {
            println!("{} is being deleted: {}", table::cell(id), args.what);
        }
    }
    let refused: Vec<String> = answer["refused"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|refused| table::cell(&refused["detail"]))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(anyhow::anyhow!("{}", refused.join("; ")))
}

/// A body of the fields that were given.
fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter();
    let given = fields.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

/// Prints what was made: its id, or all of it as JSON.
fn id_of(made: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return table::print_json(made);
    }
    println!("{}", table::cell(&made["id"]));
    Ok(())
}
