//! Facts of the library, as events.
//!
//! Guarantees: written in the transaction of the change they tell, for whoever the media's or the caller's user data
//! names. Deliberately absent: the facts' own meaning (`events::library`).

use crate::base::clock::UtcMs;
use crate::base::ids::EventId;
use crate::base::ids::MediaId;
use crate::events::Detail;
use crate::events::Event;
use crate::events::MediaBrief;
use crate::events::library::LibraryFact;
use crate::store::announce::announce;
use crate::store::error::StoreError;
use crate::store::media::media_row;
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
    let media = match media {
        Some(id) => {
            let row = media_row(connection, id)?;
            Some(MediaBrief {
                id: row.id,
                object: row.source.object,
                size_bytes: row.source.size_bytes,
            })
        }
        None => None,
    };
    let event = Event {
        id: EventId::fresh(),
        at: now,
        media,
        task: None,
        job: None,
        detail: Detail::Library { fact: Box::new(fact) },
    };
    announce(connection, &event, rule)
}
