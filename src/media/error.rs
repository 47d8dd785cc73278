//! The engine's failures as faults: one function for each cause, so that code, blame and remedy are the same
//! wherever it shows.
//!
//! Guarantees: codes are stable. Deliberately absent: deciding whether something is a failure.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::DeviceTrouble;
use crate::media::av::log;
use crate::media::av::log::About;
use std::io;
use std::path::Path;

const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

/// A file of no bytes.
pub fn source_empty(operation: &str, name: &str) -> Fault {
    Fault::new(
        "SourceEmpty",
        Blame::Source,
        operation,
        name,
        "the file holds no bytes",
        "Copy it again; the sender may have stopped before the first byte.",
    )
}

/// Bytes that are no container this engine opens.
pub fn source_not_media(operation: &str, name: &str, cause: &str) -> Fault {
    Fault::new(
        "SourceNotMedia",
        Blame::Source,
        operation,
        name,
        cause,
        "Check that it is the right file: its content, not its name, decides.",
    )
}

/// A file that ends before what it declares.
pub fn source_truncated(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SourceTruncated",
        Blame::Source,
        operation,
        name,
        cause,
        "Copy the file again and compare sizes; `partial = true` on the activity takes what there is.",
    )
}

/// A codec that cannot be decoded here.
pub fn source_undecodable(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SourceUndecodable",
        Blame::Source,
        operation,
        name,
        cause,
        "Deliver it in another codec; `reelmill check` lists what can be decoded here.",
    )
}

/// A picture file that cannot be decoded here.
pub fn picture_undecodable(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SourceUndecodable",
        Blame::Source,
        operation,
        name,
        cause,
        "Deliver it as JPEG, PNG, WebP or TIFF; phones export these (\"most compatible\").",
    )
}

/// Protected content.
pub fn source_encrypted(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SourceEncrypted",
        Blame::Source,
        operation,
        name,
        cause,
        "Deliver a version without protection; keys are not taken.",
    )
}

/// More of something than the limits allow.
pub fn source_over_limit(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SourceOverLimit",
        Blame::Source,
        operation,
        name,
        cause,
        "If the file is genuine, raise the limit in the configuration.",
    )
}

/// Too much damage, of pictures or of sound.
pub fn source_damaged(operation: &str, name: &str, cause: impl Into<String>, about: About) -> Fault {
    Fault::new(
        "SourceDamaged",
        Blame::Source,
        operation,
        name,
        with_log(cause.into(), about),
        "Copy the file again; if the original is damaged, raise the limit of damaged frames.",
    )
}

/// Something in the middle of it is not there any more.
pub fn source_with_hole(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SourceDamaged",
        Blame::Source,
        operation,
        name,
        cause,
        "Copy the file again and compare checksums; `partial = true` on the activity takes what there is.",
    )
}

/// A file that a definition names beside the source cannot be used.
pub fn side_file_refused(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SideFileRefused",
        Blame::Request,
        operation,
        name,
        cause,
        "Check the file that the definition names.",
    )
}

/// Reading failed: disk, mount or network.
pub fn source_unreadable(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "SourceUnreadable",
        Blame::Host,
        operation,
        name,
        cause,
        "Check the disk or mount it lies on; it is tried again.",
    )
}

/// Somebody asked to stop.
pub fn stopped(operation: &str, name: &str) -> Fault {
    Fault::new(
        "Stopped",
        Blame::Host,
        operation,
        name,
        "the attempt was asked to stop",
        "Nothing is to be done; unfinished jobs run again unless they were canceled.",
    )
}

/// libav refused something on the source's side, which was not its sound.
pub fn source_refused(operation: &str, name: &str, error: &AvError) -> Fault {
    refused_of(operation, name, error, About::Video)
}

/// libav refused something of the source's sound.
pub fn sound_refused(operation: &str, name: &str, error: &AvError) -> Fault {
    refused_of(operation, name, error, About::Audio)
}

fn refused_of(operation: &str, name: &str, error: &AvError, about: About) -> Fault {
    if let Some(trouble) = error.device_trouble() {
        return device_refused(operation, name, trouble, error.to_string());
    }
    if error.is_no_memory() {
        return no_memory(operation, name);
    }
    Fault::new(
        "SourceUndecodable",
        Blame::Source,
        operation,
        name,
        with_log(error.to_string(), about),
        "Play the file to see whether it is sound; deliver it again if not.",
    )
}

/// libav refused something on the side of an output, which was not its sound.
pub fn output_refused(operation: &str, name: &str, error: &AvError) -> Fault {
    output_refused_of(operation, name, error, About::Video)
}

/// libav refused something of an output's sound.
pub fn output_sound_refused(operation: &str, name: &str, error: &AvError) -> Fault {
    output_refused_of(operation, name, error, About::Audio)
}

fn output_refused_of(operation: &str, name: &str, error: &AvError, about: About) -> Fault {
    if let Some(trouble) = error.device_trouble() {
        return device_refused(operation, name, trouble, error.to_string());
    }
    if error.is_no_space() {
        return disk_full(operation, name);
    }
    if error.is_no_memory() {
        return no_memory(operation, name);
    }
    Fault::new(
        "OutputFailed",
        Blame::Request,
        operation,
        name,
        with_log(error.to_string(), about),
        "Check the parameters of this output against the encoder's ranges.",
    )
}

const DEVICE_FAILED: &str = "DeviceFailed";
const DEVICE_BUSY: &str = "DeviceBusy";

/// A device did not do what it was asked.
pub fn device_refused(operation: &str, name: &str, trouble: DeviceTrouble, cause: impl Into<String>) -> Fault {
    match trouble {
        DeviceTrouble::Absent => backend_unavailable(
            operation,
            name,
            cause,
            "Use `backend = \"auto\"`, or correct what `reelmill check` finds missing of the device.",
        ),
        DeviceTrouble::Busy | DeviceTrouble::Memory => Fault::new(
            DEVICE_BUSY,
            Blame::Host,
            operation,
            name,
            cause,
            "It is tried again; run fewer attempts at a time on this device, or use `backend = \"auto\"`.",
        ),
        DeviceTrouble::Refused | DeviceTrouble::Lost => Fault::new(
            DEVICE_FAILED,
            Blame::Host,
            operation,
            name,
            cause,
            "It is tried again; if it stays so, look for Xid lines of the driver in the kernel log, or use \
             `backend = \"software\"`.",
        ),
    }
}

/// Hardware was demanded that is not there, or that cannot do what is asked.
pub fn backend_unavailable(operation: &str, name: &str, cause: impl Into<String>, remedy: &str) -> Fault {
    Fault::new("BackendUnavailable", Blame::Host, operation, name, cause, remedy).retryable(false)
}

/// A device was at work and did not do it: the same in software may succeed.
pub fn is_of_device(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), DEVICE_FAILED | DEVICE_BUSY)
}

/// No encoder for a codec in the libav that is linked.
pub fn encoder_missing(output: &str, codec: &str, looked_for: &[&str]) -> Fault {
    Fault::new(
        "EncoderMissing",
        Blame::Host,
        "open the encoder",
        output,
        format!(
            "the libav that is linked has no encoder for {codec} (looked for {})",
            looked_for.join(", ")
        ),
        "Install the distribution's whole libavcodec (Debian: libavcodec-extra) or a release package of reelmill, which \
        brings its own, or write another codec; `reelmill check` lists what is there.",
    )
    .retryable(false)
}

/// A least value is asked for that this host cannot measure.
pub fn meter_missing(name: &str, why: &str) -> Fault {
    Fault::new(
        "MeterMissing",
        Blame::Host,
        "measure VMAF",
        name,
        format!("quality.min_vmaf is asked for, and this host has no libvmaf: {why}"),
        "Install libvmaf (libvmaf.so.3 or libvmaf.so.1) where the linker finds it, or leave min_vmaf out; `reelmill check` \
        says whether it is found.",
    )
    .retryable(false)
}

/// Pictures that are wanted as they are, in a form that has no place for them.
pub fn uncopyable(output: &str, why: &str) -> Fault {
    Fault::new(
        "OutputImpossible",
        Blame::Request,
        "copy the pictures",
        output,
        why,
        "Change the container of this output, or write a codec instead of \"copy\".",
    )
    .retryable(false)
}

/// A file of an output could not be written or read back.
pub fn output_io(operation: &str, path: &Path, error: &io::Error) -> Fault {
    let subject = path.display().to_string();
    if matches!(error.raw_os_error(), Some(ENOSPC | EDQUOT)) {
        return disk_full(operation, &subject);
    }
    Fault::new(
        "OutputUnwritable",
        Blame::Host,
        operation,
        subject,
        error.to_string(),
        "Check that the scratch directory exists and may be written to.",
    )
}

/// An output that is not what it should be.
pub fn output_unproved(name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "OutputUnproved",
        Blame::Bug,
        "verify",
        name,
        cause,
        "Nothing of this job was published; report the source and the definition.",
    )
}

/// An output less like its source than was asked for.
pub fn output_too_poor(name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "OutputTooPoor",
        Blame::Request,
        "verify",
        name,
        cause,
        "Give these renditions more bitrate or a slower preset, or ask for less under `quality`.",
    )
}

/// A defect of ours, stated as what should have held.
pub fn broken_invariant(operation: &str, name: &str, cause: impl Into<String>) -> Fault {
    Fault::new(
        "EngineBug",
        Blame::Bug,
        operation,
        name,
        cause,
        "Report it with the source and the definition.",
    )
}

fn disk_full(operation: &str, name: &str) -> Fault {
    Fault::new(
        "OutputDiskFull",
        Blame::Host,
        operation,
        name,
        "no space is left on the file system of the scratch directory, or the quota is used up",
        "Free space or give reelmill a larger scratch directory; it is tried again.",
    )
}

fn no_memory(operation: &str, name: &str) -> Fault {
    Fault::new(
        "OutOfMemory",
        Blame::Host,
        operation,
        name,
        "libav was refused memory",
        "Raise the memory limit of attempts or run fewer at a time.",
    )
}

/// The cause, with the last thing libav said that may be about it.
fn with_log(cause: String, about: About) -> String {
    match log::last_error(about) {
        Some(line) => format!("{cause}; libav said: {line}"),
        None => cause,
    }
}
