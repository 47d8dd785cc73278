//! Hands one message over to its destination, and says what the answer means for it.
//!
//! Guarantees: bounded by the destination's time limit; the same answer leads to the same verdict. Deliberately absent:
//! rows, and what a verdict means for the other deliveries of its lane.

use crate::base::backoff::delay_ms;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::callback::breaker::Health;
use crate::callback::client::Answer;
use crate::callback::client::Client;
use crate::callback::destination::Destination;
use crate::callback::destination::RetryMode;
use crate::callback::pace::Pace;
use crate::callback::transport::Message;
use crate::callback::way::Way;
use crate::store::deliveries::DueDelivery;
use crate::store::deliveries::Outcome;

/// Sends.
#[derive(Debug)]
pub(super) struct Courier {
    client: Client,
    pace: Pace,
}

/// What a try came to.
#[derive(Debug)]
pub(super) struct Verdict {
    /// What it says of the receiver.
    pub(super) health: Health,
    /// What follows for the delivery.
    pub(super) outcome: Outcome,
    /// Why it was not accepted.
    pub(super) error: Option<String>,
    /// How long the receiver asked to be left alone.
    pub(super) pause_ms: i64,
}

impl Courier {
    /// A courier that keeps to these time limits.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(super) fn new(pace: Pace) -> Result<Self, Fault> {
        Ok(Courier {
            client: Client::new()?,
            pace,
        })
    }

    /// Sends one message.
    pub(super) async fn send(&self, destination: &Destination, message: Message) -> Answer {
        let timeout = destination.timeout.unwrap_or(match destination.retry {
            RetryMode::Patient => self.pace.timeout,
            RetryMode::Ims => self.pace.ims_timeout,
        });
        let post = match &destination.way {
            Way::Carried(transport) => return transport.send(&message, timeout).await,
            Way::Http(post) => post,
        };
        let content_type = match &destination.body {
            Some(template) if !template.is_json() => "text/plain; charset=utf-8",
            _ => "application/json; charset=utf-8",
        };
        let (mut url, mut body) = (post.url.clone(), message.body);
        if let (Some(robot), Some(key)) = (destination.robot, &destination.auth_key) {
            robot.sign(key, UtcMs::now().0, &mut url, &mut body);
        }
        let answer = self
            .client
            .post(post, &url, &message.headers, content_type, body, timeout)
            .await;
        match destination.robot {
            Some(robot) => robot.judged(answer),
            None => answer,
        }
    }

    /// What an answer means for a delivery.
    pub(super) fn verdict(&self, mode: RetryMode, delivery: &DueDelivery, answer: &Answer, now: UtcMs) -> Verdict {
        let health = judge(mode, answer);
        let tries = delivery.tries.saturating_add(1);
        let pause_ms = i64::from(answer.retry_after_s.unwrap_or(0)).saturating_mul(1_000);
        let pace = &self.pace;
        let outcome = match (health, mode) {
            (Health::Accepted, _) => Outcome::Done,
            (_, RetryMode::Ims) if tries >= pace.ims_tries => Outcome::Dead,
            (_, RetryMode::Ims) => Outcome::Again(now.plus_ms(pace.ims_wait_ms)),
            (_, RetryMode::Patient) if now.0.saturating_sub(delivery.since.0) >= pace.give_up_ms => Outcome::Dead,
            (_, RetryMode::Patient) => {
                let wait = delay_ms(tries, pace.first_ms, pace.ceiling_ms);
                Outcome::Again(now.plus_ms(wait.max(pause_ms.min(pace.ceiling_ms))))
            }
        };
        let error = match (health, &answer.error, answer.status) {
            (Health::Accepted, _, _) => None,
            (_, Some(error), _) => Some(error.clone()),
            (_, None, Some(status)) => Some(format!("it answered {status}")),
            (_, None, None) => Some("no answer".to_owned()),
        };
        Verdict {
            health,
            outcome,
            error,
            pause_ms,
        }
    }
}

/// What an answer says about its receiver.
fn judge(mode: RetryMode, answer: &Answer) -> Health {
    match (mode, answer.status) {
        // Where there are no statuses, an error says what a status would.
        (_, Some(200..=299)) if answer.error.is_some() => Health::Refused,
        (RetryMode::Ims, Some(200)) => Health::Accepted,
        (RetryMode::Patient, Some(200..=299)) => Health::Accepted,
        (_, None | Some(408 | 425 | 429 | 500..)) => Health::Down,
        (_, Some(_)) => Health::Refused,
    }
}
