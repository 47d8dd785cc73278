//! The keys to a bucket: read, kept, renewed.
//!
//! Guarantees: keys and tokens are never shown, not even in part; they are renewed before they expire, by one caller for
//! all; while new ones cannot be had the old ones serve as long as they last. Deliberately absent: signing.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::s3::options::CredentialSource;
use s3::creds::Credentials;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Bytes of the longest key or token.
const SECRET_BYTES: u64 = 16 * 1024;
/// Keys from files are read again after this, so that exchanged ones are taken over without anybody being refused.
const FILES_HOLD: Duration = Duration::from_secs(30);
/// Keys of a role are exchanged this long before they expire.
const RENEW_BEFORE_S: i64 = 300;
/// Time for the service that tells a role's keys.
const INSTANCE_LIMIT: Duration = Duration::from_secs(20);
/// After it failed it is left alone for so long.
const INSTANCE_PAUSE: Duration = Duration::from_secs(10);

/// A pair of keys, with the token of its session if it has one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub access: String,
    pub secret: String,
    pub token: Option<String>,
    /// Seconds since 1970; none: they last.
    expires_s: Option<i64>,
}

impl Keys {
    #[cfg(test)]
    pub(super) fn fixed(access: &str, secret: &str) -> Self {
        Keys {
            access: access.to_owned(),
            secret: secret.to_owned(),
            token: None,
            expires_s: None,
        }
    }

    fn lasts(&self, beyond_s: i64) -> bool {
        self.expires_s.is_none_or(|expires_s| expires_s - beyond_s > now_s())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Where keys come from, and those that are used now.
#[derive(Debug)]
pub(super) struct Keyring {
    storage: String,
    source: CredentialSource,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    keys: Arc<Keys>,
    looked: Instant,
}

impl Keyring {
    pub(super) fn new(storage: &str, source: CredentialSource) -> Self {
        Keyring {
            storage: storage.to_owned(),
            source,
            held: Mutex::new(None),
        }
    }

    /// The keys to sign with now.
    ///
    /// # Errors
    /// `StorageDenied`: there are none.
    pub(super) async fn keys(&self) -> Result<Arc<Keys>, Fault> {
        let mut held = self.held.lock().await;
        if let Some(current) = &*held {
            let fresh = match &self.source {
                CredentialSource::Files { .. } => current.looked.elapsed() < FILES_HOLD,
                CredentialSource::Environment | CredentialSource::Given(_) => true,
                CredentialSource::Instance => {
                    current.keys.lasts(RENEW_BEFORE_S) || current.looked.elapsed() < INSTANCE_PAUSE
                }
            };
            if fresh {
                return Ok(Arc::clone(&current.keys));
            }
        }
        self.look(&mut held).await
    }

    /// Other keys than `refused`, which the service did not take; none: there are no others.
    ///
    /// # Errors
    /// `StorageDenied`: there are none at all.
    pub(super) async fn renew(&self, refused: &Arc<Keys>) -> Result<Option<Arc<Keys>>, Fault> {
        let mut held = self.held.lock().await;
        if let Some(current) = &*held
            && current.keys != *refused
        {
            // Somebody else has renewed them meanwhile.
            return Ok(Some(Arc::clone(&current.keys)));
        }
        let keys = self.look(&mut held).await?;
        Ok((keys != *refused).then_some(keys))
    }

    /// Where somebody would look for what is wrong with the keys.
    pub(super) fn remedy(&self) -> String {
        match &self.source {
            CredentialSource::Files {
                access_key, secret_key, ..
            } => format!(
                "Check the keys in {} and {}, and what the service allows them.",
                access_key.display(),
                secret_key.display()
            ),
            CredentialSource::Environment => {
                "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the daemon, and what the service allows them."
                    .to_owned()
            }
            CredentialSource::Instance => "Check the role of this host, and what it is allowed.".to_owned(),
            CredentialSource::Given(_) => {
                "Check access_key and secret_key of the storage, and what the service allows them.".to_owned()
            }
        }
    }

    async fn look(&self, held: &mut Option<Held>) -> Result<Arc<Keys>, Fault> {
        let source = self.source.clone();
        let read = tokio::task::spawn_blocking(move || read(&source));
        let read = match tokio::time::timeout(INSTANCE_LIMIT, read).await {
            Ok(Ok(read)) => read,
            Ok(Err(_)) => Err("reading them failed".to_owned()),
            Err(_) => Err(format!("they did not come within {} s", INSTANCE_LIMIT.as_secs())),
        };
        match (read, held.as_mut()) {
            (Ok(keys), current) => {
                let keys = match current {
                    // The same keys stay the same allocation: comparing them is cheap then.
                    Some(current) if *current.keys == keys => Arc::clone(&current.keys),
                    _ => Arc::new(keys),
                };
                *held = Some(Held {
                    keys: Arc::clone(&keys),
                    looked: Instant::now(),
                });
                Ok(keys)
            }
            (Err(cause), Some(current)) if current.keys.lasts(0) => {
                tracing::warn!(storage = %self.storage, %cause, "the keys to a bucket cannot be read again; the known ones are used on");
                current.looked = Instant::now();
                Ok(Arc::clone(&current.keys))
            }
            (Err(cause), _) => Err(Fault::new(
                "StorageDenied",
                Blame::Host,
                "read keys",
                self.storage.clone(),
                cause,
                self.remedy(),
            )),
        }
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Reads keys; blocks.
fn read(source: &CredentialSource) -> Result<Keys, String> {
    let said = |error: s3::creds::error::CredentialsError| error.to_string();
    let found = match source {
        CredentialSource::Files {
            access_key,
            secret_key,
            session_token,
        } => {
            return Ok(Keys {
                access: line(access_key)?,
                secret: line(secret_key)?,
                token: session_token.as_deref().map(line).transpose()?,
                expires_s: None,
            });
        }
        CredentialSource::Given(given) => {
            return Ok(Keys {
                access: given.access_key.clone(),
                secret: given.secret_key.clone(),
                token: given.session_token.clone(),
                expires_s: None,
            });
        }
        CredentialSource::Environment => Credentials::from_env().map_err(said)?,
        CredentialSource::Instance => {
            s3::creds::set_request_timeout(Some(Duration::from_secs(5)));
            Credentials::from_container_credentials_provider()
                // Other clouds answer as Amazon does: whoever writes "instance" knows that there is such a service.
                .or_else(|_| Credentials::from_instance_metadata_v2(true))
                .map_err(said)?
        }
    };
    match (found.access_key, found.secret_key) {
        (Some(access), Some(secret)) if !access.is_empty() && !secret.is_empty() => Ok(Keys {
            access,
            secret,
            token: found
                .security_token
                .or(found.session_token)
                .filter(|token| !token.is_empty()),
            expires_s: found.expiration.map(|at| at.unix_timestamp()),
        }),
        _ => Err("there are none".to_owned()),
    }
}

/// The first line of a small file.
fn line(path: &Path) -> Result<String, String> {
    let said = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut text = String::new();
    std::fs::File::open(path)
        .map_err(said)?
        .take(SECRET_BYTES)
        .read_to_string(&mut text)
        .map_err(said)?;
    match text.trim() {
        "" => Err(format!("{} is empty", path.display())),
        line if line.contains(char::is_whitespace) => Err(format!("{} holds more than a key", path.display())),
        line => Ok(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::CredentialSource;
    use super::Keyring;

    #[tokio::test]
    async fn exchanged_keys_are_found_and_nothing_is_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let (access_key, secret_key) = (folder.path().join("access"), folder.path().join("secret"));
        std::fs::write(&access_key, "AK\n").expect("written");
        let ring = Keyring::new(
            "media",
            CredentialSource::Files {
                access_key,
                secret_key: secret_key.clone(),
                session_token: None,
            },
        );
        let fault = ring.keys().await.expect_err("no secret key yet");
        assert_eq!(fault.code, "StorageDenied");
        assert!(
            fault.cause.contains("secret") && fault.remedy.contains("secret"),
            "{fault}"
        );
        std::fs::write(&secret_key, "first-secret\n").expect("written");
        let first = ring.keys().await.expect("keys");
        assert!(
            ring.renew(&first).await.expect("looked").is_none(),
            "the same keys are no others"
        );
        std::fs::write(&secret_key, "second-secret").expect("written");
        let second = ring.renew(&first).await.expect("looked").expect("others");
        assert_eq!(second.secret, "second-secret");
        assert!(!format!("{ring:?}{second:?}").contains("second-secret"));
        // When the files are gone the known keys serve on.
        std::fs::remove_file(&secret_key).expect("removed");
        assert!(ring.renew(&second).await.expect("the known ones").is_none());
    }
}
