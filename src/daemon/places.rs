//! The storages of the configuration as the rest of the program has them.
//!
//! Guarantees: one list, made once. Deliberately absent: watching them.

use crate::base::address::Reach;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::groups;
use crate::config::resolved::Config;
use crate::config::storage::BucketPlace;
use crate::config::storage::Place;
use crate::config::storage::Storage;
use crate::config::storage_section::Credentials;
use crate::events::profile::Deployment;
use crate::objects::local::Folder;
use crate::objects::rights::Rights;
use crate::objects::s3::Bucket;
use crate::objects::s3::BucketOptions;
use crate::objects::s3::CredentialSource;
use crate::objects::s3::GivenKeys;
use crate::objects::s3::Patience;
use crate::objects::s3::UploadOptions;
use crate::objects::storages::FolderStorage;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::workflow::storage::Definition;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The storages of the configuration.
///
/// # Errors
/// What a bucket needs at once cannot be read.
pub(super) fn storages(config: &Config) -> Result<Storages, Fault> {
    config.storages.iter().map(medium).collect()
}

/// A storage as work is done on it.
///
/// # Errors
/// What it needs at once is not there: its group, its authorities.
pub(super) fn medium(storage: &Storage) -> Result<Medium, Fault> {
    match &storage.place {
        Place::Folder(place) => {
            let group = place.file_group.as_deref().map(|group| group_of(&storage.name, group));
            let folder = Folder::new(&storage.name, &place.path).with_rights(Rights {
                file_mode: place.file_mode,
                folder_mode: place.folder_mode,
                group: group.transpose()?,
            });
            Ok(Medium::Folder(FolderStorage::new(folder)))
        }
        Place::Bucket(place) => Bucket::new(bucket(&storage.name, place)?).map(Medium::Bucket),
    }
}

/// The number of the group that a storage gives its files to.
fn group_of(storage: &str, written: &str) -> Result<u32, Fault> {
    let refused = |cause: String| {
        Fault::new(
            "GroupRefused",
            Blame::Request,
            "use the group",
            format!("file_group of the storage {storage:?}"),
            cause,
            "Correct file_group, or make the daemon's user a member (usermod -aG GROUP reelmill) and start it again.",
        )
    };
    let group = groups::number_of(written).map_err(refused)?;
    match groups::may_give_to(group) {
        true => Ok(group),
        false => Err(refused(format!(
            "the daemon's user is no member of the group {written:?}"
        ))),
    }
}

/// What a bucket of the configuration is.
///
/// # Errors
/// Its authorities cannot be read.
pub(crate) fn bucket(name: &str, place: &BucketPlace) -> Result<BucketOptions, Fault> {
    let authorities = place.tls_ca_file.as_ref().map(|file| {
        std::fs::read(file).map_err(|error| {
            Fault::new(
                "AuthoritiesUnreadable",
                Blame::Request,
                "read",
                file.display().to_string(),
                error.to_string(),
                format!("Correct tls_ca_file of the storage {name:?}."),
            )
        })
    });
    Ok(BucketOptions {
        name: name.to_owned(),
        endpoint: place.endpoint.clone(),
        region: place.region.clone(),
        bucket: place.bucket.clone(),
        path_style: place.path_style,
        credentials: match (place.credentials, &place.given) {
            (Credentials::Files, Some(given)) => CredentialSource::Given(GivenKeys {
                access_key: given.access_key.expose().to_owned(),
                secret_key: given.secret_key.expose().to_owned(),
                session_token: given.session_token.as_ref().map(|token| token.expose().to_owned()),
            }),
            (Credentials::Files, None) => CredentialSource::Files {
                access_key: place.access_key_file.clone(),
                secret_key: place.secret_key_file.clone(),
                session_token: place.session_token_file.clone(),
            },
            (Credentials::Environment, _) => CredentialSource::Environment,
            (Credentials::Instance, _) => CredentialSource::Instance,
        },
        tls_ca_pem: match &place.given {
            Some(given) => Some(given.tls_ca.clone().into_bytes()).filter(|pem| !pem.is_empty()),
            None => authorities.transpose()?,
        },
        upload: UploadOptions {
            storage_class: place.storage_class.clone(),
            acl: place.acl.clone(),
            sse: place.sse.clone(),
            sse_kms_key: place.sse_kms_key.clone(),
            cache_control: place.cache_control.clone(),
            part_bytes: place.part_bytes,
            concurrency: place.concurrency,
        },
        // Who writes the configuration may mean this very host.
        reach: match &place.given {
            Some(given) if !given.may_be_local => Reach::Network,
            _ => Reach::Loopback,
        },
        patience: Patience::of(place.retry),
    })
}

/// A storage of the configuration as it would be written through the API, without keys, and without what has its default
/// by file system.
pub(super) fn written(storage: &Storage) -> Definition {
    let arriving = &storage.arriving;
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    let word = |value: Result<Value, serde_json::Error>| value.ok().and_then(|value| value.as_str().map(str::to_owned));
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let all = Definition {
        name: storage.name.clone(),
        watch: word(serde_json::to_value(storage.watch)),
        settle_interval_s: seconds(arriving.settle_interval),
        settle_looks: arriving.settle_looks,
        poll_interval_s: seconds(storage.poll_interval),
        min_age_s: Some(arriving.min_age.as_secs_f64()),
        include: Some(arriving.include.clone()),
        exclude: Some(arriving.exclude.clone()),
        ..Definition::default()
    };
    match &storage.place {
        Place::Folder(place) => {
            let mode = |bits: Option<u32>| bits.map(|bits| format!("{bits:04o}"));
            let groups = arriving.groups.iter();
            Definition {
                kind: "folder".to_owned(),
                path: place.path.display().to_string(),
                ready: word(serde_json::to_value(arriving.ready)),
                marker: said(&arriving.marker),
                sidecars: Some(arriving.sidecars),
                subtitles: Some(arriving.subtitles),
                groups: Some(groups.filter_map(|group| word(serde_json::to_value(group))).collect()),
                sequence_fps: Some(arriving.sequence_fps),
                sentinel: place.sentinel.clone(),
                file_mode: mode(place.file_mode),
                folder_mode: mode(place.folder_mode),
                file_group: place.file_group.clone(),
                ..all
            }
        }
        Place::Bucket(place) => Definition {
            kind: "s3".to_owned(),
            endpoint: Some(place.endpoint.to_string()),
            region: Some(place.region.clone()),
            bucket: Some(place.bucket.clone()),
            path_style: Some(place.path_style),
            credentials: word(serde_json::to_value(place.credentials)),
            storage_class: said(&place.storage_class),
            acl: said(&place.acl),
            sse: said(&place.sse),
            sse_kms_key: said(&place.sse_kms_key),
            cache_control: said(&place.cache_control),
            part_mib: u32::try_from(place.part_bytes >> 20).ok(),
            concurrency: u32::try_from(place.concurrency).ok(),
            retry_s: seconds(Some(place.retry)),
            notify_confirm_urls: Some(place.notify_confirm_urls.clone()),
            monotonic_prefixes: Some(place.monotonic_prefixes.clone()),
            ..all
        },
    }
}

/// The names of this installation in events: objects in buckets are told by the addresses that the buckets give them.
pub(super) fn deployment(config: &Config, storages: &Storages) -> Deployment {
    let server = &config.server;
    let storages = storages.clone();
    Deployment::new(server.user_id, &server.app_id, &server.region, &server.public_url).with_bases(Arc::new(
        move |storage| {
            let bucket = storages.bucket(storage)?;
            Some(bucket.address("").trim_end_matches('/').to_owned())
        },
    ))
}
