//! One attempt on this host: its source opened, its order written, its worker heard out.
//!
//! Guarantees: a source that is not what arrived is refused before a worker starts; a stop ends the opening too, however
//! slow a storage is; a relay serves exactly as long as its worker runs. Deliberately absent: publishing.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::AttemptEnd;
use crate::executor::AttemptOrder;
use crate::executor::AttemptUpdate;
use crate::executor::attempt_log::AttemptLog;
use crate::executor::bucket_source::BucketSource;
use crate::executor::grouped::Group;
use crate::executor::inheritance::Inheritance;
use crate::executor::inheritance::Opened;
use crate::executor::local::LocalExecutor;
use crate::objects::local::Stat;
use crate::objects::refusal;
use crate::objects::storages::Medium;
use crate::worker::death;
use crate::worker::protocol;
use crate::worker::protocol::JobOrder;
use crate::worker::protocol::Message;
use crate::worker::protocol::Order;
use crate::worker::supervisor;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

impl LocalExecutor {
    async fn open_source(&self, order: &AttemptOrder) -> Result<Opened, Fault> {
        if let Some((folder, _)) = &self.family {
            let open = || -> std::io::Result<Opened> {
                let file = File::open(folder)?;
                let stat = Stat::of(&file)?;
                Ok(Opened::File(file, stat))
            };
            return open().map_err(|error| {
                let subject = folder.display().to_string();
                refusal::fault(refusal::Access::Read, "open", &subject, &error)
            });
        }
        let identity = &order.identity;
        if let Medium::Bucket(bucket) = self.storages.medium(&order.source, "open")? {
            let source = BucketSource::open_as(&bucket, &order.source.key, identity).await?;
            return Ok(Opened::Object(source));
        }
        let key = order.source.key.clone();
        let (file, stat) = self
            .on(&order.source, "open", move |folder, _| folder.open(&key))
            .await?;
        if stat.size_bytes != identity.size_bytes || (identity.mtime_ns != 0 && stat.mtime_ns != identity.mtime_ns) {
            return Err(Fault::new(
                "SourceChanged",
                Blame::Source,
                "open",
                order.source.to_string(),
                "what stands there now is not what arrived",
                "Nothing: what stands there now runs as a new arrival.",
            ));
        }
        Ok(Opened::File(file, stat))
    }

    /// Makes the scratch directory and everything that the worker is given; none: no job is left.
    async fn prepare(
        &self,
        order: &mut AttemptOrder,
        updates: &mpsc::Sender<AttemptUpdate>,
    ) -> Result<Option<(Inheritance, PathBuf)>, Fault> {
        let family = self.family.as_ref().map(|(_, family)| family.clone());
        let group = match self.open_group(order).await? {
            Some(group) => group,
            None => Group::single(self.open_source(order).await?, family),
        };
        let side = self.open_side(order, updates).await;
        if order.jobs.is_empty() {
            return Ok(None);
        }
        let inheritance = Inheritance::new(order.source.file_name(), group, side, self.relay_patience)?;
        let (scratch, attempt) = (self.scratch.clone(), order.attempt.clone());
        let path = self
            .scratch_pool
            .run("make scratch directory", order.attempt.as_str(), move |_| {
                scratch.make(&attempt)
            })
            .await?;
        Ok(Some((inheritance, path)))
    }

    fn worker_order(&self, order: &AttemptOrder, inheritance: &Inheritance, scratch: PathBuf) -> Order {
        let jobs = order.jobs.iter().map(|(job, work)| JobOrder {
            job: job.clone(),
            work: work.clone(),
        });
        Order {
            version: protocol::VERSION,
            attempt: order.attempt.clone(),
            jobs: jobs.collect(),
            source: inheritance.source.clone(),
            side: inheritance.side.clone(),
            members: inheritance.members.clone(),
            assembly: inheritance.assembly.clone(),
            relay: inheritance.descriptor,
            scratch,
            threads: order.threads,
            backend: order.backend,
            device: order.device,
            limits: order.limits.clone(),
            sandbox: self.sandbox,
        }
    }

    pub(super) async fn carry_out_order(
        &self,
        mut order: AttemptOrder,
        updates: mpsc::Sender<AttemptUpdate>,
        stop: CancellationToken,
    ) -> AttemptEnd {
        let ended = |fault, stopped| AttemptEnd {
            fault,
            crashed: false,
            stopped,
            cost: None,
        };
        let prepared = tokio::select! {
            prepared = self.prepare(&mut order, &updates) => prepared,
            () = stop.cancelled() => {
                return ended(Some(death::stopped(order.source.file_name())), true);
            }
        };
        let (inheritance, scratch) = match prepared {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return ended(None, false),
            Err(fault) => return ended(Some(fault), false),
        };
        let worker_order = self.worker_order(&order, &inheritance, scratch);
        let (messages, mut heard) = mpsc::channel(64);
        let sent_bytes = inheritance.relay.as_ref().map(|relay| relay.sent_bytes());
        let serving = inheritance
            .relay
            .map(|relay| AbortOnDropHandle::new(tokio::spawn(relay.serve())));
        let running = supervisor::run(&self.supervisor, &worker_order, inheritance.files, messages, stop);
        let mut log = AttemptLog::default();
        log.say(&format!(
            "{} of {} bytes; {} jobs, {} threads, {}",
            order.source,
            order.identity.size_bytes,
            order.jobs.len(),
            order.threads,
            match order.device {
                Some(device) => format!("device {device}"),
                None => "software".to_owned(),
            }
        ));
        let listening = async {
            while let Some(message) = heard.recv().await {
                log.heard(&message);
                if let Some(update) = update_of(message, &order) {
                    // Nobody listens any more: the attempt still has to come to its end.
                    let _ = updates.send(update).await;
                }
            }
        };
        let (ended, ()) = tokio::join!(running, listening);
        drop(serving);
        log.ended(&ended);
        let _ = updates.send(AttemptUpdate::Log(log.text())).await;
        if let Some(sent_bytes) = sent_bytes {
            let sent_bytes = sent_bytes.load(Ordering::Relaxed);
            tracing::debug!(attempt = %order.attempt, source = %order.source, sent_bytes, "a relay has ended");
        }
        AttemptEnd {
            fault: ended.fault,
            crashed: ended.crashed,
            stopped: ended.stopped,
            cost: ended.cost,
        }
    }
}

/// What the scheduler is told of a worker's message. A job that was not ordered is not believed.
fn update_of(message: Message, order: &AttemptOrder) -> Option<AttemptUpdate> {
    match message {
        Message::Facts { facts } => Some(AttemptUpdate::Facts(facts)),
        Message::Progress(progress) => Some(AttemptUpdate::Progress(progress)),
        Message::JobEnded { job, end } if order.jobs.iter().any(|(ordered, _)| *ordered == job) => {
            Some(AttemptUpdate::JobEnded(job, end))
        }
        Message::JobEnded { job, .. } => {
            tracing::warn!(attempt = %order.attempt, %job, "a worker reported a job it was not given");
            None
        }
        Message::Started { sandbox_missing } => {
            if !sandbox_missing.is_empty() {
                let missing = sandbox_missing.join("; ");
                tracing::debug!(attempt = %order.attempt, missing, "a worker runs with less than the whole sandbox");
            }
            None
        }
        Message::Heard { .. } | Message::AttemptFailed { .. } | Message::Finished { .. } => None,
    }
}
