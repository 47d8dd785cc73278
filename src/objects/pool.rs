//! The threads that touch one storage: few, its own, and never waited for longer than it shows signs of life.
//!
//! Guarantees: a hung mount blocks nothing but work on itself; an operation that beats may take as long as it needs;
//! one that does not beat for the patience is given up (its thread stays with the kernel and keeps its slot), and
//! when all slots are lost that way the next caller is told at once. Deliberately absent: what is done there.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::ground::Ground;
use crate::objects::pulse::Pulse;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Where an operation stands between its thread and who waits for it.
const RUNNING: u8 = 0;
const DONE: u8 = 1;
const GIVEN_UP: u8 = 2;

/// The threads of one storage.
#[derive(Debug, Clone)]
pub struct StoragePool {
    storage: String,
    slots: Arc<Semaphore>,
    slot_count: usize,
    lost: Arc<AtomicUsize>,
    pulse: Pulse,
    patience: Duration,
    ground: Ground,
}

impl StoragePool {
    /// At most `slot_count` operations at once on `storage`.
    pub fn new(storage: impl Into<String>, slot_count: usize, patience: Duration) -> Self {
        let slot_count = slot_count.max(1);
        StoragePool {
            storage: storage.into(),
            slots: Arc::new(Semaphore::new(slot_count)),
            slot_count,
            lost: Arc::default(),
            pulse: Pulse::default(),
            patience,
            ground: Ground::default(),
        }
    }

    /// What the storage has to lie on. Whoever watches it says so; work on it is refused while it lies elsewhere.
    pub fn ground(&self) -> Ground {
        self.ground.clone()
    }

    /// Does `work` on a thread of this storage. `operation` and `subject` are for the fault of a storage that hangs.
    pub async fn run<T: Send + 'static>(
        &self,
        operation: &str,
        subject: &str,
        work: impl FnOnce(&Pulse) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        if self.lost.load(Ordering::Acquire) >= self.slot_count {
            return Err(self.hung(operation, subject));
        }
        let slot = self.slots.clone().acquire_owned();
        let Some(Ok(slot)) = outlast(slot, &self.pulse, self.patience).await else {
            return Err(self.hung(operation, subject));
        };
        let pulse = Pulse::within(&self.pulse);
        let fate = Arc::new(AtomicU8::new(RUNNING));
        let (working, lost, own_fate) = (pulse.clone(), self.lost.clone(), fate.clone());
        let (ground, doing, about) = (self.ground.clone(), operation.to_owned(), subject.to_owned());
        let mut task = tokio::task::spawn_blocking(move || {
            let answer = ground.check(&doing, &about).and_then(|()| work(&working));
            if own_fate.swap(DONE, Ordering::AcqRel) == GIVEN_UP {
                lost.fetch_sub(1, Ordering::AcqRel);
            }
            drop(slot);
            answer
        });
        let mut answer = outlast(&mut task, &pulse, self.patience).await;
        if answer.is_none() {
            self.lost.fetch_add(1, Ordering::AcqRel);
            if fate.swap(GIVEN_UP, Ordering::AcqRel) == DONE {
                // It came back at the last moment.
                self.lost.fetch_sub(1, Ordering::AcqRel);
                answer = Some(task.await);
            }
        }
        match answer {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => Err(Fault::new(
                "StorageThreadDied",
                Blame::Bug,
                operation,
                subject,
                error.to_string(),
                "This is a defect of reelmill: report it.",
            )),
            None => {
                pulse.abandon();
                Err(self.hung(operation, subject))
            }
        }
    }

    fn hung(&self, operation: &str, subject: &str) -> Fault {
        Fault::new(
            "StorageNotAnswering",
            Blame::Host,
            operation,
            subject,
            format!(
                "the storage `{}` did not answer for {} s",
                self.storage,
                self.patience.as_secs()
            ),
            "Look at its mount and server; the work is tried again by itself.",
        )
    }
}

/// Waits for `what` as long as `pulse` beats; none: it did not for a whole `patience`.
async fn outlast<T>(what: impl Future<Output = T>, pulse: &Pulse, patience: Duration) -> Option<T> {
    tokio::pin!(what);
    loop {
        let beats = pulse.beats();
        match tokio::time::timeout(patience, &mut what).await {
            Ok(answer) => return Some(answer),
            Err(_) if pulse.beats() != beats => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StoragePool;
    use std::sync::mpsc;
    use std::time::Duration;

    #[tokio::test]
    async fn a_hung_operation_is_given_up_and_a_beating_one_is_not() {
        let pool = StoragePool::new("nas", 1, Duration::from_millis(20));
        let slow = pool.run("copy", "nas:a", |pulse| {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(5));
                pulse.beat().expect("it is waited for");
            }
            Ok(7)
        });
        assert_eq!(slow.await, Ok(7));

        let (release, wait) = mpsc::channel::<()>();
        let hung = pool.run("copy", "nas:a", move |_| {
            let _ = wait.recv();
            Ok(())
        });
        assert_eq!(
            hung.await.map_err(|fault| fault.code),
            Err("StorageNotAnswering".to_owned())
        );
        let next = pool.run("copy", "nas:b", |_| Ok(())).await;
        assert_eq!(next.map_err(|fault| fault.code), Err("StorageNotAnswering".to_owned()));

        drop(release);
        let healed = async {
            while pool.run("copy", "nas:c", |_| Ok(())).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        healed.await;
    }
}
