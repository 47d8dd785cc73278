//! What the trigger of a bucket asks of it; a real one, or one of a measurement.
//!
//! Guarantees: keys are in text form on both sides. Deliberately absent: reading objects.

use crate::base::fault::Fault;
use crate::objects::s3::Bucket;
use crate::objects::s3::Head;
use crate::objects::s3::Listed;
use crate::objects::s3::Page;
use crate::trigger::s3_scan::AT_ONCE;
use crate::trigger::s3_scan::WatchBucket;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;

/// A bucket as a trigger sees it.
pub trait Lister: Send + Sync {
    /// Objects beneath `prefix` in their order, at most `limit`, behind the key `after` or where `token` says.
    ///
    /// # Errors
    /// The service failed.
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        token: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Page, Fault>>;

    /// One object; none: it is not there.
    ///
    /// # Errors
    /// The service failed.
    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Head>, Fault>>;

    /// Whether the bucket is there.
    ///
    /// # Errors
    /// Why not.
    fn reach(&self) -> BoxFuture<'_, Result<(), Fault>>;
}

impl Lister for Bucket {
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        token: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Page, Fault>> {
        Box::pin(Bucket::list(self, prefix, false, after, token, limit))
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Head>, Fault>> {
        Box::pin(Bucket::head(self, key))
    }

    fn reach(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(Bucket::reach(self))
    }
}

impl WatchBucket {
    /// Looks at single objects, a few at once; answers them in their order. One fault is the fault of all.
    pub(super) async fn heads(&mut self, keys: Vec<String>) -> Result<Vec<(String, Option<Head>)>, Fault> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let calls = keys.len() as u64;
        let looks = keys.into_iter().map(|key| {
            let lister = self.lister.clone();
            async move {
                let head = lister.head(&key).await?;
                Ok((key, head))
            }
        });
        let found: Vec<Result<_, Fault>> = futures_util::stream::iter(looks).buffered(AT_ONCE).collect().await;
        let found = found.into_iter().collect::<Result<Vec<_>, Fault>>()?;
        self.answered(calls);
        Ok(found)
    }

    /// The object as its listing shows it; none: it is not there.
    pub(super) async fn listed(&mut self, key: &str) -> Result<Option<Listed>, Fault> {
        let page = self.lister.list(key, None, None, 1).await?;
        self.answered(1);
        Ok(page.objects.into_iter().find(|object| object.key == key))
    }

    pub(super) async fn reach(&mut self) -> Result<(), Fault> {
        self.lister.reach().await?;
        self.answered(1);
        Ok(())
    }
}
