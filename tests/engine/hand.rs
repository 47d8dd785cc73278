//! An executor whose workers are functions: they write real files into scratch, and fail as they are told to.
//! Publishing, names and everything else is the product's own.

use futures_util::future::BoxFuture;
use md5::Digest;
use md5::Md5;
use reelmill::base::fault::Blame;
use reelmill::base::fault::Fault;
use reelmill::base::ids::AttemptId;
use reelmill::base::ids::JobId;
use reelmill::executor::AttemptEnd;
use reelmill::executor::AttemptOrder;
use reelmill::executor::AttemptUpdate;
use reelmill::executor::Executor;
use reelmill::executor::Identity;
use reelmill::executor::PublishFile;
use reelmill::executor::local::LocalExecutor;
use reelmill::media::facts::MediaFacts;
use reelmill::media::product::JobEnd;
use reelmill::media::product::JobProduct;
use reelmill::media::product::Place;
use reelmill::media::product::Product;
use reelmill::media::product::ProductFile;
use reelmill::media::product::ProductKind;
use reelmill::media::product::Proof;
use reelmill::media::progress::Progress;
use reelmill::media::spec::MediaWork;
use reelmill::objects::uri::ObjectUri;
use reelmill::workflow::resolved::AfterRule;
use std::collections::VecDeque;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How one attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Everything is made.
    Good,
    /// Something of the host fails it.
    HostFault,
    /// The source is found bad after everything was made.
    SourceFault,
    /// The worker dies.
    Crash,
    /// The transcodes fail, the rest is made.
    TranscodeFault,
    /// Nothing moves until it is stopped.
    Hang,
}

/// The executor.
pub struct Hand {
    local: LocalExecutor,
    /// How the next attempts go; Good when empty.
    pub moods: Mutex<VecDeque<Mood>>,
    /// How many jobs each attempt so far had.
    pub attempts: Mutex<Vec<usize>>,
    /// Publishing waits for a permit.
    pub may_publish: Semaphore,
    /// Publishing was asked for.
    pub asked_to_publish: Semaphore,
    /// An attempt hangs now.
    pub hanging: Semaphore,
    /// Each worker takes so long.
    pub work_for: Duration,
    /// How far each worker says it is, per cent.
    pub milestones: Mutex<Vec<f64>>,
}

impl Hand {
    pub fn new(local: LocalExecutor) -> Self {
        Hand {
            local,
            moods: Mutex::new(VecDeque::new()),
            attempts: Mutex::new(Vec::new()),
            may_publish: Semaphore::new(Semaphore::MAX_PERMITS),
            asked_to_publish: Semaphore::new(0),
            hanging: Semaphore::new(0),
            work_for: Duration::ZERO,
            milestones: Mutex::new(Vec::new()),
        }
    }

    pub fn feels(&self, moods: &[Mood]) {
        self.moods.lock().expect("unpoisoned").extend(moods);
    }

    async fn work(
        &self,
        order: AttemptOrder,
        updates: mpsc::Sender<AttemptUpdate>,
        stop: CancellationToken,
    ) -> AttemptEnd {
        let mood = self.moods.lock().expect("unpoisoned").pop_front().unwrap_or(Mood::Good);
        self.attempts.lock().expect("unpoisoned").push(order.jobs.len());
        let mut end = AttemptEnd {
            fault: None,
            crashed: false,
            stopped: false,
            cost: None,
        };
        let facts = MediaFacts {
            format_name: "test".to_owned(),
            ..MediaFacts::default()
        };
        let _ = updates.send(AttemptUpdate::Facts(Box::new(facts))).await;
        let milestones = self.milestones.lock().expect("unpoisoned").clone();
        for percent in milestones {
            let progress = Progress {
                percent,
                ..Progress::default()
            };
            let _ = updates.send(AttemptUpdate::Progress(progress)).await;
        }
        if mood == Mood::Hang {
            self.hanging.add_permits(1);
            stop.cancelled().await;
        }
        tokio::select! {
            () = tokio::time::sleep(self.work_for) => {}
            () = stop.cancelled() => {}
        }
        if stop.is_cancelled() {
            end.stopped = true;
            end.fault = Some(fault("AttemptStopped", Blame::Host));
            return end;
        }
        match mood {
            Mood::HostFault => end.fault = Some(fault("DiskAway", Blame::Host)),
            Mood::Crash => {
                end.fault = Some(fault("WorkerCrashed", Blame::Source));
                end.crashed = true;
            }
            Mood::Good | Mood::TranscodeFault | Mood::SourceFault | Mood::Hang => {
                let scratch = self.local.scratch_dir(&order.attempt);
                for (job, work) in &order.jobs {
                    let job_end = make(&scratch, job, work, mood);
                    let _ = updates
                        .send(AttemptUpdate::JobEnded(job.clone(), Box::new(job_end)))
                        .await;
                }
                if mood == Mood::SourceFault {
                    end.fault = Some(fault("SourceChanged", Blame::Source));
                }
            }
        }
        end
    }
}

pub fn fault(code: &str, blame: Blame) -> Fault {
    Fault::new(code, blame, "work", "a test", "it was told to", "Nothing.")
}

/// What one job makes: its files are real.
fn make(scratch: &Path, job: &JobId, work: &MediaWork, mood: Mood) -> JobEnd {
    let mut product = JobProduct {
        backend: "test".to_owned(),
        ..JobProduct::default()
    };
    match work {
        MediaWork::Analysis | MediaWork::Qc(_) => {}
        MediaWork::Transcode(_) if mood == Mood::TranscodeFault => {
            return JobEnd::Failed {
                fault: fault("EncoderFailed", Blame::Bug),
            };
        }
        MediaWork::Transcode(spec) => {
            for group in &spec.groups {
                for output in &group.outputs {
                    let file = written(
                        scratch,
                        job,
                        &format!("{}.mp4", output.name),
                        Place::Main,
                        output.name.as_bytes(),
                    );
                    product
                        .outputs
                        .push(one(&group.name, &output.name, ".mp4", ProductKind::File, vec![file]));
                }
            }
        }
        MediaWork::Snapshot(_) => {
            let sheet = written(scratch, job, "sheet.jpg", Place::Numbered(1), b"a sheet");
            let text = format!(
                "WEBVTT\n\n{}#xywh=0,0,1,1\n",
                reelmill::media::product::reference(&Place::Numbered(1))
            );
            let mut index = written(
                scratch,
                job,
                "index.vtt",
                Place::Beside(".vtt".to_owned()),
                text.as_bytes(),
            );
            index.names_others = true;
            let mut sprite = one("", "sprite", ".jpg", ProductKind::Sprite, vec![sheet, index]);
            sprite.picture_count = Some(1);
            product.outputs.push(sprite);
        }
        MediaWork::DynamicImage(_) => {
            let file = written(scratch, job, "a.gif", Place::Main, b"a picture that moves");
            product
                .outputs
                .push(one("", "preview", ".gif", ProductKind::Animation, vec![file]));
        }
    }
    JobEnd::Success(product)
}

fn one(group: &str, name: &str, extension: &str, kind: ProductKind, files: Vec<ProductFile>) -> Product {
    Product {
        group: group.to_owned(),
        name: name.to_owned(),
        extension: extension.to_owned(),
        kind,
        files,
        facts: None,
        proof: Proof::default(),
        renditions: Vec::new(),
        picture_count: None,
        quality: None,
        series: Vec::new(),
    }
}

fn written(scratch: &Path, job: &JobId, name: &str, place: Place, content: &[u8]) -> ProductFile {
    let scratch_path = format!("{job}/{name}");
    let path = scratch.join(&scratch_path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("scratch can be made");
    std::fs::write(&path, content).expect("scratch can be written");
    ProductFile {
        scratch_path,
        place,
        size_bytes: content.len() as u64,
        md5: hex::encode(Md5::digest(content)),
        names_others: false,
    }
}

impl Executor for Hand {
    fn carry_out<'a>(
        &'a self,
        order: AttemptOrder,
        updates: mpsc::Sender<AttemptUpdate>,
        stop: CancellationToken,
    ) -> BoxFuture<'a, AttemptEnd> {
        Box::pin(self.work(order, updates, stop))
    }

    fn head<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<Identity>, Fault>> {
        self.local.head(object)
    }

    fn measure<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<(u64, String)>, Fault>> {
        self.local.measure(object)
    }

    fn write_names<'a>(
        &'a self,
        attempt: &'a AttemptId,
        file: &'a ProductFile,
        main_key: &'a str,
        keys: Vec<(Place, String)>,
    ) -> BoxFuture<'a, Result<ProductFile, Fault>> {
        self.local.write_names(attempt, file, main_key, keys)
    }

    fn publish<'a>(
        &'a self,
        attempt: &'a AttemptId,
        files: &'a [PublishFile],
    ) -> BoxFuture<'a, Result<Vec<Identity>, Fault>> {
        Box::pin(async move {
            self.asked_to_publish.add_permits(1);
            let _turn = self.may_publish.acquire().await.expect("never closed");
            self.local.publish(attempt, files).await
        })
    }

    fn withdraw<'a>(&'a self, files: &'a [PublishFile]) -> BoxFuture<'a, Vec<ObjectUri>> {
        self.local.withdraw(files)
    }

    fn discard<'a>(&'a self, attempt: &'a AttemptId, storages: &'a [String]) -> BoxFuture<'a, ()> {
        self.local.discard(attempt, storages)
    }

    fn sweep<'a>(&'a self, keep: &'a [AttemptId]) -> BoxFuture<'a, ()> {
        self.local.sweep(keep)
    }

    fn after<'a>(
        &'a self,
        source: &'a ObjectUri,
        identity: &'a Identity,
        rule: &'a AfterRule,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        self.local.after(source, identity, rule)
    }

    fn scratch_dir(&self, attempt: &AttemptId) -> PathBuf {
        self.local.scratch_dir(attempt)
    }
}
