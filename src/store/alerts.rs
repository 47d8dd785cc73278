//! What a person should look at: raised when it begins, cleared when it is over.
//!
//! Guarantees: one open alert a (code, subject), however often it is raised; the event that tells of its begin or end
//! stands in the same commit. Deliberately absent: what is worth an alert, which the parts that see it decide.

use super::Store;
use super::announce::announce;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use crate::base::ids::AlertId;
use crate::base::ids::EventId;
use crate::events::Detail;
use crate::events::Event;
use crate::workflow::resolved::CallbackRule;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Work goes on, and should be looked after.
    Warning,
    /// Work stands still, or something is about to be lost.
    Critical,
}

impl Severity {
    /// The word in rows and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        match word {
            "warning" => Ok(Severity::Warning),
            "critical" => Ok(Severity::Critical),
            other => Err(StoreError::unreadable(format!("severity {other}"))),
        }
    }
}

/// One episode of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Id.
    pub id: AlertId,
    /// Its kind, CamelCase.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in a sentence without its full stop.
    pub cause: String,
    /// What a person can do.
    pub remedy: String,
    /// When it began.
    pub raised: UtcMs,
    /// When it was last found so.
    pub seen: UtcMs,
    /// When it was over; none: it is still so.
    pub cleared: Option<UtcMs>,
    /// Who said they know.
    pub acknowledged_by: Option<String>,
}

/// What is wrong, for [`raise`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlert {
    /// Its kind, CamelCase: `StorageFrozen`.
    pub code: &'static str,
    /// What it is about: the name of a storage, device, directory or destination.
    pub subject: String,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in a sentence without its full stop.
    pub cause: String,
    /// What a person can do, a sentence with its full stop.
    pub remedy: String,
}

/// Which alerts a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertsShown {
    /// Those that are still so.
    #[default]
    Open,
    /// Those that are over.
    Cleared,
    /// All.
    All,
}

const COLUMNS: &str = "select id, code, subject, severity, cause, remedy, raised_ms, seen_ms, cleared_ms, \
    acknowledged_by from alerts";

/// Raises an alert, or keeps the open one of the same code and subject up to date. True: it is new, and its event was
/// written; ring the callback bell after the commit.
pub(super) fn raise(
    connection: &Connection,
    code: &str,
    subject: &str,
    severity: Severity,
    cause: &str,
    remedy: &str,
    now: UtcMs,
) -> Result<bool, StoreError> {
    const KEEP: &str = "update alerts set severity = :severity, cause = :cause, remedy = :remedy, seen_ms = :now \
        where code = :code and subject = :subject and cleared_ms is null";
    const INSERT: &str = "insert into alerts (id, code, subject, severity, cause, remedy, raised_ms, seen_ms) \
        values (:id, :code, :subject, :severity, :cause, :remedy, :now, :now)";
    let kept = connection.prepare_cached(KEEP)?.execute(named_params! {
        ":code": code, ":subject": subject, ":severity": severity.as_str(), ":cause": cause, ":remedy": remedy,
        ":now": now.0,
    })?;
    if kept > 0 {
        return Ok(false);
    }
    let id = AlertId::fresh();
    connection.prepare_cached(INSERT)?.execute(named_params! {
        ":id": id.as_str(), ":code": code, ":subject": subject, ":severity": severity.as_str(), ":cause": cause,
        ":remedy": remedy, ":now": now.0,
    })?;
    tell(connection, id, (code, subject, cause, remedy), false, now)?;
    Ok(true)
}

/// Ends the open alert of this code and subject. True: there was one, and its event was written; ring the callback
/// bell after the commit.
pub(super) fn clear(connection: &Connection, code: &str, subject: &str, now: UtcMs) -> Result<bool, StoreError> {
    const SQL: &str = "update alerts set cleared_ms = :now where code = :code and subject = :subject \
        and cleared_ms is null returning id, cause, remedy";
    let over: Option<(String, String, String)> = connection
        .prepare_cached(SQL)?
        .query_row(
            named_params! { ":code": code, ":subject": subject, ":now": now.0 },
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((id, cause, remedy)) = over else {
        return Ok(false);
    };
    tell(connection, id.into(), (code, subject, &cause, &remedy), true, now)?;
    Ok(true)
}

fn tell(
    connection: &Connection,
    alert: AlertId,
    (code, subject, cause, remedy): (&str, &str, &str, &str),
    cleared: bool,
    now: UtcMs,
) -> Result<(), StoreError> {
    let event = Event {
        id: EventId::fresh(),
        at: now,
        media: None,
        task: None,
        job: None,
        detail: Detail::Alert {
            alert,
            code: code.to_owned(),
            subject: subject.to_owned(),
            cause: cause.to_owned(),
            remedy: remedy.to_owned(),
            cleared,
        },
    };
    // Nobody's workflow says whom to tell: the unified callback, and destinations that ask for alerts by name.
    let rule = CallbackRule {
        unified: true,
        destination: None,
        inline: None,
        legacy_events: false,
    };
    announce(connection, &event, &rule)
}

impl Store {
    /// Raises an alert, or keeps the open one of its code and subject up to date. True: it is new; ring the callback
    /// bell.
    pub async fn raise_alert(&self, alert: NewAlert, now: UtcMs) -> Result<bool, StoreError> {
        self.write("raise an alert", move |connection| {
            let NewAlert {
                code,
                subject,
                severity,
                cause,
                remedy,
            } = &alert;
            raise(connection, code, subject, *severity, cause, remedy, now)
        })
        .await
    }

    /// Ends the open alert of this code and subject, if there is one. True: there was; ring the callback bell.
    pub async fn clear_alert(&self, code: &str, subject: &str, now: UtcMs) -> Result<bool, StoreError> {
        let (code, subject) = (code.to_owned(), subject.to_owned());
        self.write("clear an alert", move |connection| {
            clear(connection, &code, &subject, now)
        })
        .await
    }

    /// Alerts, newest first, from below `before` on; at most `limit`.
    pub async fn alerts(
        &self,
        shown: AlertsShown,
        before: Option<AlertId>,
        limit: usize,
    ) -> Result<Vec<AlertRow>, StoreError> {
        let state = match shown {
            AlertsShown::Open => " and cleared_ms is null",
            AlertsShown::Cleared => " and cleared_ms is not null",
            AlertsShown::All => "",
        };
        self.read("list alerts", move |connection| {
            // Ids are hex digits: every one sorts below "g".
            let before = before.as_ref().map_or("g", AlertId::as_str);
            let sql = format!("{COLUMNS} where id < :before{state} order by id desc limit :limit");
            let mut statement = connection.prepare_cached(&sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = statement.query(named_params! { ":before": before, ":limit": limit })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// One alert.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn alert(&self, id: &AlertId) -> Result<AlertRow, StoreError> {
        let id = id.clone();
        self.read("show an alert", move |connection| one(connection, &id)).await
    }

    /// Somebody says that they know of it.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn acknowledge_alert(&self, id: &AlertId, who: &str) -> Result<AlertRow, StoreError> {
        const SQL: &str = "update alerts set acknowledged_by = coalesce(acknowledged_by, :who) where id = :id";
        let (id, who) = (id.clone(), who.to_owned());
        self.write("acknowledge an alert", move |connection| {
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":id": id.as_str(), ":who": who })?;
            one(connection, &id)
        })
        .await
    }
}

fn one(connection: &Connection, id: &AlertId) -> Result<AlertRow, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} where id = :id"))?;
    let mut rows = statement.query(named_params! { ":id": id.as_str() })?;
    match rows.next()? {
        Some(row) => read(row),
        None => Err(StoreError::not_found("alert", id.as_str())),
    }
}

fn read(row: &Row<'_>) -> Result<AlertRow, StoreError> {
    Ok(AlertRow {
        id: row.get::<_, String>(0)?.into(),
        code: row.get(1)?,
        subject: row.get(2)?,
        severity: Severity::parse(&row.get::<_, String>(3)?)?,
        cause: row.get(4)?,
        remedy: row.get(5)?,
        raised: UtcMs(row.get(6)?),
        seen: UtcMs(row.get(7)?),
        cleared: row.get::<_, Option<i64>>(8)?.map(UtcMs),
        acknowledged_by: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::AlertsShown;
    use super::NewAlert;
    use super::Severity;
    use crate::base::clock::UtcMs;
    use crate::events::EventType;
    use crate::store::Store;

    fn frozen(cause: &str) -> NewAlert {
        NewAlert {
            code: "StorageFrozen",
            subject: "ingest".to_owned(),
            severity: Severity::Critical,
            cause: cause.to_owned(),
            remedy: "Mount it.".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_alert_is_told_once_when_it_begins_and_once_when_it_is_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("reelmill.db")).expect("opens");
        assert!(store.raise_alert(frozen("gone"), UtcMs(1)).await.expect("raised"));
        assert!(!store.raise_alert(frozen("still gone"), UtcMs(2)).await.expect("kept"));
        let open = store.alerts(AlertsShown::Open, None, 10).await.expect("listed");
        assert_eq!(open.len(), 1);
        assert_eq!(
            (open[0].cause.as_str(), open[0].raised, open[0].seen),
            ("still gone", UtcMs(1), UtcMs(2))
        );
        let known = store.acknowledge_alert(&open[0].id, "anna").await.expect("there");
        assert_eq!(known.acknowledged_by.as_deref(), Some("anna"));
        let by = store.acknowledge_alert(&open[0].id, "bob").await.expect("there");
        assert_eq!(by.acknowledged_by.as_deref(), Some("anna"), "who came first stays");
        assert!(
            store
                .clear_alert("StorageFrozen", "ingest", UtcMs(3))
                .await
                .expect("cleared")
        );
        assert!(
            !store
                .clear_alert("StorageFrozen", "ingest", UtcMs(4))
                .await
                .expect("nothing")
        );
        assert!(
            store
                .alerts(AlertsShown::Open, None, 10)
                .await
                .expect("listed")
                .is_empty()
        );
        let told: Vec<EventType> = store
            .undispatched(10)
            .await
            .expect("read")
            .into_iter()
            .map(|one| one.told.expect("readable").0.event_type())
            .collect();
        assert_eq!(told, [EventType::AlertRaised, EventType::AlertCleared]);
        assert!(
            store
                .raise_alert(frozen("again"), UtcMs(5))
                .await
                .expect("a new episode")
        );
        assert_eq!(store.alerts(AlertsShown::All, None, 10).await.expect("listed").len(), 2);
    }
}
