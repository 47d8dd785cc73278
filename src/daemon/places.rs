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
use crate::objects::s3::Patience;
use crate::objects::s3::UploadOptions;
use crate::objects::storages::FolderStorage;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use std::sync::Arc;

/// The storages of the configuration.
///
/// # Errors
/// What a bucket needs at once cannot be read.
pub(super) fn storages(config: &Config) -> Result<Storages, Fault> {
    config.storages.iter().map(medium).collect()
}

fn medium(storage: &Storage) -> Result<Medium, Fault> {
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
        credentials: match place.credentials {
            Credentials::Files => CredentialSource::Files {
                access_key: place.access_key_file.clone(),
                secret_key: place.secret_key_file.clone(),
                session_token: place.session_token_file.clone(),
            },
            Credentials::Environment => CredentialSource::Environment,
            Credentials::Instance => CredentialSource::Instance,
        },
        tls_ca_pem: authorities.transpose()?,
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
        reach: Reach::Loopback,
        patience: Patience::of(place.retry),
    })
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
