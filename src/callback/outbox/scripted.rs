//! For tests: a receiver of callbacks that answers by script.
//!
//! Guarantees: keeps every callback as it came in; counts how many were with it at once. Deliberately absent: HTTP beyond
//! what the client sends; the real receiver stands in `web` and is tried with the outbox in `cli`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// One callback as it came in.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Got {
    /// Value of a header; empty where there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(&name.to_lowercase()).map_or("", String::as_str)
    }
    /// Its task's id.
    pub(super) fn task(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).expect("JSON");
        body["task"]["id"].as_str().expect("a task").to_owned()
    }
}

/// What to answer: number of the callback (from 0) and itself to a status.
pub(super) type Script = Arc<dyn Fn(usize, &Got) -> u16 + Send + Sync>;

/// A receiver that answers by script: number of the callback (from 0) and itself to a status; 0 hangs up, 1 is 200 after
/// the hold is released.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    hold: Arc<Mutex<Option<tokio::sync::watch::Receiver<bool>>>>,
    got: Arc<Mutex<Vec<Got>>>,
    pub(super) most_at_once: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Listens on `at`.
    pub(super) async fn start(at: SocketAddr, script: Script) -> Self {
        let listener = TcpListener::bind(at).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let most_at_once: Arc<AtomicUsize> = Arc::default();
        let hold: Arc<Mutex<Option<tokio::sync::watch::Receiver<bool>>>> = Arc::default();
        let (seen, most, holding) = (Arc::clone(&got), Arc::clone(&most_at_once), Arc::clone(&hold));
        let task = tokio::spawn(async move {
            let at_once = Arc::new(AtomicUsize::new(0));
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (holding, seen, most, at_once, script) = (
                    Arc::clone(&holding),
                    Arc::clone(&seen),
                    Arc::clone(&most),
                    Arc::clone(&at_once),
                    Arc::clone(&script),
                );
                tokio::spawn(async move {
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let answer = listen(stream, &seen, &script).await;
                    if matches!(answer, Some((_, 1))) {
                        let held = holding.lock().expect("no panic").clone();
                        let mut held = held.expect("a hold is set");
                        held.wait_for(|released| *released).await.expect("released");
                    }
                    // Before the answer: the sender may begin the next one as soon as it has this one.
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    if let Some((stream, status)) = answer {
                        reply(stream, status).await;
                    }
                });
            }
        });
        Receiver {
            address,
            hold,
            got,
            most_at_once,
            task,
        }
    }

    /// Listens on a free port.
    pub(super) async fn up(script: impl Fn(usize, &Got) -> u16 + Send + Sync + 'static) -> Self {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::new(script)).await
    }

    /// Answers of status 1 wait for `held` to turn true; resolves when the first such callback has come in.
    pub(super) fn hold(&self, held: tokio::sync::watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
        *self.hold.lock().expect("no panic") = Some(held);
        let got = Arc::clone(&self.got);
        async move {
            while !got.lock().expect("no panic").iter().any(|one| one.task() == "slow") {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }

    /// What came in so far.
    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().expect("no panic").clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one callback and decides on its answer; none: it never came in whole.
async fn listen(mut stream: TcpStream, seen: &Mutex<Vec<Got>>, script: &Script) -> Option<(TcpStream, u16)> {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    let (head, length) = loop {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length:")
                        .map(str::trim)
                        .map(str::to_owned)
                })
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            bytes.drain(..end + 4);
            break (head, length);
        }
    };
    while bytes.len() < length {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
    let got = Got {
        headers: head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect(),
        body: bytes,
    };
    let mut seen = seen.lock().expect("no panic");
    let status = script(seen.len(), &got);
    seen.push(got);
    Some((stream, status))
}

async fn reply(mut stream: TcpStream, status: u16) {
    let status = match status {
        0 => return,
        1 => 200,
        status => status,
    };
    let answer = format!(
        "HTTP/1.1 {status} Scripted\r\nLocation: /elsewhere\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
