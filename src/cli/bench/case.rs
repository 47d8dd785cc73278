//! What is measured: a workflow over a clip made here, carried out by `run`'s own errand.
//!
//! Guarantees: the time of a case is that of the whole attempt, from starting its worker to the published, proved files;
//! what a case was carried out on is what its report says, not what was asked for. Deliberately absent: conclusions.

use crate::cli::run::BackendChoice;
use crate::cli::run::OUTPUT_STORAGE;
use crate::cli::run::bar::Bar;
use crate::cli::run::errand::Errand;
use crate::cli::run::input::Input;
use crate::cli::run::report::Report;
use crate::cli::run::workroom::Workroom;
use crate::executor::local::LocalExecutor;
use crate::executor::local::LocalExecutorOptions;
use crate::worker::environment::DeviceEnvironment;
use crate::workflow::resolve::resolve_named;
use crate::workflow::status::TaskStatus;
use crate::workflow::template::Templates;
use anyhow::Context as _;
use serde::Serialize;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// Every picture decoded, and nothing made of it.
    Decode,
    /// H.264 at 1080, 720, 480 and 360 lines with AAC: the template `h264-mp4-ladder`.
    Ladder,
    /// A cell every second, from key frames: the template `sprite-webvtt` at that interval.
    Sprite,
}

impl Case {
    /// All, in the order in which they are measured.
    pub const ALL: [Case; 3] = [Case::Decode, Case::Sprite, Case::Ladder];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Case::Decode => "decode",
            Case::Ladder => "ladder",
            Case::Sprite => "sprite",
        }
    }

    fn definition(self) -> &'static str {
        match self {
            Case::Decode => "name = \"decode\"\n[[activity]]\nid = \"decode\"\ntype = \"qc\"\nchecks = [\"damage\"]\n",
            Case::Ladder => {
                "name = \"ladder\"\n[[activity]]\nid = \"ladder\"\ntype = \"transcode\"\ntemplate = \"h264-mp4-ladder\"\n"
            }
            Case::Sprite => {
                "name = \"sprite\"\n[[activity]]\nid = \"sprite\"\ntype = \"snapshot\"\ntemplate = \"sprite-webvtt\"\n\
                 interval_s = 1\n"
            }
        }
    }
}

/// What a case came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Which.
    pub case: Case,
    /// Attempts at the same time, each over the whole clip.
    pub at_once: u32,
    /// Where it was carried out: `software`, `gpu`, `gpu-decode`, `gpu-encode`.
    pub backend: String,
    /// Why not where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_reason: Option<String>,
    /// From the start of the first worker to the last published file.
    pub wall_ms: u64,
    /// Processor time of all workers.
    pub cpu_ms: u64,
    /// Source pictures a second, of all attempts together.
    pub fps: f64,
    /// Source seconds a second, of all attempts together.
    pub speed: f64,
    /// Largest worker.
    pub peak_memory_bytes: u64,
}

/// What cases are measured with.
#[derive(Debug)]
pub struct Bench {
    workroom: Workroom,
    clip: PathBuf,
    seconds: u32,
    threads: u32,
}

/// Pictures a second of the clip.
const FPS: f64 = 30.0;

impl Bench {
    /// Over `clip`, which is `seconds` long.
    pub fn new(workroom: Workroom, clip: PathBuf, seconds: u32, threads: u32) -> Self {
        Bench {
            workroom,
            clip,
            seconds,
            threads,
        }
    }

    /// The clip.
    pub fn clip(&self) -> &Path {
        &self.clip
    }

    /// Where clips may be made.
    pub fn folder(&self) -> &Path {
        self.workroom.path()
    }

    /// Carries a case out `at_once` times at the same time.
    ///
    /// # Errors
    /// It could not be prepared, or did not succeed.
    pub async fn measure(
        &self,
        case: Case,
        backend: BackendChoice,
        at_once: u32,
        stop: &CancellationToken,
    ) -> anyhow::Result<Measured> {
        let errands: Vec<(Errand, PathBuf)> = (0..at_once)
            .map(|number| self.errand(case, backend, number))
            .collect::<anyhow::Result<_>>()?;
        let bar = Bar::hidden();
        let begun = Instant::now();
        let works = errands
            .iter()
            .map(|(errand, output)| errand.carry_out(output, &bar, stop.clone()));
        let reports = futures_util::future::join_all(works).await;
        let wall = begun.elapsed();
        for (_, output) in &errands {
            std::fs::remove_dir_all(output).with_context(|| output.display().to_string())?;
        }
        if let Some(failed) = reports.iter().find(|report| report.status != TaskStatus::Succeed) {
            anyhow::bail!("{} did not succeed: {}", case.word(), why(failed));
        }
        let source_s = f64::from(self.seconds) * f64::from(at_once);
        let wall_s = wall.as_secs_f64().max(1e-3);
        let first = reports.first().context("at least one attempt")?;
        Ok(Measured {
            case,
            at_once,
            backend: first.backend.clone().unwrap_or_else(|| "software".to_owned()),
            fallback_reason: first.fallback_reason.clone(),
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            cpu_ms: reports.iter().map(|report| report.cost.cpu_ms).sum(),
            fps: source_s * FPS / wall_s,
            speed: source_s / wall_s,
            peak_memory_bytes: reports
                .iter()
                .map(|report| report.cost.peak_memory_bytes)
                .max()
                .unwrap_or(0),
        })
    }

    fn errand(&self, case: Case, backend: BackendChoice, number: u32) -> anyhow::Result<(Errand, PathBuf)> {
        let output = self.workroom.path().join(format!("{}-{number}", case.word()));
        std::fs::create_dir(&output).with_context(|| output.display().to_string())?;
        let workflow = resolve_named("bench.toml", &Templates::shipped(), |_| {
            Ok(case.definition().to_owned())
        })
        .map_err(|error| anyhow::anyhow!("{error}"))?;
        let input = Input::find(&self.clip, FPS)?;
        let options = LocalExecutorOptions::new(self.workroom.path().join("scratch"));
        let options = input
            .add_to(options)
            .with_environment(DeviceEnvironment::of(std::env::vars_os()))
            .with_folder(OUTPUT_STORAGE, &output);
        let errand = Errand {
            workflow,
            source: input.source,
            identity: input.identity,
            executor: LocalExecutor::new(options),
            backend,
            overwrite: false,
            threads: self.threads,
        };
        Ok((errand, output))
    }
}

fn why(report: &Report) -> String {
    let first = report.errors.first();
    first.map_or_else(|| "it was stopped".to_owned(), |error| error.fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::Case;
    use crate::workflow::resolve::resolve_named;
    use crate::workflow::template::Templates;

    #[test]
    fn every_case_is_a_sound_workflow() {
        for case in Case::ALL {
            let resolved = resolve_named("bench.toml", &Templates::shipped(), |_| {
                Ok(case.definition().to_owned())
            });
            let resolved = resolved.unwrap_or_else(|error| panic!("{}: {error}", case.word()));
            assert_eq!(resolved.activities.len(), 1);
        }
    }
}
