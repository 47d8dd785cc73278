//! The keys of a bucket, page by page, and the uploads that were begun in it.
//!
//! Guarantees: no more than a page is held; a page that was cut off is asked for again, never taken for the last one.
//! Deliberately absent: what to make of the keys.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::s3::Bucket;
use crate::objects::s3::exchange::Ask;
use crate::objects::s3::exchange::Failure;
use crate::objects::s3::exchange::Wants;
use crate::objects::s3::forms;
use crate::objects::s3::key::may_be_encoded;
use crate::objects::s3::key::text_of;
use crate::objects::uri::key_bytes;
use reqwest::Method;
use s3::serde_types::ListBucketResult;

/// Keys of the longest page that services give.
pub const PAGE_KEYS: u32 = 1_000;

/// One object of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size_bytes: u64,
    /// When it was written, nanoseconds since 1970; whole seconds, as [`Head`](crate::objects::s3::Head) has them.
    pub mtime_ns: i64,
    /// Without its quotes.
    pub etag: String,
}

/// A page of keys, in the order of their UTF-8 bytes (services differ from that only for `folders`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Objects.
    pub objects: Vec<Listed>,
    /// With `folders`: what ends at the next `/`, ending in it.
    pub folders: Vec<String>,
    /// The token with which the listing goes on; none: this was the last page.
    pub next: Option<String>,
}

/// An upload that was begun and neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key it was begun for.
    pub key: String,
    /// Its id.
    pub upload: String,
    /// When it was begun, seconds since 1970; 0: the service does not say.
    pub begun_s: i64,
}

impl Bucket {
    /// A page of the keys that begin with `prefix`. `folders`: what lies deeper than the next `/` comes as one folder.
    /// `after`: only keys after this one; `token`: where the page before ended. At most `limit` (1 to 1,000) entries.
    ///
    /// # Errors
    /// Those of [`Bucket::reach`].
    pub async fn list(
        &self,
        prefix: &str,
        folders: bool,
        after: Option<&str>,
        token: Option<&str>,
        limit: u32,
    ) -> Result<Page, Fault> {
        let mut ask = Ask::new("list", Method::GET, "")
            .query("list-type", "2")
            .query("encoding-type", "url")
            .query("max-keys", limit.clamp(1, PAGE_KEYS).to_string())
            .wants(Wants::Form);
        if !prefix.is_empty() {
            ask = ask.query("prefix", plain(prefix));
        }
        if folders {
            ask = ask.query("delimiter", "/");
        }
        if let Some(after) = after {
            ask = ask.query("start-after", plain(after));
        }
        if let Some(token) = token {
            ask = ask.query("continuation-token", token);
        }
        let reply = self.ask(&ask).await?;
        let form: ListBucketResult = forms::read(&reply.body).map_err(|cause| self.misread(&ask, cause))?;
        // Whether keys are encoded is said for a page as a whole, and not by all services truly.
        let encoded = form.encoding_type.as_deref() == Some("url")
            && form.contents.iter().all(|object| may_be_encoded(&object.key))
            && form
                .common_prefixes
                .iter()
                .flatten()
                .all(|folder| may_be_encoded(&folder.prefix));
        if form.is_truncated && form.next_continuation_token.is_none() {
            return Err(self.misread(&ask, "the listing is said to go on, but not where".to_owned()));
        }
        let objects = form.contents.into_iter().map(|object| Listed {
            key: text_of(&object.key, encoded),
            size_bytes: object.size,
            mtime_ns: forms::xml_date_s(&object.last_modified)
                .unwrap_or(0)
                .saturating_mul(1_000_000_000),
            etag: forms::bare_etag(object.e_tag.as_deref().unwrap_or_default()),
        });
        let folders = form.common_prefixes.unwrap_or_default().into_iter();
        Ok(Page {
            objects: objects.collect(),
            folders: folders.map(|folder| text_of(&folder.prefix, encoded)).collect(),
            next: form.next_continuation_token.filter(|_| form.is_truncated),
        })
    }

    /// The uploads of keys with this prefix that were begun and not ended. Empty where the service cannot tell them.
    ///
    /// # Errors
    /// Those of [`Bucket::reach`].
    pub async fn uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, Fault> {
        let mut found = Vec::new();
        let (mut key_marker, mut id_marker) = (String::new(), String::new());
        loop {
            let mut ask = Ask::new("list uploads", Method::GET, "")
                .query("uploads", "")
                .query("encoding-type", "url")
                .query("max-uploads", PAGE_KEYS.to_string())
                .wants(Wants::Form);
            if !prefix.is_empty() {
                ask = ask.query("prefix", plain(prefix));
            }
            if !key_marker.is_empty() {
                ask = ask.query("key-marker", key_marker.clone());
            }
            if !id_marker.is_empty() {
                ask = ask.query("upload-id-marker", id_marker.clone());
            }
            let reply = match self.0.exchange(&ask).await {
                Ok(reply) => reply,
                Err(Failure::Refused(refusal)) if refusal.is_unknown_way() => return Ok(found),
                Err(failure) => return Err(self.0.fault(&ask, failure)),
            };
            let form: forms::Uploads = forms::read(&reply.body).map_err(|cause| self.misread(&ask, cause))?;
            let encoded = form.encoding_type.as_deref() == Some("url")
                && form.uploads.iter().all(|upload| may_be_encoded(&upload.key));
            found.extend(form.uploads.into_iter().map(|upload| OpenUpload {
                key: text_of(&upload.key, encoded),
                upload: upload.upload_id,
                begun_s: forms::xml_date_s(&upload.initiated).unwrap_or(0),
            }));
            let next = if encoded {
                plain(&text_of(&form.next_key_marker, true))
            } else {
                form.next_key_marker
            };
            if form.is_truncated.trim() != "true" || (next == key_marker && form.next_upload_id_marker == id_marker) {
                return Ok(found);
            }
            (key_marker, id_marker) = (next, form.next_upload_id_marker);
        }
    }

    /// The answer makes no sense.
    pub(super) fn misread(&self, ask: &Ask<'_>, cause: String) -> Fault {
        Fault::new(
            "StorageRefused",
            Blame::Host,
            ask.operation,
            self.0.subject(ask.key),
            cause,
            "The service does not answer as S3 does; check the endpoint.",
        )
    }
}

/// A key as a query carries it. Bytes that are not UTF-8 stand in no bucket: nothing is found then.
fn plain(key: &str) -> String {
    String::from_utf8(key_bytes(key)).unwrap_or_else(|_| key.to_owned())
}
