//! Mails over TLS, begun with STARTTLS or at once, with a log-in; to a server that shows a certificate of its own authority.

use crate::certificates;
use crate::world::arrive;
use crate::world::configured;
use crate::world::deliveries;
use crate::world::write;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

const USER: &str = "mill";
const PASSWORD: &str = "p ä$s";

/// What came in, each line with whether it was encrypted.
type Heard = Arc<Mutex<Vec<(bool, String)>>>;

/// Takes mails from whoever logs in. `wrapped`: it speaks TLS from the first byte. Returns its port.
fn server(config: Arc<ServerConfig>, wrapped: bool, heard: Heard) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, heard) = (config.clone(), heard.clone());
            std::thread::spawn(move || {
                // A client that hangs up is none of the server's business.
                let _ = converse(stream, config, wrapped, &heard);
            });
        }
    });
    port
}

fn converse(stream: TcpStream, config: Arc<ServerConfig>, wrapped: bool, heard: &Heard) -> std::io::Result<()> {
    let encrypted = |stream: TcpStream| {
        let connection = ServerConnection::new(config).expect("a connection");
        speak(
            &mut BufReader::new(StreamOwned::new(connection, stream)),
            true,
            wrapped,
            heard,
        )
    };
    if wrapped {
        return encrypted(stream).map(|_| ());
    }
    let wants_tls = speak(&mut BufReader::new(stream.try_clone()?), false, true, heard)?;
    if wants_tls {
        encrypted(stream)?;
    }
    Ok(())
}

/// One conversation; true: the client wants TLS now.
fn speak<S: Read + Write>(
    stream: &mut BufReader<S>,
    encrypted: bool,
    greets: bool,
    heard: &Heard,
) -> std::io::Result<bool> {
    if greets {
        stream.get_mut().write_all(b"220 test ESMTP\r\n")?;
    }
    let (mut line, mut in_text) = (String::new(), false);
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let said = line.trim_end().to_owned();
        heard.lock().expect("no panic").push((encrypted, said.clone()));
        if in_text {
            if said == "." {
                in_text = false;
                stream.get_mut().write_all(b"250 taken\r\n")?;
            }
            continue;
        }
        let login = || {
            let told = said
                .strip_prefix("AUTH PLAIN ")
                .and_then(|text| STANDARD.decode(text).ok());
            told == Some(format!("\0{USER}\0{PASSWORD}").into_bytes())
        };
        let answer: &[u8] = match said.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" if encrypted => b"250-test\r\n250 AUTH PLAIN\r\n",
            "EHLO" => b"250-test\r\n250 STARTTLS\r\n",
            "STARTTLS" => {
                stream.get_mut().write_all(b"220 go ahead\r\n")?;
                return Ok(true);
            }
            "AUTH" if login() => b"235 welcome\r\n",
            "AUTH" => b"535 who are you\r\n",
            "MAIL" | "RCPT" => b"250 ok\r\n",
            "DATA" => {
                in_text = true;
                b"354 go on\r\n"
            }
            "QUIT" => {
                stream.get_mut().write_all(b"221 bye\r\n")?;
                return Ok(false);
            }
            _ => b"502 what\r\n",
        };
        stream.get_mut().write_all(answer)?;
    }
}

/// Issue, 8: "mail by SMTP". A mail and its password travel encrypted, to whoever shows a certificate of the named authority;
/// a wrong password and a strange certificate are said.
#[test]
fn a_mail_travels_encrypted_after_starttls_and_over_tls_with_a_login() {
    let folder = tempfile::tempdir().expect("a folder");
    certificates::make(folder.path());
    let config = certificates::config(folder.path());
    let heard: [Heard; 2] = Default::default();
    let ports = [
        server(config.clone(), false, heard[0].clone()),
        server(config, true, heard[1].clone()),
    ];
    let mail = |name: &str, port: u16, security: &str, more: &str| {
        format!(
            "[[destination]]\nname = \"{name}\"\nkind = \"mail\"\nsmtp = \"127.0.0.1:{port}\"\nsecurity = \"{security}\"\n\
             from = \"mill@studio.example\"\nto = [\"{name}@studio.example\"]\nglobal = true\nretry = \"ims\"\n\
             events = [\"WorkflowTaskComplete\"]\nuser = \"{USER}\"\n{more}\n"
        )
    };
    let authority = format!("tls_ca_file = \"{}/ca.pem\"\n", folder.path().display());
    let known = format!("{authority}password_file = \"{{root}}/password\"");
    let sections = [
        mail("started", ports[0], "starttls", &known),
        mail("wrapped", ports[1], "tls", &known),
        mail(
            "wrong",
            ports[0],
            "starttls",
            &format!("{authority}password_file = \"{{root}}/wrong\""),
        ),
        mail("strange", ports[0], "starttls", "password_file = \"{root}/password\""),
    ];
    let mut appliance = configured(&sections.concat());
    write(&appliance, "password", PASSWORD);
    write(&appliance, "wrong", "guess");
    appliance.start();
    arrive(&appliance, "a.bin");
    appliance.ended_tasks(1);
    for (name, status, cause) in [
        ("started", "done", ""),
        ("wrapped", "done", ""),
        ("wrong", "dead", "who are you"),
        ("strange", "dead", "certificate"),
    ] {
        let found = appliance.until(&format!("the mail of {name}"), || {
            deliveries(&appliance, &format!("destination={name}&status={status}")).pop()
        });
        let error = found["last_error"].as_str().unwrap_or_default();
        assert!(error.contains(cause), "{name}: {error}");
        assert!(!error.contains(PASSWORD), "{name}: {error}");
    }
    for (name, heard) in ["started", "wrapped"].iter().zip(&heard) {
        let heard = heard.lock().expect("no panic");
        let in_the_clear: Vec<&str> = heard
            .iter()
            .filter(|(encrypted, _)| !encrypted)
            .map(|(_, line)| line.as_str())
            .filter(|line| !line.starts_with("EHLO ") && *line != "STARTTLS" && *line != "QUIT")
            .collect();
        assert!(in_the_clear.is_empty(), "{name}: {in_the_clear:?}");
        let to = format!("RCPT TO:<{name}@studio.example>");
        assert!(heard.contains(&(true, to)), "{name}: {heard:?}");
    }
}
