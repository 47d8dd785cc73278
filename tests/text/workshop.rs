//! A place to carry out attempts in, sources to carry them out on, and Debian's ffmpeg to look at what came out.

use crate::backend;
use reelmill::base::fault::Fault;
use reelmill::base::ids::JobId;
use reelmill::media::facts::MediaFacts;
use reelmill::media::limits::Limits;
use reelmill::media::pass::PassJob;
use reelmill::media::pass::PassOrder;
use reelmill::media::pass::Watch;
use reelmill::media::pass::carry_out;
use reelmill::media::product::JobEnd;
use reelmill::media::product::JobProduct;
use reelmill::media::progress::Progress;
use reelmill::media::side_file::SideFiles;
use reelmill::media::spec::MediaWork;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// Where attempts are carried out.
pub struct Workshop {
    directory: tempfile::TempDir,
    ends: Mutex<Vec<JobEnd>>,
    facts: Mutex<Option<MediaFacts>>,
}

impl Workshop {
    pub fn new() -> Self {
        Workshop {
            directory: tempfile::tempdir().expect("directory"),
            ends: Mutex::new(Vec::new()),
            facts: Mutex::new(None),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).expect("write");
        self.path(name)
    }

    /// A file made by Debian's ffmpeg; `{name}` in arguments stands for a path here.
    pub fn ffmpeg(&self, arguments: &str, out: &str) -> PathBuf {
        let root = format!("{}/", self.directory.path().display());
        let path = self.path(out);
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-y"])
            .args(
                arguments
                    .split_whitespace()
                    .map(|argument| argument.replace("@/", &root)),
            )
            .arg(&path)
            .output()
            .expect("ffmpeg runs");
        assert!(
            output.status.success(),
            "{arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        path
    }

    /// Facts of the last source.
    pub fn facts(&self) -> MediaFacts {
        self.facts.lock().expect("lock").clone().expect("facts were told")
    }

    /// Carries out one transcode by its definition. `side`: names in the definition and the files they mean.
    pub fn carry_out(&self, source: &Path, definition: &str, side: &[(&str, PathBuf)]) -> Result<JobEnd, Fault> {
        let scratch = self.path("scratch");
        let _ = std::fs::remove_dir_all(&scratch);
        std::fs::create_dir_all(&scratch).expect("scratch");
        let work = MediaWork::Transcode(toml::from_str(definition).unwrap_or_else(|error| panic!("{error}")));
        assert_eq!(reelmill::media::spec_check::check(&work), Vec::new(), "{definition}");
        let names: Vec<&str> = side.iter().map(|(name, _)| *name).collect();
        assert_eq!(work.side_names().into_iter().collect::<Vec<_>>(), names);
        let mut files = SideFiles::default();
        for (name, path) in side {
            files.insert(name, File::open(path).expect("open"));
        }
        let order = PassOrder {
            jobs: vec![PassJob {
                job: JobId::from("job"),
                work,
            }],
            scratch,
            threads: 2,
            backend: backend::asked(),
            device: None,
            limits: Limits::default(),
            side: files,
            family: None,
            rest: None,
        };
        let name = source.file_name().expect("a file").to_string_lossy();
        carry_out(&order, File::open(source).expect("open"), &name, self)?;
        Ok(self.ends.lock().expect("lock").pop().expect("the job ended"))
    }

    /// The same, which must succeed.
    pub fn success(&self, source: &Path, definition: &str, side: &[(&str, PathBuf)]) -> JobProduct {
        match self.carry_out(source, definition, side) {
            Ok(JobEnd::Success(product)) => product,
            other => panic!("{}: {other:?}", source.display()),
        }
    }

    /// A file of a product.
    pub fn file(&self, product: &JobProduct, output: usize) -> PathBuf {
        self.path("scratch")
            .join(&product.outputs[output].files[0].scratch_path)
    }
}

impl Watch for Workshop {
    fn facts(&self, facts: &MediaFacts) {
        *self.facts.lock().expect("lock") = Some(facts.clone());
    }
    fn progress(&self, _: Progress) {}
    fn job_ended(&self, _: &JobId, end: JobEnd) {
        self.ends.lock().expect("lock").push(end);
    }
    fn stop_asked(&self) -> bool {
        false
    }
}

/// A decoded picture, red, green, blue.
pub struct Seen {
    pub width: usize,
    pub height: usize,
    rgb: Vec<u8>,
}

impl Seen {
    /// The picture shown at a moment, as Debian's ffmpeg decodes it.
    pub fn at(path: &Path, at_s: f64) -> Self {
        let size = probed(
            path,
            &[
                "-select_streams",
                "v:0",
                "-show_entries",
                "stream=width,height",
                "-of",
                "csv=p=0",
            ],
        );
        let (width, height) = size.trim().trim_end_matches(',').split_once(',').expect("a size");
        let (width, height) = (
            width.parse().expect("width"),
            height.trim_end_matches(',').parse().expect("height"),
        );
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(path)
            .args([
                "-ss",
                &format!("{at_s}"),
                "-frames:v",
                "1",
                "-f",
                "rawvideo",
                "-pix_fmt",
                "rgb24",
                "-",
            ])
            .output()
            .expect("ffmpeg runs");
        assert_eq!(output.stdout.len(), width * height * 3, "{} at {at_s}", path.display());
        Seen {
            width,
            height,
            rgb: output.stdout,
        }
    }

    /// One pixel.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Mean colour of a rectangle.
    pub fn mean(&self, x: usize, y: usize, width: usize, height: usize) -> [f64; 3] {
        let mut sum = [0.0; 3];
        for row in y..y + height {
            for column in x..x + width {
                let pixel = self.pixel(column, row);
                (0..3).for_each(|part| sum[part] += f64::from(pixel[part]));
            }
        }
        sum.map(|part| part / (width * height) as f64)
    }

    /// Whether a rectangle has about that colour.
    pub fn is(&self, (x, y, width, height): (usize, usize, usize, usize), color: [u8; 3]) -> bool {
        let mean = self.mean(x, y, width, height);
        mean.iter()
            .zip(color)
            .all(|(mean, color)| (mean - f64::from(color)).abs() < 12.0)
    }

    /// Pixels brighter than that, in a rectangle.
    pub fn bright(&self, (x, y, width, height): (usize, usize, usize, usize), over: u8) -> usize {
        let rows = (y..y + height).flat_map(|row| (x..x + width).map(move |column| (column, row)));
        rows.filter(|(column, row)| self.pixel(*column, *row).iter().all(|part| *part > over))
            .count()
    }
}

/// What Debian's ffprobe says.
pub fn probed(path: &Path, arguments: &[&str]) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error"])
        .args(arguments)
        .arg(path)
        .output()
        .expect("ffprobe runs");
    assert!(
        output.status.success(),
        "{}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}
