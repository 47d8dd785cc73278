//! Fetching a file by its address into a storage.
//!
//! Guarantees: connects only where the reach allows, at every redirect anew; never writes more than the limit; what is
//! told to have come is durable; goes on where an earlier try ended only with what the server proves to be the same
//! content; a server that sends nothing is given up after a time. Deliberately absent: when to try again, rows, and
//! giving the file its name.

mod answer;
mod hop;

use crate::base::address::Reach;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::base::http_client::HttpOptions;
use crate::executor::pull::answer::Course;
use crate::objects::incoming::Incoming;
use crate::objects::inflow::Inflow;
use crate::objects::inflow::OpenInflow;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Bytes gathered before they are written.
const PIECE_BYTES: usize = 1 << 20;
/// Bytes, and time, after which what came is made durable.
const SYNC_BYTES: u64 = 32 << 20;
const SYNC_EVERY: Duration = Duration::from_secs(5);

/// How files are fetched.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// How far addresses may reach.
    pub reach: Reach,
    /// The largest file; none: any.
    pub max_bytes: Option<u64>,
    /// A server that sends nothing for so long is given up.
    pub stall: Duration,
}

/// Fetches files.
#[derive(Debug, Clone)]
pub struct Puller {
    options: PullOptions,
    client: reqwest::Client,
    inflow: Inflow,
}

/// One file to fetch.
#[derive(Clone)]
pub struct PullOrder {
    /// Where its bytes go.
    pub file: Incoming,
    /// The address.
    pub url: Url,
    /// Headers to send along, to the host of the address alone.
    pub headers: Vec<(String, String)>,
    /// The address as messages may show it.
    pub shown: String,
    /// Its name says that it is a media, an image or a text.
    pub named_media: bool,
    /// What came of it before.
    pub came: Came,
}

impl std::fmt::Debug for PullOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PullOrder")
            .field("file", &self.file)
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// What came of a file, durably.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Came {
    /// Bytes.
    pub received_bytes: u64,
    /// Of so many, as the server says.
    pub size_bytes: Option<u64>,
    /// ETag or Last-Modified of what they belong to; none: they are of no use to another try.
    pub validator: Option<String>,
    /// In which parts they are, where they go to a bucket.
    pub pieces: Option<String>,
}

/// A try that did not bring the whole file.
#[derive(Debug)]
pub struct Broken {
    /// Why.
    pub fault: Fault,
    /// What came.
    pub came: Came,
    /// It went on where the one before ended, or began.
    pub went_on: bool,
    /// How long the server wants not to be asked.
    pub retry_after: Option<Duration>,
    /// It was asked to stop.
    pub stopped: bool,
}

impl Puller {
    /// One that works as `options` say.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(options: PullOptions, inflow: Inflow) -> Result<Self, Fault> {
        let client = http_client::build(&HttpOptions::new(options.reach))?;
        Ok(Puller {
            options,
            client,
            inflow,
        })
    }

    /// Fetches a file to its end; news are sent as more of it is durable.
    ///
    /// # Errors
    /// Why it broke off, with what came.
    pub async fn fetch(
        &self,
        order: &PullOrder,
        news: &mpsc::Sender<Came>,
        stop: &CancellationToken,
    ) -> Result<Came, Box<Broken>> {
        let mut fetching = Fetching {
            puller: self,
            order,
            news,
            came: order.came.clone(),
            written: 0,
            open: None,
            went_on: true,
            retry_after: None,
        };
        let ended = tokio::select! {
            ended = fetching.run() => Some(ended),
            () = stop.cancelled() => None,
        };
        let fault = match ended {
            Some(Ok(())) => return Ok(fetching.came),
            Some(Err(fault)) => fault,
            None => stopped(order),
        };
        let was_stopped = stop.is_cancelled();
        // What came is worth keeping, whatever broke it off. Where a bucket did not take the last part, the second time
        // says what is left.
        for _ in 0..2 {
            match fetching.sync().await {
                Ok(()) => break,
                Err(unsynced) => {
                    tracing::debug!(url = order.shown, %unsynced, "the last bytes of a broken pull are lost")
                }
            }
        }
        Err(Box::new(Broken {
            fault,
            came: fetching.came,
            went_on: fetching.went_on,
            retry_after: fetching.retry_after,
            stopped: was_stopped,
        }))
    }
}

/// One try.
struct Fetching<'a> {
    puller: &'a Puller,
    order: &'a PullOrder,
    news: &'a mpsc::Sender<Came>,
    /// What is durable.
    came: Came,
    /// Up to where it is written.
    written: u64,
    open: Option<OpenInflow>,
    went_on: bool,
    retry_after: Option<Duration>,
}

impl Fetching<'_> {
    async fn run(&mut self) -> Result<(), Fault> {
        self.look_at_what_is_there().await?;
        let reached = hop::reach(self.puller, self.order, &self.came).await?;
        let answer = match reached {
            hop::Reached::Answer(answer) => answer,
            hop::Reached::Busy { fault, retry_after } => {
                self.retry_after = retry_after;
                return Err(fault);
            }
        };
        let head = answer::Head::of(&answer);
        let course = answer::course(&head, &self.came, self.order, self.puller.options.max_bytes)?;
        let (offset, size_bytes) = match course {
            Course::Whole => return Ok(()),
            Course::Anew => {
                self.drop_what_came().await;
                return Err(broken(
                    self.order,
                    "PullChanged",
                    "what the server has now is not what came before; it is fetched anew",
                ));
            }
            Course::From { offset, size_bytes } => (offset, size_bytes),
        };
        if offset == 0 && self.came.received_bytes > 0 {
            self.went_on = false;
        }
        self.came = Came {
            received_bytes: offset,
            size_bytes,
            validator: head.validator(),
            pieces: self.came.pieces.take().filter(|_| offset > 0),
        };
        self.open(offset, size_bytes).await?;
        self.drink(answer).await?;
        self.sync().await?;
        match size_bytes {
            Some(size_bytes) if size_bytes != self.came.received_bytes => Err(broken(
                self.order,
                "PullCut",
                format!("only {} of {size_bytes} bytes came", self.came.received_bytes),
            )),
            _ => Ok(()),
        }
    }

    /// Bytes that were said to be there and are not begin anew.
    async fn look_at_what_is_there(&mut self) -> Result<(), Fault> {
        if self.came.received_bytes == 0 {
            return Ok(());
        }
        let there = self.puller.inflow.received(&self.order.file).await?;
        if there.unwrap_or(0) < self.came.received_bytes || self.came.validator.is_none() {
            self.drop_what_came().await;
        }
        Ok(())
    }

    /// What came is of no use. What of it cannot be dropped now is swept.
    async fn drop_what_came(&mut self) {
        self.came = Came::default();
        self.went_on = false;
        if let Err(fault) = self.puller.inflow.discard(&self.order.file).await {
            tracing::debug!(url = self.order.shown, %fault, "what came of a pull is left until the next sweep");
        }
    }

    async fn open(&mut self, offset: u64, size_bytes: Option<u64>) -> Result<(), Fault> {
        let (inflow, file) = (&self.puller.inflow, &self.order.file);
        if offset == 0 {
            inflow.begin(file, size_bytes).await?;
        }
        self.open = Some(inflow.open(file, offset, size_bytes).await?);
        self.written = offset;
        Ok(())
    }

    /// Takes the body.
    async fn drink(&mut self, mut answer: reqwest::Response) -> Result<(), Fault> {
        let mut gathered: Vec<u8> = Vec::with_capacity(PIECE_BYTES);
        let mut synced = Instant::now();
        loop {
            let next = tokio::time::timeout(self.puller.options.stall, answer.chunk()).await;
            let (chunk, ending) = match next {
                Ok(Ok(Some(chunk))) => (Some(chunk), None),
                Ok(Ok(None)) => (None, None),
                Ok(Err(error)) => {
                    let cause = format!("the connection broke off: {}", http_client::chain(&error));
                    (None, Some(broken(self.order, "PullCut", cause)))
                }
                Err(_) => {
                    let cause = format!("the server sent nothing for {} s", self.puller.options.stall.as_secs());
                    (None, Some(broken(self.order, "PullStalled", cause)))
                }
            };
            let last = chunk.is_none();
            if let Some(chunk) = chunk {
                gathered.extend_from_slice(&chunk);
                answer::within(
                    self.written + gathered.len() as u64,
                    self.puller.options.max_bytes,
                    self.order,
                )?;
            }
            if gathered.len() >= PIECE_BYTES || (last && !gathered.is_empty()) {
                self.write(std::mem::replace(&mut gathered, Vec::with_capacity(PIECE_BYTES)))
                    .await?;
            }
            match (last, ending) {
                (true, Some(fault)) => return Err(fault),
                (true, None) => return Ok(()),
                _ => {}
            }
            if self.written - self.came.received_bytes >= SYNC_BYTES || synced.elapsed() >= SYNC_EVERY {
                self.sync().await?;
                synced = Instant::now();
            }
        }
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), Fault> {
        let length = bytes.len() as u64;
        let open = self.open.as_mut().expect("it was opened before anything came");
        open.write(Bytes::from(bytes)).await?;
        self.written += length;
        Ok(())
    }

    /// Makes durable what is written, and tells it.
    async fn sync(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let synced = open.sync().await?;
        self.came.received_bytes = synced.offset;
        self.came.pieces = synced.pieces;
        // Nobody listens any more: the end will say it.
        let _ = self.news.send(self.came.clone()).await;
        Ok(())
    }
}

/// A fault of the way there that may heal.
fn broken(order: &PullOrder, code: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        code,
        Blame::Host,
        "fetch",
        order.shown.as_str(),
        cause,
        "Nothing: it is tried again by itself. Should it go on, look at the server.",
    )
}

fn stopped(order: &PullOrder) -> Fault {
    broken(order, "PullStopped", "it was asked to stop")
}
