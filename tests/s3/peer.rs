//! The service under the tests: s3s-fs, or the one that REELMILL_S3_PEER names as `ENDPOINT ACCESS_KEY SECRET_KEY BUCKET`.

use crate::appliance::fault_proxy::FaultProxy;
use crate::appliance::s3_server::S3Server;
use reelmill::base::address::Reach;
use reelmill::objects::s3::Bucket;
use reelmill::objects::s3::BucketOptions;
use reelmill::objects::s3::CredentialSource;
use reelmill::objects::s3::Patience;
use reelmill::objects::s3::PutRule;
use reelmill::objects::s3::Replace;
use reelmill::objects::s3::UploadOptions;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::bytes::Bytes;
use url::Url;

/// A service with a proxy before it.
pub struct Peer {
    /// None: another service.
    pub server: Option<S3Server>,
    pub proxy: FaultProxy,
    keys: (PathBuf, PathBuf),
    bucket: String,
    /// Keys of this test begin with this: peers live longer than a test.
    pub prefix: String,
    _folder: tempfile::TempDir,
}

impl Peer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let prefix = format!("{}/", uuid::Uuid::now_v7().simple());
        match std::env::var("REELMILL_S3_PEER") {
            Ok(said) => {
                let words: Vec<&str> = said.split(' ').collect();
                let [endpoint, access, secret, bucket] = words[..] else {
                    panic!("REELMILL_S3_PEER is `ENDPOINT ACCESS_KEY SECRET_KEY BUCKET`");
                };
                let keys = (folder.path().join("access"), folder.path().join("secret"));
                std::fs::write(&keys.0, access).expect("written");
                std::fs::write(&keys.1, secret).expect("written");
                let port = Url::parse(endpoint).expect("a URL").port().expect("a port");
                Peer {
                    server: None,
                    proxy: FaultProxy::start(port),
                    keys,
                    bucket: bucket.to_owned(),
                    prefix,
                    _folder: folder,
                }
            }
            Err(_) => {
                let server = S3Server::start(&["media"]);
                Peer {
                    proxy: FaultProxy::start(server.port()),
                    keys: server.key_files(),
                    server: Some(server),
                    bucket: "media".to_owned(),
                    prefix,
                    _folder: folder,
                }
            }
        }
    }

    /// A key of this test.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub fn options(&self) -> BucketOptions {
        BucketOptions {
            name: "media".to_owned(),
            endpoint: Url::parse(&self.proxy.endpoint()).expect("a URL"),
            region: "us-east-1".to_owned(),
            bucket: self.bucket.clone(),
            path_style: true,
            credentials: CredentialSource::Files {
                access_key: self.keys.0.clone(),
                secret_key: self.keys.1.clone(),
                session_token: None,
            },
            tls_ca_pem: None,
            upload: UploadOptions {
                part_bytes: 5 << 20,
                ..UploadOptions::default()
            },
            reach: Reach::Loopback,
            patience: Patience {
                first_pause: Duration::from_millis(10),
                longest_pause: Duration::from_millis(100),
                ..Patience::default()
            },
        }
    }

    /// The bucket through the proxy.
    pub fn bucket(&self) -> Bucket {
        Bucket::new(self.options()).expect("a bucket")
    }

    /// The same, tried again at once, and not given up on a machine that has much else to do.
    pub fn dogged(&self) -> Bucket {
        let patience = Patience {
            total: Duration::from_secs(60),
            idle: Duration::from_secs(3),
            idle_at_work: Duration::from_secs(20),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(100),
        };
        Bucket::new(BucketOptions {
            patience,
            ..self.options()
        })
        .expect("a bucket")
    }

    /// The same, given up soon.
    pub fn impatient(&self) -> Bucket {
        let patience = Patience {
            total: Duration::from_secs(2),
            idle: Duration::from_millis(500),
            idle_at_work: Duration::from_millis(500),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(100),
        };
        Bucket::new(BucketOptions {
            patience,
            ..self.options()
        })
        .expect("a bucket")
    }

    /// Whether the service looks at signatures: moto does not unless it is told to.
    pub async fn checks_keys(&self) -> bool {
        let wrong = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(wrong.path(), "wrong-secret").expect("written");
        let stranger = Bucket::new(BucketOptions {
            credentials: CredentialSource::Files {
                access_key: self.keys.0.clone(),
                secret_key: wrong.path().to_owned(),
                session_token: None,
            },
            ..self.options()
        });
        let checks = stranger.expect("a bucket").reach().await.is_err();
        if !checks {
            println!("this service takes any key: a part of the test is passed over");
        }
        self.proxy.forget();
        checks
    }

    /// Where secrets are looked for that must not show.
    pub fn secret(&self) -> String {
        std::fs::read_to_string(&self.keys.1).expect("the secret")
    }

    /// Writes other words into the file of the secret key.
    pub fn set_secret(&self, secret: &str) {
        std::fs::write(&self.keys.1, secret).expect("written");
    }
}

/// Bytes in which every piece is unlike the others.
pub fn noise(length: usize) -> Bytes {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

pub fn rule(replace: Replace) -> PutRule {
    PutRule {
        content_type: "video/mp4".to_owned(),
        metadata: BTreeMap::from([("reelmill-md5".to_owned(), "d41d8cd98f00b204e9800998ecf8427e".to_owned())]),
        replace,
    }
}
