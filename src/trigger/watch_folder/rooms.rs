//! Files that are one media together: the trigger holds them until all are there, and writes them as one arrival.
//!
//! Guarantees: a file that may belong to others is an arrival of its own only when nothing else is one media with it; our
//! own outputs are never part of anything. Deliberately absent: which files belong together (`group`).

use crate::base::fault::Fault;
use crate::objects::scan::Found;
use crate::store::arrivals::Settled;
use crate::store::error::StoreError;
use crate::trigger::beside::Surroundings;
use crate::trigger::group::Contents;
use crate::trigger::group::Room;
use crate::trigger::group::judge;
use crate::trigger::group::judge::Held;
use crate::trigger::group::judge::Judgement;
use crate::trigger::group::judge::Known;
use crate::trigger::group::judge::Whole;
use crate::trigger::group::survey;
use crate::trigger::look::PATIENCE;
use crate::trigger::watch_folder::WatchFolder;
use std::collections::BTreeMap;
use std::time::Instant;

impl WatchFolder {
    /// Notes what was there before anybody watched; says whether the object settled and waits for others, so that it is
    /// no news.
    pub(super) fn is_held(&mut self, object: &Found) -> bool {
        let Some(room) = self.gathering.room_of(&object.key) else {
            return false;
        };
        if self.ledger.is_first() {
            self.gathering.was_there(room.clone());
        }
        self.gathering.holds(&room, object)
    }

    /// Something new was met under this key.
    pub(super) fn hear_of(&mut self, key: &str, now_ms: u64) {
        if let Some(room) = self.gathering.room_of(key) {
            self.gathering.heard(room, key, now_ms);
        }
    }

    /// Keeps those that may belong to others; answers the rest.
    pub(super) fn hold_some(&mut self, settled: Vec<Settled>) -> Vec<Settled> {
        let now_ms = self.now_ms();
        let mut rest = Vec::new();
        for one in settled {
            match self.gathering.room_of(&one.arrival.key) {
                Some(room) => self.gathering.hold(room, one, now_ms),
                None => rest.push(one),
            }
        }
        rest
    }

    /// Decides about the rooms that are due.
    pub(super) async fn take_rooms(&mut self) -> Result<(), Fault> {
        while let Some(room) = self.gathering.due(self.now_ms()) {
            if let Err(error) = self.decide(&room, false).await? {
                tracing::warn!(storage = self.options.name, %room, %error, "a group could not be written down; trying again");
                let now_ms = self.now_ms();
                self.gathering.later(room, now_ms);
            }
        }
        Ok(())
    }

    /// Decides about the rooms of what the first scan found, before it ends.
    ///
    /// # Errors
    /// The storage does not answer, or the database: the scan is to be made again.
    pub(super) async fn take_old_rooms(&mut self) -> Result<Result<(), StoreError>, Fault> {
        for room in self.gathering.old_rooms() {
            if let Err(error) = self.decide(&room, true).await? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    async fn decide(&mut self, room: &Room, is_old: bool) -> Result<Result<(), StoreError>, Fault> {
        let (root, looked_at) = (self.options.root.clone(), room.clone());
        let looked = self
            .lane
            .run("look at a group", PATIENCE, move || survey::look(&root, &looked_at));
        let now_ms = self.now_ms();
        let contents = match looked.await {
            Ok(Ok(contents)) => contents,
            Ok(Err(error)) => {
                tracing::warn!(storage = self.options.name, %room, %error, "the files of a group cannot be looked at");
                self.gathering.later(room.clone(), now_ms);
                return Ok(Ok(()));
            }
            Err(fault) => {
                self.gathering.later(room.clone(), now_ms);
                return Err(fault);
            }
        };
        if !self.mount_is_the_same() {
            self.next_guard = Instant::now();
            self.gathering.later(room.clone(), now_ms);
            return Ok(Ok(()));
        }
        let (contents, held, ours) = match self.without_ours(room, contents).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let ledger = &self.ledger;
        let mut judgement = judge::judge(
            room,
            &contents,
            &Known {
                held: &held,
                is_known: &|key, seen| ledger.knows(key, seen.size_bytes, seen.mtime_ns),
                is_old,
                quiet_since_ms: now_ms.saturating_sub(self.gathering.quiet_ms(room)),
                fps: self.options.sequence_fps,
            },
        );
        judgement.alone.extend(ours);
        match self.take_said(&mut judgement).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(storage = self.options.name, %room, %error, "what lies beside a group cannot be looked at");
                self.gathering.later(room.clone(), now_ms);
                return Ok(Ok(()));
            }
            Err(fault) => {
                self.gathering.later(room.clone(), now_ms);
                return Err(fault);
            }
        }
        if let Err(error) = self.carry_out(&judgement).await {
            return Ok(Err(error));
        }
        self.gathering.decided(room.clone(), &judgement, now_ms);
        Ok(Ok(()))
    }

    /// Takes what is said of media that are whole as it lies beside them now: it may have come after the file that stands
    /// for all settled, or that file settled long ago and another one was late.
    async fn take_said(&self, judgement: &mut Judgement) -> Result<std::io::Result<()>, Fault> {
        let options = self.options.names.options();
        if !(options.orders || options.subtitles) || judgement.whole.is_empty() {
            return Ok(Ok(()));
        }
        let keys: Vec<String> = judgement.whole.iter().map(|one| one.arrival.key.clone()).collect();
        let (folder, names) = (self.folder.clone(), self.options.names.clone());
        let look = move || {
            let mut surroundings = Surroundings::new(&folder, &names);
            let said = keys.iter().map(|key| surroundings.said_of(key));
            said.collect::<std::io::Result<Vec<_>>>()
        };
        let said = match self.lane.run("look beside a group", PATIENCE, look).await? {
            Ok(said) => said,
            Err(error) => return Ok(Err(error)),
        };
        for (mut whole, said) in std::mem::take(&mut judgement.whole).into_iter().zip(said) {
            match said {
                Ok(said) => {
                    whole.parts.order = said.order;
                    whole.parts.subtitles = said.subtitles;
                    judgement.whole.push(whole);
                }
                // What was there before anybody watched runs only when asked for.
                Err(_) if !whole.is_new => judgement.whole.push(whole),
                Err(waits) => {
                    let members = whole.parts.members.into_iter().map(|member| member.key);
                    judgement.waiting.push((members.collect(), waits.to_string()));
                    judgement.is_incomplete = true;
                }
            }
        }
        Ok(Ok(()))
    }

    /// What lies in a room, and what of it settled, without what we published ourselves; and what settled of that.
    async fn without_ours(
        &self,
        room: &Room,
        mut contents: Contents,
    ) -> Result<(Contents, BTreeMap<String, Held>, Vec<Settled>), StoreError> {
        let files = contents.files.iter();
        let seen = files
            .map(|(key, seen)| (key.clone(), seen.size_bytes, seen.mtime_ns))
            .collect();
        let ours = self.store.ours_among(&self.options.name, seen).await?;
        let mut held = self.gathering.held(room);
        let mut own = Vec::new();
        for key in ours {
            contents.files.remove(&key);
            contents.texts.remove(&key);
            own.extend(held.remove(&key).map(|held| held.settled));
        }
        Ok((contents, held, own))
    }

    async fn carry_out(&mut self, judgement: &Judgement) -> Result<(), StoreError> {
        let (new, old): (Vec<&Whole>, Vec<&Whole>) = judgement.whole.iter().partition(|whole| whole.is_new);
        for whole in &new {
            if let Some(gaps) = whole.parts.gaps_told() {
                let (storage, key) = (&self.options.name, &whole.arrival.key);
                tracing::warn!(storage, key, gaps, "a sequence arrived with pictures missing");
            }
        }
        let settled = |whole: &&Whole| Settled {
            arrival: whole.arrival.clone(),
            parts: Some(whole.parts.clone()),
        };
        if !old.is_empty() {
            self.ledger.record_old_groups(old.iter().map(settled).collect()).await?;
        }
        let alone = judgement.alone.iter().cloned();
        let arrived: Vec<Settled> = new.iter().map(settled).chain(alone).collect();
        if !arrived.is_empty() {
            self.settle(&arrived).await?;
        }
        if !judgement.aside.is_empty() {
            self.ledger.set_aside(judgement.aside.clone()).await?;
        }
        if !judgement.waiting.is_empty() {
            self.ledger.explain_held(judgement.waiting.clone()).await?;
        }
        if !judgement.gone.is_empty() {
            self.ledger.forget_unsettled(judgement.gone.clone()).await?;
        }
        Ok(())
    }
}
