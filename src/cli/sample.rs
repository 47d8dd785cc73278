//! `reelmill sample`: a test clip, made here.
//!
//! Guarantees: the file appears under its name only when it is whole, so it may be made right in a watched folder; an
//! existing file is never replaced. Deliberately absent: any input; what is encoded is drawn by the program itself.

use crate::cli::outcome::BadUsage;
use crate::media::sample;
use anyhow::Context as _;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

/// Arguments of `reelmill sample`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to make, an MP4.
    pub file: PathBuf,
    /// How long it is.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=36_000))]
    pub seconds: u32,
    /// Its picture, even numbers of 128 to 8192 pixels.
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = size)]
    pub size: (u32, u32),
}

/// Reads `1280x720`: two even numbers of 128 to 8192.
///
/// # Errors
/// What to write instead.
pub fn size(text: &str) -> Result<(u32, u32), String> {
    let edge = |text: &str| {
        let pixels = text.parse::<u32>().ok()?;
        ((128..=8192).contains(&pixels) && pixels % 2 == 0).then_some(pixels)
    };
    text.split_once(['x', 'X'])
        .and_then(|(width, height)| Some((edge(width)?, edge(height)?)))
        .ok_or_else(|| "write two even numbers of 128 to 8192, as in 1280x720".to_owned())
}

/// Carries it out.
///
/// # Errors
/// [`BadUsage`] when the file exists; else what kept it from being made.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let file = args.file.as_path();
    let taken = || {
        BadUsage(format!(
            "{} exists already; remove it or choose another name",
            file.display()
        ))
    };
    if file.symlink_metadata().is_ok() {
        return Err(taken().into());
    }
    let name = file
        .file_name()
        .ok_or_else(|| BadUsage(format!("{} is not the name of a file", file.display())))?;
    // A hidden name: no trigger takes it, and it lies on the file system it is renamed on.
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.part", std::process::id()));
    let unfinished = Unfinished(file.with_file_name(hidden));
    let (width, height) = args.size;
    sample::make_sample(&unfinished.0, args.seconds, width, height)?;
    put_in_place(&unfinished.0, file).with_context(|| format!("cannot put the clip at {}", file.display()))
}

fn put_in_place(unfinished: &Path, file: &Path) -> std::io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    rustix::fs::renameat_with(
        rustix::fs::CWD,
        unfinished,
        rustix::fs::CWD,
        file,
        rustix::fs::RenameFlags::NOREPLACE,
    )
    .or_else(|error| match error {
        rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS if !file.exists() => rustix::fs::rename(unfinished, file),
        error => Err(error),
    })?;
    Ok(())
}

/// A file that is removed unless it was renamed.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_two_even_numbers() {
        assert_eq!(size("1280x720"), Ok((1280, 720)));
        for wrong in ["1280", "1280x", "x720", "1281x720", "64x64", "1280x72000", "-128x128"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
