//! One request to a bucket, signed, sent, and sent again while that can help.
//!
//! Guarantees: repeated with growing, scattered pauses on silence, 5xx and "slow down", for a bounded time; never where
//! it cannot help; other keys and a right clock are tried once each. What moves no byte for a while is given up, however
//! long it may take as long as bytes move. Deliberately absent: what the answer means to who asked.

use crate::base::backoff;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::objects::s3::breaker::Ticket;
use crate::objects::s3::credentials::Keys;
use crate::objects::s3::forms;
use crate::objects::s3::refusal::Refusal;
use crate::objects::s3::service::Service;
use crate::objects::s3::signing;
use crate::objects::s3::signing::Signer;
use reqwest::Method;
use reqwest::Response;
use reqwest::StatusCode;
use reqwest::header::CONTENT_LENGTH;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::bytes::Bytes;
use tokio_util::bytes::BytesMut;

/// Bytes of the longest answer that is read as a whole.
const ANSWER_BYTES: usize = 32 << 20;
/// Bytes of a body that are handed over at a time: what moves shows in steps of these.
const STEP_BYTES: usize = 64 << 10;
/// Services accept signatures that are at most 15 minutes off; less than this is not what they refuse.
const CLOCK_TOLERANCE_MS: i64 = 300_000;
/// Longest pause that a service may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(30);
/// Times that a body may arrive damaged.
const DAMAGED_TRIES: u32 = 3;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    /// For faults: `read`, `list`.
    pub operation: &'static str,
    pub method: Method,
    /// In its text form; empty: the bucket itself.
    pub key: &'a str,
    pub query: Vec<(&'static str, String)>,
    headers: HeaderMap,
    /// A header that cannot be sent.
    unsendable: Option<&'static str>,
    pub body: Bytes,
    pub wants: Wants,
    /// The service works for a while before it answers.
    pub at_work: bool,
    /// Time for it with all repetitions; none: as the options say.
    pub limit: Option<Duration>,
}

/// What of the answer is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// Its head; the body is read by who asked.
    Head,
    /// All of it, whatever it is.
    All,
    /// All of it, which has to be XML to its end.
    Form,
}

/// An answer of 2xx.
#[derive(Debug)]
pub(super) struct Reply {
    pub headers: HeaderMap,
    pub status: StatusCode,
    pub body: Bytes,
    /// For [`Wants::Head`]: the body, unread.
    pub open: Option<Response>,
    /// An earlier try of the same request got no answer and may have been carried out.
    pub unsure: bool,
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service refused.
    Refused(Refusal),
    /// Anything else.
    Fault(Fault),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault)
    }
}

/// How one try failed.
enum Trouble {
    /// Nothing came, or not to its end. `sent`: the request may have been carried out.
    Silent {
        cause: String,
        sent: bool,
    },
    Refused {
        refusal: Refusal,
        after: Option<Duration>,
        date_s: Option<i64>,
    },
    Final(Fault),
}

impl<'a> Ask<'a> {
    pub(super) fn new(operation: &'static str, method: Method, key: &'a str) -> Self {
        Ask {
            operation,
            method,
            key,
            query: Vec::new(),
            headers: HeaderMap::new(),
            unsendable: None,
            body: Bytes::new(),
            wants: Wants::All,
            at_work: false,
            limit: None,
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(sendable) if value.is_ascii() => {
                self.headers.insert(HeaderName::from_static(name), sendable);
            }
            _ => self.unsendable = Some(name),
        }
        self
    }

    /// A header `x-amz-meta-NAME`.
    pub(super) fn metadata(mut self, name: &str, value: &str) -> Self {
        let header = HeaderName::from_bytes(format!("x-amz-meta-{name}").as_bytes());
        match (header, HeaderValue::from_str(value)) {
            (Ok(header), Ok(sendable)) if value.is_ascii() => {
                self.headers.insert(header, sendable);
            }
            _ => self.unsendable = Some("x-amz-meta"),
        }
        self
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn wants(mut self, wants: Wants) -> Self {
        self.wants = wants;
        self
    }

    /// The service works for a while before it answers.
    pub(super) fn at_work(mut self) -> Self {
        self.at_work = true;
        self
    }

    pub(super) fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Service {
    /// Asks, as often as it helps, and gives the 2xx answer.
    pub(super) async fn exchange(&self, ask: &Ask<'_>) -> Result<Reply, Failure> {
        let patience = self.options.patience;
        let total = ask.limit.unwrap_or(patience.total);
        let deadline = Instant::now() + total;
        let body_sha256 = match self.options.endpoint.scheme() {
            "https" if !ask.body.is_empty() => signing::UNSIGNED.to_owned(),
            _ => signing::sha256_hex(&ask.body),
        };
        let mut keys = self.keyring.keys().await?;
        let (mut renewed, mut clock_set, mut unsure) = (false, false, false);
        let (mut tries, mut damaged) = (0, 0);
        loop {
            let ticket = match self.breaker.enter(deadline, total.max(patience.total)).await {
                Ok(ticket) => ticket,
                Err(dead) => {
                    let cause = format!("{} has not answered for {} s", self.options.endpoint, dead.as_secs());
                    return Err(self.not_answering(ask, cause).into());
                }
            };
            let trouble = match self.once(ask, &keys, &body_sha256).await {
                Ok(mut reply) => {
                    ticket.answered();
                    self.mark_seen();
                    reply.unsure = unsure;
                    return Ok(reply);
                }
                Err(trouble) => trouble,
            };
            let (cause, asked) = match trouble {
                Trouble::Final(fault) => return Err(fault.into()),
                Trouble::Silent { cause, sent } => {
                    unsure |= sent;
                    ticket.silent();
                    (cause, None)
                }
                Trouble::Refused {
                    mut refusal,
                    after,
                    date_s,
                } => {
                    heard(ticket, &refusal);
                    if (refusal.is_about_time() || refusal.is_about_keys()) && !clock_set {
                        let error_ms = date_s.map_or(0, |date_s| self.clock_error_ms(date_s));
                        if error_ms.abs() > CLOCK_TOLERANCE_MS {
                            clock_set = true;
                            self.correct_clock(error_ms);
                            continue;
                        }
                    }
                    if refusal.is_about_keys() && !refusal.is_about_time() && !renewed {
                        renewed = true;
                        if let Some(others) = self.keyring.renew(&keys).await? {
                            keys = others;
                            continue;
                        }
                    }
                    damaged += u32::from(refusal.is_damage());
                    if !refusal.is_passing() || damaged >= DAMAGED_TRIES {
                        refusal.unsure = unsure;
                        return Err(Failure::Refused(refusal));
                    }
                    unsure |= refusal.status.is_server_error();
                    (refusal.words(), after)
                }
            };
            tries += 1;
            let pause = asked.unwrap_or_default().max(self.pause(tries));
            if Instant::now() + pause >= deadline {
                let cause = format!("{cause} ({tries} tries within {} s)", total.as_secs());
                return Err(self.not_answering(ask, cause).into());
            }
            tracing::debug!(
                storage = %self.options.name, operation = ask.operation, key = ask.key, %cause, tries,
                "a request to a bucket failed and is repeated"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// How long to wait after so many failed tries: scattered, so that not all come back at once.
    pub(super) fn pause(&self, tries: u32) -> Duration {
        let patience = self.options.patience;
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let about_ms = backoff::delay_ms(tries, ms(patience.first_pause), ms(patience.longest_pause));
        let share = f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX);
        Duration::from_secs_f64((about_ms as f64) / 1_000.0 * (0.5 + share))
    }

    /// The fault of a failed request.
    pub(super) fn fault(&self, ask: &Ask<'_>, failure: Failure) -> Fault {
        match failure {
            Failure::Fault(fault) => fault,
            Failure::Refused(refusal) => refusal.fault(
                ask.operation,
                &self.subject(ask.key),
                &self.address(""),
                &self.keyring.remedy(),
            ),
        }
    }

    /// Nothing came, for as long as it is waited for.
    pub(super) fn not_answering(&self, ask: &Ask<'_>, cause: impl Into<String>) -> Fault {
        Fault::new(
            "StorageNotAnswering",
            Blame::Host,
            ask.operation,
            self.subject(ask.key),
            cause,
            format!(
                "Check the network and the service at {}; work goes on by itself when it answers again.",
                self.options.endpoint
            ),
        )
    }

    fn unaskable(&self, ask: &Ask<'_>, cause: impl Into<String>) -> Trouble {
        Trouble::Final(Fault::new(
            "KeyRefused",
            Blame::Request,
            ask.operation,
            self.subject(ask.key),
            cause,
            "Rename the object, or correct the keys and the section of the storage.",
        ))
    }

    async fn once(&self, ask: &Ask<'_>, keys: &Arc<Keys>, body_sha256: &str) -> Result<Reply, Trouble> {
        if let Some(name) = ask.unsendable {
            return Err(self.unaskable(ask, format!("the header {name} would hold more than ASCII")));
        }
        let url = self
            .url(ask.key, &ask.query)
            .map_err(|cause| self.unaskable(ask, cause))?;
        let mut headers = ask.headers.clone();
        let signer = Signer {
            keys,
            region: &self.options.region,
            at: self.now(),
        };
        signer
            .sign(ask.method.as_str(), &url, &mut headers, body_sha256)
            .map_err(|cause| self.unaskable(ask, cause))?;
        let moved = Arc::new(AtomicU64::new(0));
        let mut request = self.client.request(ask.method.clone(), url).headers(headers);
        if !ask.body.is_empty() {
            request = request
                .header(CONTENT_LENGTH, ask.body.len())
                .body(stepwise(ask.body.clone(), Arc::clone(&moved)));
        } else if ask.method == Method::PUT || ask.method == Method::POST {
            request = request.header(CONTENT_LENGTH, 0);
        }
        let _slot = self.requests.acquire().await.expect("the slots are never closed");
        let patience = self.options.patience;
        let idle = if ask.at_work {
            patience.idle_at_work
        } else {
            patience.idle
        };
        let response = match while_moving(request.send(), &moved, idle).await {
            None => {
                return Err(Trouble::Silent {
                    cause: format!("nothing moved for {} s", idle.as_secs_f32()),
                    sent: true,
                });
            }
            Some(Err(error)) => return Err(self.unsent(ask, &error)),
            Some(Ok(response)) => response,
        };
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() && ask.wants == Wants::Head {
            return Ok(Reply {
                headers,
                status,
                body: Bytes::new(),
                open: Some(response),
                unsure: false,
            });
        }
        let body = whole(response, idle)
            .await
            .map_err(|cause| Trouble::Silent { cause, sent: true })?;
        // Completing and copying are answered with 200 before they are done; how they ended comes in the body.
        let failed_late = status.is_success() && forms::root(&body).is_some_and(|root| root == "Error");
        if !status.is_success() || failed_late {
            return Err(Trouble::Refused {
                refusal: Refusal::read(status, &headers, &body),
                after: asked_pause(&headers),
                date_s: date_s(&headers),
            });
        }
        if ask.wants == Wants::Form
            && let Err(cause) = forms::check_whole(&body)
        {
            return Err(Trouble::Silent { cause, sent: true });
        }
        Ok(Reply {
            headers,
            status,
            body,
            open: None,
            unsure: false,
        })
    }

    fn unsent(&self, ask: &Ask<'_>, error: &reqwest::Error) -> Trouble {
        let cause = http_client::chain(error);
        if let Some(refused) = http_client::refused_address(error) {
            return self.unaskable(ask, refused);
        }
        if error.is_connect() && cause.contains("certificate") {
            return Trouble::Final(
                Fault::new(
                    "CertificateRefused",
                    Blame::Host,
                    ask.operation,
                    self.subject(ask.key),
                    cause,
                    "Name the service's authority in tls_ca_file of the storage, or install it on this host.",
                )
                .retryable(false),
            );
        }
        Trouble::Silent {
            sent: !error.is_connect(),
            cause,
        }
    }
}

/// Tells the breaker whether a refusal was the word of the service or of something before it.
fn heard(ticket: Ticket<'_>, refusal: &Refusal) {
    if refusal.is_silence() {
        ticket.silent();
    } else {
        ticket.answered();
    }
}

/// A body in steps that are counted when they are taken.
fn stepwise(body: Bytes, moved: Arc<AtomicU64>) -> reqwest::Body {
    let steps = futures_util::stream::unfold((body, moved), |(mut rest, moved)| async move {
        if rest.is_empty() {
            return None;
        }
        let step = rest.split_to(rest.len().min(STEP_BYTES));
        moved.fetch_add(step.len() as u64, Ordering::Relaxed);
        Some((Ok::<_, std::io::Error>(step), (rest, moved)))
    });
    reqwest::Body::wrap_stream(steps)
}

/// Waits for `work` as long as `moved` changes within each `idle`.
async fn while_moving<T>(work: impl Future<Output = T>, moved: &AtomicU64, idle: Duration) -> Option<T> {
    tokio::pin!(work);
    let mut seen = moved.load(Ordering::Relaxed);
    loop {
        tokio::select! {
            done = &mut work => return Some(done),
            () = tokio::time::sleep(idle) => {
                let now = moved.load(Ordering::Relaxed);
                if now == seen {
                    return None;
                }
                seen = now;
            }
        }
    }
}

/// The next piece of a body.
pub(super) async fn next_piece(response: &mut Response, idle: Duration) -> Result<Option<Bytes>, String> {
    match tokio::time::timeout(idle, response.chunk()).await {
        Err(_) => Err(format!("the answer stood still for {} s", idle.as_secs_f32())),
        Ok(Err(error)) => Err(format!("the answer broke off: {}", http_client::chain(&error))),
        Ok(Ok(piece)) => Ok(piece),
    }
}

async fn whole(mut response: Response, idle: Duration) -> Result<Bytes, String> {
    let mut body = BytesMut::new();
    while let Some(piece) = next_piece(&mut response, idle).await? {
        if body.len() + piece.len() > ANSWER_BYTES {
            return Err("the answer is longer than any should be".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = text(headers, "retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_ASKED))
}

/// The text of a header.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn date_s(headers: &HeaderMap) -> Option<i64> {
    forms::http_date_s(text(headers, "date")?)
}
