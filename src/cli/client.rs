//! The REST client behind every command that speaks to a running daemon.
//!
//! Guarantees: a refusal is shown with its detail and its remedy; the token goes only to the server that was named.
//! Deliberately absent: retries; a command says what happened and its user decides.

use crate::cli::Context;
use crate::cli::outcome::BadUsage;
use crate::web::error::Problem;
use anyhow::Context as _;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::Url;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Which daemon, and with which token.
#[derive(Debug, Clone, clap::Args)]
pub struct Remote {
    /// Address of the daemon [default: REELMILL_SERVER, else the listen address of the configuration].
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The token [default: --token-file, else REELMILL_TOKEN, else STATE_DIR/admin.token].
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    pub token: Option<String>,
    /// File that holds the token.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
}

/// How long a change may take; copying a large database takes longest.
const WRITE_WITHIN: Duration = Duration::from_secs(3600);

/// Where to look when nobody says.
struct Defaults {
    server: String,
    token_file: PathBuf,
}

/// A connection to one daemon.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    token: String,
}

/// The daemon did not answer at all.
#[derive(Debug, thiserror::Error)]
#[error(
    "{method} of {url} failed: {cause}. See whether the daemon runs there (systemctl status reelmill), or name another with --server."
)]
pub struct NoAnswer {
    method: Method,
    url: String,
    cause: String,
}

impl Client {
    /// Finds out the server and the token.
    ///
    /// # Errors
    /// The address is none, or there is no token.
    pub fn connect(remote: &Remote, context: &Context) -> anyhow::Result<Self> {
        // Installing twice is refused and harmless: the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let defaults = defaults(&context.config);
        let server = remote
            .server
            .clone()
            .or_else(|| variable("REELMILL_SERVER"))
            .unwrap_or_else(|| defaults.server.clone());
        let server = Url::parse(&server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                BadUsage(format!(
                    "--server {server} is not an address such as http://127.0.0.1:8080"
                ))
            })?;
        let token = match (&remote.token, &remote.token_file, variable("REELMILL_TOKEN")) {
            (Some(token), _, _) => token.clone(),
            (None, Some(file), _) => read_token(file)?,
            (None, None, Some(token)) => token,
            (None, None, None) => read_token(&defaults.token_file)?,
        };
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("reelmill/", env!("CARGO_PKG_VERSION")));
        if server.scheme() == "http" {
            // A host without any certificate authorities must reach its own daemon all the same.
            http = http.tls_certs_only([]);
        }
        let http = http.build().context("could not set up the HTTP client")?;
        Ok(Client { http, server, token })
    }

    /// GET with a query.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn get(&self, path: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<Value> {
        let mut url = self.url(path)?;
        for (name, value) in query {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let request = self.http.get(url.clone()).timeout(Duration::from_secs(60));
        self.answer(Method::GET, url, request).await
    }

    /// PUT of JSON.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::PUT, path, "application/json", body.to_string(), None)
            .await
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, "application/json", body.to_string(), None)
            .await
    }

    /// POST of JSON that is carried out once however often it is sent with this key.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn post_once(&self, path: &str, body: &Value, key: &str) -> anyhow::Result<Value> {
        self.send(Method::POST, path, "application/json", body.to_string(), Some(key))
            .await
    }

    /// POST of a TOML file.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn post_toml(&self, path: &str, text: String) -> anyhow::Result<Value> {
        self.send(Method::POST, path, "application/toml", text, None).await
    }

    /// PUT without a body.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn put_nothing(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::PUT, path, "application/json", String::new(), None)
            .await
    }

    /// PATCH of JSON.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::PATCH, path, "application/json", body.to_string(), None)
            .await
    }

    /// DELETE.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::DELETE, path, "application/json", String::new(), None)
            .await
    }

    /// Sends the bytes of `file` from `offset` to its end, at `size_bytes`, to the upload at `path`; `sent` is told how
    /// far it is.
    ///
    /// # Errors
    /// A refusal that asking again does not change.
    pub async fn send_rest(
        &self,
        path: &str,
        file: &std::fs::File,
        (offset, size_bytes): (u64, u64),
        sent: impl Fn(u64) + Send + 'static,
    ) -> anyhow::Result<Piece> {
        let url = self.url(path)?;
        let file = std::sync::Arc::new(file.try_clone().context("the file cannot be read")?);
        let body = futures_util::stream::try_unfold(offset, move |at| {
            let file = std::sync::Arc::clone(&file);
            sent(at);
            async move {
                if at >= size_bytes {
                    return Ok(None);
                }
                let read = tokio::task::spawn_blocking(move || read_piece(&file, at, size_bytes)).await;
                let piece = read.map_err(std::io::Error::other)??;
                let next = at + piece.len() as u64;
                Ok::<_, std::io::Error>(Some((piece, next)))
            }
        });
        let mut request = self
            .http
            .put(url.clone())
            .bearer_auth(&self.token)
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .header(reqwest::header::CONTENT_LENGTH, size_bytes - offset);
        let range = match offset < size_bytes {
            true => format!("bytes {offset}-{}/{size_bytes}", size_bytes - 1),
            false => format!("bytes */{size_bytes}"),
        };
        request = request.header(reqwest::header::CONTENT_RANGE, range);
        let response = match request.body(reqwest::Body::wrap_stream(body)).send().await {
            Ok(response) => response,
            Err(error) => return Ok(Piece::Again(no_answer(Method::PUT, &url, &error).to_string())),
        };
        let status = response.status();
        let answer = match response.bytes().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Piece::Again(no_answer(Method::PUT, &url, &error).to_string())),
        };
        if status.is_success() {
            return serde_json::from_slice(&answer)
                .map(Piece::Taken)
                .context("the daemon answered something that is not JSON");
        }
        let refused = refusal(status, &answer, &url);
        // The offset may be another one, somebody else may be sending, the daemon may be starting.
        let code = serde_json::from_slice::<Problem>(&answer).map(|problem| problem.code);
        let moved =
            code.is_ok_and(|code| matches!(code.as_str(), "OffsetWrong" | "UploadLocked" | "BodySilent" | "BodyCut"));
        if moved || matches!(status.as_u16(), 500 | 502 | 503 | 504) {
            return Ok(Piece::Again(refused.to_string()));
        }
        Err(refused)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: String,
        idempotency_key: Option<&str>,
    ) -> anyhow::Result<Value> {
        let url = self.url(path)?;
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .timeout(WRITE_WITHIN)
            .header(reqwest::header::CONTENT_TYPE, content_type)
            .body(body);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.answer(method, url, request).await
    }

    /// Follows a stream of server-sent events until it breaks off; `last_event_id` is where it resumes and is kept up
    /// to date. `each` gets the name and the data of every event.
    ///
    /// # Errors
    /// No answer, a refusal, or what `each` says.
    pub async fn follow(
        &self,
        path: &str,
        last_event_id: &mut Option<String>,
        mut each: impl FnMut(&str, &str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut response = self.open_stream(path, last_event_id.as_deref()).await?;
        let mut lines = Vec::new();
        let mut event = StreamEvent::default();
        while let Ok(Some(chunk)) = response.chunk().await {
            lines.extend_from_slice(&chunk);
            while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = lines.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]).trim_end_matches('\r').to_owned();
                if line.is_empty() {
                    let whole = std::mem::take(&mut event);
                    if let Some(id) = whole.id {
                        *last_event_id = Some(id);
                    }
                    if !whole.data.is_empty() {
                        each(&whole.name, &whole.data)?;
                    }
                } else {
                    event.take(&line);
                }
            }
        }
        Ok(())
    }

    async fn open_stream(&self, path: &str, last_event_id: Option<&str>) -> anyhow::Result<reqwest::Response> {
        let url = self.url(path)?;
        let mut request = self.http.get(url.clone()).bearer_auth(&self.token);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request
            .send()
            .await
            .map_err(|error| no_answer(Method::GET, &url, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(
            response.status(),
            &response.bytes().await.unwrap_or_default(),
            &url,
        ))
    }

    fn url(&self, path: &str) -> anyhow::Result<Url> {
        self.server
            .join(path)
            .with_context(|| format!("{path} does not make an address on {}", self.server))
    }

    async fn answer(&self, method: Method, url: Url, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let response = request
            .bearer_auth(&self.token)
            .send()
            .await
            .map_err(|error| no_answer(method.clone(), &url, &error))?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| no_answer(method, &url, &error))?;
        if !status.is_success() {
            return Err(refusal(status, &body, &url));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| {
            format!("{url} answered something that is not JSON; is it a reelmill daemon of this version?")
        })
    }
}

/// What became of the piece of an upload.
#[derive(Debug)]
pub enum Piece {
    /// It was taken.
    Taken(Value),
    /// It was not, or nobody knows: ask for the offset and send from there.
    Again(String),
}

/// The next bytes of a file, at least one.
fn read_piece(file: &std::fs::File, at: u64, end: u64) -> std::io::Result<Vec<u8>> {
    let length = (end - at).min(256 * 1024);
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = std::os::unix::fs::FileExt::read_at(file, &mut buffer, at)?;
    if read == 0 {
        return Err(std::io::Error::new(
            std::io::ErrorKind::UnexpectedEof,
            "the file became shorter while it was sent",
        ));
    }
    buffer.truncate(read);
    Ok(buffer)
}

/// One event of a stream while its lines come in.
#[derive(Debug, Default)]
struct StreamEvent {
    id: Option<String>,
    name: String,
    data: String,
}

impl StreamEvent {
    fn take(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = Some(value.to_owned()),
            "event" => self.name = value.to_owned(),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
    }
}

/// A part of a path, percent-encoded.
pub fn part(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The refusal in words; those that mean a wrong request are bad usage.
fn refusal(status: StatusCode, body: &[u8], url: &Url) -> anyhow::Error {
    let text = match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => format!("{}. {}", problem.detail, problem.remedy),
        Err(_) => format!("{url} answered {status}"),
    };
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::NOT_FOUND
        | StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN => BadUsage(text).into(),
        _ => anyhow::anyhow!(text),
    }
}

fn no_answer(method: Method, url: &Url, error: &reqwest::Error) -> anyhow::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    NoAnswer {
        method,
        url: url.to_string(),
        cause: cause.to_string(),
    }
    .into()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn read_token(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        BadUsage(format!(
            "there is no token: read of {} failed: {error}. Run this as the user of the daemon or root, or give --token, --token-file or REELMILL_TOKEN.",
            file.display()
        ))
    })?;
    Ok(text.trim().to_owned())
}

/// What the configuration says of the daemon's address and state. Read leniently: a mistake elsewhere in the file is
/// no reason why a running daemon cannot be asked how it is.
fn defaults(config: &Path) -> Defaults {
    let table: toml::Table = std::fs::read_to_string(config)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    let server = table.get("server").and_then(toml::Value::as_table);
    let text = |key: &str| server.and_then(|server| server.get(key)).and_then(toml::Value::as_str);
    let listen = text("listen").unwrap_or("127.0.0.1:8080");
    let state_dir = text("state_dir").unwrap_or("/var/lib/reelmill");
    Defaults {
        server: server_address(listen, text("tls_cert").is_some()),
        // Relative paths in the file begin at its folder.
        token_file: config
            .parent()
            .unwrap_or(Path::new(""))
            .join(state_dir)
            .join("admin.token"),
    }
}

/// The address at which a daemon that listens on `listen` can be reached from its own host.
fn server_address(listen: &str, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    match listen.parse::<std::net::SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => format!("{scheme}://127.0.0.1:{}", address.port()),
        _ => format!("{scheme}://{listen}"),
    }
}

#[cfg(test)]
mod tests {
    use super::StreamEvent;
    use super::defaults;
    use super::server_address;

    #[test]
    fn the_daemon_of_this_host_is_found_by_its_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("reelmill.toml");
        std::fs::write(&file, "[server]\nlisten = \"0.0.0.0:9000\"\nstate_dir = \"/srv/r\"\n").expect("written");
        let found = defaults(&file);
        assert_eq!(found.server, "http://127.0.0.1:9000");
        assert_eq!(found.token_file, std::path::Path::new("/srv/r/admin.token"));
        std::fs::write(&file, "[server]\nstate_dir = \"state\"\n").expect("written");
        assert_eq!(defaults(&file).token_file, folder.path().join("state/admin.token"));
        assert_eq!(defaults(&folder.path().join("none")).server, "http://127.0.0.1:8080");
        assert_eq!(server_address("[::]:80", true), "https://127.0.0.1:80");
    }

    #[test]
    fn stream_lines_make_an_event() {
        let mut event = StreamEvent::default();
        for line in [": ping", "id: 7", "event: progress", "data: {", "data: }"] {
            event.take(line);
        }
        assert_eq!(
            (event.id.as_deref(), event.name.as_str(), event.data.as_str()),
            (Some("7"), "progress", "{\n}")
        );
    }
}
