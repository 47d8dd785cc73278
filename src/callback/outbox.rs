//! The loop that empties the outbox: events become deliveries, deliveries become tries.
//!
//! Guarantees: one lane's receiver never holds another's up; within a lane, deliveries of one task go one after the
//! other; a receiver that does not answer is asked by one try at a time; everything to be known after a crash stands in
//! the store. Deliberately absent: what a try says (`events`), whom an event is for (`dispatch`).

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::callback::breaker::Change;
use crate::callback::breaker::Health;
use crate::callback::client::Answer;
use crate::callback::courier::Courier;
use crate::callback::courier::Verdict;
use crate::callback::destination::Destination;
use crate::callback::destination::Maker;
use crate::callback::destination::RetryMode;
use crate::callback::directory::Destinations;
use crate::callback::directory::Unified;
use crate::callback::dispatch;
use crate::callback::envelope;
use crate::callback::envelope::Try;
use crate::callback::health;
use crate::callback::lanes::Lanes;
use crate::callback::pace::Pace;
use crate::callback::story;
use crate::callback::trial;
use crate::callback::way::Surroundings;
use crate::events::profile::Deployment;
use crate::store::Store;
use crate::store::deliveries::Dispatch;
use crate::store::deliveries::DueDelivery;
use crate::store::deliveries::Lane;
use crate::store::deliveries::Outcome;
use crate::store::deliveries::Tried;
use crate::store::error::StoreError;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::workflow::destination::Definition;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::Id;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the daemon builds out of the configuration.
#[derive(Debug, Clone)]
pub struct CallbackOptions {
    /// Names and addresses in events.
    pub deployment: Deployment,
    /// `[[destination]]`.
    pub destinations: Vec<Definition>,
    /// `[callback]`.
    pub unified: Unified,
    /// What destinations need of the host.
    pub surroundings: Surroundings,
    /// Time limits and waits.
    pub pace: Pace,
    /// Where tries are counted; by default nobody reads it.
    pub metrics: Metrics,
}

/// Events dispatched in one commit.
const DISPATCH_BATCH: usize = 200;
/// What a try came to, as it is counted.
const DELIVERED: &str = "delivered";
const FAILED: &str = "failed";
/// Wait after the store itself failed.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// The callbacks of the daemon.
#[derive(Debug, Clone)]
pub struct Callbacks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    bell: Bell,
    courier: Courier,
    deployment: Deployment,
    surroundings: Surroundings,
    destinations: Mutex<Arc<Destinations>>,
    pace: Pace,
    metrics: Metrics,
    lanes: Lanes,
    /// Tells lanes with room that there may be more for them.
    more: Notify,
}

impl Callbacks {
    /// Checks the options and sets up the HTTP client; sends nothing yet. `bell` is rung by whoever writes events or
    /// replays deliveries.
    ///
    /// # Errors
    /// A fault of a destination, naming it; or that TLS cannot be set up.
    pub fn new(store: Store, bell: Bell, options: CallbackOptions) -> Result<Self, Fault> {
        let destinations = Destinations::configured(&options.destinations, &options.unified, &options.surroundings)?;
        Ok(Callbacks(Arc::new(Inner {
            store,
            bell,
            courier: Courier::new(options.pace.clone())?,
            deployment: options.deployment,
            surroundings: options.surroundings,
            destinations: Mutex::new(Arc::new(destinations)),
            pace: options.pace,
            metrics: options.metrics,
            lanes: Lanes::default(),
            more: Notify::new(),
        })))
    }

    /// The receivers there are now.
    pub fn destinations(&self) -> Arc<Destinations> {
        self.0.now()
    }

    /// Checks one that is about to be made through the API, without keeping it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, definition: &Definition) -> Result<(), Fault> {
        Destination::new(definition, Maker::Api, &self.0.surroundings).map(|_| ())
    }

    /// Takes over what the configuration says now, and what was made through the API. Those that were not changed keep
    /// their connections; tries under way end as they began.
    ///
    /// # Errors
    /// A fault of the configuration: nothing is changed then. The database could not be told who listens.
    pub async fn replace(
        &self,
        configured: Option<(&[Definition], &Unified)>,
        made: &[Definition],
    ) -> Result<(), Fault> {
        let former = self.0.now();
        let of_file = match configured {
            Some((definitions, unified)) => former.reconfigured(definitions, unified, &self.0.surroundings)?,
            None => former.of_file(),
        };
        let fresh = Arc::new(of_file.with_made(&former, made, &self.0.surroundings));
        *self.0.destinations.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        former.close_unless_in(&fresh).await;
        let kept = self.0.store.keep_listeners(&fresh.listeners()).await;
        self.0.bell.ring();
        kept.map_err(|error| error.fault("the destinations"))
    }

    /// Sends a test event now, past the outbox: nothing is kept, nothing repeated.
    ///
    /// # Errors
    /// There is no such destination, or nothing can be told to it.
    pub async fn trial(&self, name: &str) -> Result<Answer, Fault> {
        let refuse = |cause: String| {
            let remedy = "List the destinations, and look at this one's profile and template.";
            Fault::new(
                "TestImpossible",
                Blame::Request,
                "test the destination",
                name,
                cause,
                remedy,
            )
        };
        let now = self.0.now();
        let destination = now.get(name).ok_or_else(|| refuse(now.why_not(name)))?;
        let (seq, attempt, replay) = (1, 1, 0);
        let which = Try { seq, attempt, replay };
        let event = trial::event();
        let message = envelope::seal(destination, &event, &self.0.deployment, which, UtcMs::now());
        let message = message.await.map_err(refuse)?;
        Ok(self.0.courier.send(destination, message).await)
    }

    /// How a destination has been doing since the start.
    pub fn health(&self, name: &str) -> health::Health {
        self.0.lanes.health(name)
    }

    /// Works until `stop`. Tries under way then get their grace; what is cut off is sent again by the next start.
    pub async fn run(&self, stop: CancellationToken) {
        if let Err(error) = self.0.store.keep_listeners(&self.0.now().listeners()).await {
            tracing::error!(%error, "the database could not be told who listens to which events");
        }
        for result in [DELIVERED, FAILED] {
            // A counter begins at nothing, so that its first step is seen as one.
            self.0.metrics.add_labelled(Metric::DeliveryTries, result, 0.0);
        }
        let mut lanes: JoinSet<()> = JoinSet::new();
        let mut running: HashMap<Id, String> = HashMap::new();
        while !stop.is_cancelled() {
            let wait = match self.0.start_due(&mut lanes, &mut running, &stop).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot read the database; trying again");
                    STORE_WAIT
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.0.bell.wait_at_most(wait) => {}
                Some(ended) = lanes.join_next_with_id() => forget(ended, &mut running),
            }
            // Lanes that ended meanwhile: all of them before the next look.
            while let Some(ended) = lanes.try_join_next_with_id() {
                forget(ended, &mut running);
            }
        }
        let all_end = async { while lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(self.0.pace.grace, all_end).await.is_err() {
            tracing::info!("callbacks under way were cut off by the stop; they are sent again after the start");
        }
        let closing = self.0.now();
        let nobody = Destinations::default();
        if tokio::time::timeout(self.0.pace.grace, closing.close_unless_in(&nobody))
            .await
            .is_err()
        {
            tracing::info!("connections to destinations were left open by the stop");
        }
    }
}

fn forget(ended: Result<(Id, ()), JoinError>, running: &mut HashMap<Id, String>) {
    let id = match ended {
        Ok((id, ())) => id,
        Err(error) => {
            tracing::error!(%error, "a lane of callbacks ended by a bug; it is started again");
            error.id()
        }
    };
    running.remove(&id);
}

impl Inner {
    /// Dispatches new events and starts a task for every lane with something due. Returns how long nothing is due.
    async fn start_due(
        self: &Arc<Self>,
        lanes: &mut JoinSet<()>,
        running: &mut HashMap<Id, String>,
        stop: &CancellationToken,
    ) -> Result<Duration, StoreError> {
        while self.dispatch().await? == DISPATCH_BATCH && !stop.is_cancelled() {}
        self.more.notify_waiters();
        let now = UtcMs::now();
        let mut wait = self.pace.look_every;
        let pending = self.store.pending_lanes().await?;
        self.forget_lanes(&pending);
        for lane in pending {
            if running.values().any(|name| *name == lane.name) {
                continue;
            }
            let breaker = self.lanes.breaker(&lane.name);
            let due = lane.next.0.max(breaker.due_ms(now.0, self.pace.ceiling_ms));
            if due <= now.0 {
                let (inner, stop, name) = (Arc::clone(self), stop.clone(), lane.name.clone());
                let task = lanes.spawn(async move { inner.run_lane(&name, &stop).await });
                running.insert(task.id(), lane.name);
            } else {
                let ms = u64::try_from(due.saturating_sub(now.0)).unwrap_or(0);
                wait = wait.min(Duration::from_millis(ms));
            }
        }
        Ok(wait)
    }

    /// Makes the deliveries of some undispatched events; returns of how many.
    async fn dispatch(&self) -> Result<usize, StoreError> {
        let events = self.store.undispatched(DISPATCH_BATCH).await?;
        if events.is_empty() {
            return Ok(0);
        }
        let destinations = self.now();
        let batch: Vec<Dispatch> = events
            .iter()
            .map(|found| Dispatch {
                event_seq: found.seq,
                line: found
                    .told
                    .as_ref()
                    .map_or_else(|_| String::new(), |(event, _)| event.line().to_owned()),
                deliveries: match &found.told {
                    Ok((event, rule)) => dispatch::deliveries(event, rule, &destinations, &self.deployment),
                    Err(cause) => {
                        tracing::error!(
                            seq = found.seq,
                            cause,
                            "an event cannot be read and is announced to nobody"
                        );
                        Vec::new()
                    }
                },
            })
            .collect();
        let gives_up = batch
            .iter()
            .any(|dispatch| dispatch.deliveries.iter().any(|delivery| delivery.dead.is_some()));
        self.store.dispatch(batch, UtcMs::now()).await?;
        if gives_up {
            self.bell.ring();
        }
        Ok(events.len())
    }

    /// Tries what is due in one lane until nothing is, its breaker opens, or `stop`.
    async fn run_lane(&self, lane: &str, stop: &CancellationToken) {
        let counts_tries = self
            .now()
            .get(lane)
            .is_some_and(|destination| destination.retry == RetryMode::Ims);
        let mut flying = FuturesUnordered::new();
        let mut busy: HashSet<String> = HashSet::new();
        loop {
            // Listens before it looks, so that nothing falls between the two.
            let more = self.more.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            let breaker = self.lanes.breaker(lane);
            // Where three tries are all there are, they bound the cost of a dead receiver; there is no breaker.
            let width = if counts_tries {
                self.pace.width
            } else {
                breaker.width(self.pace.width)
            };
            let now = UtcMs::now();
            if flying.len() < width && !stop.is_cancelled() && breaker.due_ms(now.0, self.pace.ceiling_ms) <= now.0 {
                // Some of what is due may belong to tasks that have one under way.
                match self.store.due_deliveries(lane, now, width + busy.len()).await {
                    Ok(due) => {
                        for delivery in due {
                            let line = delivery.line.clone();
                            if flying.len() < width && busy.insert(line.clone()) {
                                flying.push(async move { (line, self.attempt(lane, &delivery).await) });
                            }
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, lane, "the outbox cannot read what is due; trying again");
                        tokio::time::sleep(STORE_WAIT).await;
                    }
                }
            }
            if flying.is_empty() {
                return;
            }
            let ended = tokio::select! {
                ended = flying.next() => ended,
                () = &mut more, if flying.len() < width => None,
            };
            if let Some((line, kept)) = ended {
                if let Err(error) = kept {
                    // The receiver may have it already; sending it again at once would not help the store.
                    tracing::error!(%error, lane, "the result of a callback could not be kept; it is sent again");
                    tokio::time::sleep(STORE_WAIT).await;
                }
                busy.remove(&line);
            }
        }
    }

    /// One try, kept.
    async fn attempt(&self, lane: &str, delivery: &DueDelivery) -> Result<(), StoreError> {
        let destination = match self.destination_of(delivery) {
            Ok(destination) => destination,
            Err(cause) => return self.bury(delivery, cause).await,
        };
        let event = match &delivery.event {
            Ok(event) => event,
            Err(cause) => return self.bury(delivery, format!("its event cannot be read: {cause}")).await,
        };
        let which = Try {
            seq: delivery.seq,
            attempt: delivery.tries.saturating_add(1),
            replay: delivery.replays,
        };
        let message = match envelope::seal(&destination, event, &self.deployment, which, UtcMs::now()).await {
            Ok(message) => message,
            Err(cause) => return self.bury(delivery, cause).await,
        };
        let answer = self.courier.send(&destination, message).await;
        self.conclude(lane, delivery, destination.retry, answer).await
    }

    async fn conclude(
        &self,
        lane: &str,
        delivery: &DueDelivery,
        mode: RetryMode,
        answer: Answer,
    ) -> Result<(), StoreError> {
        let now = UtcMs::now();
        let Verdict {
            health,
            outcome,
            error,
            pause_ms,
        } = self.courier.verdict(mode, delivery, &answer, now);
        story::tell(lane, delivery, outcome, error.as_deref());
        self.store
            .record_try(Tried {
                delivery: delivery.id.clone(),
                at: now,
                took_ms: answer.took_ms,
                status: answer.status,
                error: error.clone(),
                answer: answer.body.clone(),
                outcome,
            })
            .await?;
        if outcome == Outcome::Dead {
            // Giving up raises an alert, which is an event.
            self.bell.ring();
        }
        self.lanes.tried(lane, now, answer.took_ms, error.as_deref());
        let result = if health == Health::Accepted { DELIVERED } else { FAILED };
        self.metrics.add_labelled(Metric::DeliveryTries, result, 1.0);
        match mode {
            RetryMode::Ims => Ok(()),
            RetryMode::Patient => {
                self.note_health(lane, health, now, pause_ms, error.as_deref().unwrap_or_default())
                    .await
            }
        }
    }

    /// Tells the breaker, and does for the whole lane what follows of it.
    async fn note_health(
        &self,
        lane: &str,
        health: Health,
        now: UtcMs,
        pause_ms: i64,
        error: &str,
    ) -> Result<(), StoreError> {
        let (change, open) = self.lanes.tell(lane, health, now, &self.pace, pause_ms);
        match change {
            Change::Opened => tracing::warn!(
                lane,
                error,
                "receiver of callbacks does not take them; asking it ever more rarely"
            ),
            Change::Closed => {
                tracing::info!(lane, "receiver of callbacks works again");
                self.store.hasten_lane(lane, now).await?;
            }
            Change::None => {}
        }
        if open {
            let before = now.plus_ms(-self.pace.give_up_ms);
            let reason = format!("the receiver took nothing before the time was up: {error}");
            let expired = self.store.expire_lane(lane, before, &reason, now).await?;
            if expired > 0 {
                self.bell.ring();
                tracing::warn!(lane, expired, "callbacks given up; replay them when the receiver works");
            }
        }
        Ok(())
    }

    fn destination_of(&self, delivery: &DueDelivery) -> Result<Destination, String> {
        match &delivery.inline {
            Some(inline) => Destination::inline(inline).map_err(|fault| fault.to_string()),
            None => {
                let now = self.now();
                let name = &delivery.destination;
                now.get(name).cloned().ok_or_else(|| now.why_not(name))
            }
        }
    }

    fn now(&self) -> Arc<Destinations> {
        Arc::clone(&self.destinations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A delivery that cannot be tried at all becomes a dead letter that says why.
    async fn bury(&self, delivery: &DueDelivery, cause: String) -> Result<(), StoreError> {
        story::tell(&delivery.destination, delivery, Outcome::Dead, Some(&cause));
        self.store
            .record_try(Tried {
                delivery: delivery.id.clone(),
                at: UtcMs::now(),
                took_ms: 0,
                status: None,
                error: Some(cause),
                answer: None,
                outcome: Outcome::Dead,
            })
            .await?;
        self.bell.ring();
        Ok(())
    }

    /// Lanes that no destination has and nothing waits in are forgotten.
    fn forget_lanes(&self, pending: &[Lane]) {
        let now = self.now();
        self.lanes
            .keep(|name| now.get(name).is_some() || pending.iter().any(|lane| lane.name == name));
    }
}

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
