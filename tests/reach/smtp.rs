//! Mails, to a small server that keeps what it is given.

use crate::world::arrive;
use crate::world::configured;
use crate::world::deliveries;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

/// What a mail server was told.
#[derive(Debug, Clone, Default)]
struct Mail {
    from: String,
    to: Vec<String>,
    text: String,
}

/// Takes mails for everybody but `nobody@...`. Returns its port and what it took.
fn server() -> (u16, Arc<Mutex<Vec<Mail>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let took: Arc<Mutex<Vec<Mail>>> = Arc::default();
    let kept = took.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = kept.clone();
            std::thread::spawn(move || {
                // A client that hangs up is none of the server's business.
                let _ = converse(stream, &kept);
            });
        }
    });
    (port, took)
}

fn converse(mut stream: TcpStream, kept: &Mutex<Vec<Mail>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut mail = Mail::default();
    stream.write_all(b"220 test ESMTP\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?;
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let inside = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer: &[u8] = match word.as_str() {
            "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
            "MAIL" => {
                mail.from = inside(&line);
                b"250 ok\r\n"
            }
            "RCPT" if line.contains("nobody@") => b"550 no such user here\r\n",
            "RCPT" => {
                mail.to.push(inside(&line));
                b"250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    mail.text.push_str(&line);
                    mail.text.push('\n');
                }
                kept.lock().expect("no panic").push(std::mem::take(&mut mail));
                b"250 taken as number 7\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"502 what\r\n",
        };
        stream.write_all(answer)?;
    }
    Ok(())
}

#[test]
fn a_task_is_told_by_mail_in_words_and_a_refused_receiver_is_a_refusal() {
    let (port, took) = server();
    let mail = |name: &str, to: &str| {
        format!(
            "[[destination]]\nname = \"{name}\"\nkind = \"mail\"\nsmtp = \"127.0.0.1:{port}\"\nsecurity = \"none\"\n\
             from = \"The Mill <mill@studio.example>\"\nto = [\"{to}\"]\nglobal = true\nretry = \"ims\"\n\
             subject = \"[mill] {{{{ summary.title }}}}\"\nevents = [\"WorkflowTaskComplete\"]\n"
        )
    };
    let encrypted = mail("encrypted", "ops@studio.example").replace("security = \"none\"", "security = \"starttls\"");
    let sections = [
        mail("ops", "ops@studio.example"),
        mail("nobody", "nobody@studio.example"),
        encrypted,
    ];
    let mut appliance = configured(&sections.concat());
    appliance.start();
    arrive(&appliance, "a.bin");
    appliance.ended_tasks(1);
    let mail = appliance.until("the mail", || took.lock().expect("no panic").first().cloned());
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("mill@studio.example", &["ops@studio.example".to_owned()][..])
    );
    let done = appliance.until("the delivery", || {
        deliveries(&appliance, "destination=ops&status=done").pop()
    });
    let event = done["event"].as_str().expect("an id");
    for part in [
        "Subject: [mill] noop: Succeed",
        "noop: Succeed\n",
        "ingest:a.bin",
        &format!("Message-ID: <{event}@reelmill>"),
        &format!("X-Reelmill-Event-Id: {event}"),
    ] {
        assert!(mail.text.contains(part), "{part:?} is missing in\n{}", mail.text);
    }
    for (name, cause) in [("nobody", "no such user here"), ("encrypted", "STARTTLS")] {
        let dead = appliance.until("the refusal", || {
            deliveries(&appliance, &format!("destination={name}&status=dead")).pop()
        });
        let error = dead["last_error"].as_str().expect("a reason");
        assert!(error.contains(cause), "{name}: {error}");
    }
    assert_eq!(
        took.lock().expect("no panic").len(),
        1,
        "nothing went out in the clear that should not"
    );
}
