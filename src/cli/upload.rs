//! `reelmill media upload` and `media pull`: bring files into the library.
//!
//! An interrupted upload is found again by its key: a hash of the file (path, size, time) and of what is wished for. So
//! the same command goes on where it was, whoever interrupted it. Guarantees: ends with 0 only when the file stands in
//! its storage. Deliberately absent: reading the file twice, unless it is to be checked.

use crate::cli::Context;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::Piece;
use crate::cli::client::part;
use crate::cli::outcome::BadUsage;
use crate::cli::remote::Remote;
use crate::cli::table;
use anyhow::Context as _;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

/// Tries without any byte more before the command gives up.
const TRIES: u32 = 8;
/// Earlier uploads of the same file and wish that failed or were cancelled, before a new one is begun.
const EARLIER: u32 = 100;

/// What becomes of a file.
#[derive(Debug, Clone, clap::Args)]
pub struct WishArgs {
    /// The storage it goes to [default: library.storage of the daemon].
    #[arg(long)]
    pub storage: Option<String>,
    /// The key in it; a folder when it ends in / [default: library.prefix and the file name].
    #[arg(long)]
    pub key: Option<String>,
    /// When something stands there: version, overwrite or fail.
    #[arg(long, value_name = "RULE")]
    pub on_conflict: Option<String>,
    /// Its title [default: its file name].
    #[arg(long)]
    pub title: Option<String>,
    /// What it is about.
    #[arg(long)]
    pub description: Option<String>,
    /// What it is found by; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Id of the category it is filed under.
    #[arg(long)]
    pub category: Option<String>,
    /// Text echoed in its events; JSON for receivers that expect it.
    #[arg(long, value_name = "TEXT")]
    pub user_data: Option<String>,
    /// Name or id of a workflow that runs on it.
    #[arg(long)]
    pub workflow: Option<String>,
    /// Add it to the media of this id instead of making one of it.
    #[arg(long, value_name = "MEDIA")]
    pub attach: Option<String>,
    /// With --attach: it is a rendition made elsewhere, not an attachment.
    #[arg(long, requires = "attach")]
    pub rendition: bool,
    /// With --attach: subtitle, watermark, image, other; or the name of the rendition.
    #[arg(long, requires = "attach")]
    pub kind: Option<String>,
    /// With --attach: its language.
    #[arg(long, requires = "attach")]
    pub language: Option<String>,
    /// Do not look into it.
    #[arg(long)]
    pub no_register: bool,
}

impl WishArgs {
    fn wish(&self) -> Map<String, Value> {
        let mut wish = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                wish.insert(name.to_owned(), Value::String(value));
            }
        };
        put("storage", self.storage.clone());
        put("key", self.key.clone());
        put("on_conflict", self.on_conflict.clone());
        put("title", self.title.clone());
        put("description", self.description.clone());
        put("category", self.category.clone());
        put("user_data", self.user_data.clone());
        put("workflow", self.workflow.clone());
        put("media", self.attach.clone());
        put("kind", self.kind.clone());
        put("language", self.language.clone());
        put("role", self.rendition.then(|| "rendition".to_owned()));
        if !self.tags.is_empty() {
            wish.insert("tags".to_owned(), json!(self.tags));
        }
        if self.no_register {
            wish.insert("register".to_owned(), Value::Bool(false));
        }
        wish
    }
}

/// Arguments of `upload`.
#[derive(Debug, clap::Args)]
pub struct UploadArgs {
    /// The file.
    pub file: PathBuf,
    /// Read it first and have the daemon check that it arrived unchanged.
    #[arg(long)]
    pub check: bool,
    /// Send it though it was sent before.
    #[arg(long)]
    pub again: bool,
    #[command(flatten)]
    wish: WishArgs,
    #[command(flatten)]
    remote: Remote,
}

/// Arguments of `pull`.
#[derive(Debug, clap::Args)]
pub struct PullArgs {
    /// Its address, http or https.
    pub url: String,
    /// A header to send along, as "Authorization: Bearer ..."; may be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Wait until it stands in its storage.
    #[arg(long)]
    pub wait: bool,
    #[command(flatten)]
    wish: WishArgs,
    #[command(flatten)]
    remote: Remote,
}

/// Carries out `upload`.
///
/// # Errors
/// The file cannot be read, the daemon refused or did not answer, or the upload failed.
pub fn upload(args: UploadArgs, context: &Context) -> anyhow::Result<()> {
    let unreadable = |error: std::io::Error| BadUsage(format!("{} cannot be read: {error}", args.file.display()));
    let file = File::open(&args.file).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(BadUsage(format!("{} is not a file", args.file.display())).into());
    }
    let mut wish = args.wish.wish();
    if let Some(name) = args.file.file_name() {
        wish.insert("file_name".to_owned(), json!(name.to_string_lossy()));
    }
    wish.insert("size_bytes".to_owned(), json!(metadata.len()));
    if args.check {
        wish.insert("digest".to_owned(), json!(format!("sha256:{}", sha256(&file)?)));
    }
    let path = std::fs::canonicalize(&args.file).map_err(unreadable)?;
    let request = Value::Object(wish);
    let mut identity = format!(
        "{}\n{}.{}\n{request}",
        path.display(),
        metadata.mtime(),
        metadata.mtime_nsec()
    );
    if args.again {
        identity.push_str(&crate::base::ids::UploadId::fresh().into_string());
    }
    block_on(async {
        let client = Client::connect(&args.remote, context)?;
        let begun = begin(&client, &request, &identity).await?;
        let ended = send(&client, &begun, &file, metadata.len()).await?;
        conclude(&ended, args.remote.json)
    })
}

/// The upload of this file and wish: an earlier one that can go on or is done, else a new one.
async fn begin(client: &Client, request: &Value, identity: &str) -> anyhow::Result<Value> {
    for earlier in 0..EARLIER {
        let key = hex::encode(Sha256::digest(format!("{identity}\n{earlier}")));
        let upload = client.post_once("/api/v1/uploads", request, &key).await?;
        if !matches!(upload["status"].as_str(), Some("Fail" | "Canceled")) {
            return Ok(upload);
        }
    }
    anyhow::bail!("{EARLIER} earlier uploads of this file failed; use --again to begin another")
}

/// Sends what is missing, as often as it takes.
async fn send(client: &Client, begun: &Value, file: &File, size_bytes: u64) -> anyhow::Result<Value> {
    let id = begun["id"].as_str().context("the daemon named no upload")?;
    let path = format!("/api/v1/uploads/{}", part(id));
    let bar = ProgressBar::new(size_bytes).with_style(
        ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut state = begun.clone();
    let (mut tries, mut best) = (0, 0);
    loop {
        if state["status"] != "Waiting" {
            if state["status"] != "Processing" {
                bar.finish_and_clear();
                return Ok(state);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            state = client.get(&path, &[]).await?;
            continue;
        }
        let offset = state["offset"].as_u64().unwrap_or(0);
        if offset > best {
            (tries, best) = (0, offset);
        }
        let shown = bar.clone();
        let sent = client.send_rest(&path, file, (offset, size_bytes), move |at| shown.set_position(at));
        match sent.await? {
            Piece::Taken(taken) => state = taken,
            Piece::Again(why) => {
                tries += 1;
                if tries > TRIES {
                    anyhow::bail!("{why} Run the same command again to go on.");
                }
                bar.set_message("interrupted; going on");
                tokio::time::sleep(Duration::from_secs(1 << tries.min(5).saturating_sub(1))).await;
                // A daemon that is starting is asked again the same way.
                if let Ok(now) = client.get(&path, &[]).await {
                    state = now;
                }
            }
        }
    }
}

fn sha256(mut file: &File) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).context("the file cannot be read")? {
            0 => return Ok(hex::encode(hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Carries out `pull`.
///
/// # Errors
/// The daemon refused or did not answer, or the pull was waited for and failed.
pub fn pull(args: PullArgs, context: &Context) -> anyhow::Result<()> {
    let mut headers = Map::new();
    for header in &args.headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| BadUsage(format!("--header {header:?} is not NAME: VALUE")))?;
        headers.insert(name.trim().to_owned(), json!(value.trim()));
    }
    let mut request = args.wish.wish();
    request.insert("url".to_owned(), json!(args.url));
    request.insert("headers".to_owned(), Value::Object(headers));
    block_on(async {
        let client = Client::connect(&args.remote, context)?;
        let mut pull = client.post("/api/v1/pulls", &Value::Object(request)).await?;
        let id = pull["id"].as_str().context("the daemon named no pull")?.to_owned();
        if !args.wait {
            return print(&pull, args.remote.json);
        }
        while matches!(pull["status"].as_str(), Some("Init" | "Processing")) {
            tokio::time::sleep(Duration::from_millis(500)).await;
            pull = client.get(&format!("/api/v1/pulls/{}", part(&id)), &[]).await?;
        }
        conclude(&pull, args.remote.json)
    })
}

fn print(view: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return table::print_json(view);
    }
    let row = ["/id", "/status", "/object", "/media"].map(|at| table::cell(view.pointer(at).unwrap_or(&Value::Null)));
    table::print_rows(&["ID", "STATUS", "OBJECT", "MEDIA"], &[row.to_vec()])
}

/// Prints what became of it; 0 only when it stands there.
fn conclude(view: &Value, json: bool) -> anyhow::Result<()> {
    print(view, json)?;
    if view["status"] == "Success" {
        return Ok(());
    }
    let cause = view["fault"]["cause"].as_str().unwrap_or("it was cancelled");
    let remedy = view["fault"]["remedy"].as_str().unwrap_or("");
    anyhow::bail!(
        "{} was not kept: {cause}. {remedy}",
        view["object"].as_str().unwrap_or("it")
    )
}
