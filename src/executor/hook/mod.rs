//! Programs outside that are asked what they think of a media: a service over HTTP, or an executable of this host.
//!
//! Guarantees: an answer is read within bounds of time and size, and kept only when it is one; asking twice with the
//! same key is how a death in between is healed, so whoever is asked may count on the key. Deliberately absent: what
//! is asked (`scheduler::asking`) and when it is asked again.

mod exec;
mod http;

use crate::base::address::Reach;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Verdict;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The largest answer that is read.
const ANSWER_BYTES: usize = 4 << 20;

/// One question.
#[derive(Debug, Clone)]
pub struct HookOrder {
    /// The attempt that asks; names its scratch directory.
    pub attempt: AttemptId,
    /// Who is asked.
    pub target: HookTarget,
    /// What it is called in messages.
    pub name: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// The same for every repetition of one question.
    pub key: String,
    /// 1 for the first time it is asked, one more for each failed one.
    pub try_number: u32,
    /// The question, JSON.
    pub request: Vec<u8>,
    /// Variables of an executable, all named `REELMILL_...`.
    pub environment: Vec<(String, String)>,
    /// An empty answer is none; else it is taken for `pass`.
    pub must_say: bool,
}

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookTarget {
    /// A service.
    Http {
        /// Its address.
        url: String,
        /// How far it may reach.
        reach: Reach,
    },
    /// An executable by its name in the hooks directory.
    Exec {
        /// Its name.
        name: String,
    },
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum HookAnswer {
    /// An opinion, within bounds.
    Said(Opinion),
    /// It takes longer; the answer is posted to the address in the question.
    Later,
}

/// What a question is signed with: makes the headers that sign a body.
#[derive(Clone)]
pub struct Signer(Arc<Sign>);

/// The headers, or in a clause why there are none.
type Sign = dyn Fn(&[u8]) -> Result<Vec<(&'static str, String)>, String> + Send + Sync;

impl Signer {
    /// One that signs by `sign`.
    pub fn new(sign: impl Fn(&[u8]) -> Result<Vec<(&'static str, String)>, String> + Send + Sync + 'static) -> Self {
        Signer(Arc::new(sign))
    }

    fn headers(&self, order: &HookOrder) -> Result<Vec<(&'static str, String)>, Fault> {
        (self.0)(&order.request).map_err(|why| {
            Fault::new(
                "HookKeyUnreadable",
                Blame::Host,
                "ask hook",
                order.name.clone(),
                format!("the question cannot be signed: {why}"),
                "Look at server.hook_signing_key_file and old_hook_signing_key_file.",
            )
            .retryable(true)
        })
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(...)")
    }
}

/// How hooks are asked here.
#[derive(Debug, Clone, Copy)]
pub struct Ways<'a> {
    /// Where executables lie; none: none may be named.
    pub hooks_dir: Option<&'a Path>,
    /// Signs questions to services; none: they go unsigned.
    pub signer: Option<&'a Signer>,
    /// An empty directory that an executable may write into.
    pub room: &'a Path,
}

/// Asks.
///
/// # Errors
/// Nobody could be asked, the time is over, it was stopped, or the answer is none.
pub async fn ask(order: &HookOrder, ways: Ways<'_>, stop: CancellationToken) -> Result<HookAnswer, Fault> {
    match (&order.target, ways.hooks_dir) {
        (HookTarget::Http { url, reach }, _) => {
            let signature = match ways.signer {
                Some(signer) => signer.headers(order)?,
                None => Vec::new(),
            };
            http::ask(order, (url, *reach), signature, stop).await
        }
        (HookTarget::Exec { name }, Some(folder)) => exec::ask(order, &folder.join(name), ways.room, stop).await,
        (HookTarget::Exec { .. }, None) => Err(nobody_here(order)),
    }
}

/// The fault of a place from which nobody can be asked.
pub fn nobody_here(order: &HookOrder) -> Fault {
    Fault::new(
        "HookUnavailable",
        Blame::Request,
        "ask hook",
        order.name.clone(),
        "no hooks can be asked from here",
        "Run the workflow in the daemon, with server.hooks_dir set.",
    )
}

/// Reads the words of a hook.
fn opinion(order: &HookOrder, body: &[u8]) -> Result<Opinion, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return match order.must_say {
            false => Ok(Opinion {
                by: order.name.clone(),
                ..Opinion::of(Verdict::Pass)
            }),
            true => Err(bad_answer(order, "it answered nothing".to_owned())),
        };
    }
    read_opinion(body, &order.name).map_err(|why| bad_answer(order, why))
}

/// Reads an opinion of the hook `by` and holds it to its bounds.
///
/// # Errors
/// What is wrong with it, in a clause.
pub fn read_opinion(body: &[u8], by: &str) -> Result<Opinion, String> {
    let mut opinion: Opinion =
        serde_json::from_slice(body).map_err(|error| format!("its answer is no opinion: {error}"))?;
    opinion.check()?;
    by.clone_into(&mut opinion.by);
    Ok(opinion)
}

fn bad_answer(order: &HookOrder, why: String) -> Fault {
    Fault::new(
        "HookAnswerInvalid",
        Blame::Request,
        "ask hook",
        order.name.clone(),
        why,
        "Correct the hook: it answers {\"verdict\": \"pass\" | \"review\" | \"block\"} with labels, segments and summary as it likes.",
    )
}

fn too_long(order: &HookOrder) -> Fault {
    bad_answer(order, format!("its answer is longer than {ANSWER_BYTES} bytes"))
}

fn too_late(order: &HookOrder) -> Fault {
    Fault::new(
        "HookTimedOut",
        Blame::Host,
        "ask hook",
        order.name.clone(),
        format!("there was no answer within {} s", order.timeout.as_secs()),
        "Give it more time with timeout_s, or let the service answer 202 and post its answer later.",
    )
}

fn stopped(order: &HookOrder) -> Fault {
    Fault::new(
        "Stopped",
        Blame::Host,
        "ask hook",
        order.name.clone(),
        "it was stopped before it answered",
        "Nothing: it is asked again when it is needed.",
    )
}
