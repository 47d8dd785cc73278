//! What a storage's "no" means: an I/O error as a fault with its remedy, and whether waiting may help.
//!
//! Guarantees: every error of a storage becomes a fault that names operation, object, cause and remedy. A full
//! disk, a missing permission or a sick mount may heal (retryable); a name the file system refuses does not.
//! Deliberately absent: retrying.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use rustix::io::Errno;

/// What was being done to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A source is read.
    Read,
    /// An output is written.
    Write,
}

/// The fault for `error`, met while doing `operation` to `subject`.
pub fn fault(access: Access, operation: &str, subject: &str, error: &std::io::Error) -> Fault {
    let Some(errno) = Errno::from_io_error(error) else {
        return other(access, operation, subject, &error.to_string());
    };
    let cause = words(errno);
    match (access, errno) {
        (_, Errno::LOOP | Errno::XDEV) => Fault::new(
            "PathLeavesStorage",
            Blame::Request,
            operation,
            subject,
            format!("a link on its path leads out of the storage ({cause})"),
            "Replace the link by a bind mount, or register the folder it leads to as a storage of its own.",
        ),
        (Access::Read, Errno::NOENT | Errno::NOTDIR) => Fault::new(
            "SourceVanished",
            Blame::Source,
            operation,
            subject,
            "it is no longer there",
            "Put the file back; it then runs as a new arrival.",
        ),
        (Access::Read, Errno::ACCESS | Errno::PERM) => Fault::new(
            "SourceUnreadable",
            Blame::Host,
            operation,
            subject,
            cause,
            "Give the user that reelmill runs as the right to read the file and to enter its folders.",
        ),
        (Access::Write, Errno::NOSPC | Errno::DQUOT) => Fault::new(
            "OutputDiskFull",
            Blame::Host,
            operation,
            subject,
            cause,
            "Free space on the output storage or raise its quota; the work is tried again by itself.",
        ),
        (Access::Write, Errno::ACCESS | Errno::PERM) => Fault::new(
            "OutputNotWritable",
            Blame::Host,
            operation,
            subject,
            cause,
            "Give the user that reelmill runs as the right to write into the output folder.",
        ),
        (Access::Write, Errno::ROFS) => Fault::new(
            "OutputNotWritable",
            Blame::Host,
            operation,
            subject,
            cause,
            "Mount the output storage read-write, or choose another one.",
        ),
        (_, Errno::NOSYS) => Fault::new(
            "KernelCallRefused",
            Blame::Host,
            operation,
            subject,
            "the kernel, or what confines the daemon, refuses openat2",
            "Use Linux 5.6 or later; take RestrictSUIDSGID= out of the unit, and let a container's seccomp profile allow it.",
        ),
        // No source that exists has such a name: whoever asks is about to write.
        (_, Errno::NAMETOOLONG) => Fault::new(
            "OutputNameTooLong",
            Blame::Request,
            operation,
            subject,
            cause,
            "Shorten the path template of the workflow or the name of the source.",
        ),
        (Access::Write, Errno::INVAL | Errno::ILSEQ) => Fault::new(
            "OutputNameRefused",
            Blame::Request,
            operation,
            subject,
            format!("the file system of the storage does not accept it ({cause})"),
            "Avoid characters in the name that the server refuses (on SMB: \\ : * ? \" < > |).",
        ),
        (Access::Write, Errno::FBIG) => Fault::new(
            "OutputTooLarge",
            Blame::Request,
            operation,
            subject,
            cause,
            "The file system of the storage does not take files of this size; use another storage.",
        ),
        (Access::Write, Errno::ISDIR | Errno::NOTDIR | Errno::EXIST | Errno::NOTEMPTY) => Fault::new(
            "OutputTaken",
            Blame::Request,
            operation,
            subject,
            format!("something that is not a file of ours stands in its way ({cause})"),
            "Remove or rename what stands there, or change the path template of the workflow.",
        ),
        _ => other(access, operation, subject, &cause),
    }
}

/// The root of a storage is not there.
pub fn offline(operation: &str, subject: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "StorageOffline",
        Blame::Host,
        operation,
        subject,
        cause,
        "Mount the storage again or correct its path in the configuration; the work is tried again by itself.",
    )
}

fn other(access: Access, operation: &str, subject: &str, cause: &str) -> Fault {
    let code = match access {
        Access::Read => "SourceUnreadable",
        Access::Write => "OutputNotWritable",
    };
    Fault::new(
        code,
        Blame::Host,
        operation,
        subject,
        cause,
        "Look at the mount and the kernel's log; the work is tried again by itself.",
    )
}

/// The error in the C library's words and by its name's number.
pub fn words(errno: Errno) -> String {
    let text = std::io::Error::from(errno).to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
