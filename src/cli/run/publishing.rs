//! Final names for the products of a run without a daemon, and their publishing.
//!
//! Guarantees: a set shares one stem; no name is used twice within a run, and none that is taken unless it may be
//! replaced. Deliberately absent: intents; a run that dies is run again by whoever started it.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::cli::run::OUTPUT_STORAGE;
use crate::cli::run::report::FileReport;
use crate::cli::run::report::OutputReport;
use crate::executor::Executor;
use crate::executor::PublishFile;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::media::product::Rendition;
use crate::objects::uri::ObjectUri;
use crate::workflow::naming::NameFacts;
use crate::workflow::naming::PathTemplate;
use crate::workflow::naming::ProductNames;
use crate::workflow::resolved::Activity;
use std::collections::BTreeSet;
use std::path::Path;

/// Versions of one name that are tried.
const MAX_VERSIONS: u32 = 10_000;

/// Names and publishes what a run makes.
#[derive(Debug)]
pub struct Publishing<'a, E> {
    /// Puts files in their place.
    pub executor: &'a E,
    /// The path template.
    pub path: PathTemplate,
    /// Key of the source.
    pub source_key: &'a str,
    /// May replace what stands there.
    pub overwrite: bool,
    /// DIR, for the report.
    pub output: &'a Path,
    /// This run.
    pub task: TaskId,
    /// When it began.
    pub begun_at: UtcMs,
    /// Keys given out so far.
    pub claimed: BTreeSet<String>,
}

impl<E: Executor> Publishing<'_, E> {
    /// Publishes all products of one job together.
    pub async fn publish(
        &mut self,
        attempt: &AttemptId,
        activity: &Activity,
        job: &JobId,
        made: &JobProduct,
    ) -> Result<Vec<OutputReport>, Fault> {
        let mut files = Vec::new();
        let mut reports = Vec::new();
        for product in &made.outputs {
            let names = self.names(activity, job, product).await?;
            let named = self.named_files(attempt, product, &names).await?;
            reports.push(self.report(activity, product, &names, &named));
            files.extend(named.into_iter().map(|(key, file)| PublishFile {
                scratch_path: file.scratch_path,
                from: None,
                from_etag: None,
                output: String::new(),
                to: ObjectUri::new(OUTPUT_STORAGE, key),
                size_bytes: file.size_bytes,
                md5: file.md5,
                overwrite: self.overwrite,
            }));
        }
        self.executor.publish(attempt, &files).await?;
        Ok(reports)
    }

    /// The names of a product: the plain ones, or the first version of them that is free.
    async fn names(&mut self, activity: &Activity, job: &JobId, product: &Product) -> Result<ProductNames, Fault> {
        let media = MediaId::fresh();
        let plain = self.path.names(&NameFacts {
            source_key: self.source_key,
            prefix: Some(""),
            name: if product.name.is_empty() {
                &activity.id
            } else {
                &product.name
            },
            extension: &product.extension,
            group: &product.group,
            activity: &activity.id,
            template: activity.template.as_deref(),
            media: media.as_str(),
            task: self.task.as_str(),
            job: job.as_str(),
            task_created_at: self.begun_at,
        })?;
        let mut version = 1;
        loop {
            let names = plain.versioned(version);
            let keys = telling_keys(product, &names);
            if version == MAX_VERSIONS || !self.taken(&keys).await? {
                self.claimed.extend(keys);
                return Ok(names);
            }
            version += 1;
        }
    }

    async fn taken(&self, keys: &[String]) -> Result<bool, Fault> {
        for key in keys {
            if self.claimed.contains(key) {
                return Ok(true);
            }
            let object = ObjectUri::new(OUTPUT_STORAGE, key.as_str());
            if !self.overwrite && self.executor.head(&object).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every file of a product with its key, names written into those that name others.
    async fn named_files(
        &self,
        attempt: &AttemptId,
        product: &Product,
        names: &ProductNames,
    ) -> Result<Vec<(String, ProductFile)>, Fault> {
        let keys: Vec<(Place, String)> = product
            .files
            .iter()
            .map(|file| (file.place.clone(), names.key(&file.place)))
            .collect();
        let mut named = Vec::with_capacity(keys.len());
        for (file, (_, key)) in product.files.iter().zip(&keys) {
            let file = if file.names_others {
                self.executor.write_names(attempt, file, key, keys.clone()).await?
            } else {
                file.clone()
            };
            named.push((key.clone(), file));
        }
        Ok(named)
    }

    fn report(
        &self,
        activity: &Activity,
        product: &Product,
        names: &ProductNames,
        named: &[(String, ProductFile)],
    ) -> OutputReport {
        let path = |key: &str| format!("{}/{key}", self.output.display());
        let main = product.files.iter().find(|file| file.place == Place::Main);
        let main = main
            .or(product.files.first())
            .map_or(Place::Main, |file| file.place.clone());
        OutputReport {
            activity: activity.id.clone(),
            group: product.group.clone(),
            name: match product.name.as_str() {
                "" => activity.id.clone(),
                name => name.to_owned(),
            },
            kind: product.kind,
            path: path(&names.key(&main)),
            files: named
                .iter()
                .map(|(key, file)| FileReport {
                    path: path(key),
                    size_bytes: file.size_bytes,
                    md5: file.md5.clone(),
                })
                .collect(),
            facts: product.facts.clone(),
            proof: product.proof.clone(),
            // Hundreds of numbers a track are for drawing, not for reading.
            renditions: product
                .renditions
                .iter()
                .cloned()
                .map(Rendition::without_series)
                .collect(),
            quality: product.quality.clone(),
            picture_count: product.picture_count,
        }
    }
}

/// The keys that tell whether a name is free: those of the files beside one another, and the folder of the rest.
fn telling_keys(product: &Product, names: &ProductNames) -> Vec<String> {
    let keys: BTreeSet<String> = product
        .files
        .iter()
        .map(|file| match &file.place {
            Place::Inside(_) => {
                let key = names.key(&Place::Inside("x".to_owned()));
                key.rsplit_once('/')
                    .map_or(key.clone(), |(folder, _)| folder.to_owned())
            }
            place => names.key(place),
        })
        .collect();
    keys.into_iter().collect()
}
