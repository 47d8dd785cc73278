//! Does the daemon speak HTTPS by the files it was given, take over new ones, and hold against callers that stall?

mod appliance;

use appliance::Appliance;
use appliance::http;
use appliance::said;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;

const REELMILL: &str = env!("CARGO_BIN_EXE_reelmill");

/// A certificate for 127.0.0.1 that signs itself, under these names in `folder`.
fn certificate(folder: &Path, name: &str, certificate: &str, key: &str) {
    let output = Command::new("openssl")
        .args(["req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-subj", &format!("/CN={name}"), "-out", certificate, "-keyout", key])
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(output.status.success(), "{}", said(&output));
}

/// A daemon on the configuration of an appliance, which itself is not started.
struct Secure {
    appliance: Appliance,
    child: Child,
}

impl Secure {
    fn start() -> Self {
        let appliance = Appliance::new("");
        certificate(&appliance.path(""), "one", "cert.pem", "key.pem");
        let plain = std::fs::read_to_string(appliance.config()).expect("there");
        let secure = plain
            .replace("public_url = \"http://", "public_url = \"https://")
            .replace(
                "[server]\n",
                "[server]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n",
            );
        std::fs::write(appliance.config(), secure).expect("written");
        let child = serve(&appliance);
        let secure = Secure { appliance, child };
        secure.appliance.until("an answer over TLS", || {
            secure.cli(&["workflow", "list"]).status.success().then_some(())
        });
        secure
    }

    /// Runs a command that knows nothing but the configuration.
    fn cli(&self, args: &[&str]) -> Output {
        Command::new(REELMILL)
            .arg("--config")
            .arg(self.appliance.config())
            .args(args)
            .env_clear()
            .output()
            .expect("the binary starts")
    }

    /// Who the daemon says it is.
    fn shown(&self) -> String {
        let address = format!("127.0.0.1:{}", self.appliance.port());
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &address])
            .stdin(Stdio::null())
            .output()
            .expect("openssl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let subject = text.lines().find(|line| line.starts_with("subject="));
        subject.unwrap_or_default().to_owned()
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(appliance: &Appliance) -> Child {
    Command::new(REELMILL)
        .args(["serve", "--config"])
        .arg(appliance.config())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

#[test]
fn what_listens_speaks_https_and_nothing_else() {
    let secure = Secure::start();
    assert!(secure.shown().contains("one"), "{}", secure.shown());
    assert!(
        http::get(secure.appliance.port(), "/readyz", None).map_or(true, |reply| reply.status != 200),
        "nobody is answered in the clear"
    );
    // The address of a caller is known to the log-in over TLS as well: a wrong password is a refusal, not a failure.
    let stranger = Command::new(REELMILL)
        .args(["workflow", "list", "--token", "wrong", "--server"])
        .arg(format!("https://127.0.0.1:{}", secure.appliance.port()))
        .env_clear()
        .output()
        .expect("the binary starts");
    assert!(
        !stranger.status.success() && said(&stranger).contains("certificate"),
        "{}",
        said(&stranger)
    );
    let known = Command::new(REELMILL)
        .args(["workflow", "list", "--token", "wrong", "--ca-file"])
        .arg(secure.appliance.path("cert.pem"))
        .arg("--server")
        .arg(format!("https://127.0.0.1:{}", secure.appliance.port()))
        .env_clear()
        .output()
        .expect("the binary starts");
    assert!(
        !known.status.success() && said(&known).contains("token"),
        "{}",
        said(&known)
    );
}

#[test]
fn replaced_files_are_taken_over_and_broken_ones_are_not() {
    let secure = Secure::start();
    certificate(&secure.appliance.path(""), "two", "cert.pem", "key.pem");
    secure
        .appliance
        .until("the new certificate", || secure.shown().contains("two").then_some(()));
    std::fs::write(secure.appliance.path("key.pem"), "no key\n").expect("written");
    std::thread::sleep(Duration::from_secs(5));
    assert!(secure.shown().contains("two"), "{}", secure.shown());
    assert!(secure.cli(&["workflow", "list"]).status.success());
}

#[test]
fn callers_that_say_nothing_hold_nobody_up() {
    let secure = Secure::start();
    let silent: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(("127.0.0.1", secure.appliance.port())).expect("connected"))
        .collect();
    for _ in 0..3 {
        let answered = secure.cli(&["workflow", "list"]);
        assert!(answered.status.success(), "{}", said(&answered));
    }
    drop(silent);
}

#[test]
fn a_key_of_another_certificate_prevents_the_start_and_is_named() {
    let appliance = Appliance::new("");
    certificate(&appliance.path(""), "one", "cert.pem", "first.key");
    certificate(&appliance.path(""), "two", "other.pem", "key.pem");
    let plain = std::fs::read_to_string(appliance.config()).expect("there");
    let secure = plain.replace(
        "[server]\n",
        "[server]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n",
    );
    std::fs::write(appliance.config(), secure).expect("written");
    let mut child = serve(&appliance);
    let mut text = String::new();
    let mut stderr = child.stderr.take().expect("piped");
    stderr.read_to_string(&mut text).expect("text");
    assert!(!child.wait().expect("it ends").success());
    assert!(text.contains("cert.pem") && text.contains("server.tls_key"), "{text}");
}
