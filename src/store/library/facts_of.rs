//! Facts of the library, as events.
//!
//! Guarantees: written in the transaction of the change they tell, for whoever the media's or the caller's user data
//! names. Deliberately absent: the facts' own meaning (`events::library`).

use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::events::library::LibraryFact;
use crate::store::announce::announce;
use crate::store::error::StoreError;
use crate::store::telling;
use crate::workflow::resolved::CallbackRule;
use rusqlite::Connection;

/// Announces `fact` of a media; none: of no media there is, since it could not be made.
pub(in crate::store) fn tell(
    connection: &Connection,
    media: Option<&MediaId>,
    fact: LibraryFact,
    rule: &CallbackRule,
    now: UtcMs,
) -> Result<(), StoreError> {
    let event = telling::library_event(connection, media, fact, now)?;
    announce(connection, &event, rule)
}
