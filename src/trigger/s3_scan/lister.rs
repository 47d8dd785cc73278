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
use std::time::Duration;

/// Time after which a call that has no answer is looked after.
const ATTENTION: Duration = Duration::from_secs(1);

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

    /// Whether the service has not answered for a while, though a call still waits for it.
    fn is_silent(&self) -> bool {
        false
    }
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

    fn is_silent(&self) -> bool {
        Bucket::is_silent(self)
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
        let looks = futures_util::stream::iter(looks).buffered(AT_ONCE).collect();
        let found: Vec<Result<_, Fault>> = self.attended(looks).await;
        let found = found.into_iter().collect::<Result<Vec<_>, Fault>>()?;
        self.answered(calls);
        Ok(found)
    }

    /// One page of a listing.
    pub(super) async fn page(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        token: Option<&str>,
        limit: u32,
    ) -> Result<Page, Fault> {
        self.attended(self.lister.list(prefix, after, token, limit)).await
    }

    /// Waits for a call, and says on the board when it seems to wait for nobody: calls are repeated for minutes before
    /// they fail.
    async fn attended<T>(&self, call: impl Future<Output = T>) -> T {
        tokio::pin!(call);
        let mut said = false;
        loop {
            tokio::select! {
                answer = &mut call => return answer,
                () = tokio::time::sleep(ATTENTION) => {}
            }
            if said || !self.lister.is_silent() {
                continue;
            }
            said = true;
            let why = "the service does not answer, and is asked again (StorageNotAnswering)";
            tracing::warn!(
                storage = self.options.name,
                "a bucket does not answer; it is asked again, nothing is lost"
            );
            self.surroundings.board.update(&self.options.name, |state| {
                state.available = false;
                state.note = Some(why.to_owned());
                state.scan = None;
            });
        }
    }

    /// The object as its listing shows it; none: it is not there.
    pub(super) async fn listed(&mut self, key: &str) -> Result<Option<Listed>, Fault> {
        let page = self.page(key, None, None, 1).await?;
        self.answered(1);
        Ok(page.objects.into_iter().find(|object| object.key == key))
    }

    pub(super) async fn reach(&mut self) -> Result<(), Fault> {
        self.attended(self.lister.reach()).await?;
        self.answered(1);
        Ok(())
    }
}
