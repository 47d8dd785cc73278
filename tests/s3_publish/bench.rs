//! An executor with two buckets of one service and a folder, and files in its scratch.

use crate::appliance::fault_proxy::FaultProxy;
use crate::appliance::fault_proxy::Seen;
use crate::appliance::s3_server::S3Server;
use md5::Digest;
use reelmill::base::address::Reach;
use reelmill::base::fault::Fault;
use reelmill::base::ids::AttemptId;
use reelmill::executor::Executor;
use reelmill::executor::Identity;
use reelmill::executor::PublishFile;
use reelmill::executor::local::LocalExecutor;
use reelmill::executor::local::LocalExecutorOptions;
use reelmill::objects::s3::Bucket;
use reelmill::objects::s3::BucketOptions;
use reelmill::objects::s3::CredentialSource;
use reelmill::objects::s3::Head;
use reelmill::objects::s3::Patience;
use reelmill::objects::s3::PutRule;
use reelmill::objects::s3::Replace;
use reelmill::objects::s3::UploadOptions;
use reelmill::objects::storages::Medium;
use reelmill::objects::uri::ObjectUri;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::bytes::Bytes;
use url::Url;

pub struct Bench {
    pub server: S3Server,
    pub proxy: FaultProxy,
    root: tempfile::TempDir,
    pub executor: LocalExecutor,
    pub attempt: AttemptId,
}

impl Bench {
    pub fn new() -> Self {
        let server = S3Server::start(&["out", "other"]);
        let proxy = FaultProxy::start(server.port());
        let root = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(root.path().join("nas")).expect("a folder");
        let executor = executor(&server, &proxy, &root);
        let attempt = AttemptId::fresh();
        std::fs::create_dir_all(executor.scratch_dir(&attempt)).expect("the scratch directory");
        Bench {
            server,
            proxy,
            root,
            executor,
            attempt,
        }
    }

    /// Another process over the same scratch, as after a death.
    pub fn die(&mut self) {
        self.executor = executor(&self.server, &self.proxy, &self.root);
    }

    pub fn nas(&self) -> PathBuf {
        self.root.path().join("nas")
    }

    /// A file in scratch that is to become `key` in the bucket.
    pub fn made(&self, key: &str, content: &[u8]) -> PublishFile {
        let scratch_path = key.replace('/', "_");
        let path = self.executor.scratch_dir(&self.attempt).join(&scratch_path);
        std::fs::write(path, content).expect("scratch is there");
        PublishFile {
            scratch_path,
            from: None,
            from_etag: None,
            output: format!("output-of-{}", self.attempt),
            to: ObjectUri::new("out", key),
            size_bytes: content.len() as u64,
            md5: md5_of(content),
            overwrite: false,
        }
    }

    /// A copy of `from`, which has this content, to `to`.
    pub fn copied(&self, from: &str, to: &str, content: &[u8]) -> PublishFile {
        PublishFile {
            scratch_path: String::new(),
            from: ObjectUri::parse(from),
            to: ObjectUri::parse(to).expect("an object"),
            output: format!("output-of-{}", self.attempt),
            size_bytes: content.len() as u64,
            md5: md5_of(content),
            from_etag: None,
            overwrite: false,
        }
    }

    pub async fn publish(&self, files: &[PublishFile]) -> Result<Vec<Identity>, Fault> {
        self.executor.publish(&self.attempt, files).await
    }

    pub async fn code(&self, files: &[PublishFile]) -> Result<(), String> {
        let answer = self.publish(files).await;
        answer
            .map(|stand| assert_eq!(stand.len(), files.len()))
            .map_err(|fault| {
                assert!(!fault.cause.is_empty() && fault.remedy.ends_with('.'), "{fault:?}");
                fault.code
            })
    }

    /// Somebody else's object.
    pub async fn hers(&self, key: &str, content: &[u8]) {
        hers(&self.server, "out", key, content).await;
    }

    pub async fn head(&self, bucket: &str, key: &str) -> Option<Head> {
        bucket_of(&self.server, &self.server.endpoint(), bucket)
            .head(key)
            .await
            .expect("the service answers")
    }

    /// Keys that were named, in the order in which the service was asked to.
    pub fn named(&self) -> Vec<String> {
        let seen = self.proxy.seen();
        let named = seen.iter().filter(|seen| is_naming(seen) && seen.status == 200);
        named.map(key_of).collect()
    }

    /// Parts of uploads that the service still keeps.
    pub fn open_uploads(&self) -> Vec<String> {
        let folder = self.server.folder("out");
        let root = folder.parent().expect("a folder above");
        let entries = std::fs::read_dir(root).expect("readable");
        let names = entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
        // A part that arrived after its upload had ended lies in this service's folder for ever; a real one refuses it.
        let is_known = |name: &String| match name
            .strip_prefix(".upload_id-")
            .and_then(|rest| rest.split_once(".part-"))
        {
            Some((upload, _)) => root.join(format!(".upload-{upload}.json")).exists(),
            None => name.starts_with(".upload"),
        };
        names.filter(is_known).collect()
    }

    /// What lies in scratch beside the directory of the attempt.
    pub fn notes(&self) -> Vec<String> {
        crate::appliance::files_beneath(&self.root.path().join("scratch/uploads"))
    }
}

pub fn is_naming(seen: &Seen) -> bool {
    let completes = seen.method == "POST" && seen.target.contains("uploadId=");
    completes || (seen.method == "PUT" && !seen.target.contains("partNumber="))
}

pub fn is_part(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.target.contains("partNumber=")
}

pub fn key_of(seen: &Seen) -> String {
    let path = seen.target.split('?').next().unwrap_or_default();
    path.splitn(3, '/').nth(2).unwrap_or_default().to_owned()
}

pub fn md5_of(content: &[u8]) -> String {
    hex::encode(md5::Md5::digest(content))
}

/// Puts somebody else's object into a bucket, past everything under test.
pub async fn hers(server: &S3Server, bucket: &str, key: &str, content: &[u8]) {
    let rule = PutRule {
        content_type: "video/mp4".to_owned(),
        metadata: BTreeMap::from([("by".to_owned(), "her".to_owned())]),
        replace: Replace::Always,
    };
    let bucket = bucket_of(server, &server.endpoint(), bucket);
    let put = bucket.put(key, Bytes::copy_from_slice(content), &rule).await;
    put.expect("the service takes it");
}

/// Different everywhere, so that what is torn or mixed up differs.
pub fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        noise.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

fn executor(server: &S3Server, proxy: &FaultProxy, root: &tempfile::TempDir) -> LocalExecutor {
    let options = LocalExecutorOptions::new(root.path().join("scratch")).with_folder("nas", root.path().join("nas"));
    for name in ["out", "other"] {
        options
            .storages
            .insert(Medium::Bucket(bucket_of(server, &proxy.endpoint(), name)));
    }
    LocalExecutor::new(options)
}

/// The bucket `name` as a client of its own sees it at `endpoint`.
pub fn bucket_of(server: &S3Server, endpoint: &str, name: &str) -> Bucket {
    let (access_key, secret_key) = server.key_files();
    Bucket::new(BucketOptions {
        name: name.to_owned(),
        endpoint: Url::parse(endpoint).expect("a URL"),
        region: "us-east-1".to_owned(),
        bucket: name.to_owned(),
        path_style: true,
        credentials: CredentialSource::Files {
            access_key,
            secret_key,
            session_token: None,
        },
        tls_ca_pem: None,
        upload: UploadOptions {
            part_bytes: 5 << 20,
            ..UploadOptions::default()
        },
        reach: Reach::Loopback,
        patience: Patience {
            total: Duration::from_secs(10),
            idle: Duration::from_secs(5),
            idle_at_work: Duration::from_secs(5),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(100),
        },
    })
    .expect("a bucket")
}
