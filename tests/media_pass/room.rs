//! A place to carry out attempts in, and the files to carry them out on.

#[path = "../backend/mod.rs"]
pub mod backend;

use reelmill::base::fault::Fault;
use reelmill::base::ids::JobId;
use reelmill::media::av::Source;
use reelmill::media::facts::MediaFacts;
use reelmill::media::limits::Limits;
use reelmill::media::pass::PassJob;
use reelmill::media::pass::PassOrder;
use reelmill::media::pass::Watch;
use reelmill::media::pass::carry_out;
use reelmill::media::product::JobEnd;
use reelmill::media::product::JobProduct;
use reelmill::media::progress::Progress;
use reelmill::media::sample::make_sample;
use reelmill::media::side_file::SideFiles;
use reelmill::media::spec::MediaWork;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// A made clip of 640x360 with sound.
pub fn sample(directory: &Path, seconds: u32) -> PathBuf {
    let path = directory.join(format!("sample-{seconds}.mp4"));
    if !path.exists() {
        make_sample(&path, seconds, 640, 360).expect("a clip");
    }
    path
}

/// A transcode by its definition.
pub fn transcode(text: &str) -> MediaWork {
    MediaWork::Transcode(toml::from_str(text).expect("a definition"))
}

/// Facts of a file.
pub fn probe(path: &Path) -> MediaFacts {
    let source = Source::from_file(File::open(path).expect("open"), "x").expect("size");
    reelmill::media::probe::probe(source, &Limits::default()).expect("facts")
}

/// Where attempts are carried out, and what they told.
pub struct Room {
    directory: tempfile::TempDir,
    ends: Mutex<Vec<(JobId, JobEnd)>>,
    asked: AtomicU64,
    stop_after: u64,
    side: SideFiles,
}

impl Room {
    pub fn new() -> Self {
        Self::stopping_after(u64::MAX)
    }

    /// Asks attempts to stop when they asked so often whether they should.
    pub fn stopping_after(stop_after: u64) -> Self {
        Room {
            directory: tempfile::tempdir().expect("directory"),
            ends: Mutex::new(Vec::new()),
            asked: AtomicU64::new(0),
            stop_after,
            side: SideFiles::default(),
        }
    }

    /// Adds a file that jobs may name beside the source.
    #[allow(dead_code)]
    pub fn add_side(&mut self, name: &str, path: &Path) {
        self.side.insert(name, File::open(path).expect("open"));
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn ends(&self) -> Vec<(JobId, JobEnd)> {
        self.ends.lock().expect("lock").clone()
    }

    /// Carries out jobs in a fresh scratch directory; their ends in the order of the jobs.
    pub fn carry_out(&self, source: &Path, work: &[MediaWork]) -> Result<Vec<(JobId, JobEnd)>, Fault> {
        let scratch = self.path().join("scratch");
        let _ = std::fs::remove_dir_all(&scratch);
        std::fs::create_dir_all(&scratch).expect("scratch");
        self.ends.lock().expect("lock").clear();
        let jobs: Vec<PassJob> = work
            .iter()
            .enumerate()
            .map(|(number, work)| PassJob {
                job: JobId::from(format!("job-{number}")),
                work: work.clone(),
            })
            .collect();
        let order = PassOrder {
            jobs,
            scratch,
            threads: 2,
            backend: backend::asked(),
            device: None,
            limits: Limits::default(),
            family: None,
            rest: None,
            side: self.side.clone(),
        };
        let name = source.file_name().expect("a file").to_string_lossy();
        carry_out(&order, File::open(source).expect("open"), &name, self)?;
        let mut ends = self.ends();
        ends.sort_by(|one, other| one.0.cmp(&other.0));
        let ids: Vec<&JobId> = ends.iter().map(|(job, _)| job).collect();
        assert_eq!(
            ids,
            order.jobs.iter().map(|job| &job.job).collect::<Vec<_>>(),
            "each job ends once"
        );
        Ok(ends)
    }

    /// Carries out one job that a demanded device does not do, for the reason in these words.
    #[allow(dead_code)]
    pub fn refused(&self, source: &Path, work: &MediaWork, words: &str) {
        let ends = self.carry_out(source, std::slice::from_ref(work));
        let ends = ends.unwrap_or_else(|fault| panic!("{}: {fault}", source.display()));
        backend::refused(&ends[0].1, words);
    }

    /// Carries out one job that must succeed.
    pub fn success(&self, source: &Path, work: &MediaWork) -> JobProduct {
        let ends = self
            .carry_out(source, std::slice::from_ref(work))
            .unwrap_or_else(|fault| panic!("{}: {fault}", source.display()));
        match ends.into_iter().next() {
            Some((_, JobEnd::Success(product))) => product,
            other => panic!("{}: {other:?}", source.display()),
        }
    }
}

impl Watch for Room {
    fn facts(&self, facts: &MediaFacts) {
        assert!(!facts.streams.is_empty());
    }
    fn progress(&self, progress: Progress) {
        assert!((0.0..=100.0).contains(&progress.percent));
    }
    fn job_ended(&self, job: &JobId, end: JobEnd) {
        self.ends.lock().expect("lock").push((job.clone(), end));
    }
    fn stop_asked(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.stop_after
    }
}
