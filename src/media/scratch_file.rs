//! A finished file in an attempt's scratch directory: written whole, synced, measured.
//!
//! Guarantees: size and MD5 are of the bytes handed over, the file is on disk before it is reported. Deliberately
//! absent: final names; files that an encoder or muxer writes bit by bit.

use crate::base::fault::Fault;
use crate::media::error;
use crate::media::product::Place;
use crate::media::product::ProductFile;
use md5::Digest;
use md5::Md5;
use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// One job's directory beneath the attempt's scratch directory.
#[derive(Debug, Clone)]
pub struct JobScratch {
    root: PathBuf,
    job: String,
}

impl JobScratch {
    /// Makes the directory `root/job` unless it is there.
    pub fn create(root: &Path, job: &str) -> Result<Self, Fault> {
        let scratch = JobScratch {
            root: root.to_owned(),
            job: job.to_owned(),
        };
        std::fs::create_dir_all(root.join(job)).map_err(|cause| scratch.fault("", &cause))?;
        Ok(scratch)
    }

    /// Where a file of this job lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(&self.job).join(name)
    }

    /// Writes a whole file.
    pub fn write(&self, name: &str, bytes: &[u8], place: Place) -> Result<ProductFile, Fault> {
        let write = || -> std::io::Result<()> {
            let mut file = File::create(self.path(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|cause| self.fault(name, &cause))?;
        Ok(ProductFile {
            scratch_path: format!("{}/{name}", self.job),
            place,
            size_bytes: bytes.len() as u64,
            md5: hex::encode(Md5::digest(bytes)),
            names_others: false,
        })
    }

    /// Syncs and measures a file that something else wrote.
    pub fn adopt(&self, name: &str, place: Place) -> Result<ProductFile, Fault> {
        let measure = || -> std::io::Result<(u64, String)> {
            let mut file = File::open(self.path(name))?;
            file.sync_all()?;
            let (mut digest, mut size_bytes, mut block) = (Md5::new(), 0, vec![0; 1 << 18]);
            loop {
                match file.read(&mut block)? {
                    0 => return Ok((size_bytes, hex::encode(digest.finalize()))),
                    count => {
                        digest.update(&block[..count]);
                        size_bytes += count as u64;
                    }
                }
            }
        };
        let (size_bytes, md5) = measure().map_err(|cause| self.fault(name, &cause))?;
        Ok(ProductFile {
            scratch_path: format!("{}/{name}", self.job),
            place,
            size_bytes,
            md5,
            names_others: false,
        })
    }

    /// The bytes of a file of this job, as they are on disk now.
    pub fn read_back(&self, file: &ProductFile) -> Result<Vec<u8>, Fault> {
        std::fs::read(self.root.join(&file.scratch_path))
            .map_err(|cause| error::output_io("verify", &self.root.join(&file.scratch_path), &cause))
    }

    /// What to say when a file of this job cannot be written or read.
    pub fn fault(&self, name: &str, cause: &std::io::Error) -> Fault {
        error::output_io("write", &self.path(name), cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_reported() {
        let root = tempfile::tempdir().expect("a directory");
        let scratch = JobScratch::create(root.path(), "job1").expect("made");
        let file = scratch.write("a.jpg", b"hello", Place::Main).expect("written");
        assert_eq!((file.scratch_path.as_str(), file.size_bytes), ("job1/a.jpg", 5));
        assert_eq!(file.md5, "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(scratch.adopt("a.jpg", Place::Main).expect("measured"), file);
        assert_eq!(scratch.read_back(&file).expect("read"), b"hello");
    }

    #[test]
    fn a_missing_directory_is_the_hosts_fault() {
        let root = tempfile::tempdir().expect("a directory");
        let scratch = JobScratch::create(root.path(), "job1").expect("made");
        std::fs::remove_dir(root.path().join("job1")).expect("removed");
        let fault = scratch.write("a.jpg", b"hello", Place::Main).expect_err("no directory");
        assert!(fault.retryable && fault.subject.ends_with("job1/a.jpg"), "{fault}");
    }
}
