//! Things by key, each with the moment at which it is due.
//!
//! Guarantees: a thing is due at one moment or at none; taking what is due makes it due no more. Deliberately absent:
//! what the things are.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

/// The things.
#[derive(Debug)]
pub struct Queue<T> {
    things: HashMap<Arc<str>, Slot<T>>,
    due: BTreeSet<(u64, Arc<str>)>,
}

#[derive(Debug)]
struct Slot<T> {
    thing: T,
    due_ms: Option<u64>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            things: HashMap::new(),
            due: BTreeSet::new(),
        }
    }
}

impl<T> Queue<T> {
    /// Adds a thing that is due at no time; one of the same key gives way.
    pub fn insert(&mut self, key: &str, thing: T) {
        self.remove(key);
        self.things.insert(Arc::from(key), Slot { thing, due_ms: None });
    }

    /// A thing.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.things.get(key).map(|slot| &slot.thing)
    }

    /// A thing, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.things.get_mut(key).map(|slot| &mut slot.thing)
    }

    /// Takes a thing out.
    pub fn remove(&mut self, key: &str) -> Option<T> {
        let (key, slot) = self.things.remove_entry(key)?;
        if let Some(due_ms) = slot.due_ms {
            self.due.remove(&(due_ms, key));
        }
        Some(slot.thing)
    }

    /// Makes a thing due at a moment, and at no other.
    pub fn at(&mut self, key: &str, due_ms: u64) {
        let Some((key, _)) = self.things.get_key_value(key) else {
            return;
        };
        let key = Arc::clone(key);
        if let Some(slot) = self.things.get_mut(&key) {
            if let Some(old) = slot.due_ms.replace(due_ms) {
                self.due.remove(&(old, Arc::clone(&key)));
            }
            self.due.insert((due_ms, key));
        }
    }

    /// Makes a thing that is due later due at a moment. One that is due at no time is being looked at, and stays so.
    pub fn sooner(&mut self, key: &str, due_ms: u64) {
        if self
            .things
            .get(key)
            .is_some_and(|slot| slot.due_ms.is_some_and(|old| old > due_ms))
        {
            self.at(key, due_ms);
        }
    }

    /// Makes a thing that is due at another moment due at this one. One that is due at no time stays so.
    pub fn moved(&mut self, key: &str, due_ms: u64) {
        if self.things.get(key).is_some_and(|slot| slot.due_ms.is_some()) {
            self.at(key, due_ms);
        }
    }

    /// Keys of what is due, at most `limit`.
    pub fn take_due(&mut self, now_ms: u64, limit: usize) -> Vec<String> {
        let mut taken = Vec::new();
        while taken.len() < limit
            && self.due.first().is_some_and(|(due_ms, _)| *due_ms <= now_ms)
            && let Some((_, key)) = self.due.pop_first()
        {
            if let Some(slot) = self.things.get_mut(&key) {
                slot.due_ms = None;
                taken.push(key.to_string());
            }
        }
        taken
    }

    /// When the next thing is due.
    pub fn next_ms(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _)| *due_ms)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.things.keys().map(|key| &**key)
    }

    /// All things.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.things.iter().map(|(key, slot)| (&**key, &slot.thing))
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.things.clear();
        self.due.clear();
    }
}
