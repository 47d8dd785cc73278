//! Uploads in parts: begun, sent, completed or aborted.
//!
//! Guarantees: each part is compared with what was sent; completing twice, or after an answer that was lost, ends as
//! completing once; an object is there whole or not at all. Deliberately absent: cutting into parts (`staging`).

use crate::base::fault::Fault;
use crate::objects::s3::Bucket;
use crate::objects::s3::exchange;
use crate::objects::s3::exchange::Ask;
use crate::objects::s3::exchange::Failure;
use crate::objects::s3::exchange::Wants;
use crate::objects::s3::forms;
use crate::objects::s3::key;
use crate::objects::s3::writing::Compared;
use crate::objects::s3::writing::Put;
use crate::objects::s3::writing::PutRule;
use crate::objects::s3::writing::Replace;
use crate::objects::s3::writing::is_ours;
use md5::Digest;
use md5::Md5;
use reqwest::Method;
use s3::serde_types::CompleteMultipartUploadData;
use s3::serde_types::InitiateMultipartUploadResponse;
use serde::Deserialize;
use serde::Serialize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::bytes::Bytes;

/// Pauses before the looks at an object that may still be being joined of its parts.
const JOINING: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_millis(600),
    Duration::from_millis(1_500),
    Duration::from_secs(3),
];

/// One part that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// 1 to 10,000.
    pub number: u32,
    /// Without its quotes.
    pub etag: String,
    /// Its bytes.
    pub size_bytes: u64,
    /// MD5 in hex of what was sent; empty for one that the service copied.
    pub md5: String,
}

impl Bucket {
    /// Begins an upload of `key`; its id.
    ///
    /// # Errors
    /// `KeyRefused`, or those of [`Bucket::reach`].
    pub async fn begin(&self, key: &str, rule: &PutRule) -> Result<String, Fault> {
        key::check_writable(self.name(), key)?;
        let ask = Ask::new("begin upload", Method::POST, key)
            .query("uploads", "")
            .wants(Wants::Form);
        let ask = self.described(ask, rule);
        let reply = self.ask(&ask).await?;
        let form: InitiateMultipartUploadResponse =
            forms::read(&reply.body).map_err(|cause| self.misread(&ask, cause))?;
        Ok(form.upload_id)
    }

    /// Sends part `number` (1 to 10,000; all but the last at least 5 MiB) of an upload. Sending it again replaces it.
    ///
    /// # Errors
    /// `UploadGone`, `OutputCorrupt`, or those of [`Bucket::reach`].
    pub async fn part(&self, key: &str, upload: &str, number: u32, bytes: Bytes) -> Result<Part, Fault> {
        let mut sent_again = false;
        loop {
            let sums = self.sums(&bytes).await;
            let ask = Ask::new("write part", Method::PUT, key)
                .query("partNumber", number.to_string())
                .query("uploadId", upload)
                .body(bytes.clone());
            let ask = self.summed(ask, &sums);
            match self.0.exchange(&ask).await {
                Ok(reply) => {
                    let etag = forms::bare_etag(exchange::text(&reply.headers, "etag").unwrap_or_default());
                    match self.compare(&reply.headers, &etag, &sums, sent_again) {
                        Compared::Equal => {
                            return Ok(Part {
                                number,
                                etag,
                                size_bytes: bytes.len() as u64,
                                md5: sums.md5_hex(),
                            });
                        }
                        Compared::Differs if !sent_again => sent_again = true,
                        Compared::Differs => return Err(self.corrupt("write part", key, &etag, &sums.md5_hex())),
                    }
                }
                Err(Failure::Refused(refusal)) if self.learns_sums(&refusal) => {}
                Err(failure) => return Err(self.0.fault(&ask, failure)),
            }
        }
    }

    /// Makes the object `key` of its parts, which are in order. `rule` is the one it was begun with.
    ///
    /// # Errors
    /// `UploadGone` (begin anew), `OutputCorrupt`, or those of [`Bucket::reach`].
    pub async fn complete(&self, key: &str, upload: &str, parts: &[Part], rule: &PutRule) -> Result<Put, Fault> {
        let size_bytes = parts.iter().map(|part| part.size_bytes).sum();
        let expected = etag_of(parts);
        if rule.replace == Replace::Never
            && let Some(head) = self.head(key).await?
        {
            return Ok(if is_ours(&head, size_bytes, &expected, rule) {
                Put::Done(head.etag)
            } else {
                Put::Taken
            });
        }
        let form = CompleteMultipartUploadData {
            parts: parts.iter().map(named).collect(),
        };
        let mut conditional = rule.replace == Replace::Never;
        let etag = loop {
            let mut ask = Ask::new("complete upload", Method::POST, key)
                .query("uploadId", upload)
                .header("content-type", "application/xml")
                .body(form.to_string())
                .wants(Wants::Form)
                .at_work();
            if conditional {
                ask = ask.header("if-none-match", "*");
            }
            match self.0.exchange(&ask).await {
                Ok(reply) => {
                    let made: forms::Made = forms::read(&reply.body).map_err(|cause| self.misread(&ask, cause))?;
                    break forms::bare_etag(&made.etag);
                }
                Err(Failure::Refused(refusal))
                    if refusal.code == "NoSuchUpload"
                        || refusal.status == 403
                        || (refusal.unsure && refusal.status != 412) =>
                {
                    // Perhaps it was completed, and the answer was lost. Services refuse the next try in many words: also
                    // as not permitted, to somebody whose parts they took.
                    return match self.made_before(key, size_bytes, &expected, rule).await? {
                        Some(etag) => Ok(Put::Done(etag)),
                        None => Err(self.0.fault(&ask, Failure::Refused(refusal))),
                    };
                }
                Err(Failure::Refused(refusal)) if conditional && refusal.status == 412 => {
                    return self.taken_or_ours(key, size_bytes, &expected, rule, &refusal).await;
                }
                Err(Failure::Refused(refusal)) if conditional && refusal.is_unknown_way() => conditional = false,
                Err(failure) => return Err(self.0.fault(&ask, failure)),
            }
        };
        self.check_made(key, etag, size_bytes, &expected, parts.len()).await
    }

    /// Ends an upload that shall not be completed, and frees its parts. That it was not there is no fault.
    ///
    /// # Errors
    /// Those of [`Bucket::reach`].
    pub async fn abort(&self, key: &str, upload: &str) -> Result<(), Fault> {
        let ask = Ask::new("abort upload", Method::DELETE, key).query("uploadId", upload);
        match self.0.exchange(&ask).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(refusal)) if refusal.status == 404 && !refusal.is_no_bucket() => Ok(()),
            Err(failure) => Err(self.0.fault(&ask, failure)),
        }
    }

    /// The ETag of the object that an earlier call made, or is still making: that call may have come from a process that
    /// died, and joining parts takes services a while. None: it is not there within some seconds.
    async fn made_before(
        &self,
        key: &str,
        size_bytes: u64,
        expected: &str,
        rule: &PutRule,
    ) -> Result<Option<String>, Fault> {
        for wait in JOINING {
            tokio::time::sleep(wait).await;
            if let Some(head) = self.head(key).await?
                && is_ours(&head, size_bytes, expected, rule)
            {
                return Ok(Some(head.etag));
            }
        }
        Ok(None)
    }

    /// Whether what was made of parts is what was sent.
    async fn check_made(
        &self,
        key: &str,
        etag: String,
        size_bytes: u64,
        expected: &str,
        parts: usize,
    ) -> Result<Put, Fault> {
        let of_md5 = self.0.gives_md5.load(Ordering::Relaxed) && !expected.is_empty();
        if of_md5 && etag.ends_with(&format!("-{parts}")) && etag != expected {
            return Err(self.corrupt("complete upload", key, &etag, expected));
        }
        match self.head(key).await? {
            Some(head) if head.size_bytes == size_bytes => Ok(Put::Done(head.etag)),
            Some(head) => Err(self.corrupt(
                "complete upload",
                key,
                &format!("{} bytes", head.size_bytes),
                &format!("{size_bytes} bytes"),
            )),
            None => Err(self.corrupt("complete upload", key, "nothing", &format!("{size_bytes} bytes"))),
        }
    }
}

fn named(part: &Part) -> s3::serde_types::Part {
    s3::serde_types::Part {
        part_number: part.number,
        etag: format!("\"{}\"", part.etag),
    }
}

/// The ETag of an object made of these parts, where ETags are made of MD5s; empty where that is not known.
fn etag_of(parts: &[Part]) -> String {
    let mut all = Md5::new();
    for part in parts {
        match hex::decode(&part.md5) {
            Ok(md5) if md5.len() == 16 => all.update(&md5),
            _ => return String::new(),
        }
    }
    format!("{}-{}", hex::encode(all.finalize()), parts.len())
}

#[cfg(test)]
mod tests {
    use super::Part;
    use super::etag_of;

    #[test]
    fn the_etag_of_parts_is_that_of_the_services() {
        let part = |number, md5: &str| Part {
            number,
            etag: md5.to_owned(),
            size_bytes: 1,
            md5: md5.to_owned(),
        };
        // MD5 of the 32 bytes of MD5("a") and MD5("b").
        let parts = [
            part(1, "0cc175b9c0f1b6a831c399e269772661"),
            part(2, "92eb5ffee6ae2fec3ad71c777531578f"),
        ];
        assert_eq!(etag_of(&parts), "96e024ba2074fe77e8e965ba43a704be-2");
        assert_eq!(etag_of(&[part(1, "")]), "");
    }
}
