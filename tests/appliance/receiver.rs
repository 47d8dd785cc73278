//! An asset manager that writes down what it is told: a plain HTTP server on loopback with a switch for being ill.

use serde_json::Value;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

/// One callback as it came in.
#[derive(Debug, Clone)]
pub struct Callback {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Callback {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("callbacks are JSON")
    }

    pub fn event_type(&self) -> String {
        self.json()["EventType"].as_str().unwrap_or_default().to_owned()
    }
}

/// The server.
pub struct Receiver {
    port: u16,
    status: Arc<AtomicU16>,
    heard: Arc<Mutex<Vec<Callback>>>,
}

impl Receiver {
    /// Listens on a free port and answers 200.
    pub fn start() -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    /// Listens on a given port: a receiver that comes up later.
    pub fn start_at(port: u16) -> Self {
        Self::listen(TcpListener::bind(("127.0.0.1", port)).expect("the port is free"))
    }

    /// Listens there.
    pub fn listen(listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("its number").port();
        let receiver = Receiver {
            port,
            status: Arc::new(AtomicU16::new(200)),
            heard: Arc::new(Mutex::new(Vec::new())),
        };
        let (status, heard) = (receiver.status.clone(), receiver.heard.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (status, heard) = (status.clone(), heard.clone());
                std::thread::spawn(move || answer(stream, &status, &heard));
            }
        });
        receiver
    }

    /// Where callbacks go.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// The status it answers with from now on.
    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Everything it accepted (answered with 2xx) so far, in order.
    pub fn accepted(&self) -> Vec<Callback> {
        self.heard.lock().expect("no panic holds it").clone()
    }

    /// The accepted ones of one type.
    pub fn of_type(&self, event_type: &str) -> Vec<Callback> {
        self.accepted()
            .into_iter()
            .filter(|callback| callback.event_type() == event_type)
            .collect()
    }
}

fn answer(stream: TcpStream, status: &AtomicU16, heard: &Mutex<Vec<Callback>>) {
    let Ok(clone) = stream.try_clone() else { return };
    let mut reader = BufReader::new(clone);
    let mut stream = stream;
    loop {
        let Some(callback) = read_request(&mut reader) else {
            return;
        };
        let code = status.load(Ordering::SeqCst);
        if (200..300).contains(&code) {
            heard.lock().expect("no panic holds it").push(callback);
        }
        let reply = format!("HTTP/1.1 {code} Said\r\nContent-Length: 0\r\n\r\n");
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Callback> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Callback { path, headers, body })
}
