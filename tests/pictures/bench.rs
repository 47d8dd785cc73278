//! Clips, jobs carried out on them, and reading back which frames the pictures show.

use crate::backend;
use crate::numbered_clip;
use reelmill::base::fault::Fault;
use reelmill::base::ids::JobId;
use reelmill::media::av::Source;
use reelmill::media::facts::MediaFacts;
use reelmill::media::limits::Limits;
use reelmill::media::pass;
use reelmill::media::pass::PassJob;
use reelmill::media::pass::PassOrder;
use reelmill::media::pass::Watch;
use reelmill::media::picture::Picture;
use reelmill::media::pictures_alone::AloneJob;
use reelmill::media::pictures_alone::carry_out_alone;
use reelmill::media::probe;
use reelmill::media::product::JobEnd;
use reelmill::media::product::JobProduct;
use reelmill::media::product::Place;
use reelmill::media::product::Product;
use reelmill::media::progress::Progress;
use reelmill::media::side_file::SideFiles;
use reelmill::media::spec::MediaWork;
use reelmill::media::spec::PictureFormat;
use reelmill::media::webvtt;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use tempfile::TempDir;

/// A key frame every 2 s.
pub const GOP: [&str; 8] = [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-g",
    "50",
    "-sc_threshold",
    "0",
];

/// A directory with clips and what was made of them.
pub struct Bench {
    /// The directory.
    pub root: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Bench {
            root: tempfile::tempdir().expect("a directory"),
        }
    }

    /// A clip of numbered frames with a key frame every 2 s.
    pub fn clip(&self, name: &str, frames: u32, arguments: &[&str]) -> PathBuf {
        let path = self.root.path().join(name);
        numbered_clip::make(&path, frames, 0, &[&GOP, arguments].concat());
        path
    }

    /// Carries jobs out on a source; gives their ends and the bytes read.
    pub fn alone(&self, source: &Path, works: &[MediaWork]) -> (Vec<JobEnd>, u64) {
        if backend::is_gpu() {
            return attempt(self.root.path(), source, works).expect("not the source's fault");
        }
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let limits = Limits::default();
        let file = std::fs::File::open(source).expect("opens");
        let mut opened = probe::open(Source::from_file(file, &name).expect("a size"), &limits).expect("probes");
        let directories: Vec<String> = (0..works.len()).map(|number| format!("job{number}")).collect();
        let jobs: Vec<AloneJob<'_>> = works
            .iter()
            .zip(&directories)
            .map(|(work, directory)| AloneJob { directory, work })
            .collect();
        let mut last = 0.0;
        let ends = carry_out_alone(
            &mut opened,
            &jobs,
            self.root.path(),
            2,
            &limits,
            None,
            &mut |share, _| {
                assert!((0.0..=1.0).contains(&share));
                last = share;
                true
            },
        );
        (
            ends.expect("not the source's fault"),
            opened.demuxer.watch().read_bytes(),
        )
    }

    /// The product of one job.
    pub fn one(&self, source: &Path, work: MediaWork) -> JobProduct {
        product(self.alone(source, &[work]).0.remove(0))
    }

    /// Start of each cue in seconds, and the number of the frame its cell shows.
    pub fn cells(&self, product: &Product) -> Vec<(f64, u32)> {
        let read = |file: &reelmill::media::product::ProductFile| {
            std::fs::read(self.root.path().join(&file.scratch_path)).expect("read")
        };
        let sheets: Vec<Picture> = product
            .files
            .iter()
            .filter(|file| matches!(file.place, Place::Numbered(_)))
            .map(|file| Picture::decode(&read(file), PictureFormat::Jpg).expect("a picture"))
            .collect();
        let vtt = product.files.last().expect("files");
        assert_eq!(
            (&vtt.place, vtt.names_others),
            (&Place::Beside(".vtt".to_owned()), true)
        );
        let cues = webvtt::read(&String::from_utf8(read(vtt)).expect("text")).expect("cues");
        assert_eq!(webvtt::flaw(&cues), None);
        cues.iter()
            .map(|cue| {
                let sheet: usize = cue
                    .sheet
                    .trim_matches(|c: char| !c.is_ascii_digit())
                    .parse()
                    .expect("a number");
                let cell = cue.cell.expect("a part of a sheet");
                let shown = numbered_clip::number(&sheets[sheet - 1], cell.x, cell.y, cell.width, cell.height);
                (cue.start_ms as f64 / 1000.0, shown.expect("a clear pattern"))
            })
            .collect()
    }
}

/// Carries works out as the jobs `job0`, `job1`, ... of an attempt with the backend that is asked for; their ends and the
/// bytes read.
pub fn attempt(scratch: &Path, source: &Path, works: &[MediaWork]) -> Result<(Vec<JobEnd>, u64), Fault> {
    let job = |(number, work): (usize, &MediaWork)| PassJob {
        job: JobId::from(format!("job{number}")),
        work: work.clone(),
    };
    let order = PassOrder {
        jobs: works.iter().enumerate().map(job).collect(),
        scratch: scratch.to_owned(),
        threads: 2,
        backend: backend::asked(),
        device: None,
        limits: Limits::default(),
        side: SideFiles::default(),
        family: None,
        rest: None,
    };
    let name = source.file_name().expect("a name").to_string_lossy().into_owned();
    let told = Told::default();
    let cost = pass::carry_out(&order, std::fs::File::open(source).expect("opens"), &name, &told)?;
    let mut ends = told.0.into_inner().expect("lock");
    let ends = order
        .jobs
        .iter()
        .map(|job| ends.remove(&job.job).expect("each job ends"));
    Ok((ends.collect(), cost.read_bytes))
}

/// What an attempt told.
#[derive(Default)]
struct Told(Mutex<BTreeMap<JobId, JobEnd>>);

impl Watch for Told {
    fn facts(&self, _: &MediaFacts) {}
    fn progress(&self, progress: Progress) {
        assert!((0.0..=100.0).contains(&progress.percent));
    }
    fn job_ended(&self, job: &JobId, end: JobEnd) {
        let before = self.0.lock().expect("lock").insert(job.clone(), end);
        assert!(before.is_none(), "each job ends once");
    }
    fn stop_asked(&self) -> bool {
        false
    }
}

/// A snapshot job.
pub fn snapshot(json: &str) -> MediaWork {
    MediaWork::Snapshot(serde_json::from_str(json).expect("a spec"))
}

/// An animation job.
pub fn animation(json: &str) -> MediaWork {
    MediaWork::DynamicImage(serde_json::from_str(json).expect("a spec"))
}

/// What a job made.
pub fn product(end: JobEnd) -> JobProduct {
    match end {
        JobEnd::Success(product) => product,
        other => panic!("{other:?}"),
    }
}
