//! A bucket service on loopback: s3s-fs, which checks signatures and keeps objects as files.
//!
//! `S3Server::start(&["ingest", "renditions"])` makes the buckets and starts it; a file written into
//! [`S3Server::folder`] is an object, and every object is a file there. It knows no If-Match, no If-None-Match, no list
//! of uploads and no notifications; `tests/s3_peers.sh` asks services that do.

use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// The keys it knows.
pub const ACCESS_KEY: &str = "AKREELMILLTEST";
pub const SECRET_KEY: &str = "secret-of-the-test-bucket";

/// The server with its folder. It ends with the test.
pub struct S3Server {
    root: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl S3Server {
    /// Makes these buckets and starts.
    pub fn start(buckets: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        for bucket in buckets {
            std::fs::create_dir_all(root.path().join("buckets").join(bucket)).expect("a fresh directory");
        }
        let mut server = S3Server {
            root,
            port: super::free_port(),
            child: None,
        };
        server.write_keys(SECRET_KEY);
        server.go_on();
        server
    }

    /// Starts it again on the same port after [`S3Server::stop`].
    pub fn go_on(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let log = std::fs::File::create(self.root.path().join("log")).expect("a log file");
        let child = Command::new(program())
            .args(["--host", "127.0.0.1", "--port"])
            .arg(self.port.to_string())
            .args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY])
            .arg(self.root.path().join("buckets"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("s3s-fs starts");
        self.child = Some(child);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                begun.elapsed() < super::PATIENCE,
                "s3s-fs does not listen: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it the hard way; its folder stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it can be waited for");
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the objects of a bucket lie as files.
    pub fn folder(&self, bucket: &str) -> PathBuf {
        self.root.path().join("buckets").join(bucket)
    }

    /// Lets a file appear as an object at once: written beside, then moved in.
    pub fn deliver(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let target = self.folder(bucket).join(key);
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("the folder is made");
        let beside = self.root.path().join("delivery.tmp");
        std::fs::write(&beside, bytes).expect("written");
        std::fs::rename(&beside, &target).expect("moved in");
    }

    /// The bytes of an object; none: there is none.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder(bucket).join(key)).ok()
    }

    /// The keys of a bucket, sorted, without what the server notes beside them.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        super::files_beneath(&self.folder(bucket))
            .into_iter()
            .filter(|key| !key.rsplit('/').next().is_some_and(|name| name.starts_with('.')))
            .collect()
    }

    /// Files with its keys, for `access_key_file` and `secret_key_file`.
    pub fn key_files(&self) -> (PathBuf, PathBuf) {
        (self.root.path().join("access.key"), self.root.path().join("secret.key"))
    }

    /// Writes another secret into the file that the program under test reads.
    pub fn write_keys(&self, secret: &str) {
        let (access, secret_file) = self.key_files();
        write_private(&access, ACCESS_KEY);
        write_private(&secret_file, secret);
    }

    /// A `[[storage]]` section for one of its buckets, reached at `endpoint` (its own, or that of a proxy before it);
    /// `extra` are further keys, a line each.
    pub fn section(&self, name: &str, bucket: &str, endpoint: &str, extra: &str) -> String {
        let (access, secret) = self.key_files();
        format!(
            "[[storage]]\nname = \"{name}\"\nkind = \"s3\"\nendpoint = \"{endpoint}\"\nbucket = \"{bucket}\"\n\
             path_style = true\naccess_key_file = \"{}\"\nsecret_key_file = \"{}\"\n{extra}\n",
            access.display(),
            secret.display()
        )
    }

    /// What it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.root.path().join("log")).unwrap_or_default()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("made private");
}

/// Where s3s-fs is: on the PATH, where cargo installs it, or where `make tools` does.
fn program() -> PathBuf {
    let named = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&named).collect();
    if let Some(home) = std::env::var_os("HOME") {
        folders.push(Path::new(&home).join(".cargo/bin"));
    }
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin"));
    folders
        .into_iter()
        .map(|folder| folder.join("s3s-fs"))
        .find(|program| program.is_file())
        .expect("s3s-fs is needed: run make tools")
}
