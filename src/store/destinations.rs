//! Destinations that were made through the API.
//!
//! Guarantees: their secrets are sealed in the database, each for its destination and field; a row whose secrets cannot
//! be opened (the key file is another's) is named and passed over. Deliberately absent: those of the configuration, and
//! whether one can work.

use super::Store;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use crate::base::sealed::Sealer;
use crate::workflow::destination::Definition;
use rusqlite::named_params;
use std::collections::BTreeMap;

/// One destination that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeDestination {
    /// What it is, with its secrets.
    pub definition: Definition,
    /// When it was made.
    pub created: UtcMs,
    /// When it was last changed.
    pub modified: UtcMs,
}

/// How many deliveries of a lane have not been accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneCounts {
    /// To be tried.
    pub pending: i64,
    /// Given up.
    pub dead: i64,
}

impl Store {
    /// Those that were made, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn made_destinations(&self, sealer: &Sealer) -> Result<Vec<MadeDestination>, StoreError> {
        const SQL: &str = "select name, definition, created_ms, modified_ms from destinations order by name";
        let sealer = sealer.clone();
        self.read("list destinations", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                let sealed: Definition = serde_json::from_str(&row.get::<_, String>(1)?)?;
                let opened = sealed.change_secrets(|field, text| {
                    sealer
                        .open(&purpose(&name, field), text)
                        .ok_or_else(|| field.to_owned())
                });
                match opened {
                    Ok(definition) => found.push(MadeDestination {
                        definition,
                        created: UtcMs(row.get(2)?),
                        modified: UtcMs(row.get(3)?),
                    }),
                    Err(field) => tracing::error!(
                        destination = name,
                        field,
                        "its secret cannot be opened, so it is not used; put the right seal.key back, or give the secret again"
                    ),
                }
            }
            Ok(found)
        })
        .await
    }

    /// Makes or replaces one; true: it is new. If the process dies before the answer, it is wholly as before or as after.
    ///
    /// # Errors
    /// A secret cannot be sealed, or the database failed.
    pub async fn save_destination(
        &self,
        definition: &Definition,
        sealer: &Sealer,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "insert into destinations (name, definition, created_ms, modified_ms) \
            values (:name, :definition, :now, :now) \
            on conflict (name) do update set definition = excluded.definition, modified_ms = excluded.modified_ms";
        let name = definition.name.clone();
        let sealed = definition
            .clone()
            .change_secrets(|field, text| sealer.seal(&purpose(&name, field), text));
        let text = serde_json::to_string(&sealed.map_err(StoreError::Refused)?)?;
        self.write("save a destination", move |connection| {
            const THERE: &str = "select exists (select 1 from destinations where name = :name)";
            let there: bool = connection
                .prepare_cached(THERE)?
                .query_row(named_params! { ":name": name }, |row| row.get(0))?;
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":name": name, ":definition": text, ":now": now.0 })?;
            Ok(!there)
        })
        .await
    }

    /// Removes one. Its pending deliveries become dead letters when they are due.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn delete_destination(&self, name: &str) -> Result<(), StoreError> {
        const SQL: &str = "delete from destinations where name = :name";
        let name = name.to_owned();
        self.write("delete a destination", move |connection| {
            match connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":name": name })?
            {
                0 => Err(StoreError::not_found("destination", &name)),
                _ => Ok(()),
            }
        })
        .await
    }

    /// What waits and what was given up, by lane; lanes without either are left out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lane_counts(&self) -> Result<BTreeMap<String, LaneCounts>, StoreError> {
        const SQL: &str = "select lane, sum(state = 'pending'), sum(state = 'dead') from deliveries \
            where state in ('pending', 'dead') group by lane";
        self.read("count deliveries by lane", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let counts = statement.query_map([], |row| {
                let counts = LaneCounts {
                    pending: row.get(1)?,
                    dead: row.get(2)?,
                };
                Ok((row.get(0)?, counts))
            })?;
            Ok(counts.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// When a lane last accepted something, as far as its newest deliveries tell.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lane_last_success(&self, lane: &str) -> Result<Option<UtcMs>, StoreError> {
        const SQL: &str = "select max(ended_ms) from (select state, ended_ms from deliveries \
            where lane = :lane order by id desc limit 1000) where state = 'done'";
        let lane = lane.to_owned();
        self.read("find the last success of a lane", move |connection| {
            let last: Option<i64> = connection
                .prepare_cached(SQL)?
                .query_row(named_params! { ":lane": lane }, |row| row.get(0))?;
            Ok(last.map(UtcMs))
        })
        .await
    }
}

/// A sealed secret opens for its destination and field alone.
fn purpose(name: &str, field: &str) -> String {
    format!("destination:{name}:{field}")
}

#[cfg(test)]
mod tests {
    use crate::base::clock::UtcMs;
    use crate::base::sealed::Sealer;
    use crate::store::Store;
    use crate::workflow::destination::Definition;

    #[tokio::test]
    async fn secrets_lie_sealed_and_open_with_their_key_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("reelmill.db");
        let store = Store::open(&path).expect("opens");
        let (sealer, other) = (Sealer::new(&[1; 32]), Sealer::new(&[2; 32]));
        let mut definition = Definition {
            name: "mam".to_owned(),
            url: "http://10.0.0.1/".to_owned(),
            auth_key: Some("hunter2".into()),
            ..Definition::default()
        };
        definition.headers.insert("X-Token".to_owned(), "opensesame".into());
        assert!(
            store
                .save_destination(&definition, &sealer, UtcMs(1))
                .await
                .expect("saved")
        );
        assert!(
            !store
                .save_destination(&definition, &sealer, UtcMs(2))
                .await
                .expect("saved")
        );
        let made = store.made_destinations(&sealer).await.expect("listed");
        assert_eq!(
            (&made[0].definition, made[0].created, made[0].modified),
            (&definition, UtcMs(1), UtcMs(2))
        );
        assert!(store.made_destinations(&other).await.expect("listed").is_empty());
        let copy = folder.path().join("copy.db");
        store.backup(&copy).await.expect("copied");
        let bytes = std::fs::read(&copy).expect("read");
        for secret in ["hunter2", "opensesame"] {
            let lies_open = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!lies_open, "{secret} lies open in a backup");
        }
        store.delete_destination("mam").await.expect("there");
        assert!(store.delete_destination("mam").await.is_err());
    }
}
