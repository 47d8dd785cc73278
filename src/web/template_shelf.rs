//! The templates as they are at this moment: those that ship and those of the database.
//!
//! Guarantees: whoever took them keeps a whole set while another is put in its place; after a change is answered, the
//! next request sees it. Deliberately absent: reading and writing rows (`store::templates`).

use crate::store::Store;
use crate::store::error::StoreError;
use crate::workflow::template::Templates;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

/// Where they stand. Clones share it.
#[derive(Debug, Clone)]
pub struct TemplateShelf(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    now: RwLock<Arc<Templates>>,
    /// Held from a change until what was changed is read back, so that two changes cannot pass each other.
    changing: tokio::sync::Mutex<()>,
}

impl TemplateShelf {
    /// With these on it.
    pub fn new(templates: Templates) -> Self {
        TemplateShelf(Arc::new(Shelf {
            now: RwLock::new(Arc::new(templates)),
            changing: tokio::sync::Mutex::new(()),
        }))
    }

    /// The present ones.
    pub fn now(&self) -> Arc<Templates> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Awaits a change of the rows, and puts what they are then on the shelf.
    ///
    /// # Errors
    /// The change, or reading it back, failed.
    pub async fn change<T>(
        &self,
        store: &Store,
        change: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let _turn = self.0.changing.lock().await;
        let made = change.await?;
        let fresh = Arc::new(store.templates().await?);
        *self.0.now.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(made)
    }
}
