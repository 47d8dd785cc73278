//! Real message servers of the distribution on free ports of loopback, each in a directory of its own, ended by the
//! ids of their processes.

use crate::appliance::free_port;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// Longest wait for a server on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Who may come in.
pub const USER: &str = "mam";
pub const PASSWORD: &str = "pa:ss/w@rd";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rabbit,
    Nats,
    Mosquitto,
    Redis,
}

impl Kind {
    fn binary(self) -> &'static str {
        match self {
            Kind::Rabbit => "/usr/lib/rabbitmq/bin/rabbitmq-server",
            Kind::Nats => "/usr/sbin/nats-server",
            Kind::Mosquitto => "/usr/sbin/mosquitto",
            Kind::Redis => "/usr/bin/redis-server",
        }
    }
}

/// One server.
pub struct Server {
    pub kind: Kind,
    pub port: u16,
    tls: bool,
    /// Over TLS it wants to see a certificate of its authority.
    mutual: bool,
    folder: tempfile::TempDir,
    extra_ports: [u16; 2],
    child: Option<Child>,
    /// Erlang's register of names: the one process that a RabbitMQ needs besides itself.
    names: Option<Child>,
}

impl Server {
    /// Starts one; none, with a message, where it is not installed and need not be.
    pub fn start(kind: Kind, tls: bool) -> Option<Server> {
        Server::start_as(kind, tls, false)
    }

    /// The same over TLS, for clients alone that show a certificate.
    pub fn start_mutual(kind: Kind) -> Option<Server> {
        Server::start_as(kind, true, true)
    }

    fn start_as(kind: Kind, tls: bool, mutual: bool) -> Option<Server> {
        if !Path::new(kind.binary()).exists() {
            let text = format!("{} is not installed (packaging/prerequisites.sh test)", kind.binary());
            assert!(
                std::env::var_os("REELMILL_REQUIRE_MEDIA").is_none_or(|value| value != "1"),
                "{text}"
            );
            println!("skipped: {text}");
            return None;
        }
        let mut server = Server {
            kind,
            port: free_port(),
            tls,
            mutual,
            folder: tempfile::tempdir().expect("a temporary directory"),
            extra_ports: [free_port(), free_port()],
            child: None,
            names: None,
        };
        if tls {
            certificates(server.folder.path());
        }
        server.again();
        Some(server)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The authority that signed the server's certificate, PEM.
    pub fn authority(&self) -> Vec<u8> {
        std::fs::read(self.path("ca.pem")).expect("made for TLS")
    }

    /// Certificate and key of a client, PEM: of the server's authority, or of another one.
    pub fn client(&self, name: &str) -> Vec<u8> {
        let [certificate, key] =
            ["pem", "key"].map(|end| std::fs::read(self.path(&format!("{name}.{end}"))).expect("made"));
        [certificate, key].concat()
    }

    /// Its address without user and password.
    pub fn url(&self) -> String {
        let scheme = match (self.kind, self.tls) {
            (Kind::Rabbit, false) => "amqp",
            (Kind::Rabbit, true) => "amqps",
            (Kind::Nats, false) => "nats",
            (Kind::Nats, true) => "tls",
            (Kind::Mosquitto, false) => "mqtt",
            (Kind::Mosquitto, true) => "mqtts",
            (Kind::Redis, false) => "redis",
            (Kind::Redis, true) => "rediss",
        };
        // The certificate is for this name alone.
        format!("{scheme}://localhost:{}", self.port)
    }

    /// Starts it, on the same port and the same data.
    pub fn again(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let mut command = Command::new(self.kind.binary());
        match self.kind {
            Kind::Rabbit => self.rabbit(&mut command),
            Kind::Nats => self.nats(&mut command),
            Kind::Mosquitto => self.mosquitto(&mut command),
            Kind::Redis => self.redis(&mut command),
        }
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("a log file");
        let child = command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("the server starts");
        self.child = Some(child);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                began.elapsed() < PATIENCE,
                "{:?} is not ready: {}",
                self.kind,
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Ends it the hard way.
    pub fn kill_9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // RabbitMQ is a script with its machine beneath it: the group is ended, which is its own.
            signal(&format!("-{}", child.id()), "KILL");
            child.wait().expect("it can be waited for");
        }
    }

    /// Stops or continues its process.
    pub fn freeze(&self, on: bool) {
        let child = self.child.as_ref().expect("it runs");
        signal(&format!("-{}", child.id()), if on { "STOP" } else { "CONT" });
        // Its threads stop one after the other; until the last of them has, one may still answer.
        let all_stopped = || {
            let threads = std::fs::read_dir(format!("/proc/{}/task", child.id()))
                .into_iter()
                .flatten();
            threads.flatten().all(|thread| {
                let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                stat.rsplit(')')
                    .next()
                    .is_some_and(|rest| rest.trim_start().starts_with('T'))
            })
        };
        while on && !all_stopped() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn rabbit(&mut self, command: &mut Command) {
        if self.names.is_none() {
            let names = Command::new("epmd")
                .args(["-address", "127.0.0.1", "-port", &self.extra_ports[0].to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("epmd comes with Erlang");
            self.names = Some(names);
        }
        let mut conf = format!("log.console = true\ndefault_user = {USER}\ndefault_pass = {PASSWORD}\n");
        if self.tls {
            conf.push_str(&format!(
                "listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:{}\nssl_options.certfile = {}\nssl_options.keyfile = {}\n",
                self.port,
                self.path("server.pem").display(),
                self.path("server.key").display()
            ));
            if self.mutual {
                conf.push_str(&format!(
                    "ssl_options.cacertfile = {}\nssl_options.verify = verify_peer\n\
                     ssl_options.fail_if_no_peer_cert = true\n",
                    self.path("ca.pem").display()
                ));
            }
        } else {
            conf.push_str(&format!("listeners.tcp.1 = 127.0.0.1:{}\n", self.port));
        }
        std::fs::write(self.path("rabbit.conf"), conf).expect("the configuration is written");
        std::fs::write(self.path("plugins"), "[].").expect("the list of plugins is written");
        command
            .env("HOME", self.folder.path())
            .env("ERL_EPMD_PORT", self.extra_ports[0].to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", format!("reelmill{}@localhost", self.port))
            .env("RABBITMQ_DIST_PORT", self.extra_ports[1].to_string())
            .env("RABBITMQ_MNESIA_BASE", self.path("data"))
            .env("RABBITMQ_LOG_BASE", self.path("logs"))
            .env("RABBITMQ_CONFIG_FILE", self.path("rabbit.conf"))
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_GENERATED_CONFIG_DIR", self.path("generated"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.path("plugins"))
            .env("RABBITMQ_PID_FILE", self.path("pid"));
    }

    fn nats(&self, command: &mut Command) {
        let tls = match self.tls {
            false => String::new(),
            true => format!(
                "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: {} }}\n",
                self.path("server.pem").display(),
                self.path("server.key").display(),
                self.path("ca.pem").display(),
                self.mutual
            ),
        };
        let conf = format!(
            "listen: \"127.0.0.1:{}\"\nmax_payload: 65536\njetstream {{ store_dir: \"{}\" }}\n{tls}\
             authorization {{ users: [ {{ user: \"{USER}\", password: \"{PASSWORD}\" }}, \
             {{ user: \"guest\", password: \"guest\", permissions: {{ publish: \"nothing\" }} }} ] }}\n",
            self.port,
            self.path("data").display()
        );
        std::fs::write(self.path("nats.conf"), conf).expect("the configuration is written");
        command.arg("-c").arg(self.path("nats.conf"));
    }

    fn mosquitto(&self, command: &mut Command) {
        let made = Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(self.path("passwords"))
            .args([USER, PASSWORD])
            .status()
            .expect("it comes with mosquitto");
        assert!(made.success());
        let mut conf = format!(
            "listener {} 127.0.0.1\nallow_anonymous false\npassword_file {}\nmax_packet_size 65536\n",
            self.port,
            self.path("passwords").display()
        );
        if rustix::process::geteuid().is_root() {
            // Else it would become another user, who may not read here.
            conf.push_str("user root\n");
        }
        if self.tls {
            conf.push_str(&format!(
                "certfile {}\nkeyfile {}\ncafile {}\nrequire_certificate {}\n",
                self.path("server.pem").display(),
                self.path("server.key").display(),
                self.path("ca.pem").display(),
                self.mutual
            ));
        }
        std::fs::write(self.path("mosquitto.conf"), conf).expect("the configuration is written");
        command.arg("-c").arg(self.path("mosquitto.conf"));
    }

    fn redis(&self, command: &mut Command) {
        let port = self.port.to_string();
        let (plain, tls) = if self.tls {
            ("0", port.as_str())
        } else {
            (port.as_str(), "0")
        };
        command
            .args(["--bind", "127.0.0.1", "--port", plain, "--tls-port", tls, "--dir"])
            .arg(self.folder.path())
            .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .args([
                "--user",
                "default",
                "off",
                "--user",
                USER,
                "on",
                &format!(">{PASSWORD}"),
                "~*",
                "+@all",
            ]);
        if self.tls {
            command
                .arg("--tls-cert-file")
                .arg(self.path("server.pem"))
                .arg("--tls-key-file")
                .arg(self.path("server.key"))
                .arg("--tls-ca-cert-file")
                .arg(self.path("ca.pem"))
                .args(["--tls-auth-clients", if self.mutual { "yes" } else { "no" }]);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the server printed: {}", self.log());
        }
        self.kill_9();
        if let Some(mut names) = self.names.take() {
            let _ = names.kill();
            let _ = names.wait();
        }
    }
}

fn signal(target: &str, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), "--", target]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {target}");
}

/// An authority, a certificate of it for `localhost` and one for a client, and a certificate of nobody's.
fn certificates(folder: &Path) {
    let script = "\
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority \
            -addext basicConstraints=critical,CA:TRUE 2>&1 && \
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server 2>&1 && \
        printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > server.ext && \
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext \
            -out server.pem 2>&1 && chmod 644 server.key && \
        openssl req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=client 2>&1 && \
        openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext \
            -out client.pem 2>&1 && \
        openssl req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.pem -days 2 -subj /CN=stranger 2>&1";
    let made = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .expect("sh");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
}
