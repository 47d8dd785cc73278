//! A brake on guessing passwords.
//!
//! A few wrong tries are free; then every further one must wait, twice as long each time. Counted for a name from an
//! address, for an address whatever the name, and for a name whatever the address, the last with a short wait alone, so
//! that nobody can lock another out for long. Guarantees: a try counts when it begins, so many at once do not slip
//! through; bounded memory. Deliberately absent: a record of it on disk; a restart forgives.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// Quiet time after which tries are forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(3_600);
/// Most things remembered; beyond it the longest quiet ones are forgotten.
const REMEMBERED: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Both(String, IpAddr),
    Address(IpAddr),
    Name(String),
}

impl Key {
    /// Tries that are free, and the longest wait.
    fn rule(&self) -> (u32, Duration) {
        match self {
            Key::Both(..) => (5, Duration::from_secs(900)),
            Key::Address(_) => (30, Duration::from_secs(900)),
            Key::Name(_) => (50, Duration::from_secs(30)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Instant,
}

/// Remembers tries that did not succeed.
#[derive(Debug, Default)]
pub struct Brake(Mutex<HashMap<Key, Tries>>);

impl Brake {
    /// Counts a try that begins, unless it must wait first: then for how long.
    ///
    /// # Errors
    /// The time to wait.
    pub fn begin(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = [
            Key::Both(name.to_owned(), address),
            Key::Address(address),
            Key::Name(name.to_owned()),
        ];
        let longest = keys.iter().filter_map(|key| wait(key, tries.get(key)?, now)).max();
        if let Some(wait) = longest {
            return Err(wait);
        }
        if tries.len() + keys.len() > REMEMBERED {
            forget(&mut tries, now);
        }
        for key in keys {
            let one = tries.entry(key).or_insert(Tries { count: 0, last: now });
            if now.saturating_duration_since(one.last) > FORGET_AFTER {
                one.count = 0;
            }
            one.count = one.count.saturating_add(1);
            one.last = now;
        }
        Ok(())
    }

    /// The try that began last for this name from this address succeeded.
    pub fn passed(&self, name: &str, address: IpAddr) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.remove(&Key::Both(name.to_owned(), address));
        for key in [Key::Address(address), Key::Name(name.to_owned())] {
            if let Some(one) = tries.get_mut(&key) {
                one.count = one.count.saturating_sub(1);
            }
        }
    }
}

/// How long the next try must still wait.
fn wait(key: &Key, tries: &Tries, now: Instant) -> Option<Duration> {
    let (free, longest) = key.rule();
    let beyond = tries.count.checked_sub(free)?;
    let pause = Duration::from_secs(1 << beyond.min(16)).min(longest);
    let left = (tries.last + pause).checked_duration_since(now)?;
    (!left.is_zero()).then_some(left)
}

fn forget(tries: &mut HashMap<Key, Tries>, now: Instant) {
    tries.retain(|_, one| now.saturating_duration_since(one.last) <= FORGET_AFTER);
    if tries.len() + 3 <= REMEMBERED {
        return;
    }
    let mut ages: Vec<Instant> = tries.values().map(|one| one.last).collect();
    let middle = ages.len() / 2;
    let (_, middle, _) = ages.select_nth_unstable(middle);
    let middle = *middle;
    tries.retain(|_, one| one.last > middle);
}

#[cfg(test)]
mod tests {
    use super::Brake;
    use super::REMEMBERED;
    use std::net::IpAddr;
    use std::net::Ipv4Addr;
    use std::time::Duration;
    use std::time::Instant;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn waits_grow_and_success_forgives() {
        let (brake, mut now) = (Brake::default(), Instant::now());
        for _ in 0..5 {
            brake.begin("anna", HERE, now).expect("free");
        }
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = brake.begin("anna", HERE, now).expect_err("braked");
            waits.push(wait.as_secs());
            now += wait;
            brake.begin("anna", HERE, now).expect("waited long enough");
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        brake.begin("otto", HERE, now).expect("another name from there");
        now += Duration::from_secs(900);
        brake.begin("anna", HERE, now).expect("waited long enough");
        brake.passed("anna", HERE);
        for _ in 0..5 {
            brake.begin("anna", HERE, now).expect("free again");
        }
    }

    #[test]
    fn many_names_from_one_address_are_braked_and_one_name_from_many_only_for_a_moment() {
        let (brake, now) = (Brake::default(), Instant::now());
        let of_name = (0..31).map(|number| brake.begin(&number.to_string(), HERE, now));
        assert_eq!(of_name.filter(Result::is_err).count(), 1);
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from(number));
        for number in 0..50 {
            brake.begin("anna", address(number), now).expect("free");
        }
        brake.begin("anna", address(99), now).expect_err("braked");
        let later = now + Duration::from_secs(31);
        brake
            .begin("anna", address(99), later)
            .expect("never locked out for long");
    }

    #[test]
    fn memory_is_bounded() {
        let (brake, now) = (Brake::default(), Instant::now());
        for number in 0..30_000_u32 {
            let at = now + Duration::from_millis(u64::from(number));
            let _ = brake.begin("x", IpAddr::V4(Ipv4Addr::from(number)), at);
        }
        let kept = brake.0.lock().expect("not poisoned").len();
        assert!(kept <= REMEMBERED, "{kept}");
    }
}
