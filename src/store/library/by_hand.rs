//! What callers bring into the library by naming an object that is there.
//!
//! Guarantees: one transaction a call, and once for a key. Deliberately absent: whether the object is there.

use crate::base::clock::UtcMs;
use crate::events::library::MediaType;
use crate::store::Store;
use crate::store::admission;
use crate::store::admission::Admitted;
use crate::store::admission::Landed;
use crate::store::admission::Origin;
use crate::store::admission::Wanted;
use crate::store::error::StoreError;
use crate::store::idempotency;
use crate::store::idempotency::Once;
use crate::store::idempotency::OnceKey;
use crate::store::library::categories;
use crate::store::library::categories::CategoryRow;
use crate::store::media::Source;

impl Store {
    /// Brings an object that stands in a storage into the library. Ring the scheduler's and the callback's bell
    /// afterwards.
    ///
    /// # Errors
    /// `NotFound` for the media that it was to be added to; the database failed.
    pub async fn admit_object(
        &self,
        wanted: Wanted,
        source: Source,
        media_type: MediaType,
        key: Option<OnceKey>,
        now: UtcMs,
    ) -> Result<Once<Admitted>, StoreError> {
        self.write("bring an object into the library", move |connection| {
            let landed = Landed {
                source: &source,
                origin: Origin::Reference,
                media_type,
                pulled: None,
            };
            idempotency::once(connection, key.as_ref(), now, || {
                admission::admit(connection, &wanted, &landed, now)
            })
        })
        .await
    }

    /// Makes a category, at the top or under another one.
    ///
    /// # Errors
    /// `NotFound` for the parent; `Conflict` when the name is taken there.
    pub async fn make_category(
        &self,
        name: String,
        parent: Option<String>,
        key: Option<OnceKey>,
        now: UtcMs,
    ) -> Result<Once<CategoryRow>, StoreError> {
        self.write("make a category", move |connection| {
            idempotency::once(connection, key.as_ref(), now, || {
                categories::make(connection, &name, parent.as_deref(), now)
            })
        })
        .await
    }
}
