//! A web server that does what it is told, also what no server should.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub headers: Vec<(String, String)>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// `Range: bytes=N-`.
    pub fn from(&self) -> Option<usize> {
        self.header("range")?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    }
}

/// What the server does.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Sends only so many bytes of the body, and then...
    pub upto: Option<usize>,
    /// ... nothing, with the connection open, until the server goes.
    pub stall: bool,
}

impl Told {
    pub fn ok(content_type: &str, body: &[u8]) -> Self {
        Told {
            status: 200,
            headers: vec![
                ("Content-Type".to_owned(), content_type.to_owned()),
                ("Content-Length".to_owned(), body.len().to_string()),
            ],
            body: body.to_vec(),
            ..Told::default()
        }
    }

    pub fn status(status: u16) -> Self {
        Told {
            status,
            headers: vec![("Content-Length".to_owned(), "0".to_owned())],
            ..Told::default()
        }
    }

    pub fn redirect(to: &str) -> Self {
        Self::status(302).with("Location", to)
    }

    /// What a good server does: a range where one is asked for under the same tag.
    pub fn file(asked: &Asked, content: &[u8], tag: &str) -> Self {
        let etag = format!("\"{tag}\"");
        match asked.from() {
            Some(first) if asked.header("if-range") == Some(&etag) && first < content.len() => {
                let mut told = Told::ok("video/mp4", &content[first..]);
                told.status = 206;
                let range = format!("bytes {first}-{}/{}", content.len() - 1, content.len());
                told.with("Content-Range", &range).with("ETag", &etag)
            }
            _ => Told::ok("video/mp4", content).with("ETag", &etag),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn cut(mut self, upto: usize) -> Self {
        self.upto = Some(upto);
        self
    }

    pub fn stall(mut self, upto: usize) -> Self {
        self.upto = Some(upto);
        self.stall = true;
        self
    }
}

/// The server.
pub struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    _end: mpsc::Sender<()>,
}

impl Server {
    /// Answers the n-th request (from 0) as it is told.
    pub fn start(tell: impl Fn(&Asked, usize) -> Told + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let (tell, log) = (Arc::new(tell), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tell, log, ended) = (Arc::clone(&tell), Arc::clone(&log), Arc::clone(&ended));
                std::thread::spawn(move || answer(stream, &*tell, &log, &ended));
            }
        });
        Server { port, asked, _end: end }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic holds it").clone()
    }
}

fn answer(
    mut stream: TcpStream,
    tell: &(dyn Fn(&Asked, usize) -> Told + Send + Sync),
    log: &Mutex<Vec<Asked>>,
    ended: &Mutex<mpsc::Receiver<()>>,
) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() {
            return;
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let asked = Asked { path, headers };
    let number = {
        let mut log = log.lock().expect("no panic holds it");
        log.push(asked.clone());
        log.len() - 1
    };
    let told = tell(&asked, number);
    let mut head = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", told.status);
    for (name, value) in &told.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let upto = told.upto.unwrap_or(told.body.len()).min(told.body.len());
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&told.body[..upto]);
    let _ = stream.flush();
    if told.stall {
        // Ends when the server is dropped: its sender goes then.
        loop {
            let over = ended
                .lock()
                .map(|ended| matches!(ended.try_recv(), Err(mpsc::TryRecvError::Disconnected)));
            if over.unwrap_or(true) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}
