//! The REST client behind every command that speaks to a running daemon.
//!
//! Guarantees: a refusal is shown with its detail and its remedy; the token goes only to the server that was named.
//! Deliberately absent: retries; a command says what happened and its user decides.

use crate::base::trust;
use crate::cli::Context;
use crate::cli::outcome::BadUsage;
use crate::cli::remote::Place;
use crate::cli::remote::Remote;
use crate::web::error::Problem;
use anyhow::Context as _;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::Url;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How long a change may take; copying a large database takes longest.
const WRITE_WITHIN: Duration = Duration::from_secs(3600);

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
        let Place {
            server,
            token,
            authorities,
        } = remote.find(&context.config)?;
        let named = authorities.map(|file| read_authorities(&file)).transpose()?;
        let tls = trust::client(named.as_slice(), None).map_err(|fault| BadUsage(fault.to_string()))?;
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("reelmill/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls);
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

    /// POST of nothing whose answer is a file.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn post_for_bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let url = self.url(path)?;
        let request = self
            .http
            .post(url.clone())
            .bearer_auth(&self.token)
            .timeout(Duration::from_secs(120));
        let response = request
            .send()
            .await
            .map_err(|error| no_answer(Method::POST, &url, &error))?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| no_answer(Method::POST, &url, &error))?;
        match status.is_success() {
            true => Ok(body.to_vec()),
            false => Err(refusal(status, &body, &url)),
        }
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

fn read_authorities(file: &Path) -> anyhow::Result<Vec<u8>> {
    let read = std::fs::read(file);
    Ok(read.map_err(|error| BadUsage(format!("read of {} failed: {error}", file.display())))?)
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

#[cfg(test)]
mod tests {
    use super::StreamEvent;

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
