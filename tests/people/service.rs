//! A service that is asked: an HTTP server on loopback that writes down what it is asked and answers as the test says.

use serde_json::Value;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

/// One question as it came in.
#[derive(Debug, Clone)]
pub struct Question {
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// The same as it was sent.
    pub raw: Vec<u8>,
}

impl Question {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

/// The status and body of the answer to question number `n`, from 0; none: the service says nothing and waits until the
/// asker goes away.
pub type Says = dyn Fn(usize, &Question) -> Option<(u16, String)> + Send + Sync;

/// The service.
pub struct Service {
    port: u16,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Service {
    pub fn start(says: impl Fn(usize, &Question) -> Option<(u16, String)> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let service = Service {
            port: listener.local_addr().expect("its number").port(),
            asked: Arc::default(),
        };
        let (asked, says) = (service.asked.clone(), Arc::new(says) as Arc<Says>);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, says) = (asked.clone(), says.clone());
                std::thread::spawn(move || serve(stream, &asked, &*says));
            }
        });
        service
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/look", self.port)
    }

    pub fn asked(&self) -> Vec<Question> {
        self.asked.lock().expect("no panic holds it").clone()
    }
}

fn serve(stream: TcpStream, asked: &Mutex<Vec<Question>>, says: &Says) {
    let Ok(clone) = stream.try_clone() else { return };
    let mut reader = BufReader::new(clone);
    let mut stream = stream;
    while let Some(question) = read(&mut reader) {
        let number = {
            let mut asked = asked.lock().expect("no panic holds it");
            asked.push(question.clone());
            asked.len() - 1
        };
        let Some((status, body)) = says(number, &question) else {
            // Until the other side closes.
            let _ = reader.read(&mut [0]);
            return;
        };
        let length = body.len();
        let reply = format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n\r\n{body}");
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Question> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
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
    let mut raw = vec![0; length];
    reader.read_exact(&mut raw).ok()?;
    let body = serde_json::from_slice(&raw).expect("questions are JSON");
    Some(Question { headers, body, raw })
}
