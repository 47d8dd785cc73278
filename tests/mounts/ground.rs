//! Real mounts for tests: bindfs as a NAS, sshfs with a server that can be killed, a small ext4. Each is taken down when
//! it goes, also in the middle of a failed test.

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

const SFTP_SERVER: &str = "/usr/lib/openssh/sftp-server";

/// Whether these tools are here and mounting is permitted; says which not, and fails where they must be.
pub fn permitted(tools: &[&str]) -> bool {
    let missing = tools.iter().find(|tool| {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
        !found.is_ok_and(|output| output.status.success())
    });
    let why = match missing {
        Some(tool) => format!("{tool} is not here"),
        None if !rustix::process::geteuid().is_root() => "only root may mount".to_owned(),
        None => return true,
    };
    assert!(
        std::env::var_os("REELMILL_REQUIRE_MOUNTS").is_none_or(|value| value != "1"),
        "REELMILL_REQUIRE_MOUNTS=1, but {why}"
    );
    println!("skipped: {why}");
    false
}

/// What sshfs and bindfs need here.
pub fn sshfs_permitted() -> bool {
    permitted(&["sshfs", "fusermount", SFTP_SERVER])
}

/// A mounted FUSE file system with its process.
pub struct Mounted {
    at: PathBuf,
    child: Child,
}

impl Mounted {
    /// `behind` shows up at `at`, through FUSE.
    pub fn bindfs(behind: &Path, at: &Path, options: &[&str]) -> Self {
        let mut command = Command::new("bindfs");
        command.arg("-f").args(options).arg(behind).arg(at);
        Self::begin(command, at)
    }

    /// The same for another group, which alone it lets in, whoever else asks.
    pub fn bindfs_of(group: u32, behind: &Path, at: &Path) -> Self {
        let mut command = Command::new("setpriv");
        command.args([
            "--regid",
            &group.to_string(),
            "--clear-groups",
            "bindfs",
            "-f",
            "--no-allow-other",
        ]);
        command.arg(behind).arg(at);
        Self::begin(command, at)
    }

    /// `behind` shows up at `at` by SFTP; the server's process id stands in the file `pid` then.
    pub fn sshfs(behind: &Path, at: &Path, pid: &Path) -> Self {
        let server = pid.with_extension("sh");
        let text = format!("#!/bin/sh\necho $$ >'{}'\nexec {SFTP_SERVER}\n", pid.display());
        std::fs::write(&server, text).expect("the server's script is written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&server, mode).expect("it can be run");
        let mut command = Command::new("sshfs");
        command
            .args(["-f", "-o", &format!("ssh_command={}", server.display())])
            .arg(format!("nas:{}", behind.display()))
            .arg(at);
        Self::begin(command, at)
    }

    fn begin(mut command: Command, at: &Path) -> Self {
        let child = command.stdin(Stdio::null()).spawn().expect("it starts");
        let mounted = Mounted {
            at: at.to_owned(),
            child,
        };
        until("the mount to be there", || is_mounted(at));
        mounted
    }

    /// Makes it hang, or go on.
    pub fn signal(&self, name: &str) {
        kill(self.child.id(), name);
    }

    /// Takes it away as an administrator does who does not ask whether it is in use.
    pub fn unmount(&mut self) {
        let _ = Command::new("fusermount").arg("-uz").arg(&self.at).status();
    }

    /// Waits until its process has ended by itself.
    pub fn ended(&mut self) {
        self.child.wait().expect("it can be waited for");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let running = self.child.try_wait().is_ok_and(|status| status.is_none());
        if running {
            self.signal("CONT");
        }
        self.unmount();
        if running {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A small ext4 in a file.
pub struct Ext4 {
    at: PathBuf,
}

impl Ext4 {
    /// Of so many megabytes.
    pub fn mount(image: &Path, at: &Path, megabytes: u64) -> Self {
        let file = std::fs::File::create(image).expect("the image is made");
        file.set_len(megabytes << 20).expect("it has its size");
        let done = |command: &mut Command| assert!(command.status().expect("it runs").success(), "{command:?}");
        done(
            Command::new("mkfs.ext4")
                .args(["-q", "-m", "0", "-O", "^has_journal"])
                .arg(image),
        );
        std::fs::create_dir_all(at).expect("the mount point is made");
        done(Command::new("mount").args(["-o", "loop"]).arg(image).arg(at));
        Ext4 { at: at.to_owned() }
    }

    /// `ro` or `rw` from now on.
    pub fn remount(&self, how: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.at)
            .status();
        assert!(status.expect("mount runs").success());
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

pub fn kill(pid: u32, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status();
    assert!(status.expect("kill runs").success(), "kill -{name} {pid}");
}

pub fn is_mounted(at: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("readable");
    mounts.lines().any(|line| line.split(' ').nth(4) == at.to_str())
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
