//! The names of a job's outputs, and the rows that reserve them. Pure.
//!
//! Guarantees: every file of every output has a key, in the order of publishing; all outputs of a job share one
//! version number. Deliberately absent: whether a key is free.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::base::ids::OutputId;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::objects::uri::ObjectUri;
use crate::scheduler::attempt::Leased;
use crate::scheduler::conclude;
use crate::store::outputs::IntentRow;
use crate::store::outputs::OutputDetail;
use crate::store::outputs::OutputRow;
use crate::store::outputs::RenditionRow;
use crate::store::outputs::Reservation;
use crate::store::series::RenditionSeries;
use crate::workflow::naming::NameFacts;
use crate::workflow::naming::PathTemplate;
use crate::workflow::naming::ProductNames;
use crate::workflow::resolved::ActivityKind;

/// Keys looked up before a version is taken for free: a set of thousands is told by its first ones.
const LOOK_AT: usize = 64;

/// The names of a job's outputs before a version is chosen.
pub(super) struct Draft<'a> {
    storage: String,
    product: &'a JobProduct,
    names: Vec<ProductNames>,
}

/// Names under one version.
pub(super) struct Plan {
    storage: String,
    /// Place and key of every file, by output.
    pub keys: Vec<Vec<(Place, String)>>,
    patterns: Vec<String>,
}

impl<'a> Draft<'a> {
    /// Names what `job` made.
    pub fn new(leased: &Leased, job: &JobId, product: &'a JobProduct) -> Result<Self, Fault> {
        let rule = leased.task.output(&leased.workflow);
        let template = PathTemplate::parse(&rule.path).map_err(|bad| {
            Fault::new(
                "PathInvalid",
                Blame::Request,
                "name output",
                leased.workflow.name.clone(),
                bad.to_string(),
                "Correct output.path of the workflow.",
            )
        })?;
        let row = leased.jobs.iter().find(|row| row.id == *job);
        let activity = row.and_then(|row| leased.workflow.activities.get(row.ordinal));
        let activity_id = activity.map_or("", |activity| activity.id.as_str());
        let names = product.outputs.iter().map(|output| {
            template.names(&NameFacts {
                source_key: &leased.order.source.key,
                prefix: rule.prefix.as_deref(),
                name: &output.name,
                extension: &output.extension,
                group: &output.group,
                activity: activity_id,
                template: activity.and_then(|activity| activity.template.as_deref()),
                media: leased.task.media.as_str(),
                task: leased.task.id.as_str(),
                job: job.as_str(),
                task_created_at: leased.task.created_at,
            })
        });
        Ok(Draft {
            storage: rule
                .storage
                .clone()
                .unwrap_or_else(|| leased.order.source.storage.clone()),
            product,
            names: names.collect::<Result<_, _>>()?,
        })
    }

    /// Everything under version `n`.
    pub fn version(&self, n: u32) -> Plan {
        self.plan(n, n)
    }

    /// The plain names, with the inner files of sets under version `n`.
    pub fn overwriting(&self, n: u32) -> Plan {
        self.plan(1, n)
    }

    fn plan(&self, outer: u32, inner: u32) -> Plan {
        let mut keys = Vec::new();
        let mut patterns = Vec::new();
        for (output, names) in self.product.outputs.iter().zip(&self.names) {
            let (outer, inner) = (names.versioned(outer), names.versioned(inner));
            patterns.push(outer.pattern());
            let key = |file: &ProductFile| match &file.place {
                place @ Place::Inside(_) => (place.clone(), inner.key(place)),
                place => (place.clone(), outer.key(place)),
            };
            keys.push(output.files.iter().map(key).collect());
        }
        Plan {
            storage: self.storage.clone(),
            keys,
            patterns,
        }
    }
}

impl Plan {
    /// The objects by which a version is told to be free: main ones, and the first inner one of each set.
    pub fn telling_keys(&self) -> Vec<ObjectUri> {
        let outer = self.all().filter(|(place, _)| !matches!(place, Place::Inside(_)));
        let mut keys: Vec<ObjectUri> = outer.take(LOOK_AT).map(|(_, key)| self.object(key)).collect();
        keys.extend(self.inside_keys());
        keys
    }

    /// The first inner object of each set.
    pub fn inside_keys(&self) -> Vec<ObjectUri> {
        let first = |keys: &Vec<(Place, String)>| {
            let (_, key) = keys.iter().find(|(place, _)| matches!(place, Place::Inside(_)))?;
            Some(self.object(key))
        };
        self.keys.iter().filter_map(first).collect()
    }

    /// Key of the first output's main object.
    pub fn main_key(&self) -> String {
        self.keys.first().and_then(|keys| main(keys)).unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = &(Place, String)> {
        self.keys.iter().flatten()
    }

    fn object(&self, key: &str) -> ObjectUri {
        ObjectUri::new(self.storage.clone(), key)
    }
}

/// Key of the main object of an output; of numbered files the first.
fn main(keys: &[(Place, String)]) -> Option<String> {
    let main = keys.iter().find(|(place, _)| *place == Place::Main);
    main.or_else(|| keys.iter().find(|(place, _)| matches!(place, Place::Numbered(_))))
        .or_else(|| keys.first())
        .map(|(_, key)| key.clone())
}

/// The rows that reserve the names of `plan`. `written` are the files as they will be published.
pub(super) fn reservation(
    leased: &Leased,
    job: &JobId,
    product: &JobProduct,
    plan: &Plan,
    written: &[Vec<ProductFile>],
    overwrite: bool,
) -> Reservation {
    let row = leased.jobs.iter().find(|row| row.id == *job);
    let grouped = row.is_some_and(|row| row.kind == ActivityKind::Transcode);
    let mut groups: Vec<(String, OutputId)> = Vec::new();
    let mut outputs = Vec::new();
    let mut intents = Vec::new();
    let mut series = Vec::new();
    for (at, (output, files)) in product.outputs.iter().zip(written).enumerate() {
        let keys = &plan.keys[at];
        let id = OutputId::fresh();
        let group_name = if grouped {
            output.kind.group_kind().event_name(&output.group)
        } else {
            String::new()
        };
        let group = grouped.then(|| match groups.iter().find(|(name, _)| *name == group_name) {
            Some((_, id)) => id.clone(),
            None => {
                let id = OutputId::fresh();
                groups.push((group_name.clone(), id.clone()));
                id
            }
        });
        for (ordinal, (file, (_, key))) in files.iter().zip(keys).enumerate() {
            intents.push(IntentRow {
                output: id.clone(),
                ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
                to: plan.object(key),
                scratch_path: file.scratch_path.clone(),
                from: None,
                from_etag: None,
                size_bytes: file.size_bytes,
                md5: file.md5.clone(),
                // Inner files of a set have fresh names; replacing one would break the set that still refers to it.
                overwrite: overwrite && !matches!(file.place, Place::Inside(_)),
            });
        }
        series.extend(measured(output).map(|measured| (id.clone(), measured)));
        outputs.push(OutputRow {
            id,
            job: job.clone(),
            group,
            group_name,
            name: output.name.clone(),
            kind: output.kind,
            main: plan.object(&main(keys).unwrap_or_default()),
            size_bytes: files.iter().map(|file| file.size_bytes).sum(),
            md5: files
                .iter()
                .find(|file| file.place == Place::Main)
                .map(|file| file.md5.clone()),
            published: false,
            detail: detail(output, keys, &plan.patterns[at]),
        });
    }
    Reservation {
        attempt: leased.order.attempt.clone(),
        job: job.clone(),
        result: conclude::result_of(product),
        outputs,
        intents,
        series,
        measured: product.measured.clone(),
    }
}

/// What was measured of an output over its length; none: nothing was.
fn measured(output: &Product) -> Option<RenditionSeries> {
    let of_renditions = output.renditions.iter().map(|rendition| rendition.series.clone());
    let all: RenditionSeries = match output.renditions.is_empty() {
        true => vec![output.series.clone()],
        false => of_renditions.collect(),
    };
    all.iter().any(|tracks| !tracks.is_empty()).then_some(all)
}

fn detail(output: &Product, keys: &[(Place, String)], pattern: &str) -> OutputDetail {
    let key_of = |wanted: &Place| {
        keys.iter()
            .find(|(place, _)| place == wanted)
            .map(|(_, key)| key.clone())
    };
    let numbered = keys.iter().any(|(place, _)| matches!(place, Place::Numbered(_)));
    let webvtt = keys
        .iter()
        .find(|(place, _)| matches!(place, Place::Beside(suffix) if suffix == ".vtt"));
    OutputDetail {
        facts: output.facts.clone(),
        proof: output.proof.clone(),
        renditions: output
            .renditions
            .iter()
            .map(|rendition| RenditionRow {
                id: OutputId::fresh(),
                name: rendition.name.clone(),
                key: key_of(&rendition.place).unwrap_or_default(),
                size_bytes: rendition.size_bytes,
                facts: rendition.facts.clone(),
                quality: rendition.quality.clone(),
            })
            .collect(),
        quality: output.quality.clone(),
        picture_count: output.picture_count,
        pattern: numbered.then(|| pattern.to_owned()),
        webvtt: webvtt.map(|(_, key)| key.clone()),
    }
}
