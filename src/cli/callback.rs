//! `reelmill callback`: receives and checks callbacks while an integration is being written.
//!
//! Guarantees: exit code 0 when what was waited for came and every signature with a known key was right, 1 when one was
//! wrong or nothing came in time, 2 for bad usage. The first line says where it listens. Deliberately absent: the
//! daemon; only `rotate`, which exchanges a key, speaks to one.

use crate::base::clock::UtcMs;
use crate::callback::signing;
use crate::callback::signing::Key;
use crate::callback::verify::Finding;
use crate::callback::verify::Incoming;
use crate::callback::verify::Verifier;
use crate::cli::Context as CliContext;
use crate::cli::block_on;
use crate::cli::client::Client;
use crate::cli::client::part;
use crate::cli::outcome::BadUsage;
use crate::cli::outcome::WorkFailed;
use crate::cli::remote::Remote;
use crate::events::profile::Profile;
use crate::web::receiver;
use crate::web::receiver::Received;
use anyhow::Context;
use serde_json::Value;
use serde_json::json;
use std::collections::HashSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// What can be done with callbacks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Receive callbacks, check and print each.
    Listen(Listen),
    /// Check one signature by hand.
    Verify(Verify),
    /// Exchange the key of X-Reelmill-Signature of a destination that was made through the API: prints the new key, which
    /// signs beside the old one until --finish.
    Rotate(Rotate),
}

/// Arguments of `rotate`.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    /// Name of the destination.
    pub name: String,
    /// File with the new key; without it one is made.
    #[arg(long, value_name = "FILE", conflicts_with = "finish")]
    pub key_file: Option<PathBuf>,
    /// Receivers know the new key: the old one signs no more.
    #[arg(long)]
    pub finish: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub remote: Remote,
}

/// Arguments of `listen`.
#[derive(Debug, clap::Args)]
pub struct Listen {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9000")]
    pub listen: SocketAddr,
    /// The callback URL as the sender has it configured, which the clouds' signatures cover. Default: from each request.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// How the sender spells events: ims, vod or native.
    #[arg(long, default_value = "ims")]
    pub profile: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keys: Keys,
    /// Refuse time stamps further than this from now; 0 takes any.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub max_skew: u32,
    /// End after so many different events.
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// End after an event of this type.
    #[arg(long, value_name = "EVENT_TYPE")]
    pub until: Option<String>,
    /// End with exit code 1 when that takes longer.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Answer 500 so many times first, to see retries.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub fail_first: u32,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// The secrets shared with the sender.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Keys {
    /// Key of the profile's own signature. Other users of this host can see it; prefer the file.
    #[arg(long, value_name = "KEY", conflicts_with = "auth_key_file")]
    pub auth_key: Option<String>,
    /// File that holds it.
    #[arg(long, value_name = "FILE")]
    pub auth_key_file: Option<PathBuf>,
    /// Key of X-Reelmill-Signature. Other users of this host can see it; prefer the file.
    #[arg(long, value_name = "KEY", conflicts_with = "signing_key_file")]
    pub signing_key: Option<String>,
    /// File that holds it.
    #[arg(long, value_name = "FILE")]
    pub signing_key_file: Option<PathBuf>,
}

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The callback URL as the sender has it configured (with --auth-key).
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The time stamp header.
    #[arg(long, value_name = "SECONDS")]
    pub timestamp: String,
    /// The signature header, whole.
    #[arg(long, value_name = "TEXT")]
    pub signature: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keys: Keys,
    /// File with the body as it came in (with --signing-key).
    #[arg(long, value_name = "FILE")]
    pub body_file: Option<PathBuf>,
}

/// Carries it out.
///
/// # Errors
/// [`WorkFailed`] after a wrong signature or a wait in vain; bad usage, unreadable files, an address that cannot be
/// listened on.
pub fn run(command: Command, context: &CliContext) -> anyhow::Result<()> {
    let good = match command {
        Command::Listen(args) => block_on(async {
            let interrupted = async {
                if tokio::signal::ctrl_c().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            listen(args, &mut std::io::stdout(), interrupted).await
        })?,
        Command::Verify(args) => verify(&args)?,
        Command::Rotate(args) => return block_on(rotate(args, context)),
    };
    if good { Ok(()) } else { Err(WorkFailed.into()) }
}

async fn rotate(args: Rotate, context: &CliContext) -> anyhow::Result<()> {
    let given = key(None, args.key_file.as_deref())?.is_some();
    let text = match &args.key_file {
        Some(file) if given => Some(std::fs::read_to_string(file)?.trim().to_owned()),
        _ => None,
    };
    let body = match text {
        Some(text) => json!({ "signing_key": text }),
        None => json!({ "finish": args.finish }),
    };
    let path = format!("/api/v1/destinations/{}/rotate", part(&args.name));
    let said = Client::connect(&args.remote, context)?.post(&path, &body).await?;
    if args.remote.json {
        return crate::cli::table::print_json(&said);
    }
    if let Some(key) = said["signing_key"].as_str() {
        println!("{key}");
    }
    Ok(())
}

fn key(text: Option<&str>, file: Option<&Path>) -> anyhow::Result<Option<Key>> {
    let text = match (text, file) {
        (Some(text), _) => text.to_owned(),
        (None, Some(file)) => {
            std::fs::read_to_string(file).with_context(|| format!("cannot read the key file {}", file.display()))?
        }
        (None, None) => return Ok(None),
    };
    let key = Key::new(&text);
    if key.is_empty() {
        return Err(usage("the key is empty; give the one the sender signs with"));
    }
    Ok(Some(key))
}

fn usage(text: impl Into<String>) -> anyhow::Error {
    BadUsage(text.into()).into()
}

impl Keys {
    fn auth(&self) -> anyhow::Result<Option<Key>> {
        key(self.auth_key.as_deref(), self.auth_key_file.as_deref())
    }

    fn signing(&self) -> anyhow::Result<Option<Key>> {
        key(self.signing_key.as_deref(), self.signing_key_file.as_deref())
    }
}

/// Says whether the signature is right, and returns it.
fn verify(args: &Verify) -> anyhow::Result<bool> {
    let right = match (args.keys.auth()?, args.keys.signing()?) {
        (Some(key), None) => {
            let url = args.url.as_deref();
            let url = url.ok_or_else(|| usage("--auth-key signs the URL: give it with --url"))?;
            signing::cloud_ok(&args.signature, url, &args.timestamp, &key)
        }
        (None, Some(key)) => {
            let file = args.body_file.as_deref();
            let file = file.ok_or_else(|| usage("--signing-key signs the body: give it with --body-file"))?;
            let body = std::fs::read(file).with_context(|| format!("cannot read the body {}", file.display()))?;
            let header = match args.signature.contains("v1=") {
                true => args.signature.clone(),
                false => format!("v1={}", args.signature),
            };
            signing::body_ok(&header, &args.timestamp, &body, &key)
        }
        _ => {
            return Err(usage(
                "give one key: --auth-key (the profile's signature) or --signing-key (X-Reelmill-Signature)",
            ));
        }
    };
    println!(
        "{}",
        if right {
            "the signature is right"
        } else {
            "the signature is wrong"
        }
    );
    Ok(right)
}

/// What has come in so far.
struct Session<'a> {
    args: &'a Listen,
    verifier: &'a Verifier,
    failures_left: u32,
    seen: HashSet<String>,
    wrong: bool,
    done: bool,
}

/// Receives until what is waited for came; true: it did, and no signature was wrong.
async fn listen(
    args: Listen,
    out: &mut (impl Write + Send),
    interrupted: impl Future<Output = ()>,
) -> anyhow::Result<bool> {
    let verifier = Verifier {
        profile: Profile::parse(&args.profile).map_err(|fault| usage(fault.to_string()))?,
        url: args.url.clone(),
        auth_key: args.keys.auth()?,
        signing_key: args.keys.signing()?,
        max_skew_s: i64::from(args.max_skew),
    };
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}; take another with --listen", args.listen))?;
    let url = format!("http://{}/", listener.local_addr()?);
    match args.json {
        true => writeln!(out, "{}", json!({"listening": url}))?,
        false => writeln!(out, "listening on {url}")?,
    }
    out.flush()?;

    // Callbacks are judged where they are printed, one after the other; each waits for its answer.
    let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel::<(Received, oneshot::Sender<u16>)>();
    let judge: receiver::Judge = Arc::new(move |received| {
        let (tell, told) = oneshot::channel();
        let asked = ask.send((received, tell)).is_ok();
        Box::pin(async move { if asked { told.await.unwrap_or(503) } else { 503 } })
    });
    let stop = CancellationToken::new();
    let server = tokio::spawn(receiver::serve(listener, judge, stop.clone().cancelled_owned()));

    let mut session = Session {
        args: &args,
        verifier: &verifier,
        failures_left: args.fail_first,
        seen: HashSet::new(),
        wrong: false,
        done: false,
    };
    let awaits = args.count.is_some() || args.until.is_some();
    let limit = async {
        match args.timeout {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(limit, interrupted);
    let mut late = false;
    // Whoever waits for something learns of a wrong signature at once; whoever only watches goes on watching.
    while !(session.done || awaits && session.wrong) {
        tokio::select! {
            Some((received, tell)) = asked.recv() => {
                let judged = session.take(&received, out);
                // The sender gets its answer even when the printer failed.
                let _ = tell.send(*judged.as_ref().unwrap_or(&503));
                judged?;
            }
            () = &mut limit => { late = true; break; }
            () = &mut interrupted => break,
        }
    }
    drop(asked);
    stop.cancel();
    server.await.context("the receiver ended by a bug")??;
    if late {
        eprintln!("reelmill: what was waited for did not come in time; look at `reelmill delivery list`");
    }
    let missed = awaits && !session.done;
    Ok(!(session.wrong || missed || late))
}

impl Incoming for Received {
    fn header(&self, name: &str) -> Option<&str> {
        Received::header(self, name)
    }
    fn path(&self) -> &str {
        Received::path(self)
    }
    fn body(&self) -> &[u8] {
        Received::body(self)
    }
}

impl Session<'_> {
    /// Judges and prints one callback; returns the status it is answered with.
    fn take(&mut self, received: &Received, out: &mut impl Write) -> std::io::Result<u16> {
        let body: Option<Value> = serde_json::from_slice(received.body()).ok();
        let findings = self.verifier.check(received, UtcMs::now());
        let wrong = findings.iter().any(|finding| finding.wrong.is_some());
        self.wrong |= wrong;
        let event_type = text_at(body.as_ref(), &["/EventType", "/type"]);
        let event_id = received.header(signing::EVENT_ID).unwrap_or_default().to_owned();
        let status = if wrong {
            401
        } else if body.is_none() {
            400
        } else if self.failures_left > 0 {
            self.failures_left -= 1;
            500
        } else {
            200
        };
        let repeated = status == 200 && !event_id.is_empty() && self.seen.contains(&event_id);
        if status == 200 && !repeated {
            // Senders without ids cannot be told apart: each of theirs counts.
            let id = if event_id.is_empty() {
                format!("#{}", self.seen.len())
            } else {
                event_id
            };
            self.seen.insert(id);
            let counted = self.args.count.is_some_and(|count| self.seen.len() >= count);
            let awaited = self.args.until.as_ref().is_some_and(|until| *until == event_type);
            self.done |= counted || awaited;
        }
        let told = Told {
            event_type,
            status: text_at(
                body.as_ref(),
                &["/MessageBody/Status", "/Status", "/job/status", "/status"],
            ),
            findings,
            answered: status,
            repeated,
        };
        match self.args.json {
            true => told.print_json(received, body.as_ref(), out)?,
            false => told.print_text(received, body.as_ref(), out)?,
        }
        out.flush()?;
        Ok(status)
    }
}

/// What is printed of one callback.
struct Told {
    event_type: String,
    status: String,
    findings: Vec<Finding>,
    answered: u16,
    repeated: bool,
}

impl Told {
    fn verdict(&self) -> &'static str {
        if self.findings.is_empty() {
            "unchecked"
        } else if self.findings.iter().all(|finding| finding.wrong.is_none()) {
            "verified"
        } else {
            "bad"
        }
    }

    fn print_json(&self, received: &Received, body: Option<&Value>, out: &mut impl Write) -> std::io::Result<()> {
        let signatures: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| json!({"header": finding.header, "ok": finding.wrong.is_none(), "wrong": finding.wrong}))
            .collect();
        let line = json!({
            "at": UtcMs::now().wire(),
            "event_type": self.event_type,
            "status": self.status,
            "verdict": self.verdict(),
            "signatures": signatures,
            "answered": self.answered,
            "repeated": self.repeated,
            "event_id": received.header(signing::EVENT_ID),
            "event_seq": received.header(signing::EVENT_SEQ),
            "attempt": received.header(signing::ATTEMPT),
            "replay": received.header(signing::REPLAY),
            "path": received.path(),
            "body": body,
        });
        writeln!(out, "{line}")
    }

    fn print_text(&self, received: &Received, body: Option<&Value>, out: &mut impl Write) -> std::io::Result<()> {
        let name = if self.event_type.is_empty() {
            "(no event type)"
        } else {
            &self.event_type
        };
        write!(
            out,
            "{} {name} {}: {}",
            UtcMs::now().wire(),
            self.status,
            self.verdict()
        )?;
        for finding in &self.findings {
            match &finding.wrong {
                None => write!(out, ", {} right", finding.header)?,
                Some(wrong) => write!(out, ", {} WRONG: {wrong}", finding.header)?,
            }
        }
        if let Some(seq) = received.header(signing::EVENT_SEQ) {
            let attempt = received.header(signing::ATTEMPT).unwrap_or("?");
            write!(out, "; number {seq} of its task, attempt {attempt}")?;
        }
        let repeated = if self.repeated { ", a repetition" } else { "" };
        writeln!(out, "; answered {}{repeated}", self.answered)?;
        match body {
            Some(body) => writeln!(out, "{body:#}"),
            None => writeln!(out, "{}", String::from_utf8_lossy(received.body())),
        }
    }
}

fn text_at(body: Option<&Value>, places: &[&str]) -> String {
    places
        .iter()
        .find_map(|place| body?.pointer(place)?.as_str())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests;
