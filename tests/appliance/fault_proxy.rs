//! A proxy before a bucket service that makes it ill, on order.
//!
//! `FaultProxy::start(server.port())` passes everything through and writes it down ([`FaultProxy::seen`]). Each
//! [`FaultProxy::make`] adds a rule: which requests, how many of them, and what befalls them. Signatures stay valid,
//! because the `Host` of the caller is passed on as it is. Nothing shared with the code under test.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::SystemTime;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// What befalls a request.
#[derive(Debug, Clone)]
pub enum Ill {
    /// Answered with this status and body; the service never sees it.
    Status(u16, String),
    /// The same as an error of S3 with this code.
    Error(u16, &'static str),
    /// The connection is reset before any answer; the service never sees the request.
    Reset,
    /// The service carries it out, and the connection is reset in place of the answer.
    LostAnswer,
    /// The answer is cut off by a reset after so many bytes of its body.
    ResetAfter(usize),
    /// The same by an orderly end of the connection.
    EndAfter(usize),
    /// The body is cut to so many bytes, and its announced length is made to fit.
    ShortenTo(usize),
    /// The answer stands still after so many bytes of its body, for as long as the caller waits.
    StallAfter(usize),
    /// Nothing comes at all, for as long as the caller waits; the service never sees the request.
    Stall,
    /// The service's answer, with this header put in place of its own.
    Header(&'static str, String),
    /// Answered with RequestTimeTooSkewed and a Date so many seconds from now; signatures by that clock pass.
    Skewed(i64),
    /// The service's answer, so much later.
    Late(Duration),
    /// Each byte of the body has one bit turned.
    Damage,
}

/// Which requests.
#[derive(Debug, Clone)]
pub struct Rule {
    method: Option<&'static str>,
    target: String,
    not_target: Option<String>,
    skip: usize,
    times: usize,
    ill: Ill,
}

impl Rule {
    /// Every request.
    pub fn new(ill: Ill) -> Self {
        Rule {
            method: None,
            target: String::new(),
            not_target: None,
            skip: 0,
            times: usize::MAX,
            ill,
        }
    }

    /// Only of this method.
    pub fn method(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    /// Only those whose path and query hold this text (as sent: percent-encoded).
    pub fn target(mut self, part: &str) -> Self {
        part.clone_into(&mut self.target);
        self
    }

    /// Only those whose path and query do not hold this text.
    pub fn not_target(mut self, part: &str) -> Self {
        self.not_target = Some(part.to_owned());
        self
    }

    /// Not the first so many of them.
    pub fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Only so many of them.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// Bytes of its body.
    pub body_bytes: usize,
    /// What was answered; 0: nothing.
    pub status: u16,
    /// Bytes of the body that was answered, as far as they were passed on.
    pub answered_bytes: usize,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    seen: Vec<Arc<Mutex<Seen>>>,
    /// Requests that were left to wait.
    stalled: usize,
}

/// The proxy. It ends with the test.
pub struct FaultProxy {
    port: u16,
    state: Arc<Mutex<State>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl FaultProxy {
    /// Listens on a free port of loopback, before the service on `upstream`.
    pub fn start(upstream: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let port = listener.local_addr().expect("its number").port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a socket");
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _ = serve(client, upstream, &state).await;
                });
            }
        });
        FaultProxy {
            port,
            state,
            runtime: Some(runtime),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on. The first rule that fits a request and is not used up befalls it.
    pub fn make(&self, rule: Rule) {
        self.state.lock().expect("not poisoned").rules.push(rule);
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.state.lock().expect("not poisoned").rules.clear();
    }

    /// All requests so far, in the order in which they came. `status` and `answered_bytes` of one that has only just
    /// been answered may not stand there yet.
    pub fn seen(&self) -> Vec<Seen> {
        let state = self.state.lock().expect("not poisoned");
        let entries = state.seen.iter();
        entries
            .map(|entry| entry.lock().expect("not poisoned").clone())
            .collect()
    }

    /// How many requests so far fit.
    pub fn count(&self, fits: impl Fn(&Seen) -> bool) -> usize {
        self.seen().iter().filter(|seen| fits(seen)).count()
    }

    /// Waits until a request came that is left to wait.
    pub async fn stalled(&self) {
        while self.state.lock().expect("not poisoned").stalled == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Forgets what was seen.
    pub fn forget(&self) {
        self.state.lock().expect("not poisoned").seen.clear();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A message head and its body.
struct Message {
    /// The first line.
    first: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

async fn serve(mut client: TcpStream, upstream: u16, state: &Mutex<State>) -> std::io::Result<()> {
    let mut rest = Vec::new();
    while let Some(request) = read_message(&mut client, &mut rest, None).await? {
        let mut words = request.first.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let ill = befalls(state, &method, &target);
        let entry = Seen {
            method: method.clone(),
            target,
            headers: request.headers.clone(),
            body_bytes: request.body.len(),
            status: 0,
            answered_bytes: 0,
        };
        // Shared: it stands in the list from the beginning, and its end is told when it comes.
        let seen = Arc::new(Mutex::new(entry));
        state.lock().expect("not poisoned").seen.push(Arc::clone(&seen));
        if !answer(&mut client, upstream, &request, &method, ill, &seen).await? {
            return Ok(());
        }
    }
    Ok(())
}

fn befalls(state: &Mutex<State>, method: &str, target: &str) -> Option<Ill> {
    let mut state = state.lock().expect("not poisoned");
    for rule in &mut state.rules {
        let fits = rule.method.is_none_or(|wanted| wanted == method)
            && target.contains(&rule.target)
            && rule
                .not_target
                .as_ref()
                .is_none_or(|part| !target.contains(part.as_str()));
        if !fits || rule.times == 0 {
            continue;
        }
        if rule.skip > 0 {
            rule.skip -= 1;
            continue;
        }
        rule.times = rule.times.saturating_sub(usize::from(rule.times != usize::MAX));
        let ill = rule.ill.clone();
        state.stalled += usize::from(matches!(ill, Ill::Stall | Ill::StallAfter(_)));
        return Some(ill);
    }
    None
}

/// Answers one request; says whether the connection goes on.
async fn answer(
    client: &mut TcpStream,
    upstream: u16,
    request: &Message,
    method: &str,
    ill: Option<Ill>,
    seen: &Mutex<Seen>,
) -> std::io::Result<bool> {
    let made = |status: u16, body: String, date: Option<SystemTime>| {
        let mut message = Message {
            first: format!("HTTP/1.1 {status} Made"),
            headers: vec![("Content-Type".to_owned(), "application/xml".to_owned())],
            body: if method == "HEAD" {
                Vec::new()
            } else {
                body.into_bytes()
            },
        };
        let length = message.body.len().to_string();
        message.set("Content-Length", &length);
        message.set("Date", &http_date(date.unwrap_or_else(SystemTime::now)));
        message
    };
    let error = |code: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>made by the proxy</Message></Error>"
        )
    };
    match &ill {
        Some(Ill::Status(status, body)) => return pass(client, made(*status, body.clone(), None), seen).await,
        Some(Ill::Error(status, code)) => return pass(client, made(*status, error(code), None), seen).await,
        Some(Ill::Skewed(by_s)) => {
            let by = Duration::from_secs(by_s.unsigned_abs());
            let now = SystemTime::now();
            let theirs = if *by_s >= 0 { now + by } else { now - by };
            let signed = request.header("x-amz-date").and_then(amz_date);
            let close = signed.is_some_and(|signed| {
                signed.duration_since(theirs).unwrap_or_else(|error| error.duration()) < Duration::from_secs(900)
            });
            if !close {
                let refused = made(403, error("RequestTimeTooSkewed"), Some(theirs));
                return pass(client, refused, seen).await;
            }
            let mut reply = forward(upstream, request, method).await?;
            if status_of(&reply) == 403 {
                // The service behind has our clock and refuses that signature: the proxy is content.
                reply = made(200, String::new(), None);
            }
            reply.set("Date", &http_date(theirs));
            return pass(client, reply, seen).await;
        }
        Some(Ill::Reset) => return reset(client),
        Some(Ill::Stall) => {
            stall(client).await;
            return Ok(false);
        }
        Some(Ill::Late(by)) => tokio::time::sleep(*by).await,
        _ => {}
    }
    let mut reply = forward(upstream, request, method).await?;
    match ill {
        Some(Ill::LostAnswer) => return reset(client),
        Some(Ill::Header(name, value)) => reply.set(name, &value),
        Some(Ill::ShortenTo(bytes)) => {
            reply.body.truncate(bytes);
            let length = reply.body.len().to_string();
            reply.set("Content-Length", &length);
        }
        Some(Ill::Damage) => reply.body.iter_mut().for_each(|byte| *byte ^= 1),
        Some(Ill::ResetAfter(bytes)) => {
            begin(client, &reply, bytes, seen).await?;
            // What was sent has to arrive before the reset takes it away.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return reset(client);
        }
        Some(Ill::EndAfter(bytes)) => {
            begin(client, &reply, bytes, seen).await?;
            client.shutdown().await?;
            return Ok(false);
        }
        Some(Ill::StallAfter(bytes)) => {
            begin(client, &reply, bytes, seen).await?;
            stall(client).await;
            return Ok(false);
        }
        _ => {}
    }
    pass(client, reply, seen).await
}

fn reset(client: &mut TcpStream) -> std::io::Result<bool> {
    client.set_zero_linger()?;
    Ok(false)
}

/// Until the caller goes.
async fn stall(client: &mut TcpStream) {
    let mut byte = [0];
    let _ = client.read(&mut byte).await;
}

async fn begin(client: &mut TcpStream, reply: &Message, bytes: usize, seen: &Mutex<Seen>) -> std::io::Result<()> {
    client.write_all(&reply.head()).await?;
    let part = &reply.body[..bytes.min(reply.body.len())];
    client.write_all(part).await?;
    client.flush().await?;
    let mut seen = seen.lock().expect("not poisoned");
    (seen.status, seen.answered_bytes) = (status_of(reply), part.len());
    Ok(())
}

async fn pass(client: &mut TcpStream, reply: Message, seen: &Mutex<Seen>) -> std::io::Result<bool> {
    seen.lock().expect("not poisoned").status = status_of(&reply);
    client.write_all(&reply.head()).await?;
    for piece in reply.body.chunks(64 << 10) {
        client.write_all(piece).await?;
        seen.lock().expect("not poisoned").answered_bytes += piece.len();
    }
    client.flush().await?;
    Ok(true)
}

fn status_of(reply: &Message) -> u16 {
    let word = reply.first.split(' ').nth(1);
    word.and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Asks the service on a connection of its own.
async fn forward(upstream: u16, request: &Message, method: &str) -> std::io::Result<Message> {
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await?;
    let mut sent = Message {
        first: request.first.clone(),
        headers: request.headers.clone(),
        body: Vec::new(),
    };
    sent.set("Connection", "close");
    server.write_all(&sent.head()).await?;
    server.write_all(&request.body).await?;
    let mut rest = Vec::new();
    let mut reply = read_message(&mut server, &mut rest, Some(method))
        .await?
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    reply.headers.retain(|(name, _)| {
        !name.eq_ignore_ascii_case("connection") && !name.eq_ignore_ascii_case("transfer-encoding")
    });
    if method != "HEAD" && status_of(&reply) != 204 {
        let length = reply.body.len().to_string();
        reply.set("Content-Length", &length);
    }
    Ok(reply)
}

/// Reads a request, or the answer to a request of `answers`. None: the connection ended before one began.
async fn read_message(
    stream: &mut TcpStream,
    rest: &mut Vec<u8>,
    answers: Option<&str>,
) -> std::io::Result<Option<Message>> {
    let head_end = loop {
        if let Some(at) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if !more(stream, rest).await? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&rest[..head_end]).into_owned();
    rest.drain(..head_end);
    let mut lines = head.split("\r\n");
    let mut message = Message {
        first: lines.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    };
    let bare = answers == Some("HEAD") || (answers.is_some() && matches!(status_of(&message), 204 | 304));
    let length = message
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok());
    let chunked = message
        .header("transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if bare {
        return Ok(Some(message));
    }
    match length {
        _ if chunked => message.body = chunks(stream, rest).await?,
        Some(length) => {
            while rest.len() < length {
                if !more(stream, rest).await? {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
            }
            message.body = rest.drain(..length).collect();
        }
        // An answer without a length lasts as long as its connection.
        None if answers.is_some() => {
            while more(stream, rest).await? {}
            message.body = std::mem::take(rest);
        }
        None => {}
    }
    Ok(Some(message))
}

async fn chunks(stream: &mut TcpStream, rest: &mut Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = loop {
            if let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            if !more(stream, rest).await? {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        };
        let line = String::from_utf8_lossy(&rest[..line_end]).into_owned();
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        rest.drain(..line_end + 2);
        while rest.len() < size + 2 {
            if !more(stream, rest).await? {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        body.extend(rest.drain(..size));
        rest.drain(..2);
        if size == 0 {
            return Ok(body);
        }
    }
}

async fn more(stream: &mut TcpStream, rest: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut piece = vec![0; 64 << 10];
    let count = stream.read(&mut piece).await?;
    rest.extend_from_slice(&piece[..count]);
    Ok(count > 0)
}

fn http_date(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).expect("a time of these years");
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `20261121T130000Z`.
fn amz_date(text: &str) -> Option<SystemTime> {
    let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(at.timestamp().into())
}
